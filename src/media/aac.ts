/**
 * AAC: AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), with both ways of saying that the stream is HE-AAC.
 */
import { BitReader } from './bits.ts';

export interface AacConfig {
  /** Of the core: 2 is LC. */
  readonly objectType: number;
  /** Of the core, Hz. */
  readonly coreRate: number;
  /** As heard, Hz: doubled by spectral band replication. */
  readonly sampleRate: number;
  /** As heard: parametric stereo makes two of one. 0 when the configuration does not say. */
  readonly channels: number;
  /** Spectral band replication: HE-AAC. */
  readonly sbr: boolean;
  /** Parametric stereo: HE-AAC v2. */
  readonly ps: boolean;
}

/** Sampling rates in Hz, by their index (table 1.18). Others can be written down, but no decoder is bound to take them. */
export const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
];
const RATE_ESCAPE = 15;
/** By channel configuration; 0: see the program config element. */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0];

const SBR = 5;
const PS = 29;
const ER_BSAC = 22;
const SBR_SYNC = 0x2b7;
const PS_SYNC = 0x548;
/** Object types with a GASpecificConfig. */
const GENERAL_AUDIO: ReadonlySet<number> = new Set([1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23]);
/** Those with resilience flags. */
const RESILIENT: ReadonlySet<number> = new Set([17, 19, 20, 23]);
/** From here on an error protection configuration follows. */
const FIRST_RESILIENT = 17;

/** Reads a configuration; undefined when it ends before the channels or has no sampling rate. */
export function readAacConfig(data: Buffer): AacConfig | undefined {
  const reader = new BitReader(data);
  let objectType = readObjectType(reader);
  const coreRate = readRate(reader);
  const channelConfig = reader.bits(4);
  let sbr = objectType === SBR || objectType === PS;
  let ps = objectType === PS;
  let sampleRate = coreRate;
  if (sbr) {
    sampleRate = readRate(reader);
    objectType = readObjectType(reader);
    if (objectType === ER_BSAC) reader.skip(4);
  }
  if (reader.exhausted || coreRate === 0) return undefined;
  let channels = CHANNELS[channelConfig]!;
  if (GENERAL_AUDIO.has(objectType)) {
    const described = readGeneralAudio(reader, objectType, channelConfig);
    if (described > 0) channels = described;
    if (!sbr && reader.remaining >= 16 && reader.bits(11) === SBR_SYNC && readObjectType(reader) === SBR) {
      sbr = reader.flag();
      if (sbr) {
        sampleRate = readRate(reader);
        ps = reader.remaining >= 12 && reader.bits(11) === PS_SYNC && reader.flag();
      }
    }
  }
  if (sampleRate === 0) sampleRate = coreRate;
  return { objectType, coreRate, sampleRate, channels: ps && channels === 1 ? 2 : channels, sbr, ps };
}

/** The plain form, without HE-AAC. Channels: 1 to 6, or 8. */
export function writeAacConfig(objectType: number, sampleRate: number, channels: number): Buffer {
  const rate = AAC_RATES.indexOf(sampleRate);
  const channelConfig = channels === 8 ? 7 : channels;
  if (rate >= 0) {
    return Buffer.of((objectType << 3) | (rate >> 1), ((rate & 1) << 7) | (channelConfig << 3));
  }
  const config = Buffer.alloc(5);
  // 37 bits, and three zeros of the GASpecificConfig
  config.writeUIntBE((((objectType << 4) | RATE_ESCAPE) * 2 ** 24 + sampleRate) * 2 ** 7 + channelConfig * 8, 0, 5);
  return config;
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === 31 ? 32 + reader.bits(6) : type;
}

function readRate(reader: BitReader): number {
  const index = reader.bits(4);
  return index === RATE_ESCAPE ? reader.bits(24) : (AAC_RATES[index] ?? 0);
}

/** GASpecificConfig (4.4.1); the channels of its program config element, or 0. */
function readGeneralAudio(reader: BitReader, objectType: number, channelConfig: number): number {
  reader.skip(1);
  if (reader.flag()) reader.skip(14);
  const extended = reader.flag();
  const channels = channelConfig === 0 ? readProgramConfig(reader) : 0;
  if (objectType === 6 || objectType === 20) reader.skip(3);
  if (extended) {
    if (objectType === ER_BSAC) reader.skip(16);
    if (RESILIENT.has(objectType)) reader.skip(3);
    reader.skip(1);
  }
  if (objectType >= FIRST_RESILIENT) reader.skip(2);
  return channels;
}

/** program_config_element (4.4.1.1): the channels it adds up to; 0 when it is cut off. */
function readProgramConfig(reader: BitReader): number {
  reader.skip(10);
  const elements = reader.bits(4) + reader.bits(4) + reader.bits(4);
  const lfe = reader.bits(2);
  const associated = reader.bits(3);
  const coupling = reader.bits(4);
  if (reader.flag()) reader.skip(4);
  if (reader.flag()) reader.skip(4);
  if (reader.flag()) reader.skip(3);
  let channels = lfe;
  for (let i = 0; i < elements; i++) {
    channels += reader.flag() ? 2 : 1;
    reader.skip(4);
  }
  reader.skip(4 * lfe + 4 * associated + 5 * coupling);
  reader.align();
  reader.skip(8 * reader.bits(8));
  return reader.exhausted ? 0 : channels;
}
