/**
 * A Matroska stream of one video track (RFC 9559), as a demuxer reads it from a pipe: a head, then a cluster for each frame. Times are
 * exact, and a codec's configuration record goes in as it is.
 */
import type { Codec, Micros } from '../frame.ts';

export interface MatroskaTrack {
  readonly codec: Codec;
  /** Its configuration record; empty: it has none. */
  readonly record: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** From one frame to the next, about. */
  readonly interval: Micros;
}

/** Matroska's names of what it carries as our frames have it. */
const CODEC_IDS: ReadonlyMap<Codec, string> = new Map([
  ['h264', 'V_MPEG4/ISO/AVC'],
  ['hevc', 'V_MPEGH/ISO/HEVC'],
  ['av1', 'V_AV1'],
  ['vp9', 'V_VP9'],
  ['vp8', 'V_VP8'],
]);

/** Identifiers, RFC 9559 section 5.1. */
const ID = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  defaultDuration: 0x23e383,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const;

/** Size of an element that ends with the stream. */
const UNKNOWN_SIZE = Buffer.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const NANOS_PER_MICRO = 1_000;
const VIDEO_TRACK = 1;
const KEY_FRAME = 0x80;
/** Of a block, in front of the frame: track number, time since the cluster's, flags. */
const BLOCK_HEAD = 4;

export function carriedByMatroska(codec: Codec): boolean {
  return CODEC_IDS.has(codec);
}

/** What comes before the first frame. */
export function matroskaHead({ codec, record, width, height, interval }: MatroskaTrack): Buffer {
  const parts = [
    number(ID.trackNumber, VIDEO_TRACK),
    number(ID.trackUid, VIDEO_TRACK),
    number(ID.trackType, 1),
    element(ID.codecId, Buffer.from(CODEC_IDS.get(codec)!, 'latin1')),
    record.length === 0 ? Buffer.alloc(0) : element(ID.codecPrivate, record),
    number(ID.defaultDuration, interval * NANOS_PER_MICRO),
    element(ID.video, number(ID.pixelWidth, width), number(ID.pixelHeight, height)),
  ];
  return Buffer.concat([
    element(ID.ebml, element(ID.docType, Buffer.from('matroska', 'latin1'))),
    idOf(ID.segment),
    UNKNOWN_SIZE,
    element(ID.info, number(ID.timestampScale, NANOS_PER_MICRO)),
    element(ID.tracks, element(ID.trackEntry, ...parts)),
  ]);
}

/** What comes in front of a frame of `size` bytes that is shown at `time`, from 0 on. */
export function matroskaFrameHead(time: Micros, key: boolean, size: number): Buffer {
  const timestamp = number(ID.timestamp, time);
  const block = Buffer.concat([idOf(ID.simpleBlock), sizeOf(BLOCK_HEAD + size)]);
  return Buffer.concat([
    idOf(ID.cluster),
    sizeOf(timestamp.length + block.length + BLOCK_HEAD + size),
    timestamp,
    block,
    Buffer.of(0x80 | VIDEO_TRACK, 0, 0, key ? KEY_FRAME : 0),
  ]);
}

function element(id: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([idOf(id), sizeOf(body.length), body]);
}

function number(id: number, value: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigUInt64BE(BigInt(Math.round(value)));
  return element(id, body);
}

/** The length is in the identifier itself. */
function idOf(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes.subarray(id > 0xffffff ? 0 : id > 0xffff ? 1 : id > 0xff ? 2 : 3);
}

function sizeOf(size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size) | (1n << 56n));
  return bytes;
}
