/**
 * What the payload formats of H.264 (RFC 6184) and HEVC (RFC 7798) have in common: NAL units single, several in one packet, one in
 * several packets. Header sizes and numbers differ, the layout does not.
 */
import type { Frame } from '../media/frame.ts';
import { nalUnits } from '../media/nal-units.ts';
import type { RtpPayload } from './rtp.ts';

/**
 * `key`: a slice of a picture at which decoding may start. `set`: a parameter set. `other`: belongs to the picture. `dropped`: tells a
 * decoder nothing. `refused`: a packet form that was never agreed.
 */
export type NalRole = 'slice' | 'key' | 'set' | 'other' | 'dropped' | 'refused';

export interface NalFormat {
  /** Bytes of a NAL unit's header. */
  readonly headerBytes: 1 | 2;
  /** NAL unit types that stand for several units, and for a part of one. */
  readonly aggregation: number;
  readonly fragment: number;
  /** Types of the parameter sets that a key picture needs, in the order in which they refer to each other. */
  readonly sets: readonly number[];
  typeOf(unit: Buffer): number;
  /** A unit's header with another type in it. */
  headerWith(type: number, header: number): number;
  /** The header of a packet that carries `units`. */
  aggregationHeader(units: readonly Buffer[]): number;
  roleOf(type: number): NalRole;
  /** Nothing of the picture can stand before a unit of this type. */
  opens(type: number): boolean;
  /** Whether a slice is the first of its picture. */
  firstSlice(unit: Buffer): boolean;
}

/** In front of each unit of an aggregation. */
export const AGGREGATE_LENGTH_BYTES = 2;
/** First and last part of a unit, in the byte behind the header of a fragment. */
export const FU_START = 0x80;
export const FU_END = 0x40;

/** What a configuration record says to a packetizer. */
export interface NalConfig {
  readonly lengthSize: number;
  readonly sets: readonly Buffer[];
}

export const NO_NAL_CONFIG: NalConfig = { lengthSize: 4, sets: [] };

/**
 * The units of a picture that go on the wire: delimiters and filler stay behind, and a key picture that does not bring all parameter
 * sets itself gets those of its configuration in front.
 */
export function sentUnits(frame: Frame, config: NalConfig, format: NalFormat): readonly Buffer[] {
  const units: Buffer[] = [];
  let key = frame.role === 'key';
  let missing = [...format.sets];
  for (const unit of nalUnits(frame.data, config.lengthSize)) {
    if (unit.length < format.headerBytes) continue;
    const type = format.typeOf(unit);
    const role = format.roleOf(type);
    if (role === 'dropped' || role === 'refused') continue;
    if (role === 'key') key = true;
    if (role === 'set') missing = missing.filter((other) => other !== type);
    units.push(unit);
  }
  if (key && units.length > 0 && missing.length > 0) {
    units.unshift(...config.sets.filter((set) => set.length >= format.headerBytes));
  }
  return units;
}

/**
 * One picture's units as payloads: slices alone or in parts, and what stands between them together, as far as it fits. Parts of a unit
 * are equally long.
 */
export function nalPayloads(units: readonly Buffer[], format: NalFormat, maxSize: number): readonly RtpPayload[] {
  const payloads: RtpPayload[] = [];
  const last = units.length - 1;
  for (let i = 0; i <= last; i++) {
    const unit = units[i]!;
    if (unit.length > maxSize) {
      addFragments(unit, format, maxSize, i === last, payloads);
      continue;
    }
    const start = i;
    let size = format.headerBytes + AGGREGATE_LENGTH_BYTES + unit.length;
    if (isSmall(unit, format)) {
      while (
        i < last &&
        isSmall(units[i + 1]!, format) &&
        size + AGGREGATE_LENGTH_BYTES + units[i + 1]!.length <= maxSize
      ) {
        i += 1;
        size += AGGREGATE_LENGTH_BYTES + units[i]!.length;
      }
    }
    if (i === start) payloads.push({ parts: [unit], size: unit.length, marker: i === last });
    else payloads.push(aggregate(units.slice(start, i + 1), format, size, i === last));
  }
  return payloads;
}

/** Parameter sets and messages, which may share a packet. */
function isSmall(unit: Buffer, format: NalFormat): boolean {
  const role = format.roleOf(format.typeOf(unit));
  return role === 'set' || role === 'other';
}

function aggregate(units: readonly Buffer[], format: NalFormat, size: number, marker: boolean): RtpPayload {
  const { headerBytes } = format;
  // all headers in one piece of memory: the first behind the payload's own
  const headers = Buffer.allocUnsafe(headerBytes + AGGREGATE_LENGTH_BYTES * units.length);
  headers.writeUIntBE(format.aggregationHeader(units), 0, headerBytes);
  const parts: Buffer[] = [];
  let start = 0;
  let end: number = headerBytes;
  for (const unit of units) {
    end = headers.writeUInt16BE(unit.length, end);
    parts.push(headers.subarray(start, end), unit);
    start = end;
  }
  return { parts, size, marker };
}

function addFragments(unit: Buffer, format: NalFormat, maxSize: number, marker: boolean, payloads: RtpPayload[]): void {
  const { headerBytes } = format;
  const headerSize = headerBytes + 1;
  const type = format.typeOf(unit);
  const header = format.headerWith(format.fragment, unit.readUIntBE(0, headerBytes));
  const [first, middle, final] = [FU_START, 0, FU_END].map((flags) => {
    const bytes = Buffer.allocUnsafe(headerSize);
    bytes.writeUIntBE(header, 0, headerBytes);
    bytes[headerBytes] = flags | type;
    return bytes;
  }) as [Buffer, Buffer, Buffer];
  const count = Math.ceil((unit.length - headerBytes) / (maxSize - headerSize));
  const step = Math.ceil((unit.length - headerBytes) / count);
  for (let at: number = headerBytes; at < unit.length; at += step) {
    const end = Math.min(unit.length, at + step);
    const isLast = end === unit.length;
    const fu = at === headerBytes ? first : isLast ? final : middle;
    payloads.push({ parts: [fu, unit.subarray(at, end)], size: headerSize + end - at, marker: marker && isLast });
  }
}
