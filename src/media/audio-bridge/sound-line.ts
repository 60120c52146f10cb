/**
 * Samples on the publisher's timeline, cut into blocks of one size for an encoder. Time counts by samples, so that blocks follow each
 * other without jitter; a publisher whose clock runs otherwise is followed by a sample more or less a block, a gap is filled with
 * silence, and a jump starts the count anew.
 */
import type { Micros } from '../frame.ts';

/** Beyond this the timeline has jumped, and does not drift. */
const JUMP: Micros = 40_000;
/** A longer gap is not filled. */
const MAX_SILENCE: Micros = 500_000;
/** Drift is corrected from here on, until it is below the second. */
const STEER_FROM: Micros = 4000;
const STEER_UNTIL: Micros = 500;
/** Share of a new look in the average; timestamps come rounded to a millisecond. */
const WEIGHT = 0.05;

export interface SoundBlocks {
  /** `size` samples by channel, valid during the call, and when the first of them sounds. */
  block(planes: readonly Float32Array[], time: Micros): void;
}

export class SoundLine {
  readonly #rate: number;
  readonly #size: number;
  readonly #blocks: SoundBlocks;
  /** One sample more than a block, to be left out while steering. */
  readonly #planes: readonly Float32Array[];
  #filled = 0;
  /** When the block at hand begins. */
  #start: Micros | undefined;
  readonly #blockTime: Micros;
  /** How far the publisher's clock is ahead of our count, on average. */
  #ahead: Micros = 0;
  /** Samples more, or less, that go into a block. */
  #steer: -1 | 0 | 1 = 0;

  /** `rate` in Hz; blocks have `size` samples. */
  constructor(rate: number, channels: number, size: number, blocks: SoundBlocks) {
    this.#rate = rate;
    this.#size = size;
    this.#blocks = blocks;
    this.#blockTime = (size * 1e6) / rate;
    this.#planes = Array.from({ length: channels }, () => new Float32Array(size + 1));
  }

  /** When the next sample is due; undefined before the first. */
  get due(): Micros | undefined {
    return this.#start === undefined ? undefined : this.#start + (this.#filled * 1e6) / this.#rate;
  }

  /** Takes `count` samples by channel, of which the first sounds at `time`. */
  push(planes: readonly Float32Array[], count: number, time: Micros): void {
    const due = this.due;
    if (due === undefined) this.#start = time;
    else this.#follow(time - due, time);
    this.#append(planes, count);
  }

  #follow(ahead: Micros, time: Micros): void {
    if (Math.abs(ahead) <= JUMP) {
      this.#ahead += WEIGHT * (ahead - this.#ahead);
      const distance = Math.abs(this.#ahead);
      // more samples than time: a block takes one more of them
      if (distance > STEER_FROM) this.#steer = this.#ahead > 0 ? -1 : 1;
      else if (distance < STEER_UNTIL) this.#steer = 0;
      return;
    }
    this.#ahead = 0;
    this.#steer = 0;
    if (ahead > 0 && ahead <= MAX_SILENCE) this.#append([], Math.round((ahead * this.#rate) / 1e6));
    else {
      this.#filled = 0;
      this.#start = time;
    }
  }

  /** Without planes: silence. */
  #append(planes: readonly Float32Array[], count: number): void {
    for (let taken = 0; taken < count; ) {
      const wanted = this.#size + this.#steer;
      const take = Math.min(count - taken, Math.max(0, wanted - this.#filled));
      for (const [channel, plane] of this.#planes.entries()) {
        const from = planes[channel];
        if (from === undefined) plane.fill(0, this.#filled, this.#filled + take);
        else plane.set(from.subarray(taken, taken + take), this.#filled);
      }
      taken += take;
      this.#filled += take;
      if (this.#filled >= wanted) this.#emit();
    }
  }

  #emit(): void {
    const time = this.#start!;
    const over = this.#filled - this.#size;
    if (over !== 0) {
      for (const plane of this.#planes) stretch(plane, this.#filled, this.#size);
      this.#ahead += (over * 1e6) / this.#rate;
    }
    this.#filled = 0;
    this.#start = time + this.#blockTime;
    this.#blocks.block(this.#planes, time);
  }
}

/** Lays `from` samples out over `to`, in place, a sample more or less; first and last stay where they are. */
function stretch(plane: Float32Array, from: number, to: number): void {
  const step = (from - 1) / (to - 1);
  const value = (at: number) => {
    const low = Math.min(Math.floor(at), from - 2);
    return plane[low]! + (plane[low + 1]! - plane[low]!) * (at - low);
  };
  if (from > to) for (let i = 1; i < to; i++) plane[i] = value(i * step);
  else for (let i = to - 1; i > 0; i--) plane[i] = value(i * step);
}
