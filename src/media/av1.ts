/**
 * AV1: the configuration record (AV1 in ISOBMFF, 2.3) and the sequence header (AV1 bitstream specification, 5.5).
 */
import { BitReader } from './bits.ts';
import { frameRate } from './frame-rate.ts';

/** AV1CodecConfigurationRecord. */
export interface Av1Config {
  readonly profile: number;
  /** seq_level_idx: level 2.0 is 0, 2.1 is 1, 3.0 is 4; 31 is none. */
  readonly level: number;
  readonly highTier: boolean;
  readonly bitDepth: 8 | 10 | 12;
  /** The sequence header that the record carries, without its OBU header. */
  readonly sequenceHeader: Buffer | undefined;
}

const FIXED_PART = 4;
const OBU_SEQUENCE_HEADER = 1;

/** Reads a record; undefined when its fixed part is not whole. */
export function readAv1Config(record: Buffer): Av1Config | undefined {
  if (record.length < FIXED_PART || record[0] !== 0x81) return undefined;
  const third = record[2]!;
  return {
    profile: record[1]! >> 5,
    level: record[1]! & 31,
    highTier: (third & 0x80) !== 0,
    bitDepth: (third & 0x40) === 0 ? 8 : (third & 0x20) === 0 ? 10 : 12,
    sequenceHeader: findSequenceHeader(record.subarray(FIXED_PART)),
  };
}

/** The payload of the first sequence header among open bitstream units (5.3). */
export function findSequenceHeader(units: Buffer): Buffer | undefined {
  let at = 0;
  while (at < units.length) {
    const header = units[at]!;
    at += (header & 4) === 0 ? 1 : 2;
    let size = units.length - at;
    if ((header & 2) !== 0) {
      size = 0;
      // leb128; three bytes are far above any configuration
      for (let shift = 0; ; shift += 7) {
        const byte = units[at++];
        if (byte === undefined || shift > 14) return undefined;
        size |= (byte & 127) << shift;
        if (byte < 128) break;
      }
    }
    if (size < 0 || at + size > units.length) return undefined;
    if (((header >> 3) & 15) === OBU_SEQUENCE_HEADER) return units.subarray(at, at + size);
    at += size;
  }
  return undefined;
}

export interface Av1Sequence {
  readonly width: number;
  readonly height: number;
  readonly fps: number | undefined;
}

/** Reads a sequence header up to the picture size; undefined when it ends before. */
export function readAv1Sequence(header: Buffer): Av1Sequence | undefined {
  const reader = new BitReader(header);
  reader.skip(4);
  let fps: number | undefined;
  if (reader.flag()) {
    reader.skip(5);
  } else {
    let delayBits = 0;
    if (reader.flag()) {
      fps = readTiming(reader);
      if (reader.flag()) {
        delayBits = reader.bits(5) + 1;
        reader.skip(42);
      }
    }
    skipOperatingPoints(reader, delayBits);
  }
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  return reader.exhausted ? undefined : { width, height, fps };
}

/** timing_info(): frames a second when all pictures last equally long. */
function readTiming(reader: BitReader): number | undefined {
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  if (!reader.flag()) return undefined;
  return frameRate(timeScale, unitsInTick * (reader.ue() + 1));
}

/** `delayBits`: the length of a buffer delay; 0 without decoder model. */
function skipOperatingPoints(reader: BitReader, delayBits: number): void {
  const MAX_LEVEL_WITHOUT_TIER = 7;
  const displayDelay = reader.flag();
  const count = reader.bits(5) + 1;
  for (let point = 0; point < count; point++) {
    reader.skip(12);
    if (reader.bits(5) > MAX_LEVEL_WITHOUT_TIER) reader.skip(1);
    if (delayBits > 0 && reader.flag()) reader.skip(2 * delayBits + 1);
    if (displayDelay && reader.flag()) reader.skip(4);
  }
}
