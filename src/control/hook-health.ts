/**
 * How one address of a site fares, in words for its owner: the last answer, its age, failures in a row. A failing one is logged
 * once a minute, its recovery once.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { countIn } from './counters.ts';
import type { Hook } from './web-client.ts';

export interface HookFailure {
  /** Of base/errors.ts. */
  readonly code: string;
  /** What is wrong and what to do about it. */
  readonly text: string;
  /** Wall time of the first failure in a row. */
  readonly since: Millis;
}

export interface HookState {
  /** Wall time of the last answer or failure; undefined: not asked yet. */
  readonly at: Millis | undefined;
  /** In a row, up to now. */
  readonly failures: number;
  readonly failure: HookFailure | undefined;
  /** Since the start, by code. */
  readonly failuresByCode: ReadonlyMap<string, number>;
}

const LOG_EVERY: Millis = 60_000;

export class HookHealth {
  readonly #hook: Hook;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #failuresByCode = new Map<string, number>();
  #at: Millis | undefined;
  #failures = 0;
  #failure: HookFailure | undefined;
  #loggedAt = Number.NEGATIVE_INFINITY;
  /** Was the present row of failures logged, so that its end has to be, too. */
  #logged = false;

  constructor(hook: Hook, clock: Clock, log: Logger) {
    this.#hook = hook;
    this.#clock = clock;
    this.#log = log;
  }

  succeeded(): void {
    if (this.#logged) this.#log.info({ hook: this.#hook, failures: this.#failures }, `${this.#hook} works again`);
    this.#logged = false;
    this.#failures = 0;
    this.#failure = undefined;
    this.#note();
  }

  failed(code: string, text: string): void {
    this.#failures++;
    countIn(this.#failuresByCode, code);
    this.#note();
    this.#failure = { code, text, since: this.#failure?.since ?? this.#at! };
    const now = this.#clock.now();
    if (now - this.#loggedAt < LOG_EVERY) return;
    this.#loggedAt = now;
    this.#logged = true;
    this.#log.warn({ hook: this.#hook, code, failures: this.#failures }, `${this.#hook}: ${text}`);
  }

  state(): HookState {
    return {
      at: this.#at,
      failures: this.#failures,
      failure: this.#failure,
      failuresByCode: this.#failuresByCode,
    };
  }

  #note(): void {
    this.#at = this.#clock.wallTime();
  }
}
