/**
 * NAL units out of payloads: one picture's units behind four-byte lengths, parameter sets apart.
 */
import { AGGREGATE_LENGTH_BYTES, FU_END, FU_START, type NalFormat } from './nal-format.ts';
import type { ParameterSets } from './parameter-sets.ts';
import type { Picture, PictureReader } from './picture-depacketizer.ts';
import type { UnitBytes } from './unit-bytes.ts';

const LENGTH_BYTES = 4;
const NONE = -1;

export class NalReader implements PictureReader {
  readonly #format: NalFormat;
  readonly #sets: ParameterSets;
  /** Parameter sets have come with the pictures. */
  #setsInBand = false;
  /** The type of the unit whose parts are coming. */
  #fragment = NONE;
  /** Where the current unit's length stands. */
  #start = 0;
  #slices = 0;
  #key = false;
  /** What was seen says that nothing in front is missing. */
  #whole = false;

  constructor(format: NalFormat, sets: ParameterSets) {
    this.#format = format;
    this.#sets = sets;
  }

  start(): void {
    this.#fragment = NONE;
    this.#slices = 0;
    this.#key = false;
    this.#whole = false;
  }

  take(payload: Buffer, bytes: UnitBytes): boolean {
    const { headerBytes, aggregation, fragment } = this.#format;
    if (payload.length < headerBytes) return false;
    const type = this.#format.typeOf(payload);
    if (type === fragment) return this.#takeFragment(payload, bytes);
    if (this.#fragment !== NONE) return false;
    if (type === aggregation) return this.#takeAggregation(payload, bytes);
    return this.#takeUnit(payload, 0, payload.length, bytes);
  }

  finish(bytes: UnitBytes, sure: boolean): Picture | 'empty' | 'damaged' {
    if (this.#fragment !== NONE) return 'damaged';
    if (this.#slices === 0) return 'empty';
    const { config } = this.#sets;
    if (config === undefined || !(sure || this.#whole)) return 'damaged';
    return { key: this.#key, data: bytes.copy(), config };
  }

  #takeAggregation(payload: Buffer, bytes: UnitBytes): boolean {
    let at: number = this.#format.headerBytes;
    while (at < payload.length) {
      const start = at + AGGREGATE_LENGTH_BYTES;
      if (start > payload.length) return false;
      const end = start + payload.readUInt16BE(at);
      if (end > payload.length || end - start < this.#format.headerBytes) return false;
      if (!this.#takeUnit(payload, start, end, bytes)) return false;
      at = end;
    }
    return true;
  }

  #takeFragment(payload: Buffer, bytes: UnitBytes): boolean {
    const { headerBytes } = this.#format;
    if (payload.length <= headerBytes) return false;
    const flags = payload[headerBytes]!;
    const type = flags & ~(FU_START | FU_END) & (headerBytes === 1 ? 31 : 63);
    if ((flags & FU_START) !== 0) {
      if (this.#fragment !== NONE || (flags & FU_END) !== 0) return false;
      this.#fragment = type;
      this.#start = bytes.length;
      const header = this.#format.headerWith(type, payload.readUIntBE(0, headerBytes));
      if (!bytes.appendNumber(0, LENGTH_BYTES) || !bytes.appendNumber(header, headerBytes)) return false;
    } else if (this.#fragment !== type) {
      return false;
    }
    if (!bytes.append(payload, headerBytes + 1)) return false;
    if ((flags & FU_END) === 0) return true;
    this.#fragment = NONE;
    return this.#endUnit(bytes);
  }

  #takeUnit(payload: Buffer, start: number, end: number, bytes: UnitBytes): boolean {
    this.#start = bytes.length;
    return bytes.appendNumber(0, LENGTH_BYTES) && bytes.append(payload, start, end) && this.#endUnit(bytes);
  }

  /** Looks at the unit that has just become whole. */
  #endUnit(bytes: UnitBytes): boolean {
    const from = this.#start + LENGTH_BYTES;
    const unit = bytes.view(from);
    const type = this.#format.typeOf(unit);
    const role = this.#format.roleOf(type);
    if (this.#slices === 0 && this.#format.opens(type)) this.#whole = true;
    switch (role) {
      case 'refused':
        return false;
      case 'set':
        this.#setsInBand = true;
        this.#sets.add(unit, type);
        bytes.truncate(this.#start);
        return true;
      case 'dropped':
        bytes.truncate(this.#start);
        return true;
      case 'slice':
      case 'key':
        // who sends parameter sets in front of key pictures may have lost them together with them
        if (this.#slices === 0 && !this.#setsInBand && this.#format.firstSlice(unit)) this.#whole = true;
        this.#slices += 1;
        if (role === 'key') this.#key = true;
    }
    bytes.setU32(unit.length, this.#start);
    return true;
  }
}
