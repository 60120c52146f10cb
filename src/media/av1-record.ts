/**
 * Writing AV1's configuration record (AV1 in ISOBMFF, 2.3) for a sequence header that came in the stream itself.
 */
import { BitReader } from './bits.ts';
import { leb128, OBU, OBU_HAS_SIZE } from './obu.ts';

interface Draft {
  profile: number;
  level: number;
  highTier: boolean;
  highBitDepth: boolean;
  twelveBit: boolean;
  monochrome: boolean;
  subsamplingX: number;
  subsamplingY: number;
  samplePosition: number;
}

const MARKER_AND_VERSION = 0x81;

/** The record for a sequence header without its OBU header; undefined when it ends before its colour facts. */
export function av1ConfigOf(sequenceHeader: Buffer): Buffer | undefined {
  const facts = readFacts(sequenceHeader);
  if (facts === undefined) return undefined;
  const { profile, level, highTier, highBitDepth, twelveBit, monochrome } = facts;
  const { subsamplingX, subsamplingY, samplePosition } = facts;
  const depth = (highTier ? 0x80 : 0) | (highBitDepth ? 0x40 : 0) | (twelveBit ? 0x20 : 0) | (monochrome ? 0x10 : 0);
  const sampling = (subsamplingX << 3) | (subsamplingY << 2) | samplePosition;
  const header = Buffer.of(MARKER_AND_VERSION, (profile << 5) | level, depth | sampling, 0);
  const obuHeader = Buffer.of((OBU.sequenceHeader << 3) | OBU_HAS_SIZE);
  return Buffer.concat([header, obuHeader, leb128(sequenceHeader.length), sequenceHeader]);
}

/** sequence_header_obu(), 5.5.1. */
function readFacts(header: Buffer): Draft | undefined {
  const reader = new BitReader(header);
  const facts: Draft = {
    ...{ profile: reader.bits(3), level: 0, highTier: false, highBitDepth: false, twelveBit: false },
    ...{ monochrome: false, subsamplingX: 1, subsamplingY: 1, samplePosition: 0 },
  };
  reader.skip(1);
  const reduced = reader.flag();
  if (reduced) facts.level = reader.bits(5);
  else readOperatingPoints(reader, facts);
  skipTools(reader, reduced);
  readColour(reader, facts);
  return reader.exhausted ? undefined : facts;
}

/** Timing, decoder model and operating points; level and tier are those of the first point. */
function readOperatingPoints(reader: BitReader, facts: Draft): void {
  const MAX_LEVEL_WITHOUT_TIER = 7;
  let delayBits = 0;
  if (reader.flag()) {
    reader.skip(64);
    if (reader.flag()) reader.ue();
    if (reader.flag()) {
      delayBits = reader.bits(5) + 1;
      reader.skip(42);
    }
  }
  const displayDelay = reader.flag();
  const points = reader.bits(5) + 1;
  for (let point = 0; point < points; point++) {
    reader.skip(12);
    const level = reader.bits(5);
    const highTier = level > MAX_LEVEL_WITHOUT_TIER && reader.flag();
    if (point === 0) Object.assign(facts, { level, highTier });
    if (delayBits > 0 && reader.flag()) reader.skip(2 * delayBits + 1);
    if (displayDelay && reader.flag()) reader.skip(4);
  }
}

/** From the picture size to the loop filters. */
function skipTools(reader: BitReader, reduced: boolean): void {
  const SELECTED_PER_FRAME = 2;
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  reader.skip(widthBits + heightBits);
  if (!reduced && reader.flag()) reader.skip(7);
  reader.skip(3);
  if (!reduced) {
    reader.skip(4);
    const orderHint = reader.flag();
    if (orderHint) reader.skip(2);
    const screenContent = reader.flag() ? SELECTED_PER_FRAME : reader.bits(1);
    // whether motion vectors are whole is chosen per frame, or fixed by one more bit
    if (screenContent > 0 && !reader.flag()) reader.skip(1);
    if (orderHint) reader.skip(3);
  }
  reader.skip(3);
}

/** color_config(), 5.5.2. */
function readColour(reader: BitReader, facts: Draft): void {
  const BT_709 = 1;
  const SRGB = 13;
  const IDENTITY = 0;
  const { profile } = facts;
  facts.highBitDepth = reader.flag();
  facts.twelveBit = profile === 2 && facts.highBitDepth && reader.flag();
  facts.monochrome = profile !== 1 && reader.flag();
  const described = reader.flag();
  const [primaries, transfer, matrix] = described ? [reader.bits(8), reader.bits(8), reader.bits(8)] : [];
  if (facts.monochrome) {
    reader.skip(1);
    return;
  }
  if (primaries === BT_709 && transfer === SRGB && matrix === IDENTITY) {
    facts.subsamplingX = 0;
    facts.subsamplingY = 0;
    return;
  }
  reader.skip(1);
  if (profile === 1) {
    facts.subsamplingX = 0;
    facts.subsamplingY = 0;
  } else if (profile === 2) {
    facts.subsamplingX = facts.twelveBit ? reader.bits(1) : 1;
    facts.subsamplingY = facts.twelveBit && facts.subsamplingX === 1 ? reader.bits(1) : 0;
  }
  if (facts.subsamplingX === 1 && facts.subsamplingY === 1) facts.samplePosition = reader.bits(2);
}
