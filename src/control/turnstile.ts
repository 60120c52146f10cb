/**
 * So many at once, so many in the queue, and nobody waits beyond a deadline.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';

interface Waiter {
  readonly pass: (outcome: Passage) => void;
  readonly timer: Timer;
}

/** `in`: to be ended by `leave`. `full`: the queue has no room. `late`: the deadline came first. */
export type Passage = 'in' | 'full' | 'late';

export class Turnstile {
  readonly #clock: Clock;
  #atOnce: number;
  #queueLength: number;
  #inside = 0;
  readonly #queue = new Set<Waiter>();

  constructor(clock: Clock, atOnce: number, queueLength: number) {
    this.#clock = clock;
    this.#atOnce = atOnce;
    this.#queueLength = queueLength;
  }

  /** New limits; those who are inside or in the queue stay. */
  configure(atOnce: number, queueLength: number): void {
    this.#atOnce = atOnce;
    this.#queueLength = queueLength;
    this.#admit();
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** `patience`: milliseconds to wait at most. */
  enter(patience: Millis): Promise<Passage> {
    if (this.#inside < this.#atOnce) {
      this.#inside++;
      return Promise.resolve('in');
    }
    if (this.#queue.size >= this.#queueLength) return Promise.resolve('full');
    return new Promise((resolve) => {
      const timer = this.#clock.after(patience, () => {
        this.#queue.delete(waiter);
        resolve('late');
      });
      const waiter: Waiter = { pass: resolve, timer };
      this.#queue.add(waiter);
    });
  }

  leave(): void {
    this.#inside--;
    this.#admit();
  }

  #admit(): void {
    for (const waiter of this.#queue) {
      if (this.#inside >= this.#atOnce) return;
      this.#queue.delete(waiter);
      waiter.timer.cancel();
      this.#inside++;
      waiter.pass('in');
    }
  }
}
