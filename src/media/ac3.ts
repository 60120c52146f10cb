/**
 * AC-3 and E-AC-3: the start of a frame, as neither has a configuration (ETSI TS 102 366, 4.3 and E.1.2).
 */
import { BitReader } from './bits.ts';

export interface Ac3Header {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: number;
}

const SYNC_WORD = 0x0b77;
const RATES = [48_000, 44_100, 32_000];
/** By audio coding mode; the low frequency channel comes on top. */
const CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];
/** Bitstream ids up to 10 are AC-3, those from 11 to 16 E-AC-3. */
const LAST_AC3 = 10;
const LAST_EAC3 = 16;

/** Reads the header that `data` begins with; undefined when that is none. */
export function readAc3Header(data: Buffer): Ac3Header | undefined {
  if (data.length < 8 || data.readUInt16BE(0) !== SYNC_WORD) return undefined;
  const bitstreamId = data[5]! >> 3;
  if (bitstreamId > LAST_EAC3) return undefined;
  return bitstreamId <= LAST_AC3 ? readAc3(data) : readEac3(data);
}

function readAc3(data: Buffer): Ac3Header | undefined {
  const sampleRate = RATES[data[4]! >> 6];
  if (sampleRate === undefined) return undefined;
  const reader = new BitReader(data, 6);
  const mode = reader.bits(3);
  // mix levels, present by mode
  if ((mode & 1) !== 0 && mode !== 1) reader.skip(2);
  if ((mode & 4) !== 0) reader.skip(2);
  if (mode === 2) reader.skip(2);
  return { sampleRate, channels: CHANNELS[mode]! + reader.bits(1) };
}

function readEac3(data: Buffer): Ac3Header | undefined {
  const reader = new BitReader(data, 4);
  const code = reader.bits(2);
  const second = reader.bits(2);
  // code 3: half the rate that the second code gives
  const sampleRate = code === 3 ? (RATES[second] ?? 0) / 2 : RATES[code]!;
  if (sampleRate === 0) return undefined;
  return { sampleRate, channels: CHANNELS[reader.bits(3)]! + reader.bits(1) };
}
