/**
 * How a viewer fares, as far as its reports tell (RFC 3550 section 6.4.1).
 */
import type { Millis } from '../base/clock.ts';
import { type NtpTime, type ReportBlock, shortNtp } from './rtcp.ts';

/** Plain numbers; those of reports are 0 until the first. */
export interface ViewerStats {
  /** Report blocks that came. */
  readonly reports: number;
  /** Share of the packets lost in the last interval, 0 to 1: of the track that lost more. */
  readonly loss: number;
  /** Packets lost since the beginning, those that came again not counted by most. */
  readonly lost: number;
  readonly rttMillis: Millis;
  /** Of the video track, or of audio when there is no video. */
  readonly jitterMillis: Millis;
  /** Bits a second sent to this viewer, retransmissions included. */
  readonly bitrate: number;
  /** What the client thinks its line can carry, bits a second; 0 when it does not say. */
  readonly estimatedBitrate: number;
  readonly packets: number;
  readonly bytes: number;
  readonly retransmitted: number;
  /** Requests for a key frame, PLI and FIR: each speaks of a picture that stood still. */
  readonly pli: number;
  /** Groups of pictures during which such a request came: as many pictures stood still at least. */
  readonly freezes: number;
  /** Packets asked for again. */
  readonly nack: number;
}

/** What reports say of one track. */
export class TrackQuality {
  reports = 0;
  loss = 0;
  lost = 0;
  jitterMillis: Millis = 0;
  readonly #clockRate: number;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  take({ fractionLost, lost, jitter }: ReportBlock): void {
    this.reports += 1;
    this.loss = fractionLost / 256;
    this.lost = Math.max(0, lost);
    this.jitterMillis = (jitter / this.#clockRate) * 1000;
  }
}

/** The round trip that a report tells; undefined when it has seen no sender report, or the numbers make no sense. */
export function roundTrip({ lastReport, sinceLastReport }: ReportBlock, now: NtpTime): Millis | undefined {
  if (lastReport === 0) return undefined;
  const units = (shortNtp(now) - lastReport - sinceLastReport) | 0;
  return units < 0 ? undefined : (units / 65_536) * 1000;
}

/** Bits a second, measured from beat to beat. */
export class BitrateMeter {
  rate = 0;
  #bytes = 0;
  #since: Millis;

  constructor(now: Millis) {
    this.#since = now;
  }

  measure(bytes: number, now: Millis): void {
    if (now <= this.#since) return;
    this.rate = ((bytes - this.#bytes) * 8000) / (now - this.#since);
    this.#bytes = bytes;
    this.#since = now;
  }
}
