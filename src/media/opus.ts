/**
 * Opus: the identification header (RFC 7845 section 5.1) and the duration of a packet (RFC 6716 section 3.1).
 */
import type { Micros } from './frame.ts';

/** OpusHead. */
export interface OpusConfig {
  readonly channels: number;
  /** Samples at 48 kHz to drop at the start. */
  readonly preSkip: number;
  /** Of what was encoded, Hz; decoding is always at 48 kHz. */
  readonly inputRate: number;
}

const MAGIC = Buffer.from('OpusHead', 'latin1');
const SIZE = 19;
const MAX_PACKET: Micros = 120_000;

/** Reads a header; undefined when it is none. */
export function readOpusConfig(data: Buffer): OpusConfig | undefined {
  if (data.length < SIZE || MAGIC.compare(data, 0, 8) !== 0 || data[8]! > 15) return undefined;
  return { channels: data[9]!, preSkip: data.readUInt16LE(10), inputRate: data.readUInt32LE(12) };
}

/** The header for mono or stereo. */
export function writeOpusConfig(config: OpusConfig): Buffer {
  const data = Buffer.alloc(SIZE);
  MAGIC.copy(data);
  data[8] = 1;
  data[9] = config.channels;
  data.writeUInt16LE(config.preSkip, 10);
  data.writeUInt32LE(config.inputRate, 12);
  return data;
}

/** How long a packet sounds; undefined for one that breaks the rules. */
export function opusDuration(packet: Buffer): Micros | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const config = toc >> 3;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 63;
  const duration = frames * frameDuration(config);
  return duration > 0 && duration <= MAX_PACKET ? duration : undefined;
}

/** Table 2: SILK up to 60 ms, hybrid 10 or 20 ms, CELT down to 2.5 ms. */
function frameDuration(config: number): Micros {
  if (config < 12) return (config & 3) === 3 ? 60_000 : 10_000 << (config & 3);
  if (config < 16) return 10_000 << (config & 1);
  return 2500 << (config & 3);
}
