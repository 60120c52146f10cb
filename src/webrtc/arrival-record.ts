/**
 * When the packets of a session came, by transport-wide sequence number, until their sender has been told (see
 * transport-feedback.ts). What comes late is told in the next feedback, which then begins there.
 */
import type { Millis } from '../base/clock.ts';
import { extendSequence } from './sequence.ts';
import { DELTA_MICROS, REFERENCE_MICROS, type TransportFeedback } from './transport-feedback.ts';

/** Packets remembered; a power of two. */
const WINDOW = 2048;
/** A packet so far behind the latest is told of no more. */
const MAX_LATE = 1024;
/** Packets in one feedback, so that it fits a datagram whatever their deltas. */
const MAX_TOLD = 400;
const UNITS_PER_MILLI = 1000 / DELTA_MICROS;
const UNITS_PER_REFERENCE = REFERENCE_MICROS / DELTA_MICROS;
const MAX_DELTA = 0x7fff;
const NEVER = -1;

export class ArrivalRecord {
  /** In units of 250 µs, by number modulo its length. */
  readonly #arrivals = new Float64Array(WINDOW).fill(NEVER);
  #first: number | undefined;
  #last = 0;
  #number = 0;

  take(sequence: number, now: Millis): void {
    if (this.#first === undefined) {
      this.#first = sequence + 0x10000;
      this.#last = this.#first - 1;
    }
    const extended = extendSequence(sequence, this.#last);
    if (extended <= this.#last - MAX_LATE) return;
    if (extended - this.#last >= MAX_LATE) this.#restart(extended);
    for (let missing = this.#last + 1; missing < extended; missing++) this.#arrivals[missing % WINDOW] = NEVER;
    const at = extended % WINDOW;
    if (extended <= this.#last && this.#arrivals[at] !== NEVER) return;
    this.#arrivals[at] = Math.round(now * UNITS_PER_MILLI);
    this.#last = Math.max(this.#last, extended);
    this.#first = Math.min(this.#first, extended);
  }

  /** What has not been told; undefined when there is nothing. Called again it goes on, when one packet could not hold it. */
  feedback(sender: number, media: number): TransportFeedback | undefined {
    const base = this.#first;
    if (base === undefined || base > this.#last) return undefined;
    let start = base;
    while (this.#arrivals[start % WINDOW] === NEVER) start += 1;
    const reference = Math.floor(this.#arrivals[start % WINDOW]! / UNITS_PER_REFERENCE);
    const deltas: (number | undefined)[] = [];
    let before = reference * UNITS_PER_REFERENCE;
    let next = base;
    for (; next <= this.#last && deltas.length < MAX_TOLD; next++) {
      const arrival = this.#arrivals[next % WINDOW]!;
      if (arrival === NEVER) {
        deltas.push(undefined);
        continue;
      }
      if (Math.abs(arrival - before) > MAX_DELTA) break;
      deltas.push(arrival - before);
      before = arrival;
    }
    this.#first = next;
    const number = this.#number;
    this.#number = (number + 1) & 0xff;
    return { type: 'twcc', sender, media, base: base & 0xffff, reference: (reference << 8) >> 8, number, deltas };
  }

  #restart(extended: number): void {
    this.#arrivals.fill(NEVER);
    this.#first = extended;
    this.#last = extended - 1;
  }
}
