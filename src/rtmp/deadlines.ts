/**
 * What a client must have done by when.
 */
import type { Millis } from '../base/clock.ts';
import type { RtmpOptions } from './options.ts';

export interface Progress {
  readonly handshakeDone: boolean;
  readonly connected: boolean;
  /** Waits for an answer of ours. */
  readonly asking: boolean;
  readonly answersPings: boolean;
  readonly doing: 'publish' | 'play' | undefined;
  /** Since the TCP connection. */
  readonly age: Millis;
  /** Since the last byte was received. */
  readonly silence: Millis;
  /** Since it was connected, or did something last. */
  readonly idle: Millis;
}

/** The error code and the reason, when a deadline has passed. */
export function overdue(progress: Progress, options: RtmpOptions): readonly [code: string, text: string] | undefined {
  const { silence, doing } = progress;
  if (!progress.handshakeDone) {
    return progress.age > options.handshakeTimeout ? ['rtmp/timeout', 'no handshake'] : undefined;
  }
  if (!progress.connected) {
    return progress.age > options.connectTimeout && !progress.asking ? ['rtmp/timeout', 'no connect'] : undefined;
  }
  if (doing === 'publish' && silence > options.publishTimeout) {
    return ['rtmp/dead-peer', `no data for ${Math.round(silence)} ms`];
  }
  if (doing === undefined && progress.idle > options.idleTimeout) {
    return ['rtmp/timeout', 'neither publishes nor plays'];
  }
  // who has answered before and answers no more is gone, even when TCP has not noticed
  if (progress.answersPings && silence > 2 * options.pingInterval + 1_000) return ['rtmp/timeout', 'answers no pings'];
  return undefined;
}
