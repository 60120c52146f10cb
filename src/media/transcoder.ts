/**
 * Sound from one codec into another, in a worker that all streams share.
 */
import type { Frame } from './frame.ts';

export type BridgedCodec = 'aac' | 'opus';

export interface TranscoderEvents {
  /** A configuration first, then units in order, times on the timeline of what was written. */
  frame(frame: Frame): void;
  /** It goes on no more; once. The code stands in base/errors.ts. */
  failed(code: string, text: string): void;
}

/** One stream, one direction. */
export interface Transcoder {
  /** Configurations and units of the other codec, in order. Never throws, never waits; drops for itself when the worker is behind. */
  write(frame: Frame): void;
  /** Idempotent. */
  close(): void;
}

export interface Transcoders {
  start(to: BridgedCodec, events: TranscoderEvents): Transcoder;
}
