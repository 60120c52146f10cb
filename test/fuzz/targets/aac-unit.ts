/** An AAC unit: one or two channels of sound, and never a sample out of bounds, nor anything that stays behind for the next unit. */
import assert from 'node:assert/strict';
import { AacDecoder } from '../../../src/media/aac-lc/decoder.ts';
import type { FuzzTarget } from '../target.ts';

const LOUDEST = 256;
/** A pair without lines: silence. */
const SILENCE = Buffer.from('210ac7f87d83fc3ec1c0', 'hex');

export const target: FuzzTarget = {
  name: 'aac-unit',
  run(bytes) {
    const decoder = new AacDecoder(44_100, 2);
    try {
      check(decoder.decode(bytes));
    } finally {
      check(decoder.conceal());
      check(decoder.conceal());
    }
    check(decoder.decode(SILENCE));
  },
};

function check(planes: readonly Float32Array[]): void {
  assert.equal(planes.length, 2);
  for (const plane of planes) for (const value of plane) assert.ok(Math.abs(value) <= LOUDEST, `${value}`);
}
