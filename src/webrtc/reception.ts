/**
 * How one source is received: what receiver reports say (RFC 3550 section 6.4.1, appendix A.3 and A.8), and what people ask.
 */
import type { Millis } from '../base/clock.ts';
import { type NtpTime, type ReportBlock, shortNtp } from './rtcp.ts';

const MAX_LOST = 0x7fffff;
const MIN_LOST = -0x800000;
/** Bitrates are averages over this. */
const RATE_WINDOW: Millis = 1_000;

export class Reception {
  readonly ssrc: number;
  packets = 0;
  /** Of RTP payloads and headers. */
  bytes = 0;
  /** Bits a second, over the last second. */
  bitrate = 0;
  lastPacketAt: Millis;
  readonly #rate: number;
  #first: number;
  #highest: number;
  /** Since `#first`. */
  #received = 0;
  /** Timestamp units. */
  #jitter = 0;
  /** Arrival less timestamp, of the packet before; timestamp units. */
  #transit: number | undefined;
  /** Before the last restart. */
  #expectedOnce = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #report = 0;
  #reportAt: Millis = 0;
  #windowStart: Millis;
  #windowBytes = 0;

  /** `rate`: ticks a second; `first`: the extended sequence number of its first packet. */
  constructor(ssrc: number, rate: number, first: number, now: Millis) {
    this.ssrc = ssrc;
    this.#rate = rate;
    this.#first = first;
    this.#highest = first;
    this.#windowStart = now;
    this.lastPacketAt = now;
  }

  /** Numbers passed, since the beginning: those that came and those that did not. */
  get expected(): number {
    return this.#expectedOnce + this.#highest - this.#first + 1;
  }

  get jitter(): Millis {
    return (this.#jitter * 1000) / this.#rate;
  }

  /** A packet came, not as a retransmission. */
  take(extended: number, timestamp: number, bytes: number, now: Millis): void {
    this.packets += 1;
    this.#received += 1;
    this.bytes += bytes;
    this.#windowBytes += bytes;
    this.lastPacketAt = now;
    // the first and those in order: a late one would count as jitter of the path
    if (extended < this.#highest) return;
    this.#highest = extended;
    const transit = ((now * this.#rate) / 1000 - timestamp) % 2 ** 32;
    if (this.#transit !== undefined) {
      const apart = Math.abs(Math.trunc(transit - this.#transit) | 0);
      // a jump of the timestamps is none of the path's
      if (apart < this.#rate) this.#jitter += (apart - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  /** The source numbers its packets anew, from `first` on. */
  restart(first: number): void {
    this.#expectedOnce = this.packets;
    this.#first = first;
    this.#highest = first;
    this.#received = 0;
    this.#expectedBefore = 0;
    this.#receivedBefore = 0;
    this.#transit = undefined;
  }

  /** A sender report came. */
  reported(ntp: NtpTime, now: Millis): void {
    this.#report = shortNtp(ntp);
    this.#reportAt = now;
  }

  /** Closes the interval since the last block. */
  block(now: Millis): ReportBlock {
    const expected = this.#highest - this.#first + 1;
    const expectedNow = expected - this.#expectedBefore;
    const lostNow = expectedNow - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    return {
      ssrc: this.ssrc,
      fractionLost: expectedNow <= 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      lost: Math.max(MIN_LOST, Math.min(MAX_LOST, expected - this.#received)),
      // extended numbers begin one cycle up, those of reports do not
      highest: (this.#highest - 0x10000) >>> 0,
      jitter: Math.floor(this.#jitter) >>> 0,
      lastReport: this.#report,
      sinceLastReport: this.#report === 0 ? 0 : Math.floor((now - this.#reportAt) * 65.536) >>> 0,
    };
  }

  /** Brings `bitrate` up to date. */
  check(now: Millis): void {
    const span = now - this.#windowStart;
    if (span < RATE_WINDOW) return;
    this.bitrate = Math.round((this.#windowBytes * 8000) / span);
    this.#windowStart = now;
    this.#windowBytes = 0;
  }
}
