/**
 * Which packets of one source are missing, and when to ask for them again (RFC 4585 section 6.2.1).
 */
import type { Millis } from '../base/clock.ts';

interface Missing {
  /** When it was asked for last. */
  askedAt: Millis;
  tries: number;
}

/** Before the first answer has come. */
const FIRST_RTT: Millis = 100;
/** However near the sender is: what comes out of order needs a moment, too. */
const MIN_REPEAT: Millis = 30;
const MAX_TRIES = 8;
/** Of the new measurement in the average. */
const WEIGHT = 1 / 8;
/** From a question to its answer; anything slower is another answer. */
const MAX_RTT: Millis = 1_000;

export class LossList {
  /** From a question to its answer, smoothed. */
  rtt = FIRST_RTT;
  /** By extended sequence number, rising. */
  readonly #missing = new Map<number, Missing>();
  #measured = false;

  get size(): number {
    return this.#missing.size;
  }

  /** The packets from `first` up to, not including, `end` did not come, and later ones did. */
  add(first: number, end: number): void {
    for (let number = first; number < end; number++) this.#missing.set(number, { askedAt: 0, tries: 0 });
  }

  /** Packet `number` came; `repeated`: because we asked. True when it had been asked for. */
  arrived(number: number, now: Millis, repeated: boolean): boolean {
    const missing = this.#missing.get(number);
    if (missing === undefined) return false;
    this.#missing.delete(number);
    // of an answer to several questions nobody knows which it answers (Karn's rule)
    if (missing.tries === 1 && repeated) this.#measure(now - missing.askedAt);
    return missing.tries > 0;
  }

  /** Nobody waits any more for packets before `number`. */
  forget(number: number): void {
    for (const missing of this.#missing.keys()) {
      if (missing >= number) return;
      this.#missing.delete(missing);
    }
  }

  /** Numbers to ask for now, 16 bits each; they count as asked. */
  due(now: Millis): number[] {
    const numbers: number[] = [];
    const repeat = Math.max(MIN_REPEAT, this.rtt);
    for (const [number, missing] of this.#missing) {
      if (missing.tries >= MAX_TRIES || (missing.tries > 0 && now - missing.askedAt < repeat)) continue;
      missing.tries += 1;
      missing.askedAt = now;
      numbers.push(number & 0xffff);
    }
    return numbers;
  }

  #measure(sample: Millis): void {
    if (sample > MAX_RTT) return;
    this.rtt = this.#measured ? this.rtt + WEIGHT * (sample - this.rtt) : sample;
    this.#measured = true;
  }
}
