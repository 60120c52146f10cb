/**
 * What every WebRTC session shares.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Hub } from '../relay/hub.ts';
import type { RenditionCodec } from '../relay/rendition.ts';
import type { Source } from '../relay/source.ts';
import type { Stream } from '../relay/stream.ts';
import type { Gate } from '../session/gate.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { DtlsCertificate, MakeDtls } from './dtls.ts';
import type { WebRtcOptions } from './options.ts';
import type { MediaPort } from './path.ts';
import type { RtpAudiences } from './rtp-audiences.ts';
import type { SourceTotals } from './rtp-receiver.ts';

/** Plain numbers, read by whoever reports. */
export interface WebRtcCounts {
  accepted: number;
  open: number;
  /** Requests refused and sessions cut, by code. */
  readonly closed: Map<string, number>;
  /** Of sessions that are over. */
  bytesReceived: number;
  bytesSent: number;
  videoFrames: number;
  audioFrames: number;
  /** RTP of all publishers, about a second behind. */
  readonly ingest: SourceTotals;
}

export interface WebRtcWorld {
  /** May change on reload; read anew for each session. */
  options: WebRtcOptions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hub: Hub;
  readonly registry: SessionRegistry;
  readonly gate: Gate;
  readonly port: MediaPort;
  readonly audiences: RtpAudiences;
  /** Settled before the first session. */
  makeDtls: MakeDtls;
  /** In force now; it is renewed while the process lives. */
  readonly certificate: () => DtlsCertificate;
  readonly counts: WebRtcCounts;
  /** Random bytes. */
  readonly random: (count: number) => Buffer;
  /** A number below 2^31 that no session of this process has now. */
  readonly nextNumber: () => number;
  /** `stream` with its pictures, its sound or both as `to`; itself when that is nothing. */
  readonly rendition: (stream: Stream, ...to: readonly RenditionCodec[]) => Source;
  /** Are pictures that browsers cannot show re-encoded for viewers of `app`? */
  readonly reencodes: (app: string) => boolean;
  /** May anybody see which streams of `app` are live? */
  readonly listed: (app: string) => boolean;
  /** From the request to the first key frame's packets, for viewers. */
  readonly observeJoin: (millis: Millis) => void;
}

export function newCounts(): WebRtcCounts {
  return {
    accepted: 0,
    open: 0,
    closed: new Map(),
    bytesReceived: 0,
    bytesSent: 0,
    videoFrames: 0,
    audioFrames: 0,
    ingest: { packets: 0, lost: 0, recovered: 0, nacks: 0, plis: 0 },
  };
}

export function countClosed(counts: WebRtcCounts, code: string): void {
  counts.closed.set(code, (counts.closed.get(code) ?? 0) + 1);
}
