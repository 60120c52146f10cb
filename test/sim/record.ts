/**
 * What happened in the town, the last of it in words, and the first law that was broken.
 */
import type { Clock, Millis } from '../../src/base/clock.ts';

const KEPT = 60;

export interface Violation {
  readonly law: string;
  readonly text: string;
  readonly at: Millis;
}

export class Record {
  violation: Violation | undefined;
  readonly #clock: Clock;
  readonly #lines: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  trace(text: string): void {
    this.#lines.push(`${(this.#clock.now() / 1_000).toFixed(3).padStart(9)}  ${text}`);
    if (this.#lines.length > KEPT) this.#lines.shift();
  }

  /** The first one counts: what comes after may follow from it. */
  violate(law: string, text: string): void {
    if (this.violation !== undefined) return;
    this.violation = { law, text, at: this.#clock.now() };
    this.trace(`BROKEN: ${law}: ${text}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
