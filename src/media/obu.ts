/**
 * Open bitstream units of AV1 (AV1 bitstream specification, 5.3) and their numbers (4.10.5).
 */

/** OBU types, 6.2.2. */
export const OBU = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  tileGroup: 4,
  frame: 6,
  tileList: 8,
  padding: 15,
} as const;

/** Bits of the first byte of a header. */
export const OBU_EXTENSION = 4;
export const OBU_HAS_SIZE = 2;

/** Eight bytes of seven bits each. */
const MAX_LEB128_BYTES = 8;

export interface Obu {
  readonly type: number;
  /** One byte, or two with an extension. */
  readonly header: Buffer;
  /** Without header and size. */
  readonly payload: Buffer;
}

export function obuType(header: number): number {
  return (header >> 3) & 15;
}

export interface Leb128 {
  readonly value: number;
  /** Where it ends. */
  readonly end: number;
}

/** Reads a number at `at`; undefined when it is cut off or above 32 bits. */
export function readLeb128(bytes: Buffer, at: number): Leb128 | undefined {
  let value = 0;
  for (let i = 0; i < MAX_LEB128_BYTES; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return value < 2 ** 32 ? { value, end: at + i + 1 } : undefined;
  }
  return undefined;
}

/** The shortest form of `value`, below 2^31. */
export function leb128(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) bytes.push(128 | (left & 127));
  bytes.push(left);
  return Buffer.from(bytes);
}

/** Views of the units in `data`, in order; one without a size reaches to the end. Stops at a cut-off one. */
export function* obus(data: Buffer): Generator<Obu, void, undefined> {
  let at = 0;
  while (at < data.length) {
    const obu = readObu(data, at);
    if (obu === undefined) return;
    yield obu;
    at = obu.payload.byteOffset - data.byteOffset + obu.payload.length;
  }
}

/** The unit that begins at `at`; undefined when it is cut off. */
export function readObu(data: Buffer, at: number): Obu | undefined {
  const first = data[at];
  if (first === undefined) return undefined;
  const headerEnd = at + ((first & OBU_EXTENSION) === 0 ? 1 : 2);
  let start = headerEnd;
  let end = data.length;
  if ((first & OBU_HAS_SIZE) !== 0) {
    const size = readLeb128(data, headerEnd);
    if (size === undefined) return undefined;
    start = size.end;
    end = start + size.value;
  }
  if (start > end || end > data.length) return undefined;
  return { type: obuType(first), header: data.subarray(at, headerEnd), payload: data.subarray(start, end) };
}
