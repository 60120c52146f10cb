/**
 * The code of the SRTP kernel and the layout of its memory.
 */
import { SHA1_BLOCK_BYTES, SHA1_STATE_WORDS, sha1Compress } from './sha1-code.ts';
import {
  add,
  add4,
  and,
  bytes16,
  type Code,
  call,
  constant4,
  get,
  i32,
  less,
  load,
  loadVector,
  or,
  repeat,
  rotateLeft,
  set,
  shiftLeft,
  shiftRight,
  store,
  store8,
  store16,
  storeVector,
  type WasmFunction,
  wasmModule,
  when,
  withLane4,
  xorVector,
} from './wasm-module.ts';

/** Packets that are worked on at once. */
export const LANES = 4;
/** Packets whose keystream is made at once, for each of `LANES` viewers. */
export const BATCH_PACKETS = 16;
/** An RTP packet without its tag, at most. */
export const MAX_PLAIN_BYTES = 1_520;
export const TAG_BYTES = 10;
export const BLOCK_BYTES = 16;

/** Room for a packet and what SHA-1 wants behind it; no multiple of 4 kB, so that lanes do not share lines of the cache. */
export const SLOT_BYTES = 1_664;
export const KEYSTREAM_BYTES = BATCH_PACKETS * (MAX_PLAIN_BYTES + BLOCK_BYTES);
export const KEY_ROOM = 64;

/** A lane's job, in words: addresses, lengths, the roll-over counter, and what of the header's first word is the viewer's own. */
export const JOB = { plain: 0, keystream: 1, out: 2, size: 3, header: 4, rollOver: 5, own: 6, key: 7 } as const;
export const JOB_WORDS = 8;
/** A viewer's key: the salt as a counter block, then the states of SHA-1 behind the inner and the outer key block. */
export const KEY = { salt: 0, inner: 16, outer: 36 } as const;
export const KEY_BYTES = 56;

const CACHE_LINE = 64;

/** Where things lie in the module's memory. */
export const AT = layout({
  jobs: LANES * JOB_WORDS * 4,
  state: SHA1_STATE_WORDS * 16,
  blocks: LANES * 4,
  /** The block of the outer hash, for each lane. */
  outer: LANES * SHA1_BLOCK_BYTES,
  keys: LANES * KEY_ROOM,
  counters: KEYSTREAM_BYTES,
  keystream: LANES * KEYSTREAM_BYTES,
  plain: BATCH_PACKETS * SLOT_BYTES,
  out: LANES * SLOT_BYTES,
  end: 0,
});

const PAGE_BYTES = 65_536;

function layout<Name extends string>(sizes: Readonly<Record<Name, number>>): Readonly<Record<Name, number>> {
  const places: Record<string, number> = {};
  let at = 0;
  for (const name of Object.keys(sizes) as Name[]) {
    places[name] = at;
    at += Math.ceil(sizes[name] / CACHE_LINE) * CACHE_LINE;
  }
  return places as Record<Name, number>;
}

/** What the module exports. */
export interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Writes the counter blocks of one packet to `at` (RFC 3711 section 4.1.1). */
  counters(at: number, salt: number, ssrc: number, rollOver: number, sequence: number, blocks: number): void;
  /** Does the jobs of all lanes: header and encrypted payload go to `out`, and the tag behind them. */
  seal(): void;
  /** See `sha1Compress`. */
  compress(a: number, b: number, c: number, d: number, index: number): void;
}

/** The module's bytes; `KernelExports` says what it exports. */
export function srtpKernelCode(): Uint8Array<ArrayBuffer> {
  const functions = [sha1Compress('compress', AT.state, AT.blocks), counters(), seal()];
  return wasmModule(functions, Math.ceil(AT.end / PAGE_BYTES));
}

/** Of the first word of a header, low byte first: all but payload type and sequence number. */
const SHARED_HEADER = 0x80ff;
const SWAP_ODD = 0x00ff00ff;
const COMPRESS = 0;

/** Reverses the bytes of a word; `value` is evaluated twice. */
function swapped(value: Code): Code {
  return or(and(rotateLeft(value, i32(8)), i32(SWAP_ODD)), and(rotateLeft(value, i32(24)), i32(~SWAP_ODD)));
}

/**
 * `counters(at, salt, ssrc, rollOver, sequence, blocks)`: the counter blocks of one packet (RFC 3711 section 4.1.1). The sum there is
 * an exclusive or, as the terms share no bit but with the salt.
 */
function counters(): WasmFunction {
  const [at, salt, ssrc, rollOver, sequence, blocks, vector, end] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const words = withLane4(
    withLane4(withLane4(constant4(0), 1, swapped(get(ssrc))), 2, swapped(get(rollOver))),
    3,
    or(shiftRight(get(sequence), i32(8)), shiftLeft(and(get(sequence), i32(255)), i32(8))),
  );
  const one = bytes16([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  return {
    name: 'counters',
    parameters: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    locals: ['v128', 'i32'],
    body: [
      ...set(vector, xorVector(loadVector(get(salt)), words)),
      ...set(end, add(get(at), shiftLeft(get(blocks), i32(4)))),
      ...when(
        get(blocks),
        repeat(
          less(get(at), get(end)),
          storeVector(get(at), get(vector)),
          // a packet has fewer than 256 blocks
          set(vector, add4(get(vector), one)),
          set(at, add(get(at), i32(BLOCK_BYTES))),
        ),
      ),
    ],
  };
}

/** `seal()`: does the jobs of all lanes. */
function seal(): WasmFunction {
  const [lane, job, plain, keystream, out, size, header, at, end, blocks, most, index, key] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
  ] as const;
  const eachLane = (...body: readonly Code[]): Code => [
    ...set(lane, i32(0)),
    ...set(job, i32(AT.jobs)),
    ...repeat(
      less(get(lane), i32(LANES)),
      ...body,
      set(lane, add(get(lane), i32(1))),
      set(job, add(get(job), i32(4 * JOB_WORDS))),
    ),
  ];
  const field = (name: keyof typeof JOB): Code => load(get(job), 4 * JOB[name]);
  const laneOf = (base: number): Code => add(i32(base), shiftLeft(get(lane), i32(2)));
  const laneBlock = (base: number, of: number): Code => add(i32(base), i32(of * SHA1_BLOCK_BYTES));
  const outOf = (of: number): Code => add(load(i32(AT.jobs), 4 * (of * JOB_WORDS + JOB.out)), get(at));

  const encrypted: Code = [
    ...set(plain, field('plain')),
    ...set(keystream, field('keystream')),
    ...set(out, field('out')),
    ...set(size, field('size')),
    ...set(header, field('header')),
    ...set(end, add(get(out), get(size))),
    ...set(at, i32(0)),
    ...repeat(
      less(get(at), get(header)),
      storeVector(add(get(out), get(at)), loadVector(add(get(plain), get(at)))),
      set(at, add(get(at), i32(16))),
    ),
    ...set(at, add(get(out), get(header))),
    ...set(plain, add(get(plain), get(header))),
    ...repeat(
      less(get(at), get(end)),
      storeVector(get(at), xorVector(loadVector(get(plain)), loadVector(get(keystream)))),
      set(at, add(get(at), i32(16))),
      set(plain, add(get(plain), i32(16))),
      set(keystream, add(get(keystream), i32(16))),
    ),
  ];
  const numbered: Code = store(get(out), or(and(load(get(out)), i32(SHARED_HEADER)), field('own')));
  // what is authenticated: the packet, the roll-over counter, and behind them SHA-1's padding
  const padded: Code = [
    ...[0, 16, 32, 48, 64].flatMap((offset) => storeVector(get(end), constant4(0), offset)),
    ...set(at, field('rollOver')),
    ...store(get(end), swapped(get(at))),
    ...store8(get(end), i32(0x80), 4),
    ...set(blocks, shiftRight(add(get(size), i32(4 + 1 + 8 + SHA1_BLOCK_BYTES - 1)), i32(6))),
    ...store(laneOf(AT.blocks), get(blocks)),
    ...set(end, add(get(out), shiftLeft(get(blocks), i32(6)))),
    ...set(size, shiftLeft(add(get(size), i32(4 + SHA1_BLOCK_BYTES)), i32(3))),
    ...store(add(get(end), i32(-4)), swapped(get(size))),
    ...when(less(get(most), get(blocks)), set(most, get(blocks))),
  ];
  const keyed = (state: number): Code => [
    ...set(key, field('key')),
    ...Array.from({ length: SHA1_STATE_WORDS }, (_, word) =>
      store(laneOf(AT.state + 16 * word), load(get(key), state + 4 * word)),
    ).flat(),
  ];
  const digested: Code = [
    ...set(end, add(i32(AT.outer), shiftLeft(get(lane), i32(6)))),
    ...Array.from({ length: SHA1_STATE_WORDS }, (_, word) => [
      ...set(at, load(laneOf(AT.state + 16 * word))),
      ...store(get(end), swapped(get(at)), 4 * word),
    ]).flat(),
  ];
  const tagged: Code = [
    ...set(end, add(field('out'), field('size'))),
    ...set(at, load(laneOf(AT.state))),
    ...store(get(end), swapped(get(at))),
    ...set(at, load(laneOf(AT.state + 16))),
    ...store(get(end), swapped(get(at)), 4),
    ...set(at, load(laneOf(AT.state + 32))),
    ...store16(get(end), swapped(get(at)), 8),
  ];
  return {
    name: 'seal',
    parameters: [],
    locals: Array.from({ length: 13 }, () => 'i32' as const),
    body: [
      ...set(most, i32(0)),
      ...eachLane(encrypted, numbered, padded, keyed(KEY.inner)),
      ...set(at, i32(0)),
      ...set(index, i32(0)),
      ...repeat(
        less(get(index), get(most)),
        call(COMPRESS, outOf(0), outOf(1), outOf(2), outOf(3), get(index)),
        set(at, add(get(at), i32(SHA1_BLOCK_BYTES))),
        set(index, add(get(index), i32(1))),
      ),
      ...eachLane(digested, keyed(KEY.outer)),
      ...call(COMPRESS, ...[0, 1, 2, 3].map((of) => laneBlock(AT.outer, of)), i32(-1)),
      ...eachLane(tagged),
    ],
  };
}
