/**
 * The parameter sets that came with one source's pictures, and the configuration record made of them.
 */
import type { NalFormat } from './nal-format.ts';

/** Sets of each type; H.264's record counts those of a sequence in five bits. */
const MAX_SETS = 31;
/** Scaling lists make them long, but not longer. */
const MAX_SET_BYTES = 4096;
/** The front of a set, in which its identifier stands. */
const FRONT_BYTES = 128;

/** The identifier in the front of a set; undefined when it is cut off. */
type SetId = (front: Buffer, type: number) => number | undefined;
/** Writes the record for the sets of each type, at least one each; undefined when they cannot be read. */
type WriteRecord = (sets: readonly (readonly Buffer[])[]) => Buffer | undefined;

export class ParameterSets {
  readonly #setId: SetId;
  readonly #write: WriteRecord;
  /** By type and identifier, the ones that changed last at the end. */
  readonly #sets: ReadonlyMap<number, Map<number, Buffer>>;
  #config: Buffer | undefined;
  #changed = false;

  constructor(types: readonly number[], setId: SetId, write: WriteRecord) {
    this.#sets = new Map(types.map((type) => [type, new Map()]));
    this.#setId = setId;
    this.#write = write;
  }

  /** The record, the same buffer until a set changes; undefined before there is a set of each type. */
  get config(): Buffer | undefined {
    if (this.#changed) {
      this.#changed = false;
      // the newest first: it is the one that describes the stream
      const sets = [...this.#sets.values()].map((ofType) => [...ofType.values()].reverse());
      if (sets.every((ofType) => ofType.length > 0)) this.#config = this.#write(sets) ?? this.#config;
    }
    return this.#config;
  }

  /** Remembers a copy of `unit`, a NAL unit of type `type`. */
  add(unit: Buffer, type: number): void {
    const ofType = this.#sets.get(type);
    if (ofType === undefined || unit.length > MAX_SET_BYTES) return;
    const id = this.#setId(unit.subarray(0, FRONT_BYTES), type);
    if (id === undefined || ofType.get(id)?.equals(unit)) return;
    ofType.delete(id);
    if (ofType.size === MAX_SETS) ofType.delete(ofType.keys().next().value!);
    ofType.set(id, Buffer.from(unit));
    this.#changed = true;
  }

  /** Adds what a description lists: NAL units in base64 with commas between. */
  describe(list: string | undefined, format: NalFormat): void {
    for (const text of list?.split(',', MAX_SETS) ?? []) {
      const unit = Buffer.from(text, 'base64');
      if (unit.length >= format.headerBytes) this.add(unit, format.typeOf(unit));
    }
  }
}
