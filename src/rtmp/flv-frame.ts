/**
 * What the FLV files share: the frame that keeps its RTMP message, and the notes taken while a tag header is read.
 */
import type { Codec, Frame, FrameRole } from '../media/frame.ts';
import type { Wire } from './slab.ts';

/** RTMP message types that carry media; FLV's tag types are the same numbers. */
export const AUDIO_MESSAGE = 8;
export const VIDEO_MESSAGE = 9;
/** Data in AMF3 framing: a zero byte, then AMF0. */
export const DATA_AMF3_MESSAGE = 15;
export const DATA_MESSAGE = 18;

/** The code of every fault found in a tag. */
export const FLV_FAULT = 'rtmp/flv';

/** Bytes of one configuration or metadata message, at most. */
export const MAX_CONFIG_BYTES = 64 << 10;

/** Tracks of one kind whose configuration is remembered, and tracks in one message, at most. */
export const MAX_TRACKS = 16;

/** One RTMP audio, video or data message without its chunk headers. */
export interface FlvMessage {
  /** RTMP message type: 8 audio, 9 video, 18 (or 15) data. */
  readonly typeId: number;
  /** Timestamp in milliseconds, unwrapped. */
  readonly millis: number;
  readonly body: Buffer;
}

/** A frame that came by RTMP and leaves by RTMP as the same bytes. */
export interface FlvFrame extends Frame, FlvMessage {
  /** Where it lies in the form that players receive; noted once, before the frame is relayed. */
  wire: Wire | undefined;
}

export function isFlvFrame(frame: Frame): frame is FlvFrame {
  return (frame as Partial<FlvFrame>).body !== undefined;
}

/** Where one track's payload lies in a message. */
export interface TrackSpan {
  readonly track: number;
  readonly codec: Codec;
  readonly start: number;
  readonly end: number;
  /** Composition time, ms: presentation minus decode time. */
  readonly cts: number;
}

/** Notes on one tag, taken by the header readers. One object serves all tags of a publisher; `clear` before each. */
export class TagNotes {
  role: FrameRole = 'delta';
  codec: Codec = 'other';
  start = 0;
  end = 0;
  cts = 0;
  /** Added to the timestamp, ns; 0 to 999999. */
  nanos = 0;
  track = 0;
  /** The configuration, where the tag header itself is one. */
  config: Frame | undefined = undefined;
  /** Tracks after the first one. */
  others: readonly TrackSpan[] | undefined = undefined;

  clear(body: Buffer): void {
    this.end = body.length;
    this.cts = 0;
    this.nanos = 0;
    this.track = 0;
    this.config = undefined;
    this.others = undefined;
  }

  /** A plain frame from `start` to the end of the body. */
  unit(role: FrameRole, codec: Codec, start: number): void {
    this.role = role;
    this.codec = codec;
    this.start = start;
  }

  /** Nothing that a decoder could use: relayed as it is. */
  opaque(start: number): void {
    this.unit('delta', 'other', start);
  }
}
