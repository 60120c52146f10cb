/**
 * SHA-1 (FIPS 180-4 section 6.1) for four messages at once, as WebAssembly: each message has one of the four 32-bit lanes of a vector.
 */
import {
  add4,
  andVector,
  type Code,
  constant4,
  get,
  greater4,
  i32,
  loadVector,
  orVector,
  pick,
  select,
  set,
  shiftLeft4,
  shiftRight4,
  splat4,
  storeVector,
  type WasmFunction,
  xorVector,
} from './wasm-module.ts';

export const SHA1_BLOCK_BYTES = 64;
export const SHA1_STATE_WORDS = 5;
/** FIPS 180-4 section 5.3.1. */
export const SHA1_START: readonly number[] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];

const LANES = 4;
const VECTOR_BYTES = 16;
const WORDS = 16;
const ROUNDS = 80;
/** One for each 20 rounds. */
const CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const;

/** Message words are big endian. */
const SWAPPED = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];
const LOW_WORDS = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const HIGH_WORDS = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const LOW_PAIRS = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_PAIRS = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

// parameters: where the block of each lane lies, and which block of its message it is
const INDEX = LANES;
// locals
const WORD = LANES + 1;
const STATE = WORD + WORDS;
const SPARE = STATE + SHA1_STATE_WORDS;
const LOCALS = WORDS + SHA1_STATE_WORDS + 1;

/**
 * `compress(block, block, block, block, index)`: takes one block of each message into the states at `state`, five vectors. Lanes
 * whose number of blocks (one vector of integers at `blocks`) is not above `index` stay as they are.
 */
export function sha1Compress(name: string, state: number, blocks: number): WasmFunction {
  const stateAt = (word: number): Code => loadVector(i32(state), VECTOR_BYTES * word);
  const taking = SPARE;
  return {
    name,
    parameters: Array.from({ length: LANES + 1 }, () => 'i32' as const),
    locals: Array.from({ length: LOCALS }, () => 'v128' as const),
    body: [
      ...Array.from({ length: WORDS / LANES }, (_, quarter) => takeWords(quarter)).flat(),
      ...Array.from({ length: SHA1_STATE_WORDS }, (_, word) => set(STATE + word, stateAt(word))).flat(),
      ...rounds(),
      ...set(taking, greater4(loadVector(i32(blocks)), splat4(get(INDEX)))),
      ...Array.from({ length: SHA1_STATE_WORDS }, (_, word) =>
        storeVector(i32(state), add4(stateAt(word), andVector(get(STATE + word), get(taking))), VECTOR_BYTES * word),
      ).flat(),
    ],
  };
}

/** Four words of each message become four vectors, one for each word. */
function takeWords(quarter: number): Code {
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => WORD + LANES * quarter + lane) as [number, number, number, number];
  const rows = [a, b, c, d].flatMap((row, lane) => [
    ...set(row, loadVector(get(lane), VECTOR_BYTES * quarter)),
    ...set(row, pick(get(row), get(row), SWAPPED)),
  ]);
  return [
    ...rows,
    ...interleave(a, b, LOW_WORDS, HIGH_WORDS),
    ...interleave(c, d, LOW_WORDS, HIGH_WORDS),
    // a and c hold words 0 and 1 of all lanes now, b and d words 2 and 3
    ...interleave(a, c, LOW_PAIRS, HIGH_PAIRS),
    ...interleave(b, d, LOW_PAIRS, HIGH_PAIRS),
    ...set(SPARE, get(b)),
    ...set(b, get(c)),
    ...set(c, get(SPARE)),
  ];
}

/** `low` of both goes into the first, `high` into the second. */
function interleave(first: number, second: number, low: readonly number[], high: readonly number[]): Code {
  return [
    ...set(SPARE, pick(get(first), get(second), low)),
    ...set(second, pick(get(first), get(second), high)),
    ...set(first, get(SPARE)),
  ];
}

function rounds(): Code {
  const code: number[] = [];
  const locals = Array.from({ length: SHA1_STATE_WORDS }, (_, word) => STATE + word);
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b, c, d, e] = locals as [number, number, number, number, number];
    if (round >= WORDS) code.push(...expand(round));
    const constant = constant4(CONSTANTS[Math.floor(round / 20)]!);
    const word = add4(get(WORD + (round % WORDS)), constant);
    const mixed = add4(add4(get(e), word), mix(round, get(b), get(c), get(d)));
    code.push(...set(e, add4(mixed, rotate(get(a), 5))), ...set(b, rotate(get(b), 30)));
    // what was e is the new a; the others move down
    locals.unshift(locals.pop()!);
  }
  return code;
}

/** The next word of the schedule replaces the one of 16 rounds before. */
function expand(round: number): Code {
  const word = (back: number): number => WORD + ((round - back) % WORDS);
  const [near, middle, far, own] = [get(word(3)), get(word(8)), get(word(14)), get(word(16))];
  const sum = SPARE;
  return [...set(sum, xorVector(xorVector(near, middle), xorVector(far, own))), ...set(word(16), rotate(get(sum), 1))];
}

function mix(round: number, b: Code, c: Code, d: Code): Code {
  if (round < 20) return select(c, d, b);
  if (round < 40 || round >= 60) return xorVector(xorVector(b, c), d);
  return orVector(andVector(b, c), andVector(d, orVector(b, c)));
}

/** `value` is evaluated twice: a local. */
function rotate(value: Code, by: number): Code {
  return orVector(shiftLeft4(value, i32(by)), shiftRight4(value, i32(32 - by)));
}
