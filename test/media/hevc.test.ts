import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readHevcConfig, readHevcSps } from '../../src/media/hevc.ts';
import { BitWriter, escapeNal } from '../helpers/bit-writer.ts';

const small = fc.integer({ min: 0, max: 20 });
const setFields = fc.record({
  subLayers: fc.array(fc.record({ profile: fc.boolean(), level: fc.boolean(), reordered: small }), { maxLength: 6 }),
  reordered: small,
  each: fc.boolean(),
  chromaFormat: fc.integer({ min: 0, max: 3 }),
  separatePlanes: fc.boolean(),
  size: fc.tuple(fc.integer({ min: 100, max: 8192 }), fc.integer({ min: 100, max: 4320 })),
  window: fc.option(fc.tuple(small, small, small, small)),
  depth: fc.integer({ min: 0, max: 8 }),
});

/** Writes a set up to the ordering of sub-layers, as 7.3.2.2.1 and 7.3.3 lay it out. */
function writeSet(set: typeof setFields extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const writer = new BitWriter().bits(0, 4).bits(set.subLayers.length, 3).flag(true);
  writer.bits(1, 8).bits(0x6000_0000, 32).bits(0x9000, 16).bits(7, 32).bits(93, 8);
  for (const { profile, level } of set.subLayers) writer.flag(profile).flag(level);
  const unused = 2 * (8 - set.subLayers.length);
  if (set.subLayers.length > 0) writer.bits(2 ** unused - 1, unused);
  for (const { profile, level } of set.subLayers) {
    if (profile)
      writer
        .bits(2 ** 32 - 1, 32)
        .bits(0, 32)
        .bits(2 ** 24 - 1, 24);
    if (level) writer.bits(255, 8);
  }
  writer.ue(0).ue(set.chromaFormat);
  if (set.chromaFormat === 3) writer.flag(set.separatePlanes);
  writer
    .ue(set.size[0])
    .ue(set.size[1])
    .flag(set.window !== null);
  for (const edge of set.window ?? []) writer.ue(edge);
  writer.ue(set.depth).ue(0).ue(4).flag(set.each);
  const layers = [...set.subLayers.map(({ reordered }) => reordered), set.reordered];
  for (const reordered of set.each ? layers : layers.slice(-1)) writer.ue(4).ue(reordered).ue(0);
  return escapeNal(Buffer.of(0x42, 1), writer.bytes());
}

test('a sequence parameter set is read as it was written', () => {
  fc.assert(
    fc.property(setFields, (set) => {
      const planar = set.chromaFormat === 3 && set.separatePlanes;
      const unitX = !planar && (set.chromaFormat === 1 || set.chromaFormat === 2) ? 2 : 1;
      const unitY = !planar && set.chromaFormat === 1 ? 2 : 1;
      const [left, right, top, bottom] = set.window ?? [0, 0, 0, 0];
      assert.deepEqual(readHevcSps(writeSet(set)), {
        width: set.size[0] - (left + right) * unitX,
        height: set.size[1] - (top + bottom) * unitY,
        bitDepth: 8 + set.depth,
        bFrames: set.reordered > 0,
      });
    }),
    { numRuns: 500 },
  );
});

const RECORD = Buffer.from(
  '0101600000009000000000005df000fcfdf8f819000f03' + '20000100024001' + 'a100020002420100024202' + '220001000144',
  'hex',
);

test('the configuration record, whole and cut off', () => {
  const config = readHevcConfig(RECORD);
  assert.ok(config);
  const { profile, level, highTier, bitDepth, fps, lengthSize } = config;
  assert.deepEqual(
    { profile, level, highTier, bitDepth, fps, lengthSize },
    { profile: 1, level: 93, highTier: false, bitDepth: 8, fps: 25, lengthSize: 4 },
  );
  assert.deepEqual(
    config.parameterSets.map(({ type, units }) => [type, ...units.map((unit) => unit.toString('hex'))]),
    [
      [32, '4001'],
      [33, '4201', '4202'],
      [34, '44'],
    ],
  );
  const cut = readHevcConfig(RECORD.subarray(0, 39));
  assert.deepEqual(
    cut?.parameterSets.map(({ units }) => units.length),
    [1, 1],
  );
  assert.equal(readHevcConfig(RECORD.subarray(0, 22)), undefined);
  assert.equal(readHevcConfig(Buffer.concat([Buffer.of(2), RECORD.subarray(1)])), undefined);
});
