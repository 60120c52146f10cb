/**
 * A person's presence, whatever the transport. The web site knows it by `name`; castgate's own logs and API by `id`.
 */
import type { Millis } from '../base/clock.ts';
import type { SessionQuality } from './quality.ts';

export type Transport = 'rtmp' | 'rtmps' | 'webrtc';
export type Role = 'broadcaster' | 'watcher';
export type SessionState = 'connected' | 'publishing' | 'playing' | 'closing';

/** Plain numbers, kept by the front door. */
export interface Traffic {
  received: number;
  sent: number;
}

export interface SessionStream {
  /** Stream name within the application, without its query. */
  readonly name: string;
  /** What followed `?` in the stream name; may hold keys, never logged. */
  readonly query: string;
  readonly doing: 'publish' | 'play';
}

export interface Session {
  /** castgate's own, unique for the life of the process: 16 hexadecimal digits. In each log line and in the API. */
  readonly id: string;
  /** The name the web server knows; several sessions may share one. At most 64 bytes of safe text. */
  readonly name: string;
  /** A decimal number below 2^31, unique in this process: `sessionId` of rtpsessions. */
  readonly number: number;
  readonly transport: Transport;
  readonly app: string;
  readonly ip: string;
  /** What followed `?` in the address, in order and decoded; holds the key, never logged. */
  readonly params: readonly string[];
  /** Wall time. */
  readonly startedAt: Millis;
  /** The same moment on the monotonic clock, for durations. */
  readonly startedTick: Millis;
  readonly role: Role;
  readonly canKick: boolean;
  room: string;
  state: SessionState;
  stream?: SessionStream | undefined;
  /** Does it publish pictures, sound; known from the first frames. */
  hasVideo: boolean;
  hasAudio: boolean;
  /** Asked when somebody reports. */
  traffic(): Traffic;
  /** Where the protocol tells; asked when somebody looks. */
  quality?(): SessionQuality;
  /** Wall time of the last sign of life. */
  lastPingAt(): Millis;
  /** Ends it: the client is told `reason` in its own protocol, then closed. Idempotent. */
  disconnect(reason: string): void;
}
