/**
 * FLAC: the STREAMINFO block (RFC 9639 section 8.2).
 */
import { BitReader } from './bits.ts';

export interface FlacConfig {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  readonly bitDepth: number;
}

const MAGIC = 0x664c6143;
const BLOCK_HEADER = 4;
const STREAM_INFO = 34;
/** Least and most samples of a block, least and most bytes of a frame. */
const SIZES = 10;

/** Reads STREAMINFO: bare, behind its block header, or behind `fLaC` as well. Undefined when it is not whole. */
export function readFlacConfig(data: Buffer): FlacConfig | undefined {
  let start = 0;
  if (data.length >= 4 && data.readUInt32BE(0) === MAGIC) start = 4 + BLOCK_HEADER;
  else if (data.length >= BLOCK_HEADER + STREAM_INFO && data.readUIntBE(1, 3) === STREAM_INFO) start = BLOCK_HEADER;
  if (data.length < start + STREAM_INFO) return undefined;
  const reader = new BitReader(data, start + SIZES);
  const sampleRate = reader.bits(20);
  return { sampleRate, channels: reader.bits(3) + 1, bitDepth: reader.bits(5) + 1 };
}
