/**
 * H.264 as RTP payloads, packetization modes 0 and 1 (RFC 6184).
 */
import { BitReader, unescapeNal } from '../media/bits.ts';
import { type Frame, oncePerFrame } from '../media/frame.ts';
import { AVC_NAL, avcConfigOf, readAvcConfig, writeAvcConfig } from '../media/h264.ts';
import { nalUnits } from '../media/nal-units.ts';
import { type NalFormat, type NalRole, nalPayloads } from './nal-format.ts';
import { NalReader, type ParameterSets } from './nal-reader.ts';
import type { RtpCodec } from './negotiated.ts';
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

interface SentConfig {
  readonly lengthSize: number;
  readonly sets: readonly Buffer[];
}

const NO_CONFIG: SentConfig = { lengthSize: 4, sets: [] };

const sentConfig = oncePerFrame((config: Frame): SentConfig => {
  const record = readAvcConfig(config.data);
  if (record === undefined) return NO_CONFIG;
  return { lengthSize: record.lengthSize, sets: [...record.sps, ...record.pps] };
});

/**
 * Packetization mode 1. Delimiters and filler stay behind; a key picture without parameter sets of its own gets those of its
 * configuration in front.
 */
export function packetizeH264(frame: Frame, maxSize: number): readonly RtpPayload[] {
  const { lengthSize, sets } = frame.config === undefined ? NO_CONFIG : sentConfig(frame.config);
  const units: Buffer[] = [];
  let key = frame.role === 'key';
  let ownSets = 0;
  for (const unit of nalUnits(frame.data, lengthSize)) {
    const type = FORMAT.typeOf(unit);
    const role = FORMAT.roleOf(type);
    if (role === 'dropped' || role === 'refused') continue;
    if (role === 'key') key = true;
    if (type === AVC_NAL.sps) ownSets |= 1;
    if (type === AVC_NAL.pps) ownSets |= 2;
    units.push(unit);
  }
  if (key && units.length > 0 && ownSets !== 3) units.unshift(...sets);
  return nalPayloads(units, FORMAT, maxSize);
}

/** Sets of each kind; the record counts those of a sequence in five bits. */
const MAX_SETS = 31;
const MAX_SET_BYTES = 4096;
/** Enough for the identifier of a set, which stands near its front. */
const ID_BYTES = 16;
/** Bits in front of the identifier: profile, constraints and level. */
const SPS_ID_AT = 24;

/** Sequence and picture parameter sets by their identifiers, the ones that changed last at the end. */
class AvcParameterSets implements ParameterSets {
  readonly #sps = new Map<number, Buffer>();
  readonly #pps = new Map<number, Buffer>();
  #config: Buffer | undefined;
  #changed = false;

  get config(): Buffer | undefined {
    if (this.#changed) {
      this.#config = this.#write() ?? this.#config;
      this.#changed = false;
    }
    return this.#config;
  }

  add(unit: Buffer, type: number): void {
    if (unit.length > MAX_SET_BYTES) return;
    const reader = new BitReader(unescapeNal(unit.subarray(0, ID_BYTES), 1));
    if (type === AVC_NAL.sps) reader.skip(SPS_ID_AT);
    const id = reader.ue();
    const sets = type === AVC_NAL.sps ? this.#sps : this.#pps;
    if (reader.exhausted || sets.get(id)?.equals(unit)) return;
    sets.delete(id);
    if (sets.size === MAX_SETS) sets.delete(sets.keys().next().value!);
    sets.set(id, Buffer.from(unit));
    this.#changed = true;
  }

  #write(): Buffer | undefined {
    // the newest first: it is the one that describes the stream
    const sps = [...this.#sps.values()].reverse();
    const pps = [...this.#pps.values()].reverse();
    const config = sps[0] !== undefined && pps.length > 0 ? avcConfigOf(sps[0], pps) : undefined;
    return config && writeAvcConfig({ ...config, sps });
  }
}

/** `sprop-parameter-sets` of the description are taken as if they had come before the first picture. */
export function h264Depacketizer(codec: RtpCodec): Depacketizer {
  const sets = new AvcParameterSets();
  for (const text of codec.parameters.get('sprop-parameter-sets')?.split(',').slice(0, MAX_SETS) ?? []) {
    const unit = Buffer.from(text, 'base64');
    if (unit.length > 0 && FORMAT.roleOf(FORMAT.typeOf(unit)) === 'set') sets.add(unit, FORMAT.typeOf(unit));
  }
  return new PictureDepacketizer(new NalReader(FORMAT, sets));
}
