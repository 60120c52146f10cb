/**
 * What every RTMP connection shares.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Hub } from '../relay/hub.ts';
import type { Gate } from '../session/gate.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { Audiences } from './audiences.ts';
import type { RtmpOptions, WriteWindow } from './options.ts';
import type { ReadPacer } from './read-pacer.ts';

/** Plain numbers, read by whoever reports. */
export interface RtmpCounts {
  /** TCP connections accepted, and open now. */
  accepted: number;
  open: number;
  /** Connections and requests refused or cut, by code. */
  readonly closed: Map<string, number>;
  /** Media messages where nobody publishes; dropped. */
  strayMedia: number;
  videoFrames: number;
  audioFrames: number;
  /** Bytes of connections that are over. */
  bytesReceived: number;
  bytesSent: number;
}

export interface RtmpWorld {
  readonly version: string;
  /** May change on reload, all but `chunkSize`; read anew for each connection. */
  options: RtmpOptions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hub: Hub;
  readonly registry: SessionRegistry;
  readonly gate: Gate;
  readonly audiences: Audiences;
  readonly pacer: ReadPacer;
  readonly counts: RtmpCounts;
  /** Random bytes. */
  readonly random: (count: number) => Buffer;
  /** A number below 2^31 that no session of this process has now. */
  readonly nextNumber: () => number;
  /** The write window of an application. */
  readonly writeWindow: (app: string) => WriteWindow;
  /** From the TCP connection to the first key frame's write, for players. */
  readonly observeJoin: (millis: Millis) => void;
}

export function newCounts(): RtmpCounts {
  return {
    accepted: 0,
    open: 0,
    closed: new Map(),
    strayMedia: 0,
    videoFrames: 0,
    audioFrames: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
}

export function countClosed(counts: RtmpCounts, code: string): void {
  counts.closed.set(code, (counts.closed.get(code) ?? 0) + 1);
}
