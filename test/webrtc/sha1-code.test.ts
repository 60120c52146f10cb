import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { SHA1_BLOCK_BYTES, SHA1_START, SHA1_STATE_WORDS, sha1Compress } from '../../src/webrtc/sha1-code.ts';
import { instantiate, wasmModule } from '../../src/webrtc/wasm-module.ts';

const LANES = 4;
const STATE_AT = 0;
const BLOCKS_AT = 128;
const TEXTS_AT = 1_024;
const TEXT_ROOM = 4_096;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  compress(a: number, b: number, c: number, d: number, index: number): void;
}

const code = wasmModule([sha1Compress('compress', STATE_AT, BLOCKS_AT)], 1);
const { memory, compress } = instantiate(code) as Exports;
const bytes = Buffer.from(memory.buffer);

/** FIPS 180-4 section 5.1.1. */
function padded(text: Buffer): Buffer {
  const blocks = Math.ceil((text.length + 9) / SHA1_BLOCK_BYTES);
  const whole = Buffer.alloc(blocks * SHA1_BLOCK_BYTES);
  text.copy(whole);
  whole[text.length] = 0x80;
  whole.writeUInt32BE(text.length * 8, whole.length - 4);
  return whole;
}

/** The digests of four texts. */
function sha1(texts: readonly Buffer[]): string[] {
  const places = texts.map((_, lane) => TEXTS_AT + lane * TEXT_ROOM) as [number, number, number, number];
  const blocks = texts.map((text, lane) => padded(text).copy(bytes, places[lane]) / SHA1_BLOCK_BYTES);
  for (let lane = 0; lane < LANES; lane++) {
    bytes.writeInt32LE(blocks[lane]!, BLOCKS_AT + 4 * lane);
    for (let word = 0; word < SHA1_STATE_WORDS; word++) {
      bytes.writeUInt32LE(SHA1_START[word]!, STATE_AT + 16 * word + 4 * lane);
    }
  }
  for (let index = 0; index < Math.max(...blocks); index++) {
    const [a, b, c, d] = places.map((place) => place + index * SHA1_BLOCK_BYTES) as typeof places;
    compress(a, b, c, d, index);
  }
  return texts.map((_, lane) =>
    Array.from({ length: SHA1_STATE_WORDS }, (_, word) =>
      bytes
        .readUInt32LE(STATE_AT + 16 * word + 4 * lane)
        .toString(16)
        .padStart(8, '0'),
    ).join(''),
  );
}

const byNode = (text: Buffer): string => createHash('sha1').update(text).digest('hex');

test('the examples of FIPS 180', () => {
  const long = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq';
  const digests = sha1(['abc', long, '', 'a'.repeat(1_000)].map((text) => Buffer.from(text)));
  assert.deepEqual(digests.slice(0, 3), [
    'a9993e364706816aba3e25717850c26c9cd0d89d',
    '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  ]);
});

test('four texts of any lengths, side by side, are what Node makes of each', () => {
  const length = fc.nat(3_000);
  fc.assert(
    fc.property(fc.tuple(length, length, length, length), (lengths) => {
      const texts = lengths.map((each) => randomBytes(each));
      assert.deepEqual(sha1(texts), texts.map(byNode));
    }),
    { numRuns: 200 },
  );
});

test('code that the engine does not know is no module', () => {
  assert.equal(instantiate(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 10, 1)), undefined);
});
