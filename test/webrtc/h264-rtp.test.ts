import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAvcConfig, writeAvcConfig } from '../../src/media/h264.ts';
import { h264Depacketizer, packetizeH264 } from '../../src/webrtc/h264-rtp.ts';
import { BitWriter } from '../helpers/bit-writer.ts';
import { AVC_CONFIG, frame } from '../helpers/frames.ts';
import { hex, packet, packets, payloads, pushAll, rtpCodec } from '../helpers/rtp.ts';

const CONFIG = frame('video', 'config', 0);
const RECORD = readAvcConfig(AVC_CONFIG)!;
const SPS = RECORD.sps[0]!.toString('hex');
const PPS = RECORD.pps[0]!.toString('hex');
const SETS = `78 0019 ${SPS} 0004 ${PPS}`;

interface Row {
  readonly name: string;
  readonly role: 'key' | 'delta';
  /** NAL units behind their lengths. */
  readonly data: string;
  /** With packets of at most 40 bytes. */
  readonly payloads: readonly string[];
  /** What comes back, where it is not `data`. */
  readonly back?: string;
}

const ROWS: readonly Row[] = [
  { name: 'a slice', role: 'delta', data: '00000003 41 9a 01', payloads: ['41 9a 01'] },
  { name: 'two slices', role: 'delta', data: '00000003 41 9a 01 00000002 41 3a', payloads: ['41 9a 01', '41 3a'] },
  {
    name: 'a slice in three parts',
    role: 'delta',
    data: `0000005e 41 ${'9a'.repeat(93)}`,
    payloads: [`5c 81 ${'9a'.repeat(31)}`, `5c 01 ${'9a'.repeat(31)}`, `5c 41 ${'9a'.repeat(31)}`],
  },
  { name: 'a key picture gets its sets', role: 'key', data: '00000002 65 88', payloads: [SETS, '65 88'] },
  {
    name: 'a key picture that brings its sets',
    role: 'key',
    data: `00000019 ${SPS} 00000004 ${PPS} 00000002 65 88`,
    payloads: [SETS, '65 88'],
    back: '00000002 65 88',
  },
  {
    name: 'delimiter and filler stay behind, messages go together',
    role: 'delta',
    data: '00000002 09 f0 00000003 06 05 80 00000003 06 01 80 00000002 41 9a 00000002 0c ff',
    payloads: ['18 0003 06 05 80 0003 06 01 80', '41 9a'],
    back: '00000003 06 05 80 00000003 06 01 80 00000002 41 9a',
  },
  {
    name: 'a message that does not fit with the sets goes alone',
    role: 'key',
    data: '00000006 06 05 03 01 02 80 00000002 65 88',
    payloads: [SETS, '06 05 03 01 02 80', '65 88'],
  },
];

for (const { name, role, data, payloads: expected, back } of ROWS) {
  test(`H.264 both ways: ${name}`, () => {
    const picture = frame('video', role, 0, { data: hex(data), config: CONFIG });
    const written = packets(packetizeH264, picture, 40, 1234);
    assert.deepEqual(
      written.map(({ payload }) => payload.toString('hex')),
      expected.map((text) => text.replaceAll(' ', '')),
    );
    assert.deepEqual(
      written.map(({ marker }) => marker),
      written.map((_, index) => index === written.length - 1),
    );
    const key = packets(packetizeH264, frame('video', 'key', 0, { config: CONFIG }), 40, 1);
    const depacketizer = h264Depacketizer(rtpCodec('h264'));
    assert.deepEqual(pushAll(depacketizer, key).at(-1)?.config, AVC_CONFIG);
    const units = pushAll(depacketizer, written);
    assert.deepEqual(units, [{ timestamp: 1234, key: role === 'key', data: hex(back ?? data), config: undefined }]);
  });
}

test('each payload says its size', () => {
  const data = hex(`00000002 09 f0 0000005e 65 ${'9a'.repeat(93)}`);
  for (const { parts, size } of packetizeH264(frame('video', 'key', 0, { data, config: CONFIG }), 40)) {
    assert.equal(Buffer.concat(parts).length, size);
  }
});

test('lengths of one and two bytes are read', () => {
  for (const lengthSize of [1, 2]) {
    const config = frame('video', 'config', 0, { data: writeAvcConfig({ ...RECORD, lengthSize }) });
    const length = '00'.repeat(lengthSize - 1);
    const data = hex(`${length}02 41 9a ${length}03 41 3a 01`);
    const picture = frame('video', 'delta', 0, { data, config });
    assert.deepEqual(payloads(packetizeH264, picture, 40), [hex('419a'), hex('413a01')]);
  }
});

test('parts of the picture are views of the frame', () => {
  const picture = frame('video', 'delta', 0, { config: CONFIG, data: hex(`00000080 41 ${'9a'.repeat(127)}`) });
  for (const { parts } of packetizeH264(picture, 40)) assert.equal(parts.at(-1)!.buffer, picture.data.buffer);
});

test('a frame without NAL units, or without its configuration', () => {
  assert.deepEqual(packetizeH264(frame('video', 'key', 0, { data: Buffer.alloc(0), config: CONFIG }), 40), []);
  assert.deepEqual(packetizeH264(frame('video', 'key', 0, { data: hex('00000009 65'), config: CONFIG }), 40), []);
  assert.deepEqual(payloads(packetizeH264, frame('video', 'key', 0, { data: hex('00000002 65 88') }), 40), [
    hex('6588'),
  ]);
});

const KEY = packets(packetizeH264, frame('video', 'key', 0, { data: hex('00000002 65 88'), config: CONFIG }), 40, 3000);
const SLICE = '41 9a 01';

test('a picture begins the stream only when it is a key picture with its sets', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  assert.equal(depacketizer.broken, true);
  assert.deepEqual(depacketizer.push(packet(SLICE, { marker: true, timestamp: 1 }), false), []);
  assert.deepEqual(depacketizer.push(packet('65 88', { marker: true, timestamp: 2 }), false), []);
  assert.equal(depacketizer.broken, true);
  const units = pushAll(depacketizer, KEY);
  assert.equal(units.length, 1);
  assert.equal(depacketizer.broken, false);
});

test('sets from the description will do', () => {
  const base64 = [SPS, PPS].map((text) => hex(text).toString('base64')).join(',');
  const depacketizer = h264Depacketizer(rtpCodec('h264', { parameters: new Map([['sprop-parameter-sets', base64]]) }));
  const [unit] = depacketizer.push(packet('65 88', { marker: true }), false);
  assert.deepEqual(unit?.config, AVC_CONFIG);
});

test('a picture ends where the timestamp changes, when its marker is missing', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  pushAll(depacketizer, KEY);
  assert.deepEqual(depacketizer.push(packet(SLICE, { timestamp: 6000 }), false), []);
  assert.deepEqual(depacketizer.push(packet('41 3a', { timestamp: 6000 }), false), []);
  const units = depacketizer.push(packet(SLICE, { timestamp: 9000, marker: true }), false);
  assert.deepEqual(
    units.map(({ timestamp, data }) => [timestamp, data.toString('hex')]),
    [
      [6000, '00000003419a0100000002413a'],
      [9000, '00000003419a01'],
    ],
  );
});

test('a loss inside a picture drops it, and all until the next key picture', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  pushAll(depacketizer, KEY);
  const long = packets(
    packetizeH264,
    frame('video', 'delta', 0, { data: hex(`00000080 41 ${'9a'.repeat(127)}`) }),
    40,
    6000,
  );
  assert.deepEqual(pushAll(depacketizer, [long[0]!, ...long.slice(2)]), []);
  assert.equal(depacketizer.broken, true);
  assert.deepEqual(depacketizer.push(packet(SLICE, { marker: true, timestamp: 9000 }), false), []);
  assert.equal(pushAll(depacketizer, KEY).length, 1);
  assert.equal(depacketizer.broken, false);
  assert.equal(depacketizer.push(packet(SLICE, { marker: true, timestamp: 12_000 }), false).length, 1);
});

test('a loss between pictures breaks too, and a key picture may have lost its front', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  pushAll(depacketizer, KEY);
  assert.deepEqual(depacketizer.push(packet(SLICE, { marker: true }), true), []);
  assert.equal(depacketizer.broken, true);
  assert.deepEqual(depacketizer.push(packet('65 88', { marker: true, timestamp: 1 }), true), [], 'its sets are lost');
  const [sets, slice] = KEY as [(typeof KEY)[0], (typeof KEY)[0]];
  depacketizer.push(sets, true);
  assert.equal(depacketizer.push(slice, false).length, 1, 'it begins with its sets');
  assert.equal(depacketizer.broken, false);
});

test('a picture that is whole in front of the loss is answered', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  pushAll(depacketizer, KEY);
  assert.equal(depacketizer.push(packet(SLICE, { marker: true, timestamp: 6000 }), false).length, 1);
  // its end may be what was lost
  assert.deepEqual(depacketizer.push(packet(SLICE, { timestamp: 9000 }), false), []);
  assert.deepEqual(depacketizer.push(packet(SLICE, { timestamp: 12_000, marker: true }), true), []);
  assert.equal(depacketizer.broken, true);
});

test('packets of padding change nothing', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  const [sets, slice] = KEY as [(typeof KEY)[0], (typeof KEY)[0]];
  depacketizer.push(sets, false);
  depacketizer.push(packet('', { timestamp: 3000 }), false);
  assert.equal(depacketizer.push(slice, false).length, 1);
});

test('new sets make a new configuration, several are kept by their identifiers', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  pushAll(depacketizer, KEY);
  // identifier 1, and the same sequence parameter set
  const pps = '68 5be3f2';
  depacketizer.push(packet(pps, { timestamp: 6000 }), false);
  const [unit] = depacketizer.push(packet(SLICE, { timestamp: 6000, marker: true }), false);
  const config = readAvcConfig(unit!.config!)!;
  assert.deepEqual(
    [config.sps, config.pps].map((sets) => sets.map((set) => set.toString('hex'))),
    [[SPS], ['685be3f2', PPS]],
  );
  depacketizer.push(packet(pps, { timestamp: 9000 }), false);
  assert.equal(depacketizer.push(packet(SLICE, { timestamp: 9000, marker: true }), false)[0]?.config, undefined);
});

const MALFORMED: readonly (readonly [string, string])[] = [
  ['an interleaved aggregation', '79 0000 0002 41 9a'],
  ['an aggregation with a cut-off unit', '78 0009 41 9a'],
  ['an aggregation with half a length', '78 0002 41 9a 00'],
  ['an aggregation with an empty unit', '78 0000'],
  ['an aggregation in an aggregation', '78 0004 78 0001 41'],
  ['a fragment without its start', '5c 01 9a'],
  ['a fragment that is start and end', '5c c1 9a'],
  ['a fragment without its second byte', '5c'],
];

for (const [name, payload] of MALFORMED) {
  test(`malformed: ${name}`, () => {
    const depacketizer = h264Depacketizer(rtpCodec('h264'));
    pushAll(depacketizer, KEY);
    assert.deepEqual(depacketizer.push(packet(payload, { timestamp: 6000 }), false), []);
    assert.deepEqual(depacketizer.push(packet(SLICE, { timestamp: 6000, marker: true }), false), []);
    assert.equal(depacketizer.broken, true);
    assert.equal(pushAll(depacketizer, KEY).length, 1);
  });
}

test('a fragment of another unit, or a unit within fragments, spoils the picture', () => {
  for (const second of ['5c 05 9a', '5c 81 9a', '41 9a']) {
    const depacketizer = h264Depacketizer(rtpCodec('h264'));
    pushAll(depacketizer, KEY);
    depacketizer.push(packet('5c 81 9a', { timestamp: 6000 }), false);
    depacketizer.push(packet(second, { timestamp: 6000 }), false);
    assert.equal(depacketizer.broken, true, second);
  }
});

test('a picture above the limit is given up', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  pushAll(depacketizer, KEY);
  const part = Buffer.concat([hex('5c 01'), Buffer.alloc(60_000)]);
  depacketizer.push(packet('5c 81 9a', { timestamp: 6000 }), false);
  for (let i = 0; i < 139; i++) depacketizer.push(packet(part, { timestamp: 6000 }), false);
  assert.equal(depacketizer.broken, false);
  depacketizer.push(packet(part, { timestamp: 6000 }), false);
  assert.equal(depacketizer.broken, true);
});

test('sets are bounded in number and length, the oldest go first', () => {
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  pushAll(depacketizer, KEY);
  // identifiers 1 to 40, behind it the same bytes
  for (let id = 1; id <= 40; id++) {
    const pps = new BitWriter().ue(id).bits(0xabcd, 16).bytes();
    depacketizer.push(packet(Buffer.concat([hex('68'), pps]), { timestamp: 6000 }), false);
  }
  depacketizer.push(packet(Buffer.concat([hex('68 4f'), Buffer.alloc(5000, 1)]), { timestamp: 6000 }), false);
  const [unit] = depacketizer.push(packet(SLICE, { timestamp: 6000, marker: true }), false);
  const { pps } = readAvcConfig(unit!.config!)!;
  assert.equal(pps.length, 31);
  assert.ok(pps.every((set) => set.length < 10 && set.toString('hex') !== PPS));
});
