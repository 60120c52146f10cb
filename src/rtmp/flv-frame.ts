/**
 * What the FLV files share: the frame that keeps its RTMP message, and the notes taken while a tag header is read.
 */
import type { Codec, Frame, FrameKind, FrameRole, Micros } from '../media/frame.ts';
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

/** What an `FlvFrame` is made of: a frame whose payload lies in its message from `start` to `end`. */
export interface FlvParts extends Omit<Frame, 'size' | 'data'>, FlvMessage {
  readonly start: number;
  readonly end: number;
}

/**
 * A frame that came by RTMP and leaves by RTMP as the same bytes. Thousands of them wait in caches, so it is one object that makes
 * views of its bytes when asked: players need none.
 */
export class FlvFrame implements Frame, FlvMessage {
  readonly kind: FrameKind;
  readonly role: FrameRole;
  readonly codec: Codec;
  readonly dts: Micros;
  readonly pts: Micros;
  readonly track: number;
  readonly config: Frame | undefined;
  readonly others: readonly Frame[] | undefined;
  readonly typeId: number;
  readonly millis: number;
  readonly size: number;
  /** Where it lies in the form that players receive; noted once, before the frame is relayed. */
  wire: Wire | undefined;
  readonly #memory: ArrayBufferLike;
  /** In `#memory`: where the body begins and ends, and where the payload begins. */
  readonly #bodyStart: number;
  readonly #bodyEnd: number;
  readonly #start: number;

  constructor(parts: FlvParts) {
    const { body, start, end } = parts;
    this.kind = parts.kind;
    this.role = parts.role;
    this.codec = parts.codec;
    this.dts = parts.dts;
    this.pts = parts.pts;
    this.track = parts.track;
    this.config = parts.config;
    this.others = parts.others;
    this.typeId = parts.typeId;
    this.millis = parts.millis;
    this.size = Math.max(0, end - start);
    this.wire = undefined;
    this.#memory = body.buffer;
    this.#bodyStart = body.byteOffset;
    this.#bodyEnd = body.byteOffset + body.length;
    this.#start = body.byteOffset + start;
  }

  get body(): Buffer {
    return Buffer.from(this.#memory, this.#bodyStart, this.#bodyEnd - this.#bodyStart);
  }

  get data(): Buffer {
    return Buffer.from(this.#memory, this.#start, this.size);
  }
}

export function isFlvFrame(frame: Frame): frame is FlvFrame {
  return frame instanceof FlvFrame;
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
