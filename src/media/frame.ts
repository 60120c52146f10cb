/**
 * The travelling unit. A frame is one encoded picture, one audio unit, one metadata message or one decoder configuration.
 * Frames are immutable, shared by all who receive them, and know no wire format. docs/codecs.md fixes the bytes per codec.
 */

/** Microseconds on the publisher's clock. A double returns 1 ms, 90 kHz and 48 kHz ticks exactly. */
export type Micros = number;

export type VideoCodec = 'h264' | 'hevc' | 'av1' | 'vp8' | 'vp9' | 'vvc' | 'flv1';
export type AudioCodec = 'aac' | 'opus' | 'mp3' | 'flac' | 'ac3' | 'eac3' | 'g711a' | 'g711u' | 'speex' | 'pcm';
/**
 * `metadata`: facts beside the coded media. Of kind data: AMF0 name and value, as an FLV script tag; of kind video: the same with
 * colour facts; of kind audio: a channel layout. `other`: relayed, not understood.
 */
export type Codec = VideoCodec | AudioCodec | 'metadata' | 'other';

export type FrameKind = 'video' | 'audio' | 'data';
/** `config`: a decoder must have it first. `key`: decoding may start here. `delta`: needs what came before. */
export type FrameRole = 'config' | 'key' | 'delta';

export interface Frame {
  readonly kind: FrameKind;
  /** Audio frames and metadata without a decoder meaning are `delta` and `config` respectively. */
  readonly role: FrameRole;
  readonly codec: Codec;
  /** Decode time. */
  readonly dts: Micros;
  /** Presentation time; equal to `dts` without reordering. */
  readonly pts: Micros;
  /** Bytes of the payload. */
  readonly size: number;
  /** Payload, laid out per codec; never written to again. May be a view made when asked for: who only counts asks for `size`. */
  readonly data: Buffer;
  /** Track number; 0 unless the publisher sends several (enhanced RTMP multitrack, simulcast). */
  readonly track: number;
  /** The configuration in force for this frame's track, so that a key frame stands on its own. */
  readonly config?: Frame | undefined;
  /** Further tracks that travel inside the same message; relayed with this frame, never by themselves. */
  readonly others?: readonly Frame[] | undefined;
}

/** A writer of one wire form that remembers what it wrote, for as long as the frame lives. */
export function oncePerFrame<T extends object>(write: (frame: Frame) => T): (frame: Frame) => T {
  const written = new WeakMap<Frame, T>();
  return (frame) => {
    let form = written.get(frame);
    if (form === undefined) {
      form = write(frame);
      written.set(frame, form);
    }
    return form;
  };
}
