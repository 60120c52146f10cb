/**
 * Finds sounds that begin so suddenly that a long window would smear their noise ahead of them.
 */
import { FRAME, SHORT } from './bands.ts';

/** How much louder than before an attack is. */
const RISE = 10;
/** Energy of 128 samples below which nobody minds. */
const FLOOR = SHORT * 1e-5;
/** Weight of the past in the average. */
const MEMORY = 0.7;

/** One channel. */
export class AttackFinder {
  /** Of a simple high pass: what is low needs long windows anyway. */
  #last = 0;
  #average = 0;

  /** Looks at the next `FRAME` samples, from `start` on. */
  run(samples: Float32Array, start: number): boolean {
    let found = false;
    for (let part = start; part < start + FRAME; part += SHORT) {
      let energy = 0;
      for (let i = part; i < part + SHORT; i++) {
        const value = samples[i]!;
        energy += (value - this.#last) ** 2;
        this.#last = value;
      }
      if (energy > FLOOR && energy > RISE * this.#average) found = true;
      this.#average = Math.max(energy * (1 - MEMORY) + this.#average * MEMORY, FLOOR / RISE);
    }
    return found;
  }
}
