/**
 * WebAssembly as bytes: expressions that nest as they do in the text format, and the module around them (WebAssembly core 2.0,
 * chapter 5). Only what the SRTP kernel needs: 32-bit integers, 128-bit vectors, one memory that the module owns.
 */

/** Instructions, in order; an expression leaves one value on the stack. */
export type Code = readonly number[];
export type Type = 'i32' | 'v128';

export interface WasmFunction {
  /** Exported under this name when given. */
  readonly name?: string;
  /** They take the first numbers among the locals. */
  readonly parameters: readonly Type[];
  readonly locals: readonly Type[];
  readonly body: Code;
}

const TYPES = { i32: 0x7f, v128: 0x7b } as const;
const SECTION = { type: 1, function: 3, memory: 5, export: 7, code: 10 } as const;
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const FUNCTION = 0x60;
const EMPTY_BLOCK = 0x40;

/** A module of `functions`, which call each other by position, with `pages` of 64 KiB of memory, exported as `memory`. */
export function wasmModule(functions: readonly WasmFunction[], pages: number): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [FUNCTION, ...list(parameters.map((type) => [TYPES[type]])), 0]);
  const exports = [[...text('memory'), 2, 0]];
  functions.forEach(({ name }, index) => {
    if (name !== undefined) exports.push([...text(name), 0, ...unsigned(index)]);
  });
  const bodies = functions.map(({ locals, body }) =>
    sized([...list(locals.map((type) => [1, TYPES[type]])), ...body, 0x0b]),
  );
  return Uint8Array.from([
    ...MAGIC,
    ...section(SECTION.type, list(types)),
    ...section(SECTION.function, list(functions.map((_, index) => unsigned(index)))),
    ...section(SECTION.memory, list([[1, ...unsigned(pages), ...unsigned(pages)]])),
    ...section(SECTION.export, list(exports)),
    ...section(SECTION.code, list(bodies)),
  ]);
}

/** What is used of the engine's interface. */
declare const WebAssembly:
  | {
      validate(bytes: Uint8Array): boolean;
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

/** What a module without imports exports; undefined where there is no WebAssembly (`--jitless`), or it lacks an instruction. */
export function instantiate(code: Uint8Array): unknown {
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
}

/** LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value | 0;
  for (; rest < -0x40 || rest > 0x3f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

function sized(bytes: Code): Code {
  return [...unsigned(bytes.length), ...bytes];
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: Code): Code {
  return [id, ...sized(content)];
}

function text(name: string): Code {
  return sized([...Buffer.from(name)]);
}

// control

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const call = (index: number, ...parameters: readonly Code[]): Code => [
  ...parameters.flat(),
  0x10,
  ...unsigned(index),
];
/** Runs `body`, and again while `condition` holds after it. */
export const repeat = (condition: Code, ...body: readonly Code[]): Code => [
  ...[0x03, EMPTY_BLOCK],
  ...body.flat(),
  ...condition,
  ...[0x0d, 0, 0x0b],
];
export const when = (condition: Code, ...body: readonly Code[]): Code => [
  ...condition,
  ...[0x04, EMPTY_BLOCK],
  ...body.flat(),
  0x0b,
];

// 32-bit integers; addresses are unaligned and take a fixed offset

type Binary = (a: Code, b: Code) => Code;
const binary =
  (...opcode: Code): Binary =>
  (a, b) => [...a, ...b, ...opcode];

export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const add = binary(0x6a);
export const and = binary(0x71);
export const or = binary(0x72);
export const shiftLeft = binary(0x74);
export const shiftRight = binary(0x76);
export const rotateLeft = binary(0x77);
export const less = binary(0x49);
export const load = (address: Code, offset = 0): Code => [...address, 0x28, 0, ...unsigned(offset)];
export const store = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  0x36,
  0,
  ...unsigned(offset),
];
export const store8 = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  0x3a,
  0,
  ...unsigned(offset),
];
export const store16 = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  0x3b,
  0,
  ...unsigned(offset),
];

// vectors; `4` in a name: four lanes of 32 bits

const VECTOR = 0xfd;
const vector = (opcode: number): Binary => binary(VECTOR, ...unsigned(opcode));

export const loadVector = (address: Code, offset = 0): Code => [...address, VECTOR, 0, 0, ...unsigned(offset)];
export const storeVector = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...[VECTOR, 11, 0],
  ...unsigned(offset),
];
/** The bytes of a vector, first in memory first. */
export const bytes16 = (bytes: readonly number[]): Code => [VECTOR, 12, ...bytes];
/** Takes bytes of both, by position: 0 to 15 from `a`, 16 to 31 from `b`. */
export const pick = (a: Code, b: Code, positions: readonly number[]): Code => [...a, ...b, VECTOR, 13, ...positions];
export const splat4 = (value: Code): Code => [...value, VECTOR, 17];
export const withLane4 = (lanes: Code, lane: number, value: Code): Code => [...lanes, ...value, VECTOR, 28, lane];
export const andVector = vector(78);
export const orVector = vector(80);
export const xorVector = vector(81);
/** Bits of `a` where `mask` has ones, of `b` where it has zeros. */
export const select = (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, VECTOR, 82];
export const greater4 = vector(0x3b);
export const add4 = vector(0xae);
export const shiftLeft4 = vector(0xab);
export const shiftRight4 = vector(0xad);

export const constant4 = (value: number): Code => {
  const lane = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  return bytes16([...lane, ...lane, ...lane, ...lane]);
};
