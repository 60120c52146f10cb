import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAacConfig } from '../../../src/media/aac.ts';
import { AacToOpus } from '../../../src/media/audio-bridge/aac-to-opus.ts';
import type { Sound } from '../../../src/media/audio-bridge/bridge.ts';

const LOW_COMPLEXITY = 2;

/** What a configuration of this rate becomes. */
async function configured(rate: number): Promise<readonly Sound[]> {
  const sounds: Sound[] = [];
  const bridge = new AacToOpus('none', { sound: (sound) => sounds.push(sound), failed: assert.fail });
  const data = Uint8Array.from(writeAacConfig(LOW_COMPLEXITY, rate, 2));
  try {
    await bridge.write({ config: true, time: 0, data });
  } finally {
    bridge.close();
  }
  return sounds;
}

test('the rates of the standard are taken', async () => {
  for (const rate of [96_000, 48_000, 44_100, 11_025, 8000, 7350]) assert.equal((await configured(rate)).length, 1);
});

test('another rate, for which filters would have to be made by the gigabyte, fails by itself', async () => {
  for (const rate of [1, 7999, 44_101, 47_999, 96_001, 0xff_fffd]) {
    await assert.rejects(configured(rate), { name: 'PeerError', code: 'media/aac' }, `${rate} Hz`);
  }
});
