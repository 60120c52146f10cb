import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { avcConfigOf, readAvcConfig, readAvcSps, writeAvcConfig } from '../../src/media/h264.ts';
import { BitWriter, escapeNal } from '../helpers/bit-writer.ts';
import { AVC_CONFIG } from '../helpers/frames.ts';

const NOTHING = Buffer.alloc(0);
const SPS = Buffer.from('6764000aacd9447f9f011000000300100000030320f1225960', 'hex');
const PPS = Buffer.from('68ef8fcb', 'hex');

const configs = [
  {
    name: 'x264, High',
    bytes: AVC_CONFIG,
    config: {
      ...{ profile: 100, compatibility: 0, level: 10, lengthSize: 4 },
      ...{ sps: [SPS], pps: [PPS], extension: Buffer.from('fdf8f800', 'hex') },
    },
  },
  {
    name: 'two picture parameter sets, lengths of two bytes',
    bytes: Buffer.from('0142c01efde1000367420102000268ce000168', 'hex'),
    config: {
      ...{ profile: 66, compatibility: 0xc0, level: 30, lengthSize: 2 },
      ...{
        sps: [Buffer.from('674201', 'hex')],
        pps: [Buffer.from('68ce', 'hex'), Buffer.of(0x68)],
        extension: NOTHING,
      },
    },
  },
  {
    name: 'no sets at all',
    bytes: Buffer.from('0142c01effe000', 'hex'),
    config: {
      ...{ profile: 66, compatibility: 0xc0, level: 30, lengthSize: 4 },
      ...{ sps: [], pps: [], extension: NOTHING },
    },
  },
];

for (const { name, bytes, config } of configs) {
  test(`AVCDecoderConfigurationRecord both ways: ${name}`, () => {
    assert.deepEqual(readAvcConfig(bytes), config);
    assert.deepEqual(writeAvcConfig(config), bytes);
  });
}

test('a record is read as it was written', () => {
  const set = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const byte = fc.integer({ min: 0, max: 255 });
  const config = fc.record({
    profile: byte,
    compatibility: byte,
    level: byte,
    lengthSize: fc.constantFrom(1, 2, 4),
    sps: fc.array(set, { maxLength: 31 }),
    pps: fc.array(set, { maxLength: 255 }),
    extension: set,
  });
  fc.assert(
    fc.property(config, (value) => {
      assert.deepEqual(readAvcConfig(writeAvcConfig(value)), { ...value });
    }),
  );
});

test('a cut-off record gives the sets that are whole', () => {
  assert.equal(readAvcConfig(AVC_CONFIG.subarray(0, 5)), undefined);
  assert.equal(readAvcConfig(Buffer.concat([Buffer.of(2), AVC_CONFIG.subarray(1)])), undefined);
  for (let length = 6; length < AVC_CONFIG.length; length++) {
    const config = readAvcConfig(AVC_CONFIG.subarray(0, length));
    assert.equal(config?.profile, 100);
    assert.deepEqual(config.sps, length < 33 ? [] : [SPS]);
    assert.deepEqual(config.pps, length < 40 ? [] : [PPS]);
  }
});

test('avcConfigOf makes the record that x264 writes', () => {
  const config = avcConfigOf(SPS, [PPS]);
  assert.ok(config);
  assert.deepEqual(writeAvcConfig(config), AVC_CONFIG);
  assert.equal(avcConfigOf(SPS.subarray(0, 6), [PPS]), undefined);
});

/** Sequence parameter sets of encoders, and what ffprobe says about them. */
const sets = [
  {
    by: 'x264, High, two B-frames',
    nal: SPS,
    facts: { width: 64, height: 36, fps: 25, bitDepth: 8, bFrames: true, chromaFormat: 1 },
  },
  {
    by: 'x264, Constrained Baseline, 1080p, HRD',
    nal: '6742c028da01e0089f97011000003e90000ea60626000f424001e84e4c20078c1950',
    facts: { width: 1920, height: 1080, fps: 29.97, bitDepth: 8, bFrames: false, chromaFormat: 1 },
  },
  {
    by: 'x264, High 4:2:2, ten bits',
    nal: '677a0015b6ce81410fc4e022000003000200000300c83e285540',
    facts: { width: 320, height: 240, fps: 50, bitDepth: 10, bFrames: false, chromaFormat: 2 },
  },
  {
    by: 'x264, High 4:4:4 Predictive, cropped on both axes',
    nal: '67f4000a919b28e4f1b1f808800000030080000019078912cb',
    facts: { width: 100, height: 50, fps: 25, bitDepth: 8, bFrames: true, chromaFormat: 3 },
  },
];

for (const { by, nal, facts } of sets) {
  test(`sequence parameter set of ${by}`, () => {
    const sps = readAvcSps(typeof nal === 'string' ? Buffer.from(nal, 'hex') : nal);
    assert.ok(sps);
    const { width, height, fps, bitDepth, bFrames, chromaFormat } = sps;
    assert.deepEqual({ width, height, fps, bitDepth, bFrames, chromaFormat }, facts);
  });
}

const small = fc.integer({ min: 0, max: 20 });
const setFields = fc.record({
  profile: fc.constantFrom(66, 77, 100, 110, 244),
  chromaFormat: fc.integer({ min: 0, max: 3 }),
  separatePlanes: fc.boolean(),
  depth: fc.integer({ min: 0, max: 6 }),
  scaling: fc.option(
    fc.array(fc.option(fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 64, maxLength: 64 })), {
      minLength: 12,
      maxLength: 12,
    }),
  ),
  orderType: fc.integer({ min: 0, max: 2 }),
  cycle: fc.array(fc.integer({ min: -300, max: 300 }), { maxLength: 255 }),
  blocks: fc.tuple(fc.integer({ min: 5, max: 512 }), fc.integer({ min: 5, max: 300 })),
  interlaced: fc.boolean(),
  crop: fc.option(fc.tuple(small, small, small, small)),
  vui: fc.option(
    fc.record({
      sar: fc.option(fc.boolean()),
      overscan: fc.boolean(),
      signal: fc.option(fc.boolean()),
      chromaLocation: fc.boolean(),
      timing: fc.option(fc.constantFrom([1, 50, 25], [1001, 60_000, 29.97], [1, 60, 30], [1, 30, 15])),
      hrds: fc.tuple(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 32 })),
      reordered: fc.option(small),
    }),
  ),
});

/** Writes a set as 7.3.2.1.1 and annex E lay it out. */
function writeSet(set: typeof setFields extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const writer = new BitWriter().bits(set.profile, 8).bits(0, 8).bits(31, 8).ue(0);
  if (set.profile >= 100) {
    writer.ue(set.chromaFormat);
    if (set.chromaFormat === 3) writer.flag(set.separatePlanes);
    writer
      .ue(set.depth)
      .ue(set.depth)
      .flag(false)
      .flag(set.scaling !== null);
    const lists = set.scaling?.slice(0, set.chromaFormat === 3 ? 12 : 8) ?? [];
    for (const [at, list] of lists.entries()) {
      writer.flag(list !== null);
      let last = 8;
      for (const value of list?.slice(0, at < 6 ? 16 : 64) ?? []) {
        writer.se(((value - last + 128 + 256) & 255) - 128);
        last = value;
      }
    }
  }
  writer.ue(4).ue(set.orderType);
  if (set.orderType === 0) writer.ue(2);
  if (set.orderType === 1) {
    writer.flag(false).se(-1).se(1).ue(set.cycle.length);
    for (const offset of set.cycle) writer.se(offset);
  }
  writer.ue(4).flag(false);
  writer
    .ue(set.blocks[0] - 1)
    .ue(set.blocks[1] - 1)
    .flag(!set.interlaced);
  if (set.interlaced) writer.flag(false);
  writer.flag(true).flag(set.crop !== null);
  for (const edge of set.crop ?? []) writer.ue(edge);
  writer.flag(set.vui !== null);
  if (set.vui === null) return escapeNal(Buffer.of(0x67), writer.bytes());
  const { sar, overscan, signal, chromaLocation, timing, hrds, reordered } = set.vui;
  writer.flag(sar !== null);
  if (sar === true) writer.bits(255, 8).bits(4, 16).bits(3, 16);
  if (sar === false) writer.bits(1, 8);
  writer.flag(overscan);
  if (overscan) writer.flag(true);
  writer.flag(signal !== null);
  if (signal !== null) writer.bits(5, 3).flag(false).flag(signal);
  if (signal === true) writer.bits(0x010101, 24);
  writer.flag(chromaLocation);
  if (chromaLocation) writer.ue(1).ue(0);
  writer.flag(timing !== null);
  if (timing !== null) writer.bits(timing[0]!, 32).bits(timing[1]!, 32).flag(true);
  for (const count of hrds) {
    writer.flag(count > 0);
    if (count === 0) continue;
    writer.ue(count - 1).bits(0, 8);
    for (let i = 0; i < count; i++) writer.ue(1000).ue(2000).flag(true);
    writer.bits(0, 20);
  }
  if (hrds[0] > 0 || hrds[1] > 0) writer.flag(false);
  writer.flag(true).flag(reordered !== null);
  if (reordered !== null) writer.flag(true).ue(0).ue(0).ue(10).ue(10).ue(reordered).ue(16);
  return escapeNal(Buffer.of(0x67), writer.bytes());
}

test('a sequence parameter set is read as it was written', () => {
  fc.assert(
    fc.property(setFields, (set) => {
      const sps = readAvcSps(writeSet(set));
      assert.ok(sps);
      const high = set.profile >= 100;
      const format = high ? set.chromaFormat : 1;
      const planar = format === 0 || (format === 3 && set.separatePlanes);
      const [left, right, top, bottom] = set.crop ?? [0, 0, 0, 0];
      const unitX = !planar && format < 3 ? 2 : 1;
      const field = set.interlaced ? 2 : 1;
      const unitY = (!planar && format === 1 ? 2 : 1) * field;
      assert.equal(sps.width, set.blocks[0] * 16 - (left + right) * unitX);
      assert.equal(sps.height, set.blocks[1] * 16 * field - (top + bottom) * unitY);
      assert.equal(sps.bitDepth, high ? 8 + set.depth : 8);
      assert.equal(sps.chromaFormat, format);
      assert.equal(sps.fps, set.vui?.timing?.[2]);
      const reordered = set.vui?.reordered ?? undefined;
      const ordered = set.profile === 66 || set.orderType === 2 ? false : undefined;
      assert.equal(sps.bFrames, reordered === undefined ? ordered : reordered > 0);
    }),
    { numRuns: 500 },
  );
});

test('a set that ends before the size says nothing, and a size of nothing is none', () => {
  for (let length = 0; length < 9; length++) assert.equal(readAvcSps(SPS.subarray(0, length)), undefined);
  const cropped = new BitWriter().bits(66, 8).bits(0, 8).bits(30, 8).ue(0).ue(4).ue(2).ue(1).flag(false);
  const bytes = cropped.ue(0).ue(0).flag(true).flag(true).flag(true).ue(4).ue(4).ue(0).ue(0).flag(false).bytes();
  assert.equal(readAvcSps(escapeNal(Buffer.of(0x67), bytes)), undefined);
});
