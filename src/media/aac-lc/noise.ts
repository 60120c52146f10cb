/**
 * What perceptual noise substitution fills bands with.
 */

/** White enough, and the same each time. */
export class Noise {
  #state = 1;

  /** From -1 to 1. */
  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) | 0;
    return this.#state / 2 ** 31;
  }
}
