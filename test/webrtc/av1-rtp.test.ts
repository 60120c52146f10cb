import assert from 'node:assert/strict';
import { test } from 'node:test';
import { av1Depacketizer, packetizeAv1 } from '../../src/webrtc/av1-rtp.ts';
import { frame } from '../helpers/frames.ts';
import { hex, packet, packets, payloads, pushAll } from '../helpers/rtp.ts';
import { AV1_CONFIG, AV1_SEQUENCE } from '../helpers/rtp-media.ts';

const CONFIG = frame('video', 'config', 0, { codec: 'av1', data: AV1_CONFIG });
const SEQUENCE = AV1_SEQUENCE.toString('hex');

interface Row {
  readonly name: string;
  readonly role: 'key' | 'delta';
  readonly data: string;
  /** With packets of at most 40 bytes. */
  readonly payloads: readonly string[];
  /** What comes back, where it is not `data`. */
  readonly back?: string;
}

const ROWS: readonly Row[] = [
  { name: 'one frame', role: 'delta', data: '32 03 30 01 02', payloads: ['10 30 30 01 02'] },
  {
    name: 'a key frame with its sequence header',
    role: 'key',
    data: `0a 0a ${SEQUENCE} 32 03 10 01 02`,
    payloads: [`28 0b 08 ${SEQUENCE} 30 10 01 02`],
  },
  {
    name: 'a key frame gets its sequence header',
    role: 'key',
    data: '32 03 10 01 02',
    payloads: [`28 0b 08 ${SEQUENCE} 30 10 01 02`],
    back: `0a 0a ${SEQUENCE} 32 03 10 01 02`,
  },
  {
    name: 'delimiter, tile list and padding stay behind',
    role: 'delta',
    data: '12 00 32 03 30 01 02 42 01 00 7a 02 00 80',
    payloads: ['10 30 30 01 02'],
    back: '32 03 30 01 02',
  },
  {
    name: 'four units have lengths all',
    role: 'delta',
    data: '1a 01 30 22 01 aa 22 01 bb 22 01 cc',
    payloads: ['00 02 18 30 02 20 aa 02 20 bb 02 20 cc'],
  },
  {
    name: 'a unit with an extension, in three packets, and one behind it',
    role: 'delta',
    data: `36 28 5a 30 ${'11'.repeat(89)} 22 01 bb`,
    payloads: [`50 34 28 30 ${'11'.repeat(34)}`, `d0 ${'11'.repeat(37)}`, `a0 12 ${'11'.repeat(18)} 20 bb`],
  },
  {
    name: 'no fragment for a small rest of a packet',
    role: 'delta',
    data: `1a 14 30 ${'11'.repeat(19)} 22 18 ${'22'.repeat(24)}`,
    payloads: [`10 18 30 ${'11'.repeat(19)}`, `10 20 ${'22'.repeat(24)}`],
  },
];

for (const { name, role, data, payloads: expected, back } of ROWS) {
  test(`AV1 both ways: ${name}`, () => {
    const unit = frame('video', role, 0, { codec: 'av1', data: hex(data), config: CONFIG });
    const written = packets(packetizeAv1, unit, 40, 1234);
    assert.deepEqual(
      written.map(({ payload }) => payload.toString('hex')),
      expected.map((text) => text.replaceAll(' ', '')),
    );
    assert.deepEqual(
      written.map(({ marker }) => marker),
      written.map((_, index) => index === written.length - 1),
    );
    const start = frame('video', 'key', 0, { codec: 'av1', data: hex('32 03 10 01 02'), config: CONFIG });
    const depacketizer = av1Depacketizer();
    assert.deepEqual(pushAll(depacketizer, packets(packetizeAv1, start, 40))[0]?.config, AV1_CONFIG);
    assert.deepEqual(pushAll(depacketizer, written), [
      { timestamp: 1234, key: role === 'key', data: hex(back ?? data), config: undefined },
    ]);
  });
}

test('the last unit of a frame may go without its size', () => {
  const unit = frame('video', 'delta', 0, { codec: 'av1', data: hex('22 01 aa 30 30 01 02') });
  assert.deepEqual(payloads(packetizeAv1, unit, 40), [hex('20 02 20 aa 30 30 01 02')]);
});

test('nothing to send', () => {
  assert.deepEqual(packetizeAv1(frame('video', 'key', 0, { codec: 'av1', data: hex('1200'), config: CONFIG }), 40), []);
});

const KEY = packet(`28 0b 08 ${SEQUENCE} 30 10 01 02`, { marker: true });

test('units that keep their sizes in packets are read', () => {
  const depacketizer = av1Depacketizer();
  const [unit] = depacketizer.push(packet(`28 0c 0a 0a ${SEQUENCE} 32 03 10 01 02`, { marker: true }), false);
  assert.deepEqual(unit?.data, hex(`0a 0a ${SEQUENCE} 32 03 10 01 02`));
});

test('a frame that is shown again is no key frame, and a unit without frames is none', () => {
  const depacketizer = av1Depacketizer();
  depacketizer.push(KEY, false);
  assert.equal(depacketizer.push(packet('10 18 80', { marker: true }), false)[0]?.key, false);
  assert.deepEqual(depacketizer.push(packet('10 28 01', { marker: true }), false), []);
  assert.equal(depacketizer.broken, false);
});

test('a key frame behind a loss brings its sequence header, or is not believed', () => {
  const depacketizer = av1Depacketizer();
  depacketizer.push(KEY, false);
  assert.deepEqual(depacketizer.push(packet('10 30 10 01 02', { marker: true, timestamp: 1 }), true), []);
  assert.equal(depacketizer.push({ ...KEY, timestamp: 2 }, true).length, 1);
});

const BROKEN: readonly (readonly [string, string])[] = [
  ['a rest without its start', '90 aa'],
  ['no element', '00'],
  ['fewer elements than counted', '30 01 30'],
  ['a cut-off element', '00 05 30'],
  ['an empty element', '00 00'],
  ['a length without end', '00 ff ff'],
  ['a length of nine bytes', `00 ${'80'.repeat(8)} 01`],
  ['a unit that goes on nowhere', '50 30 30'],
  ['a size beyond the unit', '10 32 09 30'],
];

for (const [name, payload] of BROKEN) {
  test(`malformed: ${name}`, () => {
    const depacketizer = av1Depacketizer();
    assert.equal(depacketizer.push(KEY, false).length, 1);
    assert.deepEqual(depacketizer.push(packet(payload, { marker: true, timestamp: 1 }), false), []);
    assert.equal(depacketizer.broken, true);
    assert.equal(depacketizer.push({ ...KEY, timestamp: 2 }, false).length, 1);
  });
}

test('a unit that goes on must go on', () => {
  const depacketizer = av1Depacketizer();
  depacketizer.push(KEY, false);
  depacketizer.push(packet('50 30 30', { timestamp: 1 }), false);
  depacketizer.push(packet('10 30 30', { timestamp: 1, marker: true }), false);
  assert.equal(depacketizer.broken, true);
});
