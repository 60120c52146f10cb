/** Random changes to inputs that were good, from a seed: bytes, numbers and lengths, pieces dropped, doubled and swapped. */

/** Whole numbers from 0 to `below` - 1, the same ones for the same seed. */
export type Random = (below: number) => number;

/** xorshift32, which is good enough to break things. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Inputs are kept this short, so that rounds stay quick. */
const MAX_BYTES = 32 << 10;
const MAX_PIECE = 256;
const MAX_CHANGES = 6;
/** Limits, signs, and markers that mean something in headers, lengths and AMF. */
const BYTES = [0, 1, 2, 3, 7, 8, 9, 10, 12, 16, 17, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xc1, 0xfe, 0xff] as const;
const NUMBERS = [
  0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0xfffffe, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff,
] as const;

/** One input made of `inputs`, of which there is at least one. */
export function mutate(inputs: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(inputs[random(inputs.length)]!);
  for (let changes = 1 + random(MAX_CHANGES); changes > 0; changes--) {
    bytes = CHANGES[random(CHANGES.length)]!(bytes, random, inputs);
  }
  return bytes.subarray(0, MAX_BYTES);
}

type Change = (bytes: Buffer, random: Random, inputs: readonly Buffer[]) => Buffer;

const CHANGES: readonly Change[] = [
  function setByte(bytes, random) {
    if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  function setTellingByte(bytes, random) {
    if (bytes.length > 0) bytes[random(bytes.length)] = BYTES[random(BYTES.length)]!;
    return bytes;
  },
  function flipBit(bytes, random) {
    if (bytes.length > 0) bytes[random(bytes.length)]! ^= 1 << random(8);
    return bytes;
  },
  function setNumber(bytes, random) {
    const size = 2 + random(3);
    const number = NUMBERS[random(NUMBERS.length)]! % 2 ** (8 * size);
    if (bytes.length >= size) bytes.writeUIntBE(number, random(bytes.length - size + 1), size);
    return bytes;
  },
  function drop(bytes, random) {
    const [start, end] = piece(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  function double(bytes, random) {
    const [start, end] = piece(bytes, random);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
  },
  function insert(bytes, random) {
    const at = random(bytes.length + 1);
    const noise = Buffer.from(Array.from({ length: 1 + random(16) }, () => random(256)));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
  function cutOff(bytes, random) {
    return bytes.subarray(0, random(bytes.length + 1));
  },
  function splice(bytes, random, inputs) {
    const other = inputs[random(inputs.length)]!;
    const [start, end] = piece(other, random);
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(start, end), bytes.subarray(at)]);
  },
  function repeat(bytes, random) {
    const [start, end] = piece(bytes, random);
    const many = new Array<Buffer>(1 + random(64)).fill(bytes.subarray(start, Math.min(end, start + 16)));
    return Buffer.concat([bytes.subarray(0, end), ...many, bytes.subarray(end)]);
  },
];

function piece(bytes: Buffer, random: Random): [number, number] {
  const start = random(bytes.length + 1);
  return [start, Math.min(bytes.length, start + random(MAX_PIECE))];
}
