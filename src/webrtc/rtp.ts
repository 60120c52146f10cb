/**
 * RTP payloads between frames and packets (RFC 3550 and the payload format of each codec).
 */
import type { Frame } from '../media/frame.ts';

/** What goes behind one RTP header. */
export interface RtpPayload {
  /** Laid one after the other; views of the frame where possible. */
  readonly parts: readonly Buffer[];
  /** Bytes of all parts. */
  readonly size: number;
  /** The last packet of a picture. */
  readonly marker: boolean;
}

/** Cuts one frame (never a configuration) into payloads of at most `maxSize` bytes; none when the format has no form for it. */
export type Packetize = (frame: Frame, maxSize: number) => readonly RtpPayload[];

/** One received packet, in order. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** Without padding. */
  readonly payload: Buffer;
}

/** One access unit, as docs/codecs.md lays it out. */
export interface AccessUnit {
  /** RTP timestamp. */
  readonly timestamp: number;
  readonly key: boolean;
  readonly data: Buffer;
  /** The decoder configuration, where this unit brings one that differs from the last. */
  readonly config?: Buffer | undefined;
}

/** Puts the packets of one source together. Owns what it keeps: payloads are the caller's again when `push` has returned. */
export interface Depacketizer {
  /**
   * Takes the next packet; `gap`: packets before it are lost for good. Units that came whole are answered in order; units that lack a
   * packet are never answered, and `broken` tells that pictures until the next key unit cannot be decoded: as at the start. Those are
   * not answered either.
   */
  push(packet: RtpPacket, gap: boolean): readonly AccessUnit[];
  readonly broken: boolean;
}
