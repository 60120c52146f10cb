/**
 * Writing the configuration record of VP8 and VP9 (VP Codec ISO Media File Format Binding).
 */

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
/** 4:2:0, sited with the luma sample on the left. */
const CHROMA_420 = 0;

/** The eight bytes, without codec initialisation data, which both codecs must leave out. */
export function writeVpxConfig(record: VpxRecord): Buffer {
  const { profile, level, bitDepth, chroma, fullRange, colour } = record;
  return Buffer.of(profile, level, (bitDepth << 4) | (chroma << 1) | (fullRange ? 1 : 0), ...colour, 0, 0);
}

/** The record for a VP8 frame: its version (RFC 6386 section 9.1), and what all of VP8 has in common. */
export function vp8Config(frame: Buffer): Buffer {
  const profile = (frame[0]! >> 1) & 7;
  return writeVpxConfig({ profile, level: 0, bitDepth: 8, chroma: CHROMA_420, fullRange: false, colour: UNSPECIFIED });
}
