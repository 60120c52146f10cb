/**
 * Media from one codec into another: sound in a worker that all streams share, pictures in a process for each stream.
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
  /** Configurations and units of the other codec, in order. Never throws, never waits; drops for itself when what works for it is behind. */
  write(frame: Frame): void;
  /** Idempotent. */
  close(): void;
}

export interface Transcoders {
  start(to: BridgedCodec, events: TranscoderEvents): Transcoder;
}

/** Pictures of any codec into H.264 without reordering, which every browser shows. */
export interface PictureTranscoders {
  /** What is written in the turn that begins it is the past: it is needed to decode, and is not given out. */
  start(events: TranscoderEvents): Transcoder;
  takes(frame: Frame): boolean;
}
