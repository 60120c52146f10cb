import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHevcConfig } from '../../src/media/hevc.ts';
import { hevcDepacketizer, packetizeHevc } from '../../src/webrtc/hevc-rtp.ts';
import { frame } from '../helpers/frames.ts';
import { hex, packet, packets, pushAll, rtpCodec } from '../helpers/rtp.ts';
import { HEVC_CONFIG } from '../helpers/rtp-media.ts';

const CONFIG = frame('video', 'config', 0, { codec: 'hevc', data: HEVC_CONFIG });
const UNITS = readHevcConfig(HEVC_CONFIG)!.parameterSets.map(({ units }) => units[0]!);
const [VPS, SPS, PPS] = UNITS.map((unit) => unit.toString('hex'));
const SETS = `6001 0018 ${VPS} 0027 ${SPS} 0006 ${PPS}`;

const ROWS: readonly (readonly [string, 'key' | 'delta', string, readonly string[], string?])[] = [
  ['a slice', 'delta', '00000004 0201 d0 11', ['0201d011']],
  [
    'a slice in three parts',
    'delta',
    `000000fe 0201 ${'d0'.repeat(252)}`,
    [`6201 81 ${'d0'.repeat(84)}`, `6201 01 ${'d0'.repeat(84)}`, `6201 41 ${'d0'.repeat(84)}`],
  ],
  ['a key picture gets its sets', 'key', '00000003 2601 af', [SETS, '2601af']],
  [
    'delimiter and filler stay behind, messages go together with the lowest layer and time',
    'delta',
    '00000003 4601 50 00000003 4e0a 11 00000003 4e0b 22 00000004 0201 d0 11 00000003 4c01 ff',
    ['600a 0003 4e0a11 0003 4e0b22', '0201d011'],
    '00000003 4e0a 11 00000003 4e0b 22 00000004 0201 d0 11',
  ],
];

for (const [name, role, data, expected, back] of ROWS) {
  test(`HEVC both ways: ${name}`, () => {
    const picture = frame('video', role, 0, { codec: 'hevc', data: hex(data), config: CONFIG });
    const written = packets(packetizeHevc, picture, 96, 1234);
    assert.deepEqual(
      written.map(({ payload }) => payload),
      expected.map((text) => hex(text)),
    );
    const start = frame('video', 'key', 0, { codec: 'hevc', data: hex('00000003 2601 af'), config: CONFIG });
    const depacketizer = hevcDepacketizer(rtpCodec('hevc'));
    assert.deepEqual(pushAll(depacketizer, packets(packetizeHevc, start, 96))[0]?.config, HEVC_CONFIG);
    assert.deepEqual(pushAll(depacketizer, written), [
      { timestamp: 1234, key: role === 'key', data: hex(back ?? data), config: undefined },
    ]);
  });
}

test('all random access pictures are key pictures, leading pictures are not', () => {
  for (const [type, key] of [
    [0, false],
    [9, false],
    [16, true],
    [19, true],
    [21, true],
  ] as const) {
    const base64 = (unit: Buffer) => unit.toString('base64');
    const names = ['sprop-vps', 'sprop-sps', 'sprop-pps'];
    const parameters = new Map(names.map((name, index) => [name, base64(UNITS[index]!)]));
    const depacketizer = hevcDepacketizer(rtpCodec('hevc', { parameters }));
    const header = Buffer.of(type << 1, 1, 0x80);
    const units = depacketizer.push(packet(header, { marker: true }), false);
    assert.deepEqual([units.length === 1, units[0]?.config?.equals(HEVC_CONFIG)], [key, key || undefined]);
  }
});

test('a key picture behind a loss begins with its sets, or is not believed', () => {
  const depacketizer = hevcDepacketizer(rtpCodec('hevc'));
  const key = frame('video', 'key', 0, { codec: 'hevc', data: hex('00000003 2601 af'), config: CONFIG });
  const [sets, slice] = packets(packetizeHevc, key, 96) as [ReturnType<typeof packet>, ReturnType<typeof packet>];
  pushAll(depacketizer, [sets, slice]);
  assert.deepEqual(depacketizer.push({ ...slice, timestamp: 1 }, true), []);
  depacketizer.push({ ...sets, timestamp: 2 }, true);
  assert.equal(depacketizer.push({ ...slice, timestamp: 2 }, false).length, 1);
});

for (const payload of ['64 01 00', '62 01', '26', '6201 c1 00', '6201 01 00', '6001 0001 26', '6001 0004 2601']) {
  test(`malformed: ${payload}`, () => {
    const depacketizer = hevcDepacketizer(rtpCodec('hevc'));
    const key = frame('video', 'key', 0, { codec: 'hevc', data: hex('00000003 2601 af'), config: CONFIG });
    assert.equal(pushAll(depacketizer, packets(packetizeHevc, key, 96)).length, 1);
    assert.deepEqual(depacketizer.push(packet(payload, { timestamp: 1, marker: true }), false), []);
    assert.equal(depacketizer.broken, true);
  });
}
