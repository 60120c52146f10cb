/**
 * The webLogout calls that one site is owed: a few at a time, again after growing pauses, the oldest dropped when too many wait.
 *
 * The pause belongs to the site, not to the name: a site that is down is asked once in a while whatever the length of the queue,
 * and the first success lets all the others follow. A name that fails goes to the end of the queue, so it holds up nobody.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';

/** Tells the site that `name` is gone; true when it heard. Never rejects. */
export type SendLogout = (name: string) => Promise<boolean>;

export interface LogoutQueueParts {
  readonly clock: Clock;
  readonly send: SendLogout;
  /** The site heard of it. */
  readonly delivered: (name: string) => void;
  /** Too many wait: this one will not be told. */
  readonly dropped: (name: string) => void;
}

export const MAX_LOGOUTS_WAITING = 10_000;
const AT_ONCE = 4;
/** When the server stops, everybody leaves at once and time is short. */
const AT_ONCE_DRAINING = 32;
/** After the first failure in a row, the second, … and each further one. */
const PAUSES: readonly Millis[] = [1_000, 5_000, 30_000, 60_000, 120_000, 300_000];

export class LogoutQueue {
  readonly #parts: LogoutQueueParts;
  /** Names in the order in which they will be tried. */
  readonly #waiting = new Set<string>();
  readonly #flights = new Map<string, Promise<boolean>>();
  #failures = 0;
  #pause: Timer | undefined;
  #draining = false;
  #stopped = false;
  #whenEmpty: (() => void)[] = [];

  constructor(parts: LogoutQueueParts) {
    this.#parts = parts;
  }

  /** Not delivered yet, those under way included. */
  get size(): number {
    return this.#waiting.size + this.#flights.size;
  }

  add(name: string): void {
    if (this.#waiting.has(name)) return;
    if (this.#waiting.size >= MAX_LOGOUTS_WAITING) {
      const [oldest] = this.#waiting;
      this.#waiting.delete(oldest!);
      this.#parts.dropped(oldest!);
    }
    this.#waiting.add(name);
    this.#pump();
  }

  /** Takes `name` back, unless it is under way; a login of that name is about to be asked. */
  withdraw(name: string): void {
    this.#waiting.delete(name);
    this.#settleEmpty();
  }

  /** The call for `name` that is under way, if any: did the site hear? */
  underWay(name: string): Promise<boolean> | undefined {
    return this.#flights.get(name);
  }

  /** The site shows signs of life: no need to wait out a pause. */
  wake(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#endPause();
    this.#pump();
  }

  /** Resolves once nothing waits; from now on pauses are short and more go at once. */
  drained(): Promise<void> {
    this.#draining = true;
    this.#endPause();
    this.#pump();
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** For the end: nothing is tried any more. */
  stop(): void {
    this.#stopped = true;
    this.#endPause();
  }

  #pump(): void {
    if (this.#stopped) return;
    const atOnce = this.#draining ? AT_ONCE_DRAINING : this.#failures > 0 ? 1 : AT_ONCE;
    for (const name of this.#waiting) {
      if (this.#pause !== undefined || this.#flights.size >= atOnce) return;
      this.#waiting.delete(name);
      this.#flights.set(name, this.#fly(name));
    }
  }

  async #fly(name: string): Promise<boolean> {
    const heard = await this.#parts.send(name);
    this.#flights.delete(name);
    if (heard) {
      this.#failures = 0;
      this.#endPause();
      this.#parts.delivered(name);
    } else {
      this.#rest();
      this.add(name);
    }
    this.#pump();
    this.#settleEmpty();
    return heard;
  }

  #rest(): void {
    if (this.#pause !== undefined || this.#stopped) return;
    const step = this.#draining ? 0 : Math.min(this.#failures, PAUSES.length - 1);
    this.#failures++;
    this.#pause = this.#parts.clock.after(PAUSES[step]!, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }

  #endPause(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
  }

  #settleEmpty(): void {
    if (this.size > 0) return;
    const waiters = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiters) resolve();
  }
}
