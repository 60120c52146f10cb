/**
 * HEVC: the decoder configuration record (ISO/IEC 14496-15, 8.3.3.1) and the start of the sequence parameter set (ITU-T H.265, 7.3.2.2).
 */
import { BitReader, unescapeNal } from './bits.ts';
import { frameRate } from './frame-rate.ts';
import { readParameterSets } from './nal-units.ts';

/** NAL unit types of parameter sets, H.265 table 7-1. */
export const HEVC_NAL = { vps: 32, sps: 33, pps: 34 } as const;

/** HEVCDecoderConfigurationRecord. */
export interface HevcConfig {
  readonly profileSpace: number;
  readonly highTier: boolean;
  readonly profile: number;
  /** 32 flags, the first in the highest bit. */
  readonly compatibility: number;
  /** The six bytes of constraint flags. */
  readonly constraints: Buffer;
  /** Thirty times the level. */
  readonly level: number;
  readonly bitDepth: number;
  readonly fps: number | undefined;
  readonly lengthSize: number;
  readonly parameterSets: readonly { readonly type: number; readonly units: readonly Buffer[] }[];
}

const FIXED_PART = 23;

/** Reads a record; undefined when its fixed part is not whole. A cut-off record gives the sets that are whole. */
export function readHevcConfig(record: Buffer): HevcConfig | undefined {
  // drafts of the format wrote version 0, and some encoders still do
  if (record.length < FIXED_PART || record[0]! > 1) return undefined;
  const parameterSets: { type: number; units: Buffer[] }[] = [];
  let at = FIXED_PART;
  for (let left = record[22]!; left > 0 && at + 3 <= record.length; left--) {
    const { sets, end } = readParameterSets(record, at + 3, record.readUInt16BE(at + 1));
    parameterSets.push({ type: record[at]! & 63, units: sets });
    at = end;
  }
  return {
    profileSpace: record[1]! >> 6,
    highTier: (record[1]! & 32) !== 0,
    profile: record[1]! & 31,
    compatibility: record.readUInt32BE(2),
    constraints: record.subarray(6, 12),
    level: record[12]!,
    bitDepth: (record[17]! & 7) + 8,
    fps: frameRate(record.readUInt16BE(19), 256),
    lengthSize: (record[21]! & 3) + 1,
    parameterSets,
  };
}

export interface HevcSps {
  /** Pixels inside the conformance window. */
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  /** Whether pictures are decoded in another order than shown; undefined when the set ends before. */
  readonly bFrames: boolean | undefined;
}

/** Reads a sequence parameter set, its NAL header included; undefined when it ends before the bit depth. */
export function readHevcSps(nal: Buffer): HevcSps | undefined {
  const reader = new BitReader(unescapeNal(nal, 2));
  reader.skip(4);
  const subLayers = reader.bits(3);
  reader.skip(1);
  skipProfileTierLevel(reader, subLayers);
  reader.ue();
  const chromaFormat = reader.ue();
  const separatePlanes = chromaFormat === 3 && reader.flag();
  let width = reader.ue();
  let height = reader.ue();
  if (reader.flag()) {
    // table 6-1
    const unitX = !separatePlanes && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
    const unitY = !separatePlanes && chromaFormat === 1 ? 2 : 1;
    width -= (reader.ue() + reader.ue()) * unitX;
    height -= (reader.ue() + reader.ue()) * unitY;
  }
  const bitDepth = 8 + reader.ue();
  reader.ue();
  if (reader.exhausted || width <= 0 || height <= 0 || bitDepth > 16) return undefined;
  reader.ue();
  const each = reader.flag();
  let reordered = 0;
  for (let layer = each ? 0 : subLayers; layer <= subLayers; layer++) {
    reader.ue();
    reordered = reader.ue();
    reader.ue();
  }
  return { width, height, bitDepth, bFrames: reader.exhausted ? undefined : reordered > 0 };
}

/** 7.3.3: the general part, then flags for eight sub-layers, then what the flags announce. */
export function skipProfileTierLevel(reader: BitReader, subLayers: number): void {
  const PROFILE_BITS = 88;
  const LEVEL_BITS = 8;
  reader.skip(PROFILE_BITS + LEVEL_BITS);
  if (subLayers === 0) return;
  let announced = 0;
  for (let layer = 0; layer < 8; layer++) {
    const profile = reader.flag();
    const level = reader.flag();
    if (layer < subLayers) announced += (profile ? PROFILE_BITS : 0) + (level ? LEVEL_BITS : 0);
  }
  reader.skip(announced);
}
