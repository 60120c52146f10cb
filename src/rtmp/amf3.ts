/**
 * AMF 3, for clients with objectEncoding 3 (Adobe, "Action Message Format -- AMF 3", January 2013; sections below).
 * In RTMP it stands inside AMF 0, behind the marker 17, one value at a time.
 */
import type { ByteReader } from '../base/bytes.ts';
import { PeerError } from '../base/errors.ts';
import {
  AMF_FAULT,
  type AmfBudget,
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  type AmfObject,
  AmfReferences,
  AmfTypedObject,
  type AmfValue,
} from './amf-value.ts';

/** Type markers (3.1). */
export const AMF3_MARKER = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  double: 5,
  string: 6,
  xmlDocument: 7,
  date: 8,
  array: 9,
  object: 10,
  xml: 11,
  byteArray: 12,
  vectorInt: 13,
  vectorUint: 14,
  vectorDouble: 15,
  vectorObject: 16,
  dictionary: 17,
} as const;

/** The shape of an object's class: sent once, then referred to (3.12). */
interface Traits {
  readonly className: string;
  readonly members: readonly string[];
  readonly dynamic: boolean;
}

/**
 * Reads one value with reference tables of its own: each value behind an AMF 0 marker starts afresh.
 * Throws `PeerError` (rtmp/amf) for anything malformed, cut short, externalizable (its form is the class's secret) or over budget.
 */
export function readAmf3Value(reader: ByteReader, budget: AmfBudget): AmfValue {
  return new Amf3Reader(reader, budget).value();
}

class Amf3Reader {
  readonly #bytes: ByteReader;
  readonly #budget: AmfBudget;
  readonly #strings: string[] = [];
  readonly #traits: Traits[] = [];
  readonly #references = new AmfReferences();

  constructor(bytes: ByteReader, budget: AmfBudget) {
    this.#bytes = bytes;
    this.#budget = budget;
  }

  value(): AmfValue {
    const marker = this.#bytes.u8();
    switch (marker) {
      case AMF3_MARKER.undefined:
        return this.#simple(undefined);
      case AMF3_MARKER.null:
        return this.#simple(null);
      case AMF3_MARKER.false:
        return this.#simple(false);
      case AMF3_MARKER.true:
        return this.#simple(true);
      case AMF3_MARKER.integer:
        return this.#simple((this.#u29() << 3) >> 3);
      case AMF3_MARKER.double:
        return this.#simple(this.#bytes.f64());
      case AMF3_MARKER.string:
        return this.#simple(this.#string());
      case AMF3_MARKER.xmlDocument:
      case AMF3_MARKER.xml:
        return this.#complex((length) => this.#utf8(length));
      case AMF3_MARKER.date:
        return this.#complex(() => new AmfDate(this.#bytes.f64()));
      case AMF3_MARKER.array:
        return this.#complex((count) => this.#array(count));
      case AMF3_MARKER.object:
        return this.#complex((flags) => this.#object(flags));
      case AMF3_MARKER.byteArray:
        return this.#complex((length) => this.#byteArray(length));
      case AMF3_MARKER.vectorInt:
        return this.#complex((count) => this.#vector(count, () => this.#simple(this.#bytes.u32() | 0)));
      case AMF3_MARKER.vectorUint:
        return this.#complex((count) => this.#vector(count, () => this.#simple(this.#bytes.u32())));
      case AMF3_MARKER.vectorDouble:
        return this.#complex((count) => this.#vector(count, () => this.#simple(this.#bytes.f64())));
      case AMF3_MARKER.vectorObject:
        return this.#complex((count) => this.#vectorOfObjects(count));
      case AMF3_MARKER.dictionary:
        return this.#complex((count) => this.#dictionary(count));
      default:
        throw new PeerError(AMF_FAULT, `there is no AMF 3 value of type ${marker}`);
    }
  }

  #simple<T extends AmfValue>(value: T): T {
    this.#budget.node();
    return value;
  }

  /** A value that others may refer to: its first U29 is a reference, or with the lowest bit set says something about it. */
  #complex(read: (head: number) => AmfValue): AmfValue {
    const head = this.#u29();
    if ((head & 1) === 0) return this.#references.resolve(head >> 1, this.#budget);
    this.#budget.node();
    const index = this.#references.begin();
    this.#budget.enter();
    const value = read(head >> 1);
    this.#budget.leave();
    return this.#references.complete(index, value);
  }

  /** Variable length, up to four bytes; the fourth gives all its eight bits (1.3.1). */
  #u29(): number {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.#bytes.u8();
      value = (value << 7) | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return (value << 8) | this.#bytes.u8();
  }

  /** A string or a reference to one (1.3.2). A reference pays again: whoever re-encodes the value writes the text again. */
  #string(): string {
    const head = this.#u29();
    if ((head & 1) === 1) {
      const text = this.#utf8(head >> 1);
      if (text !== '') this.#strings.push(text);
      return text;
    }
    const text = this.#strings[head >> 1];
    if (text === undefined) throw new PeerError(AMF_FAULT, `refers to string ${head >> 1} before it was sent`);
    this.#budget.string(Buffer.byteLength(text));
    return text;
  }

  #utf8(byteLength: number): string {
    this.#budget.string(byteLength);
    return this.#bytes.utf8(byteLength);
  }

  /** Keys and values, then as many values without keys as declared (3.11). Counts reserve nothing. */
  #array(count: number): AmfValue {
    const fields = this.#pairs(new Map());
    if (fields.size === 0) return this.#list(count);
    for (let i = 0; i < count; i++) fields.set(String(i), this.value());
    return new AmfEcmaArray(fields);
  }

  #list(count: number): AmfValue[] {
    const values: AmfValue[] = [];
    while (values.length < count) values.push(this.value());
    return values;
  }

  #pairs(fields: AmfObject): AmfObject {
    for (let key = this.#string(); key !== ''; key = this.#string()) fields.set(key, this.value());
    return fields;
  }

  #object(flags: number): AmfValue {
    const traits = this.#traitsOf(flags);
    const fields: AmfObject = new Map();
    for (const member of traits.members) {
      // A member's name costs its bytes in every object that has it.
      this.#budget.string(Buffer.byteLength(member));
      fields.set(member, this.value());
    }
    if (traits.dynamic) this.#pairs(fields);
    return traits.className === '' ? fields : new AmfTypedObject(traits.className, fields);
  }

  /** `flags` lacks the bit that tells a value from a reference: traits inline or not, externalizable, dynamic, count. */
  #traitsOf(flags: number): Traits {
    if ((flags & 1) === 0) {
      const traits = this.#traits[flags >> 1];
      if (traits === undefined) throw new PeerError(AMF_FAULT, `refers to traits ${flags >> 1} before they were sent`);
      this.#budget.string(Buffer.byteLength(traits.className));
      return traits;
    }
    const className = this.#string();
    if ((flags & 2) !== 0)
      throw new PeerError(AMF_FAULT, `a class writes itself in a form of its own: ${className.slice(0, 64)}`);
    const members: string[] = [];
    for (let count = flags >> 3; count > 0; count--) members.push(this.#simple(this.#memberName()));
    const traits = { className, members, dynamic: (flags & 4) !== 0 };
    this.#traits.push(traits);
    return traits;
  }

  #memberName(): string {
    const name = this.#string();
    if (name === '') throw new PeerError(AMF_FAULT, 'a class has a member without a name');
    return name;
  }

  #byteArray(length: number): Buffer {
    this.#budget.string(length);
    return Buffer.from(this.#bytes.bytes(length));
  }

  #vector(count: number, read: () => AmfValue): AmfValue[] {
    this.#bytes.u8(); // Whether its length is fixed, which means nothing here.
    const values: AmfValue[] = [];
    while (values.length < count) values.push(read());
    return values;
  }

  #vectorOfObjects(count: number): AmfValue[] {
    this.#bytes.u8();
    this.#string(); // The name of the elements' class; each element says it again.
    return this.#list(count);
  }

  #dictionary(count: number): AmfDictionary {
    this.#bytes.u8(); // Whether keys are held weakly.
    const entries: [AmfValue, AmfValue][] = [];
    while (entries.length < count) entries.push([this.value(), this.value()]);
    return new AmfDictionary(entries);
  }
}
