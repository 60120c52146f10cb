/**
 * From lines to samples and back: windows that overlap by half, long or short (ISO/IEC 14496-3, 4.6.11 and 4.6.18).
 */
import { bessel } from '../bessel.ts';
import { FRAME, SHORT, SHORT_WINDOWS } from './bands.ts';
import { CosineTransform } from './cosine-transform.ts';

export type WindowSequence = 0 | 1 | 2 | 3;
export const ONLY_LONG = 0;
export const LONG_START = 1;
export const EIGHT_SHORT = 2;
export const LONG_STOP = 3;

/** 0 sine, 1 Kaiser-Bessel derived. */
export type WindowShape = 0 | 1;

/** Lines of a long window before, and after, the slope of a short one. */
const FLAT = (FRAME - SHORT) / 2;

/** Rising halves by shape. */
const LONG_RISE: readonly Float32Array[] = [sine(FRAME), kaiserBessel(FRAME, 4)];
const SHORT_RISE: readonly Float32Array[] = [sine(SHORT), kaiserBessel(SHORT, 6)];
const LATE_RISE: readonly Float32Array[] = SHORT_RISE.map((rise) => {
  const late = new Float32Array(FRAME).fill(1, FLAT + SHORT);
  late.set(rise, FLAT);
  return late;
});

const LONG = new CosineTransform(FRAME);
const BRIEF = new CosineTransform(SHORT);

/** What stays the same for all streams of a thread; nothing of it lives longer than a call. */
const lines = new Float64Array(FRAME);
const span = new Float64Array(2 * FRAME);
const folded = new Float32Array(FRAME);

/** A channel on its way out: what the last frame left to be added. */
export class Synthesis {
  readonly #overlap = new Float32Array(FRAME);
  #shape: WindowShape = 0;

  /** `spectrum` is in the units of 16-bit samples; `samples` gets `FRAME` values from -1 to 1. */
  run(spectrum: Float32Array, sequence: WindowSequence, shape: WindowShape, samples: Float32Array): void {
    const before = this.#shape;
    this.#shape = shape;
    if (sequence === EIGHT_SHORT) this.#short(spectrum, before, shape, samples);
    else {
      const rise = (sequence === LONG_STOP ? LATE_RISE : LONG_RISE)[before]!;
      const fall = (sequence === LONG_START ? LATE_RISE : LONG_RISE)[shape]!;
      this.#long(spectrum, rise, fall, samples);
    }
  }

  /** Unfolds one transform of twice its length, windows it, and keeps the second half. */
  #long(spectrum: Float32Array, rise: Float32Array, fall: Float32Array, samples: Float32Array): void {
    const overlap = this.#overlap;
    const half = FRAME / 2;
    LONG.run(spectrum, 0, lines, 1 / (32_768 * FRAME));
    for (let n = 0; n < half; n++) {
      const late = FRAME - 1 - n;
      samples[n] = overlap[n]! + lines[n + half]! * rise[n]!;
      samples[late] = overlap[late]! - lines[n + half]! * rise[late]!;
      overlap[n] = -lines[half - 1 - n]! * fall[late]!;
      overlap[late] = -lines[half - 1 - n]! * fall[n]!;
    }
  }

  #short(spectrum: Float32Array, before: WindowShape, shape: WindowShape, samples: Float32Array): void {
    const overlap = this.#overlap;
    const half = SHORT / 2;
    const fall = SHORT_RISE[shape]!;
    span.fill(0);
    for (let window = 0; window < SHORT_WINDOWS; window++) {
      BRIEF.run(spectrum, window * SHORT, lines, 1 / (32_768 * SHORT));
      const rise = SHORT_RISE[window === 0 ? before : shape]!;
      const start = FLAT + window * SHORT;
      for (let n = 0; n < half; n++) {
        const late = SHORT - 1 - n;
        span[start + n]! += lines[n + half]! * rise[n]!;
        span[start + late]! -= lines[n + half]! * rise[late]!;
        span[start + SHORT + n]! -= lines[half - 1 - n]! * fall[late]!;
        span[start + SHORT + late]! -= lines[half - 1 - n]! * fall[n]!;
      }
    }
    for (let n = 0; n < FRAME; n++) {
      samples[n] = overlap[n]! + span[n]!;
      overlap[n] = span[FRAME + n]!;
    }
  }
}

/** A channel on its way in. Sine windows only. */
export class Analysis {
  /** The last frame and this one, from -1 to 1. */
  readonly #samples = new Float32Array(2 * FRAME);

  /** Takes `FRAME` samples; `spectrum` gets the lines of the frame before and this one, in the units of 16-bit samples. */
  run(samples: Float32Array, sequence: WindowSequence, spectrum: Float32Array): void {
    const all = this.#samples;
    all.copyWithin(0, FRAME);
    all.set(samples, FRAME);
    if (sequence === EIGHT_SHORT) {
      const slope = SHORT_RISE[0]!;
      for (let window = 0; window < SHORT_WINDOWS; window++) {
        fold(all, FLAT + window * SHORT, SHORT, slope, slope);
        BRIEF.run(folded, 0, lines, 2 * 32_768);
        for (let n = 0; n < SHORT; n++) spectrum[window * SHORT + n] = lines[n]!;
      }
      return;
    }
    const rise = (sequence === LONG_STOP ? LATE_RISE : LONG_RISE)[0]!;
    const fall = (sequence === LONG_START ? LATE_RISE : LONG_RISE)[0]!;
    fold(all, 0, FRAME, rise, fall);
    LONG.run(folded, 0, lines, 2 * 32_768);
    for (let n = 0; n < FRAME; n++) spectrum[n] = lines[n]!;
  }
}

/** Windows `2 * size` samples and folds them into the `size` that the transform takes. */
function fold(samples: Float32Array, start: number, size: number, rise: Float32Array, fall: Float32Array): void {
  const half = size / 2;
  for (let n = 0; n < half; n++) {
    const a = start + n;
    const b = start + size - 1 - n;
    const c = start + size + n;
    const d = start + 2 * size - 1 - n;
    folded[half + n] = samples[a]! * rise[n]! - samples[b]! * rise[size - 1 - n]!;
    folded[half - 1 - n] = -samples[c]! * fall[size - 1 - n]! - samples[d]! * fall[n]!;
  }
}

function sine(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / (2 * size)));
}

/** Running sums of a Kaiser window. */
function kaiserBessel(size: number, alpha: number): Float32Array {
  const kaiser = Array.from({ length: size + 1 }, (_, n) => {
    return bessel(Math.PI * alpha * Math.sqrt(1 - ((2 * n) / size - 1) ** 2));
  });
  const total = kaiser.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  return Float32Array.from({ length: size }, (_, n) => {
    sum += kaiser[n]!;
    return Math.sqrt(sum / total);
  });
}
