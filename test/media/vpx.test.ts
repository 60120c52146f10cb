import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readVp8Size, readVp9Size, readVpxConfig } from '../../src/media/vpx.ts';
import { BitWriter } from '../helpers/bit-writer.ts';

const SRGB = 7;

const vp9 = fc.record({
  profile: fc.integer({ min: 0, max: 3 }),
  twelveBits: fc.boolean(),
  colour: fc.integer({ min: 0, max: SRGB }),
  size: fc.tuple(fc.integer({ min: 1, max: 65_536 }), fc.integer({ min: 1, max: 65_536 })),
});

type Vp9 = typeof vp9 extends fc.Arbitrary<infer T> ? T : never;

/** An uncompressed header up to the size, as 6.2 lays it out. `type`: 0 for a key frame. */
function writeVp9({ profile, twelveBits, colour, size }: Vp9, type = 0, sync = 0x498342): Buffer {
  const writer = new BitWriter()
    .bits(2, 2)
    .bits(profile & 1, 1)
    .bits(profile >> 1, 1);
  if (profile === 3) writer.bits(0, 1);
  writer.bits(0, 1).bits(type, 1).bits(3, 2).bits(sync, 24);
  if (profile >= 2) writer.flag(twelveBits);
  writer.bits(colour, 3);
  if (colour !== SRGB) writer.bits(1, 1);
  if (profile === 1 || profile === 3) writer.bits(0, colour === SRGB ? 1 : 3);
  return writer
    .bits(size[0] - 1, 16)
    .bits(size[1] - 1, 16)
    .bytes();
}

test('the size of a VP9 key frame is read as it was written', () => {
  fc.assert(
    fc.property(vp9, (header) => {
      assert.deepEqual(readVp9Size(writeVp9(header)), { width: header.size[0], height: header.size[1] });
      assert.equal(readVp9Size(writeVp9(header, 1)), undefined);
      assert.equal(readVp9Size(writeVp9(header, 0, 0x498343)), undefined);
    }),
  );
});

const vp8: [string, string, object | undefined][] = [
  ['key frame', '1022009d012a40002400', { width: 64, height: 36 }],
  ['key frame to be scaled up', '1022009d012a40442484', { width: 1088, height: 1060 }],
  ['inter frame', '1122009d012a40002400', undefined],
  ['key frame cut off', '1022009d012a400024', undefined],
  ['no start code', '1022009d012b40002400', undefined],
];

for (const [name, data, size] of vp8) {
  test(`the size of a VP8 frame: ${name}`, () => {
    assert.deepEqual(readVp8Size(Buffer.from(data, 'hex')), size);
  });
}

test('a configuration record, with and without the version of its box', () => {
  const config = { profile: 1, level: 31, bitDepth: 8 };
  assert.deepEqual(readVpxConfig(Buffer.from('011f820202020000', 'hex')), config);
  assert.deepEqual(readVpxConfig(Buffer.from('01000000011f820202020000', 'hex')), config);
  assert.equal(readVpxConfig(Buffer.from('011f8202020200', 'hex')), undefined);
});
