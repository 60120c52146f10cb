/**
 * What AMF 0 and AMF 3 values become. What is read is always a finite tree: references are resolved by copying, within a
 * budget, so that nobody who walks, prints or re-encodes a peer's value can be sent in circles or made to expand it.
 */
import { PeerError } from '../base/errors.ts';

/** An anonymous object; keys in the order sent. A `Map`, since the peer chooses the keys. */
export type AmfObject = Map<string, AmfValue>;

/**
 * AMF 0 ECMA array, or an AMF 3 array with string keys (its dense part then stands behind them under "0", "1", …).
 * The usual form of onMetaData.
 */
export class AmfEcmaArray {
  readonly fields: AmfObject;
  constructor(fields: AmfObject) {
    this.fields = fields;
  }
}

/** An object with a class name. */
export class AmfTypedObject {
  readonly className: string;
  readonly fields: AmfObject;
  constructor(className: string, fields: AmfObject) {
    this.className = className;
    this.fields = fields;
  }
}

export class AmfDate {
  /** Milliseconds since 1970, UTC, as the peer says; may be NaN. */
  readonly millis: number;
  constructor(millis: number) {
    this.millis = millis;
  }
}

/** AMF 3 dictionary: any value may be a key. */
export class AmfDictionary {
  readonly entries: readonly (readonly [AmfValue, AmfValue])[];
  constructor(entries: readonly (readonly [AmfValue, AmfValue])[]) {
    this.entries = entries;
  }
}

/** XML becomes its text, a vector a list, a byte array a `Buffer` of its own. */
export type AmfValue =
  | number
  | boolean
  | string
  | null
  | undefined
  | AmfObject
  | AmfEcmaArray
  | AmfTypedObject
  | AmfDate
  | AmfDictionary
  | Buffer
  | readonly AmfValue[];

/** What our side may write: AMF values, and plain records (own keys, in order) as objects. */
export type AmfWritable = AmfValue | readonly AmfWritable[] | { readonly [key: string]: AmfWritable };

/** The fields of anything that has named fields; undefined for other values. */
export function amfFields(value: AmfValue): AmfObject | undefined {
  if (value instanceof Map) return value;
  if (value instanceof AmfEcmaArray || value instanceof AmfTypedObject) return value.fields;
  return undefined;
}

/** `record` as an ECMA array. */
export function ecmaArray(record: Readonly<Record<string, AmfValue>>): AmfEcmaArray {
  return new AmfEcmaArray(new Map(Object.entries(record)));
}

/** What one message may cost to read. */
export interface AmfLimits {
  /** Values inside values. */
  readonly maxDepth: number;
  /** Values in all, those copied for references included. */
  readonly maxNodes: number;
  /** Bytes of all strings, keys and byte arrays together, those copied for references included. */
  readonly maxStringBytes: number;
}

export const AMF_LIMITS: AmfLimits = { maxDepth: 32, maxNodes: 4096, maxStringBytes: 256 << 10 };

/** The code under which AMF faults are reported. */
export const AMF_FAULT = 'rtmp/amf';

/** What is left of the limits while one message is read. */
export class AmfBudget {
  #depth: number;
  #nodes: number;
  #stringBytes: number;

  constructor(limits: AmfLimits) {
    this.#depth = limits.maxDepth;
    this.#nodes = limits.maxNodes;
    this.#stringBytes = limits.maxStringBytes;
  }

  /** Pays for one value. */
  node(): void {
    if (--this.#nodes < 0) throw new PeerError(AMF_FAULT, 'too many values in one message');
  }

  /** Pays for `count` bytes of string. Called before they are decoded. */
  string(count: number): void {
    this.#stringBytes -= count;
    if (this.#stringBytes < 0) throw new PeerError(AMF_FAULT, 'too many string bytes in one message');
  }

  /** Goes one level deeper; `leave` comes back. */
  enter(): void {
    if (--this.#depth < 0) throw new PeerError(AMF_FAULT, 'values are nested too deeply');
  }

  leave(): void {
    this.#depth++;
  }
}

/** In the table of references: begun and not complete. */
const UNFINISHED = Symbol('unfinished');

/** The complex values met so far, in the order in which they began; AMF 0 and AMF 3 refer to them by number. */
export class AmfReferences {
  readonly #values: (AmfValue | typeof UNFINISHED)[] = [];

  /** Takes the next number, for a value that begins here. */
  begin(): number {
    return this.#values.push(UNFINISHED) - 1;
  }

  complete<T extends AmfValue>(index: number, value: T): T {
    this.#values[index] = value;
    return value;
  }

  /** A copy of value number `index`, paid from `budget` as if it had been sent again. */
  resolve(index: number, budget: AmfBudget): AmfValue {
    if (index >= this.#values.length) throw new PeerError(AMF_FAULT, `refers to value ${index} before it was sent`);
    const value = this.#values[index];
    if (value === UNFINISHED) throw new PeerError(AMF_FAULT, `value ${index} contains itself`);
    return copyOf(value, budget);
  }
}

function copyOf(value: AmfValue, budget: AmfBudget): AmfValue {
  budget.node();
  if (typeof value === 'string') budget.string(Buffer.byteLength(value));
  if (typeof value !== 'object' || value === null || value instanceof AmfDate) return value;
  if (Buffer.isBuffer(value)) {
    budget.string(value.length);
    return Buffer.from(value);
  }
  budget.enter();
  let copy: AmfValue;
  if (value instanceof Map) copy = copyOfFields(value, budget);
  else if (value instanceof AmfEcmaArray) copy = new AmfEcmaArray(copyOfFields(value.fields, budget));
  else if (value instanceof AmfTypedObject) {
    budget.string(Buffer.byteLength(value.className));
    copy = new AmfTypedObject(value.className, copyOfFields(value.fields, budget));
  } else if (value instanceof AmfDictionary) {
    copy = new AmfDictionary(value.entries.map(([key, entry]) => [copyOf(key, budget), copyOf(entry, budget)]));
  } else copy = value.map((element) => copyOf(element, budget));
  budget.leave();
  return copy;
}

function copyOfFields(fields: AmfObject, budget: AmfBudget): AmfObject {
  const copy: AmfObject = new Map();
  for (const [key, value] of fields) {
    budget.string(Buffer.byteLength(key));
    copy.set(key, copyOf(value, budget));
  }
  return copy;
}
