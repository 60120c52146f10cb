/**
 * H.264: the decoder configuration record (ISO/IEC 14496-15, 5.3.3.1) and the sequence parameter set (ITU-T H.264, 7.3.2.1 and annex E).
 */
import { BitReader, unescapeNal } from './bits.ts';
import { frameRate } from './frame-rate.ts';
import { readParameterSets } from './nal-units.ts';

/** NAL unit types, H.264 table 7-1; the type is the low five bits of the first byte. */
export const AVC_NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9 } as const;

/** AVCDecoderConfigurationRecord. */
export interface AvcConfig {
  readonly profile: number;
  /** Constraint set flags. */
  readonly compatibility: number;
  readonly level: number;
  /** Bytes of the length in front of each NAL unit: 1, 2 or 4. */
  readonly lengthSize: number;
  readonly sps: readonly Buffer[];
  readonly pps: readonly Buffer[];
  /** What follows the picture parameter sets: chroma format and bit depths, for the high profiles. */
  readonly extension: Buffer;
}

/** Reads a record; undefined when there is none. A cut-off record gives the sets that are whole. */
export function readAvcConfig(record: Buffer): AvcConfig | undefined {
  if (record.length < 6 || record[0] !== 1) return undefined;
  const sps = readParameterSets(record, 6, record[5]! & 31);
  const pps = readParameterSets(record, sps.end + 1, record[sps.end] ?? 0);
  return {
    profile: record[1]!,
    compatibility: record[2]!,
    level: record[3]!,
    lengthSize: (record[4]! & 3) + 1,
    sps: sps.sets,
    pps: pps.sets,
    extension: record.subarray(pps.end),
  };
}

export function writeAvcConfig(config: AvcConfig): Buffer {
  const { profile, compatibility, level, lengthSize, sps, pps } = config;
  const parts: Buffer[] = [Buffer.of(1, profile, compatibility, level, 0xfc | (lengthSize - 1), 0xe0 | sps.length)];
  for (const set of sps) parts.push(Buffer.of(set.length >> 8, set.length & 255), set);
  parts.push(Buffer.of(pps.length));
  for (const set of pps) parts.push(Buffer.of(set.length >> 8, set.length & 255), set);
  return Buffer.concat([...parts, config.extension]);
}

/** The configuration for parameter sets that came in the stream itself, for NAL units with four-byte lengths. */
export function avcConfigOf(sps: Buffer, pps: readonly Buffer[]): AvcConfig | undefined {
  const facts = readAvcSps(sps);
  if (facts === undefined) return undefined;
  const { profile, compatibility, level } = facts;
  const extension = HIGH_PROFILES.has(profile)
    ? Buffer.of(0xfc | facts.chromaFormat, 0xf8 | (facts.bitDepth - 8), 0xf8 | (facts.chromaBitDepth - 8), 0)
    : Buffer.alloc(0);
  return { profile, compatibility, level, lengthSize: 4, sps: [sps], pps, extension };
}

export interface AvcSps {
  readonly profile: number;
  readonly compatibility: number;
  readonly level: number;
  /** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4. */
  readonly chromaFormat: number;
  readonly bitDepth: number;
  readonly chromaBitDepth: number;
  /** Pixels after cropping. */
  readonly width: number;
  readonly height: number;
  /** Pictures a second, where the VUI has timing. */
  readonly fps: number | undefined;
  /** Whether pictures are decoded in another order than shown; undefined when the set does not say. */
  readonly bFrames: boolean | undefined;
}

/** Profiles whose sets carry chroma format and bit depths (7.3.2.1.1), beyond Baseline, Main and Extended. */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const BASELINE = 66;
const MAX_REFERENCE_CYCLE = 255;

/** Reads a sequence parameter set, its NAL header included; undefined when it ends before the picture size. */
export function readAvcSps(nal: Buffer): AvcSps | undefined {
  const reader = new BitReader(unescapeNal(nal, 1));
  const profile = reader.bits(8);
  const compatibility = reader.bits(8);
  const level = reader.bits(8);
  reader.ue();
  let chromaFormat = 1;
  let separatePlanes = false;
  let bitDepth = 8;
  let chromaBitDepth = 8;
  if (HIGH_PROFILES.has(profile)) {
    chromaFormat = reader.ue();
    if (chromaFormat === 3) separatePlanes = reader.flag();
    bitDepth = 8 + reader.ue();
    chromaBitDepth = 8 + reader.ue();
    reader.skip(1);
    if (reader.flag()) skipScalingLists(reader, chromaFormat === 3 ? 12 : 8);
  }
  reader.ue();
  const orderType = reader.ue();
  if (orderType === 0) reader.ue();
  else if (orderType === 1) skipOrderCycle(reader);
  reader.ue();
  reader.skip(1);
  const widthInBlocks = reader.ue() + 1;
  const heightInUnits = reader.ue() + 1;
  const fieldFactor = reader.flag() ? 1 : 2;
  if (fieldFactor === 2) reader.skip(1);
  reader.skip(1);
  const crop = reader.flag() ? [reader.ue(), reader.ue(), reader.ue(), reader.ue()] : [0, 0, 0, 0];
  // crop units: table 6-1 and equations 7-19 to 7-22
  const planar = chromaFormat === 0 || separatePlanes;
  const unitX = planar || chromaFormat === 3 ? 1 : 2;
  const unitY = (planar || chromaFormat !== 1 ? 1 : 2) * fieldFactor;
  const width = widthInBlocks * 16 - (crop[0]! + crop[1]!) * unitX;
  const height = heightInUnits * 16 * fieldFactor - (crop[2]! + crop[3]!) * unitY;
  if (reader.exhausted || width <= 0 || height <= 0 || chromaFormat > 3 || bitDepth > 14 || chromaBitDepth > 14) {
    return undefined;
  }
  const vui = reader.flag() ? readVui(reader) : undefined;
  const ordered = profile === BASELINE || orderType === 2;
  const bFrames = vui?.reordered === undefined ? (ordered ? false : undefined) : vui.reordered > 0;
  const fps = vui?.fps;
  return { profile, compatibility, level, chromaFormat, bitDepth, chromaBitDepth, width, height, fps, bFrames };
}

function skipScalingLists(reader: BitReader, count: number): void {
  for (let list = 0; list < count; list++) {
    if (!reader.flag()) continue;
    let last = 8;
    for (let left = list < 6 ? 16 : 64; left > 0 && !reader.exhausted; left--) {
      const next = (last + reader.se() + 256) & 255;
      if (next === 0) break;
      last = next;
    }
  }
}

function skipOrderCycle(reader: BitReader): void {
  reader.skip(1);
  reader.se();
  reader.se();
  const count = Math.min(reader.ue(), MAX_REFERENCE_CYCLE);
  for (let i = 0; i < count && !reader.exhausted; i++) reader.se();
}

/** Annex E.1.1. */
function readVui(reader: BitReader): { fps: number | undefined; reordered: number | undefined } {
  const EXTENDED_SAR = 255;
  if (reader.flag() && reader.bits(8) === EXTENDED_SAR) reader.skip(32);
  if (reader.flag()) reader.skip(1);
  if (reader.flag()) {
    reader.skip(4);
    if (reader.flag()) reader.skip(24);
  }
  if (reader.flag()) {
    reader.ue();
    reader.ue();
  }
  let fps: number | undefined;
  if (reader.flag()) {
    const unitsInTick = reader.bits(32);
    const timeScale = reader.bits(32);
    reader.skip(1);
    // a tick is a field
    if (!reader.exhausted) fps = frameRate(timeScale, 2 * unitsInTick);
  }
  const nalHrd = reader.flag();
  if (nalHrd) skipHrd(reader);
  const vclHrd = reader.flag();
  if (vclHrd) skipHrd(reader);
  if (nalHrd || vclHrd) reader.skip(1);
  reader.skip(1);
  let reordered: number | undefined;
  if (reader.flag()) {
    reader.skip(1);
    for (let i = 0; i < 4; i++) reader.ue();
    reordered = reader.ue();
    if (reader.exhausted) reordered = undefined;
  }
  return { fps, reordered };
}

function skipHrd(reader: BitReader): void {
  const count = Math.min(reader.ue(), 31) + 1;
  reader.skip(8);
  for (let i = 0; i < count && !reader.exhausted; i++) {
    reader.ue();
    reader.ue();
    reader.skip(1);
  }
  reader.skip(20);
}
