/**
 * A server's own view of the town's clock: when the server is killed, nothing that it had planned happens any more.
 */
import type { Clock, Millis, Timer } from '../../src/base/clock.ts';

export class MortalClock implements Clock {
  alive = true;
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): Millis {
    return this.#clock.now();
  }

  wallTime(): Millis {
    return this.#clock.wallTime();
  }

  after(delay: Millis, then: () => void): Timer {
    return this.#plan((call) => this.#clock.after(delay, call), then);
  }

  every(period: Millis, then: () => void): Timer {
    if (!this.alive) return { cancel() {} };
    const timer = this.#clock.every(period, then);
    this.#timers.add(timer);
    return this.#cancels(timer);
  }

  soon(then: () => void): Timer {
    return this.#plan((call) => this.#clock.soon(call), then);
  }

  kill(): void {
    this.alive = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #plan(start: (call: () => void) => Timer, then: () => void): Timer {
    if (!this.alive) return { cancel() {} };
    const timer: Timer = start(() => {
      this.#timers.delete(timer);
      then();
    });
    this.#timers.add(timer);
    return this.#cancels(timer);
  }

  #cancels(timer: Timer): Timer {
    return {
      cancel: () => {
        timer.cancel();
        this.#timers.delete(timer);
      },
    };
  }
}
