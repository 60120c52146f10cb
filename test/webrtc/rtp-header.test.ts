import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  extensionNumber,
  extensionOf,
  type RtpExtension,
  readRtpHeader,
  rtpHeaderSize,
  writeExtensions,
  writeRtpHeader,
} from '../../src/webrtc/rtp-header.ts';
import { hex } from '../helpers/rtp.ts';

const FIXED = '90 e0 fffe ffffffff 89abcdef';
const FIELDS = { marker: true, payloadType: 96, sequence: 0xfffe, timestamp: 0xffffffff, ssrc: 0x89abcdef };

interface Row {
  readonly name: string;
  readonly header: string;
  readonly extensions: readonly (readonly [number, string])[] | undefined;
}

const ROWS: readonly Row[] = [
  { name: 'no extensions', header: FIXED.replace('90', '80'), extensions: undefined },
  { name: 'an empty block', header: `${FIXED} bede 0000`, extensions: [] },
  {
    name: 'one-byte form',
    header: `${FIXED} bede 0002 10 aa 31 bbcc 00 00 00`,
    extensions: [
      [1, 'aa'],
      [3, 'bbcc'],
    ],
  },
  {
    name: 'the longest of the one-byte form',
    header: `${FIXED} bede 0005 ef ${'11'.repeat(16)} 000000`,
    extensions: [[14, '11'.repeat(16)]],
  },
  {
    name: 'two-byte form for a high identifier',
    header: `${FIXED} 1000 0002 01 01 aa 0f 02 bbcc 00`,
    extensions: [
      [1, 'aa'],
      [15, 'bbcc'],
    ],
  },
  { name: 'two-byte form for an empty value', header: `${FIXED} 1000 0001 07 00 00 00`, extensions: [[7, '']] },
  {
    name: 'two-byte form for a long value',
    header: `${FIXED} 1000 0005 07 11 ${'22'.repeat(17)} 00`,
    extensions: [[7, '22'.repeat(17)]],
  },
];

for (const { name, header, extensions } of ROWS) {
  test(`RTP header both ways: ${name}`, () => {
    const bytes = Buffer.concat([hex(header), hex('1234')]);
    const read = readRtpHeader(bytes);
    assert.deepEqual(read, { ...FIELDS, payloadStart: bytes.length - 2, payloadEnd: bytes.length });
    assert.equal(rtpHeaderSize(bytes), bytes.length - 2);
    for (const [id, value] of extensions ?? []) assert.deepEqual(extensionOf(bytes, id), hex(value));
    assert.equal(extensionOf(bytes, 9), undefined);
    assert.equal(extensionNumber(bytes, 9), undefined);
    const target = Buffer.alloc(100, 0xee);
    const block = extensions?.map(([id, value]): RtpExtension => ({ id, value: hex(value) }));
    const end = writeRtpHeader(target, 5, FIELDS, block && writeExtensions(block));
    assert.deepEqual(target.subarray(5, end), hex(header));
    assert.equal(target[end], 0xee);
  });
}

test('extensions as numbers of 1 to 6 bytes', () => {
  const bytes = hex(`${FIXED} bede 0005 10 ff 25 010203040506 36 01020304050607 000000`);
  assert.deepEqual(
    [1, 2, 3].map((id) => extensionNumber(bytes, id)),
    [255, 0x0102_0304_0506, undefined],
  );
});

test('contributing sources and padding are set apart', () => {
  const bytes = hex('a2 60 0001 00000002 00000003 11111111 22222222 aabb 000003');
  assert.deepEqual(readRtpHeader(bytes), {
    ...{ marker: false, payloadType: 96, sequence: 1, timestamp: 2, ssrc: 3, payloadStart: 20, payloadEnd: 22 },
  });
  const padding = hex('a0 60 0001 00000002 00000003 0002');
  assert.deepEqual([12, 12], [readRtpHeader(padding)?.payloadStart, readRtpHeader(padding)?.payloadEnd]);
});

test('extensions behind contributing sources are found', () => {
  const bytes = hex('91 60 0001 00000002 00000003 11111111 bede 0001 10 aa 00 00');
  assert.deepEqual(extensionOf(bytes, 1), hex('aa'));
});

test('identifier 15 ends the one-byte form; a cut-off value is none; unknown forms have none', () => {
  const found = (block: string, id: number) => extensionOf(hex(`${FIXED} ${block}`), id);
  assert.equal(found('bede 0001 f0 aa 10 bb', 1), undefined);
  assert.equal(found('bede 0001 13 aa bb cc', 1), undefined);
  assert.equal(found('1000 0001 01 03 aa bb', 1), undefined);
  assert.equal(found('1000 0001 00 00 00 01', 1), undefined);
  assert.equal(found('abcd 0001 10 aa 00 00', 1), undefined);
  assert.deepEqual(found('100f 0001 01 01 aa 00', 1), hex('aa'));
});

const BROKEN: readonly (readonly [string, string])[] = [
  ['too short', '80 60 0001 00000002 000000'],
  ['version 1', '40 60 0001 00000002 00000003'],
  ['cut-off contributing sources', '81 60 0001 00000002 00000003 1111'],
  ['cut-off extension header', '90 60 0001 00000002 00000003 bede'],
  ['cut-off extensions', '90 60 0001 00000002 00000003 bede 0001 10 aa'],
];

for (const [name, bytes] of BROKEN) {
  test(`no RTP header: ${name}`, () => {
    assert.equal(rtpHeaderSize(hex(bytes)), undefined);
    assert.equal(readRtpHeader(hex(bytes)), undefined);
  });
}

test('impossible padding', () => {
  assert.equal(readRtpHeader(hex('a0 60 0001 00000002 00000003 aa 00')), undefined);
  assert.equal(readRtpHeader(hex('a0 60 0001 00000002 00000003 aa 03')), undefined);
  assert.equal(readRtpHeader(hex('a0 60 0001 00000002 00000003')), undefined);
});

test('too much to write is our own fault', () => {
  const value = Buffer.alloc(255);
  assert.throws(() => writeExtensions(new Array(1100).fill({ id: 1, value })), RangeError);
});
