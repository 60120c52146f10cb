/**
 * The headers of enhanced RTMP: FourCC codecs, multitrack and ModEx, for video and audio alike (Veovera, E-RTMP v1 and v2,
 * "Enhanced Audio" and "Enhanced Video").
 */
import { ByteReader } from '../base/bytes.ts';
import type { AudioCodec, Codec, Frame, FrameRole, VideoCodec } from '../media/frame.ts';
import { FLV_FAULT, MAX_TRACKS, type TagNotes, type TrackSpan } from './flv-frame.ts';
import { roleOf } from './flv-video.ts';

/** Set in the first byte of a video tag that has the enhanced header. */
export const ENHANCED_VIDEO = 0x80;
/** The sound format of an audio tag that has the enhanced header. */
export const ENHANCED_AUDIO = 9;

const SEQUENCE_START = 0;
const CODED_FRAMES = 1;
const CODED_FRAMES_X = 3;
/** Video: colour facts. Audio: the channel layout. */
const METADATA = 4;
const MPEG2TS_SEQUENCE_START = 5;
const VIDEO_MULTITRACK = 6;
const AUDIO_MULTITRACK = 5;
const MOD_EX = 7;

const ONE_TRACK = 0;
const MANY_TRACKS_MANY_CODECS = 2;

const TIMESTAMP_OFFSET_NANO = 0;
const MAX_NANOS = 999_999;
/** Modifiers before one packet, at most. */
const MAX_MOD_EX = 16;

const KEY = 1;
const INTER = 2;
const COMMAND = 5;

export const VIDEO_FOURCCS: ReadonlyMap<VideoCodec, string> = new Map<VideoCodec, string>([
  ['h264', 'avc1'],
  ['hevc', 'hvc1'],
  ['vvc', 'vvc1'],
  ['av1', 'av01'],
  ['vp8', 'vp08'],
  ['vp9', 'vp09'],
]);

export const AUDIO_FOURCCS: ReadonlyMap<AudioCodec, string> = new Map<AudioCodec, string>([
  ['aac', 'mp4a'],
  ['opus', 'Opus'],
  ['flac', 'fLaC'],
  ['ac3', 'ac-3'],
  ['eac3', 'ec-3'],
  ['mp3', '.mp3'],
]);

const videoCodecs = byFourCc(VIDEO_FOURCCS);
const audioCodecs = byFourCc(AUDIO_FOURCCS);

function byFourCc(fourCcs: ReadonlyMap<Codec, string>): ReadonlyMap<number, Codec> {
  return new Map([...fourCcs].map(([codec, fourCc]) => [Buffer.from(fourCc, 'latin1').readUInt32BE(0), codec]));
}

/** Video whose coded frames carry a composition time. */
function isReordered(codec: Codec): boolean {
  return codec === 'h264' || codec === 'hevc' || codec === 'vvc';
}

/** Reads a video tag whose first byte has `ENHANCED_VIDEO`. */
export function readEnhancedVideo(body: Buffer, notes: TagNotes): void {
  const reader = new ByteReader(body, FLV_FAULT);
  const first = reader.u8();
  const frameType = (first >> 4) & 7;
  const packet = readModEx(reader, first & 15, notes);
  if (packet === undefined || (frameType === COMMAND && packet !== METADATA)) notes.opaque(reader.offset);
  else if (packet === VIDEO_MULTITRACK) readMultitrack(reader, true, roleOf(frameType), notes);
  else readTrack(reader, true, packet, roleOf(frameType), notes);
}

/** Reads an audio tag of sound format `ENHANCED_AUDIO`. */
export function readEnhancedAudio(body: Buffer, notes: TagNotes): void {
  const reader = new ByteReader(body, FLV_FAULT);
  const packet = readModEx(reader, reader.u8() & 15, notes);
  if (packet === undefined) notes.opaque(reader.offset);
  else if (packet === AUDIO_MULTITRACK) readMultitrack(reader, false, 'delta', notes);
  else readTrack(reader, false, packet, 'delta', notes);
}

/** The packet type behind the modifiers, if there is one. */
function readModEx(reader: ByteReader, first: number, notes: TagNotes): number | undefined {
  let packet = first;
  for (let count = 0; packet === MOD_EX; count++) {
    if (count === MAX_MOD_EX) return undefined;
    let size = reader.u8() + 1;
    if (size === 256) size = reader.u16() + 1;
    const at = reader.take(size);
    const next = reader.u8();
    if (next >> 4 === TIMESTAMP_OFFSET_NANO && size >= 3) {
      const nanos = reader.buffer.readUIntBE(at, 3);
      if (nanos <= MAX_NANOS) notes.nanos = nanos;
    }
    packet = next & 15;
  }
  // modifiers of nothing
  return first === MOD_EX && reader.remaining === 0 ? undefined : packet;
}

function readTrack(reader: ByteReader, video: boolean, packet: number, coded: FrameRole, notes: TagNotes): void {
  const codec = codecOf(reader.u32(), video);
  const role = packetRole(packet, video, coded);
  if (role === undefined) {
    notes.opaque(reader.offset);
    return;
  }
  if (packet === CODED_FRAMES && isReordered(codec)) notes.cts = reader.i24();
  notes.unit(role, payloadCodec(packet, video, codec), reader.offset);
}

/** Reads the tracks of one message: the first into the notes themselves, the others into `notes.others`. */
function readMultitrack(reader: ByteReader, video: boolean, coded: FrameRole, notes: TagNotes): void {
  const byte = reader.u8();
  const layout = byte >> 4;
  const packet = byte & 15;
  const role = packetRole(packet, video, coded);
  if (layout > MANY_TRACKS_MANY_CODECS || role === undefined) {
    notes.opaque(reader.offset);
    return;
  }
  const shared = layout === MANY_TRACKS_MANY_CODECS ? undefined : codecOf(reader.u32(), video);
  const spans: TrackSpan[] = [];
  do {
    if (spans.length === MAX_TRACKS) {
      notes.opaque(reader.offset);
      return;
    }
    const codec = shared ?? codecOf(reader.u32(), video);
    const track = reader.u8();
    const size = layout === ONE_TRACK ? reader.remaining : reader.u24();
    const start = reader.take(size);
    const inner = new ByteReader(reader.buffer, FLV_FAULT, start, start + size);
    const cts = packet === CODED_FRAMES && isReordered(codec) ? inner.i24() : 0;
    spans.push({ track, codec: payloadCodec(packet, video, codec), start: inner.offset, end: inner.end, cts });
  } while (reader.remaining > 0);
  const first = spans[0]!;
  notes.unit(role, first.codec, first.start);
  notes.end = first.end;
  notes.cts = first.cts;
  notes.track = first.track;
  if (spans.length > 1) notes.others = spans.slice(1);
}

function codecOf(fourCc: number, video: boolean): Codec {
  return (video ? videoCodecs : audioCodecs).get(fourCc) ?? 'other';
}

/** What a packet is to a decoder; undefined for ends of sequence, nested multitrack and types newer than us. */
function packetRole(packet: number, video: boolean, coded: FrameRole): FrameRole | undefined {
  switch (packet) {
    case SEQUENCE_START:
    case METADATA:
      return 'config';
    case CODED_FRAMES:
      return coded;
    case CODED_FRAMES_X:
      return video ? coded : undefined;
    case MPEG2TS_SEQUENCE_START:
      return video ? 'config' : undefined;
    default:
      return undefined;
  }
}

function payloadCodec(packet: number, video: boolean, codec: Codec): Codec {
  if (packet === METADATA) return 'metadata';
  // another layout than the configuration of the same codec
  return video && packet === MPEG2TS_SEQUENCE_START ? 'other' : codec;
}

/** The FourCC under which a codec is sent; undefined when it has none. */
export function fourCcOf(codec: Codec): string | undefined {
  return VIDEO_FOURCCS.get(codec as VideoCodec) ?? AUDIO_FOURCCS.get(codec as AudioCodec);
}

/** The body of a frame whose codec has the FourCC `fourCc`; tracks other than 0 in the one-track form. `cts`: ms. */
export function writeEnhanced(frame: Frame, fourCc: string, cts: number): Buffer {
  const video = frame.kind === 'video';
  let packet = frame.role === 'config' ? SEQUENCE_START : CODED_FRAMES;
  const header: number[] = [];
  let composition: number[] = [];
  if (packet === CODED_FRAMES && isReordered(frame.codec)) {
    if (cts === 0) packet = CODED_FRAMES_X;
    else composition = [(cts >> 16) & 255, (cts >> 8) & 255, cts & 255];
  }
  const first = video ? ENHANCED_VIDEO | ((frame.role === 'delta' ? INTER : KEY) << 4) : ENHANCED_AUDIO << 4;
  if (frame.track === 0) header.push(first | packet);
  else header.push(first | (video ? VIDEO_MULTITRACK : AUDIO_MULTITRACK), (ONE_TRACK << 4) | packet);
  header.push(...Buffer.from(fourCc, 'latin1'));
  if (frame.track !== 0) header.push(frame.track);
  return Buffer.concat([Buffer.from([...header, ...composition]), frame.data]);
}
