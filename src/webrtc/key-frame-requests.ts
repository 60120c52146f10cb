/**
 * When one source is asked for a key picture: at most twice a second, and more slowly when it does not answer.
 */
import type { Millis } from '../base/clock.ts';

/** A source begins with a key picture by itself, which is on its way. */
const FIRST_AFTER: Millis = 100;
const MIN_INTERVAL: Millis = 500;
const MAX_INTERVAL: Millis = 4_000;

export class KeyFrameRequests {
  /** Asked so far. */
  count = 0;
  #wanted = false;
  #notBefore: Millis;
  #interval = MIN_INTERVAL;

  constructor(now: Millis) {
    this.#notBefore = now + FIRST_AFTER;
  }

  want(): void {
    this.#wanted = true;
  }

  /** A key picture came. */
  answered(): void {
    this.#wanted = false;
    this.#interval = MIN_INTERVAL;
  }

  /** Is it time to ask? Then it counts as asked. */
  due(now: Millis): boolean {
    if (!this.#wanted || now < this.#notBefore) return false;
    this.#notBefore = now + this.#interval;
    this.#interval = Math.min(MAX_INTERVAL, 2 * this.#interval);
    this.count += 1;
    return true;
  }
}
