/**
 * RTP timestamps (RFC 3550 section 5.1) as times and back.
 */
import type { Micros } from '../media/frame.ts';

/** One source's timestamps. They start anywhere, wrap at 32 bits, and may step back when pictures or packets are reordered. */
export class RtpClock {
  /** Ticks a second. */
  readonly rate: number;
  readonly #offset: number;
  /** The last one read, and how many ticks it lies behind time 0. */
  #last: number;
  #ticks = 0;

  /** `offset`: the timestamp of time 0; random for what we send, the first one for what we receive. */
  constructor(rate: number, offset: number) {
    this.rate = rate;
    this.#offset = offset >>> 0;
    this.#last = this.#offset;
  }

  /** The time of a received timestamp: of all it could mean, the one nearest to the last. Times before the first are negative. */
  micros(timestamp: number): Micros {
    this.#ticks += (timestamp - this.#last) | 0;
    this.#last = timestamp;
    return (this.#ticks * 1e6) / this.rate;
  }

  /** The timestamp to send for a time; keeps nothing. */
  timestamp(micros: Micros): number {
    const ticks = Math.round((micros * this.rate) / 1e6);
    // a remainder first: the bit operators want numbers below 2^53 only for the sum
    return ((ticks % 0x1_0000_0000) + this.#offset) >>> 0;
  }
}
