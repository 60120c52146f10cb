import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CHUNK_STREAM,
  headerBytes,
  messageSize,
  writeHeaderInto,
  writeMessage,
  writeMessageInto,
} from '../../src/rtmp/chunk-writer.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Chunk stream, timestamp, chunk size, body, bytes. Message type 9 on message stream 1. */
const CASES: readonly (readonly [string, number, number, number, string, string])[] = [
  ['one chunk', 6, 1000, 128, 'aabb', '06 0003e8 000002 09 01000000 aabb'],
  ['no body', 6, 0, 128, '', '06 000000 000000 09 01000000'],
  ['a body of exactly one chunk', 6, 0, 2, 'aabb', '06 000000 000002 09 01000000 aabb'],
  ['three chunks', 6, 0, 2, 'aabbccddee', '06 000000 000005 09 01000000 aabb c6 ccdd c6 ee'],
  ['the largest id of one byte', 63, 0, 2, 'aabbcc', '3f 000000 000003 09 01000000 aabb ff cc'],
  ['the smallest id of two bytes', 64, 0, 2, 'aabbcc', '0000 000000 000003 09 01000000 aabb c000 cc'],
  ['the largest id of two bytes', 319, 0, 2, 'aabbcc', '00ff 000000 000003 09 01000000 aabb c0ff cc'],
  ['the smallest id of three bytes', 320, 0, 2, 'aabbcc', '010001 000000 000003 09 01000000 aabb c10001 cc'],
  ['the largest id of three bytes', 65_599, 0, 2, 'aabbcc', '01ffff 000000 000003 09 01000000 aabb c1ffff cc'],
  ['the last short timestamp', 6, 0xff_fffe, 2, 'aabbcc', '06 fffffe 000003 09 01000000 aabb c6 cc'],
  [
    'the first extended timestamp',
    6,
    0xff_ffff,
    2,
    'aabbcc',
    '06 ffffff 000003 09 01000000 00ffffff aabb c6 00ffffff cc',
  ],
  [
    'the last timestamp',
    65_599,
    0xffff_ffff,
    2,
    'aabbcc',
    '01ffff ffffff 000003 09 01000000 ffffffff aabb c1ffff ffffffff cc',
  ],
];

for (const [what, chunkStreamId, timestamp, chunkSize, body, hex] of CASES) {
  test(`writes ${what}`, () => {
    const message = { typeId: 9, streamId: 1, timestamp, body: bytes(body) };
    const expected = bytes(hex);
    assert.deepEqual(writeMessage(message, chunkSize, chunkStreamId), expected);
    assert.equal(messageSize(message.body.length, timestamp, chunkSize, chunkStreamId), expected.length);

    const target = Buffer.alloc(expected.length + 4, 0x5a);
    assert.equal(writeMessageInto(target, 2, message, chunkSize, chunkStreamId), 2 + expected.length);
    assert.deepEqual(target, Buffer.concat([bytes('5a5a'), expected, bytes('5a5a')]));

    const header = Buffer.alloc(headerBytes(timestamp, chunkStreamId));
    const length = message.body.length;
    assert.equal(writeHeaderInto(header, 0, chunkStreamId, 9, 1, timestamp, length), header.length);
    assert.deepEqual(header, expected.subarray(0, header.length));
  });
}

test('the specification’s second example (5.3.2.2): 307 bytes in chunks of 140, 129 and 52 bytes', () => {
  const body = Buffer.alloc(307, 1);
  const written = writeMessage({ typeId: 9, streamId: 12_346, timestamp: 1000, body }, 128, 4);
  const part = '01'.repeat(128);
  assert.equal(written.toString('hex'), `040003e8000133093a300000${part}c4${part}c4${'01'.repeat(51)}`);
  assert.equal(written.length, 140 + 129 + 52);
});

test('our chunk streams have ids of one byte, so that a header has 12 bytes or 16', () => {
  for (const id of Object.values(CHUNK_STREAM)) {
    assert.equal(headerBytes(0, id), 12);
    assert.equal(headerBytes(0x0100_0000, id), 16);
  }
});
