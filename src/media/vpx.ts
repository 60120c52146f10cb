/**
 * VP8 and VP9: the configuration record of both (VP Codec ISO Media File Format Binding), and the size from key frames, as the
 * record has none (RFC 6386 section 9.1; VP9 bitstream specification, 6.2).
 */
import { BitReader } from './bits.ts';

/** VPCodecConfigurationRecord. */
export interface VpxConfig {
  readonly profile: number;
  /** Ten times the level; 0 when unknown. */
  readonly level: number;
  readonly bitDepth: number;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** The version and flags of the MP4 box, which some writers leave in front. */
const BOX_VERSION = 0x0100_0000;

/** Reads a record, with or without the version of its MP4 box; undefined when it is not whole. */
export function readVpxConfig(record: Buffer): VpxConfig | undefined {
  const start = record.length >= 12 && record.readUInt32BE(0) === BOX_VERSION ? 4 : 0;
  if (record.length < start + 8) return undefined;
  return { profile: record[start]!, level: record[start + 1]!, bitDepth: record[start + 2]! >> 4 };
}

/** The size in a VP8 key frame; undefined for other frames. */
export function readVp8Size(data: Buffer): PictureSize | undefined {
  const START_CODE = 0x9d012a;
  if (data.length < 10 || (data[0]! & 1) !== 0 || data.readUIntBE(3, 3) !== START_CODE) return undefined;
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff };
}

/** The size in a VP9 key frame; undefined for other frames. */
export function readVp9Size(data: Buffer): PictureSize | undefined {
  const FRAME_MARKER = 2;
  const SYNC_CODE = 0x498342;
  const SRGB = 7;
  const reader = new BitReader(data);
  if (reader.bits(2) !== FRAME_MARKER) return undefined;
  const profile = reader.bits(1) + 2 * reader.bits(1);
  if (profile === 3) reader.skip(1);
  const showExisting = reader.flag();
  const interFrame = reader.flag();
  if (showExisting || interFrame) return undefined;
  reader.skip(2);
  if (reader.bits(24) !== SYNC_CODE) return undefined;
  if (profile >= 2) reader.skip(1);
  const anySampling = profile === 1 || profile === 3;
  if (reader.bits(3) !== SRGB) reader.skip(anySampling ? 4 : 1);
  else if (anySampling) reader.skip(1);
  const width = reader.bits(16) + 1;
  const height = reader.bits(16) + 1;
  return reader.exhausted ? undefined : { width, height };
}
