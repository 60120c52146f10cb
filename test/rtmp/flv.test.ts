import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import type { Frame } from '../../src/media/frame.ts';
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';
import { MAX_CONFIG_BYTES } from '../../src/rtmp/flv-frame.ts';
import { AAC_CONFIG, AVC_CONFIG, aacBody, avcBody, frame } from '../helpers/frames.ts';

const VIDEO = 9;
const AUDIO = 8;

test('an empty message and one that is no media yield nothing', () => {
  const reader = new FlvReader();
  for (const typeId of [AUDIO, VIDEO, 15, 18]) assert.equal(reader.frameFromFlv(typeId, 0, Buffer.alloc(0)), undefined);
  assert.equal(reader.frameFromFlv(20, 0, Buffer.of(2, 0, 0)), undefined);
});

test('data is a view into the message, and the message is relayed as the same bytes', () => {
  const body = avcBody('key');
  const read = new FlvReader().frameFromFlv(VIDEO, 0, body);
  assert.equal(read?.body.buffer, body.buffer);
  assert.deepEqual([read?.body.byteOffset, read?.body.length], [body.byteOffset, body.length]);
  assert.equal(read?.data.buffer, body.buffer);
  assert.equal(read?.data.byteOffset, body.byteOffset + 5);
  assert.equal(flvFromFrame(read!), read);
});

test('a configuration owns its bytes, and no more', () => {
  const slab = Buffer.alloc(1 << 20);
  avcBody('config').copy(slab, 1000);
  const body = slab.subarray(1000, 1000 + 5 + AVC_CONFIG.length);
  const read = new FlvReader().frameFromFlv(VIDEO, 0, body);
  slab.fill(0);
  assert.deepEqual(read?.data, AVC_CONFIG);
  assert.equal(read?.data.buffer.byteLength, 5 + AVC_CONFIG.length);
  assert.equal(read?.data.buffer, read?.body.buffer);
});

test('a configuration is bounded', () => {
  const reader = new FlvReader();
  const largest = Buffer.alloc(MAX_CONFIG_BYTES);
  Buffer.from('1700000000', 'hex').copy(largest);
  assert.equal(reader.frameFromFlv(VIDEO, 0, largest)?.role, 'config');
  const tooLarge = Buffer.concat([largest, Buffer.of(0)]);
  assert.throws(() => reader.frameFromFlv(VIDEO, 0, tooLarge), PeerError);
});

test('a frame knows the configuration in force for its kind and codec', () => {
  const reader = new FlvReader();
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('key'))?.config, undefined);
  const video = reader.frameFromFlv(VIDEO, 0, avcBody('config'));
  const audio = reader.frameFromFlv(AUDIO, 0, aacBody('config'));
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('key'))?.config, video);
  assert.equal(reader.frameFromFlv(AUDIO, 0, aacBody('delta'))?.config, audio);
  assert.deepEqual(audio?.data, AAC_CONFIG);
  const second = reader.frameFromFlv(VIDEO, 0, avcBody('config'));
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('delta'))?.config, second);
  // another codec, whose configuration never came
  assert.equal(reader.frameFromFlv(VIDEO, 0, Buffer.from('1c0100000001', 'hex'))?.config, undefined);
  assert.equal(reader.frameFromFlv(AUDIO, 0, Buffer.of(0x72, 1))?.config?.codec, 'g711a');
  // an empty one displaces nothing
  reader.frameFromFlv(VIDEO, 0, Buffer.from('1700000000', 'hex'));
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('delta'))?.config, second);
});

test('timestamps beyond 32 bits are kept', () => {
  const millis = 2 ** 32 + 40;
  const read = new FlvReader().frameFromFlv(VIDEO, millis, avcBody('delta', 64, 80));
  assert.equal(read?.dts, millis * 1000);
  assert.equal(read?.pts, (millis + 80) * 1000);
});

test('frames from elsewhere are written once for all players', () => {
  const key = frame('video', 'key', 1000);
  assert.equal(flvFromFrame(key), flvFromFrame(key));
});

/** Audio without a sound byte: what FLV demands, or what the data says. */
const defaults: [Frame['codec'], string, string | undefined][] = [
  ['g711a', 'd5', '72d5'],
  ['g711u', 'ff', '82ff'],
  ['speex', '30', 'b230'],
  ['mp3', 'fffb90c4', '2efffb90c4'],
  ['mp3', 'fff36044', '2bfff36044'],
  ['mp3', 'ffe318c4', 'e2ffe318c4'],
  ['mp3', '000000', undefined],
  ['pcm', '0001', undefined],
];

for (const [codec, data, body] of defaults) {
  test(`${codec} of ${data} without a configuration is written as ${body}`, () => {
    const unit = frame('audio', 'delta', 20, { codec, data: Buffer.from(data, 'hex') });
    assert.equal(flvFromFrame(unit)?.body.toString('hex'), body);
  });
}

test('what RTMP has no message for is not written', () => {
  const sound = frame('audio', 'config', 0, { codec: 'mp3', data: Buffer.of(0x2f) });
  assert.equal(flvFromFrame(sound), undefined);
  assert.equal(flvFromFrame(frame('video', 'key', 0, { codec: 'other' })), undefined);
  assert.equal(flvFromFrame(frame('data', 'delta', 0, { codec: 'other' })), undefined);
});

test('composition times that FLV has no room for are cut', () => {
  const late = { ...frame('video', 'delta', 0), pts: 1e13 };
  assert.equal(flvFromFrame(late)?.body.readIntBE(2, 3), 0x7f_ffff);
});
