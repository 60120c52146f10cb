/**
 * Time, handed in. The one file that may touch timers and the system's clocks, so that a test can live a day in a second.
 */

/** Milliseconds. From `now`: monotonic, since an arbitrary start. From `wallTime`: since 1970, UTC. */
export type Millis = number;

/** A pending call; `cancel` is idempotent and safe after the call was made. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, with fractions; never jumps with the wall clock. For intervals and deadlines. */
  now(): Millis;
  /** Milliseconds since 1970, UTC; may jump. For people and web sites only. */
  wallTime(): Millis;
  /** Calls `then` once, no sooner than `delay` from now. */
  after(delay: Millis, then: () => void): Timer;
  /** Calls `then` each `period`, until cancelled; a late round is not made up for. */
  every(period: Millis, then: () => void): Timer;
  /** Calls `then` once, as soon as what is running has returned and waiting input had its turn. */
  soon(then: () => void): Timer;
}

/** The real clock. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delay, then) {
    const handle = setTimeout(then, delay);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  every(period, then) {
    const handle = setInterval(then, period);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
  soon(then) {
    const handle = setImmediate(then);
    return { cancel: () => clearImmediate(handle) };
  },
};

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Holds the whole process up for `millis`. */
export function rest(millis: Millis): void {
  Atomics.wait(nothing, 0, 0, millis);
}

/** A promise that is fulfilled `delay` from now on `clock`. */
export function pause(clock: Clock, delay: Millis): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delay, resolve);
  });
}

/** Wall time as people and programs exchange it, `2026-01-31T12:00:00.000Z` (ISO 8601, UTC). */
export function isoTime(wallTime: Millis): string {
  return new Date(wallTime).toISOString();
}

/** Wall time as the people at this machine read it, `13:00:00`. */
export function localTime(wallTime: Millis): string {
  return new Date(wallTime).toTimeString().slice(0, 8);
}
