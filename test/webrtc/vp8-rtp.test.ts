import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packetizeVp8, vp8Depacketizer } from '../../src/webrtc/vp8-rtp.ts';
import { frame } from '../helpers/frames.ts';
import { hex, packet, packets, payloads, pushAll } from '../helpers/rtp.ts';

/** A key frame of 320 x 180, version 1. */
const KEY = hex('72 00 00 9d 01 2a 40 01 b4 00 11 22 33 44 55');
const DELTA = hex('31 00 00 01 02 03');
const CONFIG = hex('01 00 82 02 02 02 00 00');

test('VP8 both ways: cut into equal parts, the first one marked', () => {
  const written = packets(packetizeVp8, frame('video', 'key', 0, { codec: 'vp8', data: KEY }), 9, 77);
  assert.deepEqual(
    written.map(({ payload, marker }) => [payload.toString('hex'), marker]),
    [
      ['107200009d012a4001', false],
      ['00b400112233445500'.slice(0, -2), true],
    ],
  );
  const depacketizer = vp8Depacketizer();
  assert.deepEqual(pushAll(depacketizer, written), [{ timestamp: 77, key: true, data: KEY, config: CONFIG }]);
  const delta = packets(packetizeVp8, frame('video', 'delta', 0, { codec: 'vp8', data: DELTA }), 1200, 78);
  assert.deepEqual(pushAll(depacketizer, delta), [{ timestamp: 78, key: false, data: DELTA, config: undefined }]);
});

test('an empty frame makes no packet', () => {
  assert.deepEqual(
    payloads(packetizeVp8, frame('video', 'delta', 0, { codec: 'vp8', data: Buffer.alloc(0) }), 100),
    [],
  );
});

test('descriptors of all lengths are skipped', () => {
  const descriptors = [
    '10',
    '9000',
    '908005',
    '90808005',
    '90c00501',
    '90e0808501a0',
    '904009',
    '902020',
    '901001',
    '90f081020340',
  ];
  for (const descriptor of descriptors) {
    const [unit] = vp8Depacketizer().push(packet(descriptor + KEY.toString('hex'), { marker: true }), false);
    assert.deepEqual(unit?.data, KEY, descriptor);
  }
});

test('further partitions belong to the frame', () => {
  const depacketizer = vp8Depacketizer();
  depacketizer.push(packet(`10${KEY.toString('hex')}`), false);
  const [unit] = depacketizer.push(packet('11 aabb', { marker: true }), false);
  assert.deepEqual(unit?.data, Buffer.concat([KEY, hex('aabb')]));
});

const BROKEN: readonly (readonly [string, string])[] = [
  ['a frame without its start', `00 ${DELTA.toString('hex')}`],
  ['a frame that begins with its second partition', `11 ${DELTA.toString('hex')}`],
  ['a descriptor alone', '10'],
  ['a cut-off descriptor', '90 f0 81'],
  ['a key frame without its start code', '10 70 00 00 9d 01 2b 40 01 b4 00'],
];

for (const [name, payload] of BROKEN) {
  test(`malformed: ${name}`, () => {
    const depacketizer = vp8Depacketizer();
    assert.equal(depacketizer.push(packet(`10${KEY.toString('hex')}`, { marker: true }), false).length, 1);
    assert.deepEqual(depacketizer.push(packet(payload, { marker: true, timestamp: 1 }), false), []);
    assert.equal(depacketizer.broken, true);
    assert.equal(depacketizer.push(packet(`10${KEY.toString('hex')}`, { marker: true }), false).length, 1);
    assert.equal(depacketizer.broken, false);
  });
}

test('a second start within a frame spoils it', () => {
  const depacketizer = vp8Depacketizer();
  depacketizer.push(packet(`10${KEY.toString('hex')}`), false);
  depacketizer.push(packet(`10${KEY.toString('hex')}`, { marker: true }), false);
  assert.equal(depacketizer.broken, true);
});
