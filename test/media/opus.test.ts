import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOpusConfig, writeOpusConfig } from '../../src/media/opus.ts';
import { OPUS_CONFIG } from '../helpers/frames.ts';

test('OpusHead both ways', () => {
  const config = { channels: 2, preSkip: 312, inputRate: 48_000 };
  assert.deepEqual(readOpusConfig(OPUS_CONFIG), config);
  assert.deepEqual(writeOpusConfig(config), OPUS_CONFIG);
});

test('OpusHead that is none', () => {
  assert.equal(readOpusConfig(OPUS_CONFIG.subarray(0, 18)), undefined);
  assert.equal(readOpusConfig(Buffer.alloc(19)), undefined);
  const future = Buffer.from(OPUS_CONFIG);
  future[8] = 16;
  assert.equal(readOpusConfig(future), undefined);
});
