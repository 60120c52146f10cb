/**
 * AMF 0, the notation of RTMP commands and metadata (Adobe, "Action Message Format -- AMF 0", December 2007; sections below).
 */
import { ByteReader } from '../base/bytes.ts';
import { PeerError } from '../base/errors.ts';
import {
  AMF_FAULT,
  AMF_LIMITS,
  AmfBudget,
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  type AmfLimits,
  type AmfObject,
  AmfReferences,
  AmfTypedObject,
  type AmfValue,
  type AmfWritable,
} from './amf-value.ts';
import { readAmf3Value } from './amf3.ts';
import { writeAmf3Value } from './amf3-writer.ts';
import { ByteWriter } from './byte-writer.ts';

/** Type markers (2.1). Movie clips (4) and record sets (14) are reserved there and refused here. */
const MARKER = {
  number: 0,
  boolean: 1,
  string: 2,
  object: 3,
  null: 5,
  undefined: 6,
  reference: 7,
  ecmaArray: 8,
  objectEnd: 9,
  strictArray: 10,
  date: 11,
  longString: 12,
  unsupported: 13,
  xml: 15,
  typedObject: 16,
  amf3: 17,
} as const;

/** A key may be this long, so that it can be written again even if every byte of it was read as U+FFFD (three bytes). */
const MAX_KEY_BYTES = Math.floor(0xffff / 3);

/**
 * Reads every value from `offset` to the end of `bytes`. Throws `PeerError` (rtmp/amf) for anything malformed, cut short or
 * over `limits`. In messages of type 15 and 17 the values begin behind one byte 0, so pass offset 1.
 */
export function readAmf0(bytes: Buffer, offset = 0, limits: AmfLimits = AMF_LIMITS): AmfValue[] {
  const reader = new Amf0Reader(bytes, offset, limits);
  const values: AmfValue[] = [];
  while (reader.hasMore) values.push(reader.value());
  return values;
}

/** Writes `values` one behind the other. Numbers are doubles; plain records and Maps become anonymous objects. */
export function writeAmf0(values: readonly AmfWritable[]): Buffer {
  const writer = new ByteWriter();
  for (const value of values) writeValue(writer, value);
  return writer.written();
}

class Amf0Reader {
  readonly #bytes: ByteReader;
  readonly #budget: AmfBudget;
  readonly #references = new AmfReferences();

  constructor(bytes: Buffer, offset: number, limits: AmfLimits) {
    this.#bytes = new ByteReader(bytes, AMF_FAULT, offset);
    this.#budget = new AmfBudget(limits);
  }

  get hasMore(): boolean {
    return this.#bytes.remaining > 0;
  }

  value(): AmfValue {
    this.#budget.node();
    const marker = this.#bytes.u8();
    switch (marker) {
      case MARKER.number:
        return this.#bytes.f64();
      case MARKER.boolean:
        return this.#bytes.u8() !== 0;
      case MARKER.string:
        return this.#string(this.#bytes.u16());
      case MARKER.longString:
      case MARKER.xml:
        return this.#string(this.#bytes.u32());
      case MARKER.null:
        return null;
      case MARKER.undefined:
      case MARKER.unsupported:
        return undefined;
      case MARKER.date:
        return this.#date();
      case MARKER.object:
        return this.#complex(() => this.#fields());
      case MARKER.ecmaArray:
        return this.#complex(() => this.#ecmaArray());
      case MARKER.strictArray:
        return this.#complex(() => this.#strictArray());
      case MARKER.typedObject:
        return this.#complex(() => this.#typedObject());
      case MARKER.reference:
        return this.#references.resolve(this.#bytes.u16(), this.#budget);
      case MARKER.amf3:
        return readAmf3Value(this.#bytes, this.#budget);
      default:
        throw new PeerError(AMF_FAULT, `there is no AMF 0 value of type ${marker}`);
    }
  }

  #complex<T extends AmfValue>(read: () => T): T {
    const index = this.#references.begin();
    this.#budget.enter();
    const value = read();
    this.#budget.leave();
    return this.#references.complete(index, value);
  }

  /** Pairs up to an empty key and the end marker (2.5). */
  #fields(): AmfObject {
    const fields: AmfObject = new Map();
    for (;;) {
      const keyBytes = this.#bytes.u16();
      if (keyBytes === 0) {
        const marker = this.#bytes.u8();
        if (marker === MARKER.objectEnd) return fields;
        // An empty key with a value: written by players whose objects really have one.
        this.#bytes.offset--;
      }
      if (keyBytes > MAX_KEY_BYTES) throw new PeerError(AMF_FAULT, `a key is ${keyBytes} bytes long`);
      const key = this.#string(keyBytes);
      fields.set(key, this.value());
    }
  }

  #ecmaArray(): AmfEcmaArray {
    this.#bytes.u32(); // A count, and only a hint (2.10): encoders write 0, or forget entries they added later.
    return new AmfEcmaArray(this.#fields());
  }

  /** The declared count reserves nothing: a lie ends at the end of the bytes or of the budget. */
  #strictArray(): readonly AmfValue[] {
    const count = this.#bytes.u32();
    const values: AmfValue[] = [];
    while (values.length < count) values.push(this.value());
    return values;
  }

  #typedObject(): AmfTypedObject {
    const nameBytes = this.#bytes.u16();
    if (nameBytes > MAX_KEY_BYTES) throw new PeerError(AMF_FAULT, `a class name is ${nameBytes} bytes long`);
    const className = this.#string(nameBytes);
    return new AmfTypedObject(className, this.#fields());
  }

  #date(): AmfDate {
    const millis = this.#bytes.f64();
    this.#bytes.u16(); // Time zone: reserved, to be ignored (2.13).
    return new AmfDate(millis);
  }

  #string(byteLength: number): string {
    this.#budget.string(byteLength);
    return this.#bytes.utf8(byteLength);
  }
}

function writeValue(writer: ByteWriter, value: AmfWritable): void {
  if (typeof value === 'number') {
    writer.u8(MARKER.number);
    writer.f64(value);
  } else if (typeof value === 'boolean') {
    writer.u8(MARKER.boolean);
    writer.u8(value ? 1 : 0);
  } else if (typeof value === 'string') {
    writeString(writer, value);
  } else if (value === null || value === undefined) {
    writer.u8(value === null ? MARKER.null : MARKER.undefined);
  } else if (Buffer.isBuffer(value) || value instanceof AmfDictionary) {
    // AMF 0 has no form for these two.
    writer.u8(MARKER.amf3);
    writeAmf3Value(writer, value);
  } else if (value instanceof AmfDate) {
    writer.u8(MARKER.date);
    writer.f64(value.millis);
    writer.u16(0);
  } else if (Array.isArray(value)) {
    writer.u8(MARKER.strictArray);
    writer.u32(value.length);
    for (const element of value as readonly AmfWritable[]) writeValue(writer, element);
  } else if (value instanceof AmfEcmaArray) {
    writer.u8(MARKER.ecmaArray);
    writer.u32(value.fields.size);
    writeFields(writer, value.fields);
  } else if (value instanceof AmfTypedObject) {
    writer.u8(MARKER.typedObject);
    writeKey(writer, value.className);
    writeFields(writer, value.fields);
  } else {
    writer.u8(MARKER.object);
    writeFields(writer, value instanceof Map ? value : Object.entries(value));
  }
}

function writeFields(writer: ByteWriter, fields: Iterable<readonly [string, AmfWritable]>): void {
  for (const [key, value] of fields) {
    writeKey(writer, key);
    writeValue(writer, value);
  }
  writer.u16(0);
  writer.u8(MARKER.objectEnd);
}

function writeString(writer: ByteWriter, text: string): void {
  const byteLength = Buffer.byteLength(text);
  if (byteLength <= 0xffff) {
    writer.u8(MARKER.string);
    writer.u16(byteLength);
  } else {
    writer.u8(MARKER.longString);
    writer.u32(byteLength);
  }
  writer.utf8(text, byteLength);
}

/** Keys and class names have two bytes for their length; a longer one is a mistake of ours, and `u16` throws. */
function writeKey(writer: ByteWriter, key: string): void {
  const byteLength = Buffer.byteLength(key);
  writer.u16(byteLength);
  writer.utf8(key, byteLength);
}
