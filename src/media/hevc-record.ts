/**
 * Writing HEVC's decoder configuration record (ISO/IEC 14496-15, 8.3.3.1) for parameter sets that came in the stream itself.
 */
import { BitReader, unescapeNal } from './bits.ts';
import { HEVC_NAL, skipProfileTierLevel } from './hevc.ts';

interface SpsFacts {
  readonly subLayers: number;
  readonly nested: boolean;
  readonly chromaFormat: number;
  readonly bitDepth: number;
  readonly chromaBitDepth: number;
  /** Profile, tier, compatibility, constraints and level, as the record has them too. */
  readonly profileTierLevel: Buffer;
}

const PROFILE_TIER_LEVEL_BYTES = 12;
/** All units behind the record have lengths of four bytes. */
const LENGTH_SIZE_CODE = 3;
const COMPLETE = 0x80;

/** The start of a sequence parameter set, NAL header included (ITU-T H.265, 7.3.2.2.1); undefined when it ends before the bit depths. */
function readFacts(sps: Buffer): SpsFacts | undefined {
  const bytes = unescapeNal(sps, 2);
  const reader = new BitReader(bytes);
  reader.skip(4);
  const subLayers = reader.bits(3);
  const nested = reader.flag();
  skipProfileTierLevel(reader, subLayers);
  reader.ue();
  const chromaFormat = reader.ue();
  if (chromaFormat === 3) reader.skip(1);
  reader.ue();
  reader.ue();
  if (reader.flag()) for (let side = 0; side < 4; side++) reader.ue();
  const bitDepth = 8 + reader.ue();
  const chromaBitDepth = 8 + reader.ue();
  if (reader.exhausted || chromaFormat > 3 || bitDepth > 16 || chromaBitDepth > 16) return undefined;
  const profileTierLevel = bytes.subarray(1, 1 + PROFILE_TIER_LEVEL_BYTES);
  return { subLayers: subLayers + 1, nested, chromaFormat, bitDepth, chromaBitDepth, profileTierLevel };
}

/** The identifier of a sequence parameter set; undefined when it is cut off. */
export function hevcSpsId(sps: Buffer): number | undefined {
  const reader = new BitReader(unescapeNal(sps, 2));
  reader.skip(4);
  const subLayers = reader.bits(3);
  reader.skip(1);
  skipProfileTierLevel(reader, subLayers);
  const id = reader.ue();
  return reader.exhausted ? undefined : id;
}

/**
 * The record for these sets, of which there is one of each kind at least; it describes the stream by the first of `sps`. Undefined when
 * that one cannot be read.
 */
export function hevcConfigOf(
  vps: readonly Buffer[],
  sps: readonly Buffer[],
  pps: readonly Buffer[],
): Buffer | undefined {
  const facts = sps[0] && readFacts(sps[0]);
  if (facts === undefined) return undefined;
  const { subLayers, nested, chromaFormat, bitDepth, chromaBitDepth, profileTierLevel } = facts;
  const parts: Buffer[] = [
    Buffer.of(1),
    profileTierLevel,
    // no segmentation and no parallelism that a decoder could use, and an unknown frame rate
    Buffer.of(0xf0, 0, 0xfc, 0xfc | chromaFormat, 0xf8 | (bitDepth - 8), 0xf8 | (chromaBitDepth - 8), 0, 0),
    Buffer.of((subLayers << 3) | (nested ? 4 : 0) | LENGTH_SIZE_CODE, 3),
  ];
  const arrays = [
    [HEVC_NAL.vps, vps],
    [HEVC_NAL.sps, sps],
    [HEVC_NAL.pps, pps],
  ] as const;
  for (const [type, units] of arrays) {
    parts.push(Buffer.of(COMPLETE | type, units.length >> 8, units.length & 255));
    for (const unit of units) parts.push(Buffer.of(unit.length >> 8, unit.length & 255), unit);
  }
  return Buffer.concat(parts);
}
