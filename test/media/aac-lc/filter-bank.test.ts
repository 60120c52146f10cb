import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CosineTransform } from '../../../src/media/aac-lc/cosine-transform.ts';
import { Analysis, Synthesis, type WindowSequence } from '../../../src/media/aac-lc/filter-bank.ts';

const FRAME = 1024;
/** Which windows may follow which. */
const FOLLOWERS: readonly (readonly WindowSequence[])[] = [[0, 1], [2], [2, 3], [0, 1]];

test('the transform is the sum of its definition', () => {
  for (const size of [128, 1024]) {
    const input = Float32Array.from({ length: size }, (_, k) => Math.sin(k * k));
    const output = new Float64Array(size);
    new CosineTransform(size).run(input, 0, output, 2);
    for (let n = 0; n < size; n += 7) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += 2 * input[k]! * Math.cos((Math.PI / size) * (n + 0.5) * (k + 0.5));
      assert.ok(Math.abs(sum - output[n]!) < 1e-9, `${size}: ${n}`);
    }
  }
});

test('samples come back one frame later, whatever windows follow each other', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1), { minLength: 3, maxLength: 12 }), fc.integer(), (choices, seed) => {
      const analysis = new Analysis();
      const synthesis = new Synthesis();
      const spectrum = new Float32Array(FRAME);
      const samples = new Float32Array(FRAME);
      let before: Float32Array = new Float32Array(FRAME);
      let sequence: WindowSequence = 0;
      for (const [frame, choice] of choices.entries()) {
        const input = Float32Array.from({ length: FRAME }, (_, i) => Math.sin((i + frame * FRAME) ** 1.5 + seed));
        analysis.run(input, sequence, spectrum);
        synthesis.run(spectrum, sequence, 0, samples);
        for (let i = 0; i < FRAME; i++) assert.ok(Math.abs(samples[i]! - before[i]!) < 1e-6, `${sequence} at ${i}`);
        before = input;
        const followers: readonly WindowSequence[] = FOLLOWERS[sequence]!;
        sequence = followers[choice % followers.length]!;
      }
    }),
    { numRuns: 40 },
  );
});
