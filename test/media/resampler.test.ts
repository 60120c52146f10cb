import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Resampler } from '../../src/media/resampler.ts';
import { likeness, toneAmplitude } from '../helpers/sound.ts';

const OUT = 48_000;
const RATES = [96_000, 88_200, 64_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];

/** All that comes out of `input`, given in blocks of `sizes` by turns, and where its first sample lies, in input samples. */
function resample(input: Float32Array, rate: number, sizes: readonly number[] = [1024]): [Float32Array, number] {
  const resampler = new Resampler(rate, OUT, 1, Math.max(...sizes));
  const out: number[] = [];
  let start = 0;
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const size = Math.min(sizes[turn % sizes.length]!, input.length - at);
    const [plane] = resampler.run([input.subarray(at, at + size)], size);
    if (out.length === 0) start = at + resampler.first;
    // each block goes on where the last one ended
    else assert.ok(Math.abs(at + resampler.first - start - (out.length * rate) / OUT) < 1e-6);
    out.push(...plane!.subarray(0, resampler.count));
    at += size;
  }
  return [Float32Array.from(out), start];
}

function tone(hertz: number, rate: number, seconds = 0.5): Float32Array {
  return Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));
}

/** Decibels. */
const db = (amplitude: number) => 20 * Math.log10(amplitude + 1e-12);

test('tones pass as they are, at their place in time', () => {
  for (const rate of RATES) {
    for (const share of [0.01, 0.1, 0.2, 0.3, 0.4]) {
      const hertz = share * Math.min(rate, OUT);
      const [out, start] = resample(tone(hertz, rate), rate);
      const wanted = Float32Array.from(out, (_, i) => Math.sin(2 * Math.PI * hertz * (start / rate + i / OUT)));
      const alike = likeness(wanted, out, 0, 1000);
      assert.ok(alike > 75, `${rate} Hz, ${hertz} Hz: ${alike} dB`);
    }
  }
});

test('what the lower rate cannot hold is taken away', () => {
  for (const rate of [96_000, 88_200, 64_000]) {
    for (const hertz of [28_000, 30_000, 31_500]) {
      const [out] = resample(tone(hertz, rate), rate);
      const folded = toneAmplitude(out.subarray(1000), OUT, OUT - hertz);
      assert.ok(db(folded) < -75, `${hertz} of ${rate} Hz: ${db(folded)} dB`);
    }
  }
});

test('images of what is there stay away', () => {
  for (const rate of RATES.filter((each) => each < OUT / 2)) {
    const hertz = 0.4 * rate;
    const [out] = resample(tone(hertz, rate), rate);
    assert.ok(db(toneAmplitude(out.subarray(1000), OUT, rate - hertz)) < -75, `${rate}`);
  }
});

test('how the input is cut makes no difference', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RATES),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
      (rate, sizes) => {
        const input = tone(1000, rate, 0.1);
        const [whole] = resample(input, rate, [input.length]);
        const [cut] = resample(input, rate, sizes);
        assert.deepEqual(cut, whole);
      },
    ),
    { numRuns: 60 },
  );
});

test('both channels are the same length and do not mix', () => {
  const resampler = new Resampler(44_100, OUT, 2, 1024);
  const planes = resampler.run([tone(1000, 44_100).subarray(0, 1024), new Float32Array(1024)], 1024);
  assert.ok(planes[0]!.some((value) => value > 0.9));
  assert.ok(planes[1]!.every((value) => value === 0));
});
