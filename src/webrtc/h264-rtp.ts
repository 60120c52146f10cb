/**
 * H.264 as RTP payloads (RFC 6184): packetization mode 1 is written, modes 0 and 1 are read.
 */
import { BitReader, unescapeNal } from '../media/bits.ts';
import { type Frame, oncePerFrame } from '../media/frame.ts';
import { AVC_NAL, avcConfigOf, readAvcConfig, writeAvcConfig } from '../media/h264.ts';
import { type NalConfig, type NalFormat, type NalRole, NO_NAL_CONFIG, nalPayloads, sentUnits } from './nal-format.ts';
import { NalReader } from './nal-reader.ts';
import type { RtpCodec } from './negotiated.ts';
import { ParameterSets } from './parameter-sets.ts';
import { PictureDepacketizer } from './picture-depacketizer.ts';
import type { Depacketizer, RtpPayload } from './rtp.ts';

const STAP_A = 24;
const FU_A = 28;
const FILLER = 12;
const LAST_SINGLE = 23;
/** The interleaved forms: STAP-B, MTAP16, MTAP24, FU-B. */
const INTERLEAVED: ReadonlySet<number> = new Set([25, 26, 27, 29]);
const NRI = 0x60;

const FORMAT: NalFormat = {
  headerBytes: 1,
  aggregation: STAP_A,
  fragment: FU_A,
  sets: [AVC_NAL.sps, AVC_NAL.pps],
  typeOf: (unit) => unit[0]! & 31,
  headerWith: (type, header) => (header & 0xe0) | type,
  aggregationHeader(units) {
    let importance = 0;
    for (const unit of units) importance = Math.max(importance, unit[0]! & NRI);
    return importance | STAP_A;
  },
  roleOf(type): NalRole {
    if (type === AVC_NAL.idr) return 'key';
    if (type >= AVC_NAL.slice && type < AVC_NAL.idr) return 'slice';
    if (type === AVC_NAL.sps || type === AVC_NAL.pps) return 'set';
    if (type === AVC_NAL.delimiter || type === FILLER || type === 0) return 'dropped';
    if (type <= LAST_SINGLE) return 'other';
    return INTERLEAVED.has(type) || type === STAP_A || type === FU_A ? 'refused' : 'dropped';
  },
  opens: (type) => type === AVC_NAL.sps || type === AVC_NAL.delimiter,
  // first_mb_in_slice is 0: one bit, set
  firstSlice: (unit) => (unit[1]! & 0x80) !== 0,
};

const configOf = oncePerFrame((config: Frame): NalConfig => {
  const record = readAvcConfig(config.data);
  if (record === undefined) return NO_NAL_CONFIG;
  return { lengthSize: record.lengthSize, sets: [...record.sps, ...record.pps] };
});

/** Packetization mode 1. */
export function packetizeH264(frame: Frame, maxSize: number): readonly RtpPayload[] {
  const config = frame.config === undefined ? NO_NAL_CONFIG : configOf(frame.config);
  return nalPayloads(sentUnits(frame, config, FORMAT), FORMAT, maxSize);
}

/** Profile, constraints and level stand in front of a sequence parameter set's identifier. */
const SPS_ID_AT = 24;

function setId(start: Buffer, type: number): number | undefined {
  const reader = new BitReader(unescapeNal(start, FORMAT.headerBytes));
  if (type === AVC_NAL.sps) reader.skip(SPS_ID_AT);
  const id = reader.ue();
  return reader.exhausted ? undefined : id;
}

function writeConfig(sps: readonly Buffer[], pps: readonly Buffer[]): Buffer | undefined {
  const config = avcConfigOf(sps[0]!, pps);
  return config && writeAvcConfig({ ...config, sps });
}

/** `sprop-parameter-sets` of the description are taken as if they had come before the first picture. */
export function h264Depacketizer(codec: RtpCodec): Depacketizer {
  const sets = new ParameterSets(FORMAT.sets, setId, ([sps, pps]) => writeConfig(sps!, pps!));
  sets.describe(codec.parameters.get('sprop-parameter-sets'), FORMAT);
  return new PictureDepacketizer(new NalReader(FORMAT, sets));
}
