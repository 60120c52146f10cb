/**
 * The identification header of Opus (RFC 7845 section 5.1).
 */

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
