/**
 * Open bitstream units out of AV1's payloads: one temporal unit's, with their sizes.
 */
import { av1ConfigOf } from '../media/av1-record.ts';
import { leb128, OBU, OBU_HAS_SIZE, readLeb128, readObu } from '../media/obu.ts';
import type { Picture, PictureReader } from './picture-depacketizer.ts';
import type { UnitBytes } from './unit-bytes.ts';

/** The aggregation header, 4.4: the first element continues, the last one goes on, elements, a new coded video sequence. */
export const AV1 = { continues: 0x80, goesOn: 0x40, countShift: 4, newSequence: 0x08 } as const;
/** Up to so many elements are counted; the last one then has no length. */
export const MAX_COUNTED = 3;

/** Units of one temporal unit: tile groups and layers make many, but not more. */
const MAX_OBUS = 1024;
const MAX_SEQUENCE_BYTES = 4096;

/** In the first byte of a frame header: an old frame is shown again; the type, of which 0 is a key frame. */
const SHOW_EXISTING = 0x80;
const FRAME_TYPE = 0x60;

export class Av1Reader implements PictureReader {
  /** Where the units of the temporal unit begin. */
  #starts: number[] = [];
  #open = false;
  #sequence: Buffer | undefined;
  #config: Buffer | undefined;

  start(): void {
    this.#starts = [];
    this.#open = false;
  }

  take(payload: Buffer, bytes: UnitBytes): boolean {
    const flags = payload[0]!;
    if (((flags & AV1.continues) !== 0) !== this.#open) return false;
    const count = (flags >> AV1.countShift) & MAX_COUNTED;
    let at = 1;
    let elements = 0;
    while (at < payload.length) {
      elements += 1;
      let end = payload.length;
      if (elements !== count) {
        const length = readLeb128(payload, at);
        if (length === undefined) return false;
        at = length.end;
        end = at + length.value;
      }
      if (end === at || end > payload.length) return false;
      if (!this.#open) {
        if (this.#starts.length === MAX_OBUS) return false;
        this.#starts.push(bytes.length);
      }
      if (!bytes.append(payload, at, end)) return false;
      this.#open = end === payload.length && (flags & AV1.goesOn) !== 0;
      at = end;
    }
    return elements > 0 && (count === 0 || elements === count);
  }

  finish(bytes: UnitBytes, sure: boolean): Picture | 'empty' | 'damaged' {
    if (this.#open) return 'damaged';
    const parts: Buffer[] = [];
    let sequence = false;
    let frames = 0;
    let key = false;
    for (const [index, start] of this.#starts.entries()) {
      const obu = readObu(bytes.view(start, this.#starts[index + 1] ?? bytes.length), 0);
      if (obu === undefined) return 'damaged';
      const { type, header, payload } = obu;
      if (type === OBU.temporalDelimiter || type === OBU.tileList || type === OBU.padding) continue;
      if (type === OBU.sequenceHeader) sequence = this.#remember(payload) || sequence;
      if (type === OBU.frame || type === OBU.frameHeader) {
        // the first frame decides: what depends on it within the unit is no start
        if (frames === 0) key = ((payload[0] ?? FRAME_TYPE) & (SHOW_EXISTING | FRAME_TYPE)) === 0;
        frames += 1;
      }
      const sized = Buffer.from(header);
      sized[0]! |= OBU_HAS_SIZE;
      parts.push(sized, leb128(payload.length), payload);
    }
    if (frames === 0) return 'empty';
    // its sequence header may be what was lost
    if (this.#config === undefined || (!sure && !sequence)) return 'damaged';
    return { key, data: Buffer.concat(parts), config: this.#config };
  }

  /** Keeps a sequence header and the configuration for it; false when it is none. */
  #remember(payload: Buffer): boolean {
    if (this.#sequence?.equals(payload)) return true;
    if (payload.length > MAX_SEQUENCE_BYTES) return false;
    const sequence = Buffer.from(payload);
    const config = av1ConfigOf(sequence);
    if (config === undefined) return false;
    this.#sequence = sequence;
    this.#config = config;
    return true;
  }
}
