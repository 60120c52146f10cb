/**
 * Writing AMF 3. References are never made, which is legal; what an `AmfValue` holds is a tree anyway.
 */

import { AmfDate, AmfDictionary, AmfEcmaArray, AmfTypedObject, type AmfWritable } from './amf-value.ts';
import { AMF3_MARKER } from './amf3.ts';
import { ByteWriter } from './byte-writer.ts';

const MAX_INTEGER = 0x0fff_ffff;
const MIN_INTEGER = -0x1000_0000;

/** Flags of an object's head, without the bit that tells a value from a reference (3.12). */
const INLINE_TRAITS = 1;
const DYNAMIC = 4;
const STRONG_KEYS = 0;

/** Whole numbers become integers where 29 bits hold them. */
export function writeAmf3(value: AmfWritable): Buffer {
  const writer = new ByteWriter();
  writeAmf3Value(writer, value);
  return writer.written();
}

/** Writes `value` behind what `writer` holds. Anonymous objects are dynamic; a typed object's fields are members of its class. */
export function writeAmf3Value(writer: ByteWriter, value: AmfWritable): void {
  if (typeof value === 'number') {
    writeNumber(writer, value);
  } else if (typeof value === 'boolean') {
    writer.u8(value ? AMF3_MARKER.true : AMF3_MARKER.false);
  } else if (typeof value === 'string') {
    writer.u8(AMF3_MARKER.string);
    writeString(writer, value);
  } else if (value === null || value === undefined) {
    writer.u8(value === null ? AMF3_MARKER.null : AMF3_MARKER.undefined);
  } else if (value instanceof AmfDate) {
    writeHead(writer, AMF3_MARKER.date, 0);
    writer.f64(value.millis);
  } else if (Buffer.isBuffer(value)) {
    writeHead(writer, AMF3_MARKER.byteArray, value.length);
    writer.bytes(value);
  } else if (Array.isArray(value)) {
    writeHead(writer, AMF3_MARKER.array, value.length);
    writeString(writer, '');
    for (const element of value as readonly AmfWritable[]) writeAmf3Value(writer, element);
  } else if (value instanceof AmfEcmaArray) {
    writeHead(writer, AMF3_MARKER.array, 0);
    writePairs(writer, value.fields);
  } else if (value instanceof AmfDictionary) {
    writeHead(writer, AMF3_MARKER.dictionary, value.entries.length);
    writer.u8(STRONG_KEYS);
    for (const entry of value.entries) for (const part of entry) writeAmf3Value(writer, part);
  } else if (value instanceof AmfTypedObject) {
    writeTypedObject(writer, value);
  } else {
    writeHead(writer, AMF3_MARKER.object, INLINE_TRAITS | DYNAMIC);
    writeString(writer, '');
    writePairs(writer, value instanceof Map ? value : Object.entries(value));
  }
}

/** The marker, and the U29 of a value that is no reference: its lowest bit is set. */
function writeHead(writer: ByteWriter, marker: number, head: number): void {
  writer.u8(marker);
  writeU29(writer, (head << 1) | 1);
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (Number.isInteger(value) && value >= MIN_INTEGER && value <= MAX_INTEGER && !Object.is(value, -0)) {
    writer.u8(AMF3_MARKER.integer);
    writeU29(writer, value & 0x1fff_ffff);
  } else {
    writer.u8(AMF3_MARKER.double);
    writer.f64(value);
  }
}

function writeTypedObject(writer: ByteWriter, object: AmfTypedObject): void {
  writeHead(writer, AMF3_MARKER.object, (object.fields.size << 3) | INLINE_TRAITS);
  writeString(writer, object.className);
  for (const member of object.fields.keys()) writeString(writer, member);
  for (const value of object.fields.values()) writeAmf3Value(writer, value);
}

/** An empty key would end the pairs early; AMF 3 cannot say it, so such a field is left out. */
function writePairs(writer: ByteWriter, fields: Iterable<readonly [string, AmfWritable]>): void {
  for (const [key, value] of fields) {
    if (key === '') continue;
    writeString(writer, key);
    writeAmf3Value(writer, value);
  }
  writeString(writer, '');
}

function writeString(writer: ByteWriter, text: string): void {
  const byteLength = Buffer.byteLength(text);
  writeU29(writer, (byteLength << 1) | 1);
  writer.utf8(text, byteLength);
}

/** Seven bits a byte, the highest first; a fourth byte gives all its eight (1.3.1). */
function writeU29(writer: ByteWriter, value: number): void {
  if (value >= 0x20_0000) {
    writer.u8((value >> 22) | 0x80);
    writer.u8(((value >> 15) & 0x7f) | 0x80);
    writer.u8(((value >> 8) & 0x7f) | 0x80);
    writer.u8(value & 0xff);
    return;
  }
  if (value >= 0x4000) writer.u8((value >> 14) | 0x80);
  if (value >= 0x80) writer.u8(((value >> 7) & 0x7f) | 0x80);
  writer.u8(value & 0x7f);
}
