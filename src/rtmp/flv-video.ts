/**
 * The video tag header of FLV 10.1, annex E.4.3, and HEVC as codec id 12, which encoders used before enhanced RTMP.
 */
import { PeerError } from '../base/errors.ts';
import type { Frame, VideoCodec } from '../media/frame.ts';
import { FLV_FAULT, type TagNotes } from './flv-frame.ts';

const CODEC_FLV1 = 2;
const CODEC_AVC = 7;
const CODEC_HEVC = 12;

const KEY = 1;
const INTER = 2;
const GENERATED_KEY = 4;
const COMMAND = 5;

const SEQUENCE_HEADER = 0;
const NAL_UNITS = 1;

/** Frame type and codec, packet type, composition time. */
const AVC_HEADER = 5;

/** Reads a header without the enhanced bit. `body` has one byte at least. */
export function readLegacyVideo(body: Buffer, notes: TagNotes): void {
  const first = body[0]!;
  const frameType = first >> 4;
  const codecId = first & 15;
  if (frameType === COMMAND) {
    notes.opaque(1);
  } else if (codecId === CODEC_AVC) {
    readNalTag(body, frameType, 'h264', notes);
  } else if (codecId === CODEC_HEVC) {
    readNalTag(body, frameType, 'hevc', notes);
  } else {
    notes.unit(roleOf(frameType), codecId === CODEC_FLV1 ? 'flv1' : 'other', 1);
  }
}

/** `key` for the frame types at which decoding may start. */
export function roleOf(frameType: number): 'key' | 'delta' {
  return frameType === KEY || frameType === GENERATED_KEY ? 'key' : 'delta';
}

function readNalTag(body: Buffer, frameType: number, codec: VideoCodec, notes: TagNotes): void {
  const packetType = body[1];
  if (packetType === NAL_UNITS || packetType === SEQUENCE_HEADER) {
    if (body.length < AVC_HEADER) throw new PeerError(FLV_FAULT, `${codec} tag of ${body.length} bytes`);
    if (packetType === NAL_UNITS) {
      notes.unit(roleOf(frameType), codec, AVC_HEADER);
      // sign-extended from 24 bits
      notes.cts = ((body[2]! << 24) | (body[3]! << 16) | (body[4]! << 8)) >> 8;
    } else {
      notes.unit('config', codec, AVC_HEADER);
    }
  } else if (packetType === undefined) {
    throw new PeerError(FLV_FAULT, `${codec} tag of 1 byte`);
  } else {
    // end of sequence, or something newer than us
    notes.opaque(Math.min(AVC_HEADER, body.length));
  }
}

/** Codecs that have a form of their own without a FourCC. */
export const LEGACY_VIDEO: ReadonlySet<string> = new Set<VideoCodec>(['h264', 'flv1']);

/** The body of a frame of a `LEGACY_VIDEO` codec. `cts`: composition time, ms. */
export function writeLegacyVideo(frame: Frame, cts: number): Buffer {
  const frameType = frame.role === 'delta' ? INTER : KEY;
  if (frame.codec === 'flv1') return Buffer.concat([Buffer.of((frameType << 4) | CODEC_FLV1), frame.data]);
  const header = Buffer.alloc(AVC_HEADER);
  header[0] = (frameType << 4) | CODEC_AVC;
  header[1] = frame.role === 'config' ? SEQUENCE_HEADER : NAL_UNITS;
  header.writeIntBE(frame.role === 'config' ? 0 : cts, 2, 3);
  return Buffer.concat([header, frame.data]);
}
