/**
 * HEVC as RTP payloads, in decoding order (RFC 7798 with sprop-max-don-diff 0).
 */
import { BitReader, unescapeNal } from '../media/bits.ts';
import { type Frame, oncePerFrame } from '../media/frame.ts';
import { HEVC_NAL, readHevcConfig } from '../media/hevc.ts';
import { hevcConfigOf, hevcSpsId } from '../media/hevc-record.ts';
import { type NalConfig, type NalFormat, type NalRole, NO_NAL_CONFIG, nalPayloads, sentUnits } from './nal-format.ts';
import { NalReader } from './nal-reader.ts';
import type { RtpCodec } from './negotiated.ts';
import { ParameterSets } from './parameter-sets.ts';
import { PictureDepacketizer } from './picture-depacketizer.ts';
import type { Depacketizer, RtpPayload } from './rtp.ts';

const AP = 48;
const FU = 49;
const PACI = 50;
/** Table 7-1 of H.265: slices first, those of random access pictures from BLA_W_LP on, then reserved ones. */
const FIRST_RANDOM_ACCESS = 16;
const FIRST_RESERVED_SLICE = 24;
const DELIMITER = 35;
const FILLER = 38;
const SETS = [HEVC_NAL.vps, HEVC_NAL.sps, HEVC_NAL.pps] as const;
/** In the 16 bits of a NAL unit's header. */
const TYPE = 0x7e00;
const LAYER = 0x01f8;
const TEMPORAL = 0x0007;

const FORMAT: NalFormat = {
  headerBytes: 2,
  aggregation: AP,
  fragment: FU,
  sets: SETS,
  typeOf: (unit) => (unit[0]! >> 1) & 63,
  headerWith: (type, header) => (header & ~TYPE) | (type << 9),
  aggregationHeader(units) {
    let layer = LAYER;
    let temporal = TEMPORAL;
    for (const unit of units) {
      const header = unit.readUInt16BE(0);
      layer = Math.min(layer, header & LAYER);
      temporal = Math.min(temporal, header & TEMPORAL);
    }
    return (AP << 9) | layer | temporal;
  },
  roleOf(type): NalRole {
    if (type < FIRST_RANDOM_ACCESS) return 'slice';
    if (type < FIRST_RESERVED_SLICE) return 'key';
    if (type < HEVC_NAL.vps || type === DELIMITER || type === FILLER) return 'dropped';
    if (type <= HEVC_NAL.pps) return 'set';
    if (type < AP) return 'other';
    return type <= PACI ? 'refused' : 'dropped';
  },
  opens: (type) => type === HEVC_NAL.vps || type === DELIMITER,
  // first_slice_segment_in_pic_flag
  firstSlice: (unit) => (unit[2]! & 0x80) !== 0,
};

const configOf = oncePerFrame((config: Frame): NalConfig => {
  const record = readHevcConfig(config.data);
  if (record === undefined) return NO_NAL_CONFIG;
  const sets = SETS.flatMap((type) => record.parameterSets.filter((array) => array.type === type));
  return { lengthSize: record.lengthSize, sets: sets.flatMap(({ units }) => units) };
});

export function packetizeHevc(frame: Frame, maxSize: number): readonly RtpPayload[] {
  const config = frame.config === undefined ? NO_NAL_CONFIG : configOf(frame.config);
  return nalPayloads(sentUnits(frame, config, FORMAT), FORMAT, maxSize);
}

function setId(front: Buffer, type: number): number | undefined {
  if (type === HEVC_NAL.sps) return hevcSpsId(front);
  const reader = new BitReader(unescapeNal(front, FORMAT.headerBytes));
  const id = type === HEVC_NAL.vps ? reader.bits(4) : reader.ue();
  return reader.exhausted ? undefined : id;
}

/** `sprop-vps`, `sprop-sps` and `sprop-pps` of the description are taken as if they had come before the first picture. */
export function hevcDepacketizer(codec: RtpCodec): Depacketizer {
  const sets = new ParameterSets(SETS, setId, ([vps, sps, pps]) => hevcConfigOf(vps!, sps!, pps!));
  for (const name of ['sprop-vps', 'sprop-sps', 'sprop-pps']) sets.describe(codec.parameters.get(name), FORMAT);
  return new PictureDepacketizer(new NalReader(FORMAT, sets));
}
