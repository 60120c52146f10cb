import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOpusConfig, writeOpusConfig } from '../../src/media/opus.ts';
import { readSound } from '../../src/media/sound.ts';
import { g711Depacketizer, opusDepacketizer, packetizeG711, packetizeOpus } from '../../src/webrtc/audio-rtp.ts';
import { frame } from '../helpers/frames.ts';
import { hex, packet, packets, pushAll, rtpCodec } from '../helpers/rtp.ts';

const DATA = hex('fc 01 02 03');

test('Opus both ways: a packet is a unit, the first one brings the configuration', () => {
  const written = packets(packetizeOpus, frame('audio', 'delta', 0, { codec: 'opus', data: DATA }), 1200, 960);
  assert.deepEqual(written, [packet(DATA, { timestamp: 960 })]);
  const depacketizer = opusDepacketizer(rtpCodec('opus', { channels: 2 }));
  const [first, second] = pushAll(depacketizer, [...written, packet(DATA, { timestamp: 1920, sequence: 1 })]);
  assert.deepEqual({ ...first, config: undefined }, { timestamp: 960, key: false, data: DATA, config: undefined });
  assert.deepEqual(readOpusConfig(first!.config!), { channels: 2, preSkip: 0, inputRate: 48_000 });
  assert.deepEqual(second, { timestamp: 1920, key: false, data: DATA, config: undefined });
});

test('audio is never broken', () => {
  const depacketizer = opusDepacketizer(rtpCodec('opus', { channels: 2 }));
  assert.equal(depacketizer.push(packet(DATA), true).length, 1);
  assert.deepEqual(depacketizer.push(packet(''), true), []);
  assert.equal(depacketizer.broken, false);
});

test('audio is not cut', () => {
  assert.deepEqual(packetizeOpus(frame('audio', 'delta', 0, { codec: 'opus', data: DATA }), 3), []);
  assert.deepEqual(packetizeOpus(frame('audio', 'delta', 0, { codec: 'opus', data: Buffer.alloc(0) }), 3), []);
});

test('surround Opus has no form', () => {
  const data = writeOpusConfig({ channels: 6, preSkip: 0, inputRate: 48_000 });
  const config = frame('audio', 'config', 0, { codec: 'opus', data });
  assert.deepEqual(packetizeOpus(frame('audio', 'delta', 0, { codec: 'opus', data: DATA, config }), 1200), []);
});

for (const [codec, sound] of [
  ['g711u', 0x82],
  ['g711a', 0x72],
] as const) {
  test(`${codec} both ways, with its sound byte`, () => {
    const config = frame('audio', 'config', 0, { codec, data: Buffer.of(sound) });
    const written = packets(packetizeG711, frame('audio', 'delta', 0, { codec, data: DATA, config }), 1200, 160);
    const [unit] = pushAll(g711Depacketizer(rtpCodec(codec, { clockRate: 8000, channels: 1 })), written);
    assert.deepEqual(unit, { timestamp: 160, key: false, data: DATA, config: Buffer.of(sound) });
    assert.deepEqual(readSound(sound), { codec, sampleRate: 8000, sampleSize: 16, channels: 1 });
  });
}

test('G.711 of another rate, or in stereo, has no static type', () => {
  for (const sound of [0x8e, 0x83]) {
    const config = frame('audio', 'config', 0, { codec: 'g711u', data: Buffer.of(sound) });
    assert.deepEqual(packetizeG711(frame('audio', 'delta', 0, { codec: 'g711u', data: DATA, config }), 1200), []);
  }
});
