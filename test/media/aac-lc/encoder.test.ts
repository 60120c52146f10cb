/**
 * What our encoder makes is decoded by ffmpeg.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AacEncoder } from '../../../src/media/aac-lc/encoder.ts';
import { decodeAdts, likeness, SOURCES, sourceSamples, toneAmplitude, writeAdts } from '../../helpers/sound.ts';

const RATE = 48_000;
const FRAME = 1024;

interface Encoded {
  readonly units: Uint8Array[];
  readonly delay: number;
  /** Bits a second. */
  readonly bitrate: number;
}

function encode(planes: readonly Float32Array[], bitrate: number): Encoded {
  const encoder = new AacEncoder(RATE, planes.length as 1 | 2, bitrate);
  const units: Uint8Array[] = [];
  for (let at = 0; at + FRAME <= planes[0]!.length; at += FRAME) {
    units.push(encoder.encode(planes.map((plane) => plane.subarray(at, at + FRAME))));
  }
  const bytes = units.reduce((sum, unit) => sum + unit.length, 0);
  return { units, delay: encoder.delay, bitrate: (bytes * 8 * RATE) / (units.length * FRAME) };
}

/** Decibels above the difference, at the least. Noise has no more at this bitrate; nobody hears what is wrong with it. */
const LIKENESS = { tone: 32, noise: 4, speech: 15, clicks: 15 } as const;

for (const [name, source] of Object.entries(SOURCES)) {
  test(`${name}: ffmpeg hears what was encoded, and the bitrate holds`, async () => {
    for (const channels of [1, 2] as const) {
      const planes = await sourceSamples(source, RATE, channels, 3);
      const { units, delay, bitrate } = encode(planes, 72_000 * channels);
      assert.ok(bitrate < 72_000 * channels * 1.02, `${bitrate} bit/s`);
      for (const unit of units) assert.ok(unit.length <= 768 * channels);
      const got = await decodeAdts(writeAdts(units, RATE, channels), channels);
      for (const [channel, plane] of planes.entries()) {
        const alike = likeness(plane, got[channel]!, delay, 4800);
        assert.ok(alike > LIKENESS[name as keyof typeof LIKENESS], `${channels} channels: ${alike} dB`);
      }
    }
  });
}

test('silence costs next to nothing', () => {
  const { bitrate } = encode([new Float32Array(RATE), new Float32Array(RATE)], 144_000);
  assert.ok(bitrate < 6000, `${bitrate} bit/s`);
});

test('a sound on one side only does not appear on the other', async () => {
  const left = Float32Array.from({ length: RATE }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 1000 * i) / RATE));
  const { units } = encode([left, new Float32Array(RATE)], 144_000);
  const [, right] = await decodeAdts(writeAdts(units, RATE, 2), 2);
  assert.ok(toneAmplitude(right!.subarray(9600, 38_400), RATE, 1000) < 1e-4);
});

test('what comes before a click stays quiet, wherever in a frame it is', async () => {
  for (let at = 20_000; at < 20_000 + FRAME; at += 111) {
    const plane = new Float32Array(RATE);
    for (let i = 0; i < 400; i++) plane[at + i] = 0.9 * Math.sin(i) * Math.exp(-i / 100);
    const { units, delay } = encode([plane], 72_000);
    const [got] = await decodeAdts(writeAdts(units, RATE, 1), 1);
    const energy = (from: number, to: number) =>
      got!.subarray(delay + from, delay + to).reduce((sum, value) => sum + value * value, 0);
    // 10 ms on: the ear does not separate what is closer
    const ahead = 10 * Math.log10(energy(at - 2000, at - 480) / energy(at, at + 400) + 1e-12);
    assert.ok(ahead < -45, `click at ${at}: ${ahead} dB`);
  }
});

test('the loudest input is no trouble', async () => {
  const square = Float32Array.from({ length: RATE }, (_, i) => (i % 300 < 150 ? 1 : -1));
  const wild = Float32Array.from({ length: RATE }, (_, i) => (i % 7 < 3 ? 8 : -8));
  for (const plane of [square, wild]) {
    const { units } = encode([plane, plane], 144_000);
    const got = await decodeAdts(writeAdts(units, RATE, 2), 2);
    assert.equal(got[0]!.length, units.length * FRAME);
  }
});
