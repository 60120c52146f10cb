/**
 * Writing the configuration record of VP8 and VP9 (VP Codec ISO Media File Format Binding).
 */
import { BitReader } from './bits.ts';
import { readVp9Size } from './vpx.ts';

export interface VpxRecord {
  readonly profile: number;
  /** Ten times the level; 0 when unknown. */
  readonly level: number;
  readonly bitDepth: number;
  /** 0 and 1: 4:2:0 with samples sited left or in the corner; 2: 4:2:2; 3: 4:4:4. */
  readonly chroma: number;
  readonly fullRange: boolean;
  /** Colour primaries, transfer characteristics and matrix as ISO/IEC 23091-2 numbers them; 2 is unspecified. */
  readonly colour: readonly [number, number, number];
}

const UNSPECIFIED = [2, 2, 2] as const;
/** 4:2:0, sited with the luma sample in the corner: what a name without further parts means. */
const CHROMA_420 = 1;
/** By subsampling in x and y, one bit each; 4:4:0 has no number of its own and is called 4:2:2. */
const CHROMA_BY_SUBSAMPLING = [3, 2, 2, CHROMA_420] as const;

/** The eight bytes, without codec initialisation data, which both codecs must leave out. */
export function writeVpxConfig(record: VpxRecord): Buffer {
  const { profile, level, bitDepth, chroma, fullRange, colour } = record;
  return Buffer.of(profile, level, (bitDepth << 4) | (chroma << 1) | (fullRange ? 1 : 0), ...colour, 0, 0);
}

/** The record for a VP8 frame: its version (RFC 6386 section 9.1), and what all of VP8 has in common. */
export function vp8ConfigOf(frame: Buffer): Buffer {
  const profile = (frame[0]! >> 1) & 7;
  return writeVpxConfig({ profile, level: 0, bitDepth: 8, chroma: CHROMA_420, fullRange: false, colour: UNSPECIFIED });
}

/** Levels by the largest picture they hold, luma samples (VP9 levels, annex A). What they say of rates is left aside. */
const VP9_LEVELS: readonly (readonly [number, number])[] = [
  [36_864, 10],
  [73_728, 11],
  [122_880, 20],
  [245_760, 21],
  [552_960, 30],
  [983_040, 31],
  [2_228_224, 40],
  [8_912_896, 50],
  [35_651_584, 60],
];

/** Colour by color_space (VP9 6.2.2): primaries, transfer, matrix. */
const VP9_COLOURS: readonly (readonly [number, number, number])[] = [
  UNSPECIFIED,
  [6, 6, 6], // BT.601
  [1, 1, 1], // BT.709
  [6, 6, 6], // SMPTE 170
  [7, 7, 7], // SMPTE 240
  [9, 14, 9], // BT.2020
  UNSPECIFIED,
  [1, 13, 0], // sRGB
];

/**
 * The record for a VP9 key frame (VP9 bitstream specification, 6.2); the level is the lowest one that holds the picture size. Undefined
 * for other frames.
 */
export function vp9ConfigOf(frame: Buffer): Buffer | undefined {
  const size = readVp9Size(frame);
  if (size === undefined) return undefined;
  const reader = new BitReader(frame);
  reader.skip(2);
  const profile = reader.bits(1) + 2 * reader.bits(1);
  // frame header up to the sync code
  reader.skip((profile === 3 ? 1 : 0) + 4 + 24);
  const bitDepth = profile < 2 ? 8 : reader.flag() ? 12 : 10;
  const space = reader.bits(3);
  const isRgb = space === 7;
  const fullRange = isRgb || reader.flag();
  const anySampling = (profile & 1) !== 0;
  const subsampling = anySampling ? (isRgb ? 0 : reader.bits(2)) : 3;
  const chroma = CHROMA_BY_SUBSAMPLING[subsampling]!;
  const samples = size.width * size.height;
  const level = VP9_LEVELS.find(([most]) => samples <= most)?.[1] ?? 0;
  return writeVpxConfig({ profile, level, bitDepth, chroma, fullRange, colour: VP9_COLOURS[space]! });
}
