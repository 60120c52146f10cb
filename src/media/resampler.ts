/**
 * From one sampling rate to another by a windowed sinc, one filter for each phase of the exact ratio. Linear phase; what lies below
 * 40 % of the lower rate passes whole, what would fold back from beyond 58 % is 75 dB down.
 */
import { bessel } from './bessel.ts';

/** Taps of a filter at the lower of the two rates. */
const TAPS = 40;
/** Of the Kaiser window, for 80 dB. */
const BETA = 7.86;

interface Filters {
  /** Input samples that one output looks at; a multiple of four. */
  readonly taps: number;
  /** By phase, the latest input last. */
  readonly values: Float32Array;
}

/** Ratios whose filters are kept, the latest: more than there are rates of AAC. */
const MAX_MADE = 16;

const made = new Map<string, Filters>();

export class Resampler {
  /** The ratio, output over input, in lowest terms. */
  readonly #up: number;
  readonly #down: number;
  readonly #filters: Filters;
  /** By channel: the last inputs, and room for the next ones. */
  readonly #inputs: readonly Float32Array[];
  readonly #outputs: readonly Float32Array[];
  /** Inputs kept from before. */
  #kept: number;
  /** Of the next output behind the first input kept, in parts of `up`. */
  #phase = 0;
  #first = 0;
  #count = 0;

  /** Rates in Hz; `size` is the most that one call may bring. */
  constructor(from: number, to: number, channels: number, size: number) {
    const divisor = greatestDivisor(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    this.#filters = filtersFor(this.#up, this.#down);
    const { taps } = this.#filters;
    this.#inputs = Array.from({ length: channels }, () => new Float32Array(2 * taps + size));
    const most = Math.ceil(((size + taps) * this.#up) / this.#down) + 1;
    this.#outputs = Array.from({ length: channels }, () => new Float32Array(most));
    // silence before the start, so that the first output lies on the first input
    this.#kept = taps / 2 - 1;
  }

  /** Of the last `run`: samples that came out. */
  get count(): number {
    return this.#count;
  }

  /** Of the last `run`: where its first output lies, in input samples behind its first input; below 0, since half a filter waits. */
  get first(): number {
    return this.#first;
  }

  /** Takes the first `size` samples of each plane. What it answers is valid until the next call; `count` tells how much of it. */
  run(planes: readonly Float32Array[], size: number): readonly Float32Array[] {
    const { taps, values } = this.#filters;
    const up = this.#up;
    const down = this.#down;
    const total = this.#kept + size;
    // an output at whole input p looks at p - taps / 2 + 1 up to p + taps / 2
    this.#first = this.#phase / up + taps / 2 - 1 - this.#kept;
    let at = 0;
    let phase = 0;
    let count = 0;
    for (const [channel, plane] of planes.entries()) {
      const input = this.#inputs[channel]!;
      const output = this.#outputs[channel]!;
      input.set(size === plane.length ? plane : plane.subarray(0, size), this.#kept);
      at = Math.floor(this.#phase / up);
      phase = this.#phase % up;
      count = 0;
      while (at + taps <= total) {
        const filter = phase * taps;
        // four sums at a time, since each addition waits for the one before
        let a = 0;
        let b = 0;
        let c = 0;
        let d = 0;
        for (let i = 0; i < taps; i += 4) {
          a += input[at + i]! * values[filter + i]!;
          b += input[at + i + 1]! * values[filter + i + 1]!;
          c += input[at + i + 2]! * values[filter + i + 2]!;
          d += input[at + i + 3]! * values[filter + i + 3]!;
        }
        output[count++] = a + b + (c + d);
        phase += down;
        while (phase >= up) {
          phase -= up;
          at++;
        }
      }
      input.copyWithin(0, Math.min(at, total), total);
    }
    this.#phase = phase + Math.max(0, at - total) * up;
    this.#kept = total - Math.min(at, total);
    this.#count = count;
    return this.#outputs;
  }
}

function filtersFor(up: number, down: number): Filters {
  const key = `${up}/${down}`;
  let filters = made.get(key);
  if (filters === undefined) {
    const stretch = Math.max(1, down / up);
    const taps = 4 * Math.ceil((TAPS * stretch) / 4);
    const values = new Float32Array(up * taps);
    for (let phase = 0; phase < up; phase++) {
      let sum = 0;
      for (let i = 0; i < taps; i++) {
        const x = i - taps / 2 + 1 - phase / up;
        const value = sinc(x / stretch) * kaiser(x / (taps / 2));
        values[phase * taps + i] = value;
        sum += value;
      }
      for (let i = 0; i < taps; i++) values[phase * taps + i]! /= sum;
    }
    filters = { taps, values };
    made.set(key, filters);
    if (made.size > MAX_MADE) made.delete(made.keys().next().value!);
  }
  return filters;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The window, from -1 to 1. */
function kaiser(x: number): number {
  return x * x >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
