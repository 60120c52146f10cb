/**
 * Sender reports (RFC 3550 section 6.4.1): which RTP timestamp belongs to which moment, the same for picture and sound, so that a
 * viewer plays them together.
 */
import type { Clock, Millis } from '../base/clock.ts';
import { type NtpTime, type RtcpItem, type SenderReport, writeRtcp } from './rtcp.ts';
import type { RtpClock } from './rtp-clock.ts';

/** From 1900, where NTP begins, to 1970. */
const NTP_EPOCH_SECONDS = 2_208_988_800;
const FRACTIONS = 2 ** 32;

/** NTP time that rises evenly: the wall clock of the start, carried on by the monotonic one. */
export class NtpClock {
  readonly #clock: Clock;
  readonly #offset: Millis;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.wallTime() - clock.now();
  }

  now(): NtpTime {
    const seconds = (this.#clock.now() + this.#offset) / 1000 + NTP_EPOCH_SECONDS;
    const whole = Math.floor(seconds);
    return { seconds: whole % FRACTIONS, fraction: Math.floor((seconds - whole) * FRACTIONS) };
  }
}

/** What one track has sent to one viewer. */
export interface SentTrack {
  readonly ssrc: number;
  readonly clock: RtpClock;
  readonly packets: number;
  /** Payload bytes. */
  readonly bytes: number;
}

/** One compound for all tracks of a viewer. The timeline counts microseconds of the same clock as `now`. */
export function senderReports(tracks: readonly SentTrack[], cname: string, ntp: NtpTime, now: Millis): Buffer {
  const reports: RtcpItem[] = tracks.map(
    ({ ssrc, clock, packets, bytes }): SenderReport => ({
      type: 'sr',
      ssrc,
      ntp,
      timestamp: clock.timestamp(now * 1000),
      packets: packets % FRACTIONS,
      bytes: bytes % FRACTIONS,
      blocks: [],
    }),
  );
  return writeRtcp([...reports, { type: 'sdes', sources: tracks.map(({ ssrc }) => ({ ssrc, cname })) }]);
}
