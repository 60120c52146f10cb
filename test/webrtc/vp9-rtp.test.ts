import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetizeVp9, vp9Depacketizer } from '../../src/webrtc/vp9-rtp.ts';
import { frame } from '../helpers/frames.ts';
import { hex, packet, packets, pushAll } from '../helpers/rtp.ts';
import { VP9_CONFIG, VP9_KEY } from '../helpers/rtp-media.ts';

const KEY = VP9_KEY.toString('hex');
const DELTA = '86 00 00 11 22';

test('VP9 both ways: a key frame tells its size, all others that they refer to it', () => {
  const key = packets(packetizeVp9, frame('video', 'key', 0, { codec: 'vp9', data: VP9_KEY }), 14, 5);
  assert.deepEqual(
    key.map(({ payload, marker }) => [payload.toString('hex'), marker]),
    [
      [`0a1000400030${KEY.slice(0, 10)}`, false],
      [`04${KEY.slice(10)}`, true],
    ],
  );
  const delta = packets(packetizeVp9, frame('video', 'delta', 0, { codec: 'vp9', data: hex(DELTA) }), 3, 6);
  assert.deepEqual(
    delta.map(({ payload }) => payload.toString('hex')),
    ['488600', '400011', '4422'],
  );
  const depacketizer = vp9Depacketizer();
  assert.deepEqual(pushAll(depacketizer, key), [{ timestamp: 5, key: true, data: VP9_KEY, config: VP9_CONFIG }]);
  assert.deepEqual(pushAll(depacketizer, delta), [{ timestamp: 6, key: false, data: hex(DELTA), config: undefined }]);
});

test('a frame in one packet, and a key frame whose size cannot be read', () => {
  const written = packets(packetizeVp9, frame('video', 'delta', 0, { codec: 'vp9', data: hex(DELTA) }), 1200);
  assert.deepEqual(written, [packet(`4c ${DELTA}`, { marker: true })]);
  const odd = packets(packetizeVp9, frame('video', 'key', 0, { codec: 'vp9', data: hex('8249') }), 1200);
  assert.deepEqual(odd, [packet('0c 8249', { marker: true })]);
  assert.deepEqual(packetizeVp9(frame('video', 'key', 0, { codec: 'vp9', data: Buffer.alloc(0) }), 1200), []);
});

test('descriptors of all lengths are skipped', () => {
  const descriptors = [
    ['picture id of 7 bits', '8c 05'],
    ['picture id of 15 bits', '8c 8005'],
    ['layer, not flexible', 'ac 8005 00 01'],
    ['layer, flexible', 'bc 8005 00'],
    ['one reference', 'dc 8005 02'],
    ['three references', 'dc 8005 03 05 06'],
    ['two sizes', '8e 8005 30 0040 0030 0080 0060'],
    ['a group of pictures', '8e 8005 08 02 04 01 08 01 02'],
  ] as const;
  for (const [name, descriptor] of descriptors) {
    const [unit] = vp9Depacketizer().push(packet(`${descriptor}${KEY}`, { marker: true }), false);
    assert.deepEqual(unit?.data, VP9_KEY, name);
  }
});

test('the layers of a picture become a superframe', () => {
  const depacketizer = vp9Depacketizer();
  // layers 0 and 1, the second in two packets
  assert.deepEqual(depacketizer.push(packet(`ac 05 00 01 ${KEY}`), false), []);
  assert.deepEqual(depacketizer.push(packet('e8 05 03 01 8600'), false), []);
  const [unit] = depacketizer.push(packet('e4 05 03 01 0011', { marker: true }), false);
  const index = 'd9 0e000000 04000000 d9';
  assert.deepEqual(unit?.data, hex(`${KEY} 86000011 ${index}`));
  assert.equal(unit?.key, true);
});

const BROKEN: readonly (readonly [string, string])[] = [
  ['a frame without its start', `44 ${DELTA}`],
  ['a frame without its end', `48 ${DELTA}`],
  ['a picture without its lowest layer', `ec 05 02 01 ${DELTA}`],
  ['a descriptor alone', '4c'],
  ['a cut-off scalability structure', '0e f8 00'],
];

for (const [name, payload] of BROKEN) {
  test(`malformed: ${name}`, () => {
    const depacketizer = vp9Depacketizer();
    assert.equal(depacketizer.push(packet(`0c ${KEY}`, { marker: true }), false).length, 1);
    assert.deepEqual(depacketizer.push(packet(payload, { marker: true, timestamp: 1 }), false), []);
    assert.equal(depacketizer.broken, true);
  });
}

test('a picture has at most eight layers', () => {
  const depacketizer = vp9Depacketizer();
  assert.equal(depacketizer.push(packet(`0c ${KEY}`, { marker: true }), false).length, 1);
  for (let layer = 0; layer < 8; layer++) depacketizer.push(packet(`4c ${DELTA}`, { timestamp: 1 }), false);
  assert.equal(depacketizer.broken, false);
  depacketizer.push(packet(`4c ${DELTA}`, { timestamp: 1 }), false);
  assert.equal(depacketizer.broken, true);
});
