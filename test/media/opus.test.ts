import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusDuration, readOpusConfig, writeOpusConfig } from '../../src/media/opus.ts';
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

/** First bytes of packets, and their duration by table 2 of RFC 6716, in milliseconds. */
const packets: [string, number | undefined][] = [
  ['00', 10],
  ['08', 20],
  ['18', 60],
  ['60', 10],
  ['68', 20],
  ['80', 2.5],
  ['98', 20],
  ['fc', 20],
  ['fd', 40],
  ['fe', 40],
  ['ff03', 60],
  ['ff06', 120],
  ['ff07', undefined],
  ['ff00', undefined],
  ['ff', undefined],
  ['', undefined],
];

for (const [hex, millis] of packets) {
  test(`an Opus packet of ${hex || 'nothing'} sounds ${millis ?? 'no'} ms`, () => {
    assert.equal(opusDuration(Buffer.from(hex, 'hex')), millis === undefined ? undefined : millis * 1000);
  });
}
