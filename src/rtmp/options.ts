/**
 * What an operator can set about RTMP. Defaults stand here; docs/configuration.md is made from the schema in src/config/schema.ts.
 */
import type { Millis } from '../base/clock.ts';

/**
 * When bytes leave for the players. `video`: with each video message, audio rides along (no video is delayed).
 * 0: each message at once. Else milliseconds, 20 to 1000: everything of that window in one write.
 */
export type WriteWindow = 'video' | Millis;

export interface RtmpOptions {
  /** Plain RTMP; TLS and HTTP are told apart by their first byte on the same port. Default `:1935`; empty: off. */
  readonly listen: string;
  /** A listener for RTMPS alone, such as `:1936`. Default empty: off. */
  readonly tlsListen: string;
  /** Chunk size towards clients, bytes. Default 65536. */
  readonly chunkSize: number;
  readonly gopCache: boolean;
  readonly gopCacheSize: number;
  readonly gopCacheTime: Millis;
  readonly writeWindow: WriteWindow;
  /** With many publishers, rest this long between two looks at the sockets, so that one finds many messages. 0: never. Default 3 ms. */
  readonly readPace: Millis;
  /** Publishers connected before `readPace` takes effect. Default 16. */
  readonly readPaceFrom: number;
  /** From the TCP connection to the end of the handshake. Default 10 s. */
  readonly handshakeTimeout: Millis;
  /** From the TCP connection to the connect command. Default 15 s. */
  readonly connectTimeout: Millis;
  /** Connected, without a stream. Default 30 s. */
  readonly idleTimeout: Millis;
  /** A publisher that sends nothing is gone. Default 10 s. */
  readonly publishTimeout: Millis;
  /** A player whose stream is not live waits this long for it. Default 30 s; 0: forever. */
  readonly playWait: Millis;
  /** A player that takes no data is gone. Default 20 s. */
  readonly viewerTimeout: Millis;
  /** Ping idle players this often, to notice the dead. Default 30 s. */
  readonly pingInterval: Millis;
  /** Bytes of one message, at most. Default 8 MiB. */
  readonly maxMessage: number;
  /** The same before the login was accepted. Default 64 KiB. */
  readonly maxMessageBeforeConnect: number;
  /** A viewer's queue: video is withheld above it, until the next key frame that finds the queue drained. Default 512 KiB. */
  readonly viewerQueue: number;
  /** TCP connections in all. Default 20000. */
  readonly maxConnections: number;
  /** TCP connections of one address; of IPv6, of one network (/64). Default 2000. */
  readonly maxConnectionsPerIp: number;
}

export const RTMP_DEFAULTS: RtmpOptions = {
  listen: ':1935',
  tlsListen: '',
  chunkSize: 65_536,
  gopCache: true,
  gopCacheSize: 16 << 20,
  gopCacheTime: 10_000,
  writeWindow: 'video',
  readPace: 3,
  readPaceFrom: 16,
  handshakeTimeout: 10_000,
  connectTimeout: 15_000,
  idleTimeout: 30_000,
  publishTimeout: 10_000,
  playWait: 30_000,
  viewerTimeout: 20_000,
  pingInterval: 30_000,
  maxMessage: 8 << 20,
  maxMessageBeforeConnect: 64 << 10,
  viewerQueue: 512 << 10,
  maxConnections: 20_000,
  maxConnectionsPerIp: 2_000,
};
