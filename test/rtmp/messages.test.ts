import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  MESSAGE,
  type Message,
  PEER_BANDWIDTH_LIMIT,
  readAbort,
  readAcknowledgement,
  readPeerBandwidth,
  readSetChunkSize,
  readUserControl,
  readWindowAckSize,
  splitAggregate,
  USER_CONTROL,
  type UserControl,
  writeAbort,
  writeAcknowledgement,
  writePeerBandwidth,
  writeSetChunkSize,
  writeUserControl,
  writeWindowAckSize,
} from '../../src/rtmp/messages.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const refused = { name: 'PeerError', code: 'rtmp/message' };

const NUMBERS = [
  ['chunk size', readSetChunkSize, writeSetChunkSize],
  ['abort', readAbort, writeAbort],
  ['acknowledgement', readAcknowledgement, writeAcknowledgement],
  ['window', readWindowAckSize, writeWindowAckSize],
] as const;

for (const [what, read, write] of NUMBERS) {
  test(`${what}: four bytes, both ways`, () => {
    for (const [value, hex] of [
      [0, '00000000'],
      [4096, '00001000'],
      [0xffff_ffff, 'ffffffff'],
    ] as const) {
      assert.equal(read(bytes(hex)), value);
      assert.deepEqual(write(value), bytes(hex));
    }
    assert.equal(read(bytes('00000001 ff')), 1, 'what follows is ignored');
    assert.throws(() => read(bytes('000000')), refused);
  });
}

test('peer bandwidth, both ways', () => {
  const bandwidth = { size: 2_500_000, limit: PEER_BANDWIDTH_LIMIT.dynamic };
  assert.deepEqual(readPeerBandwidth(bytes('002625a0 02')), bandwidth);
  assert.deepEqual(writePeerBandwidth(bandwidth), bytes('002625a0 02'));
  assert.throws(() => readPeerBandwidth(bytes('002625a0')), refused);
});

const EVENTS: readonly (readonly [UserControl, string])[] = [
  [{ event: USER_CONTROL.StreamBegin, value: 1 }, '0000 00000001'],
  [{ event: USER_CONTROL.StreamEof, value: 1 }, '0001 00000001'],
  [{ event: USER_CONTROL.SetBufferLength, value: 1, bufferMillis: 3000 }, '0003 00000001 00000bb8'],
  [{ event: USER_CONTROL.PingRequest, value: 0xffff_ffff }, '0006 ffffffff'],
  [{ event: USER_CONTROL.PingResponse, value: 7 }, '0007 00000007'],
  [{ event: USER_CONTROL.BufferReady, value: 1 }, '0020 00000001'],
];

for (const [control, hex] of EVENTS) {
  test(`user control ${control.event}, both ways`, () => {
    assert.deepEqual(readUserControl(bytes(hex)), control);
    assert.deepEqual(writeUserControl(control), bytes(hex));
  });
}

test('user control: events without a number, and cut ones', () => {
  assert.deepEqual(readUserControl(bytes('001a 01')), { event: 26, value: 0 });
  assert.throws(() => readUserControl(bytes('00')), refused);
  assert.throws(() => readUserControl(bytes('0003 00000001 0000')), refused);
});

function aggregate(hex: string, timestamp = 1000): Message {
  return { typeId: MESSAGE.Aggregate, streamId: 1, timestamp, chunkStreamId: 6, body: bytes(hex) };
}

test('aggregate: the first message takes its timestamp, the others keep their distance', () => {
  const body = [
    '09 000002 000064 00 000000 1700 0000000d', // 100 ms
    '08 000001 000078 00 000000 af 0000000c', // 120 ms
    '12 000000 000063 00 000009 0000000b', // 99 ms, a stream of its own
  ].join('');
  const base = { streamId: 1, chunkStreamId: 6 };
  assert.deepEqual(splitAggregate(aggregate(body)), [
    { ...base, typeId: 9, timestamp: 1000, body: bytes('1700') },
    { ...base, typeId: 8, timestamp: 1020, body: bytes('af') },
    { ...base, typeId: 18, timestamp: 999, body: bytes('') },
  ]);
});

test('aggregate: the high byte of a timestamp comes last, and time wraps', () => {
  const body = '08 000000 fffff0 ff 000000 0000000b 08 000000 000010 00 000000 0000000b';
  const times = splitAggregate(aggregate(body, 0xffff_fff8)).map(({ timestamp }) => timestamp);
  assert.deepEqual(times, [0xffff_fff8, 0x18]);
  const back = '08 000000 000064 00 000000 0000000b 08 000000 00005a 00 000000 0000000b';
  assert.deepEqual(
    splitAggregate(aggregate(back, 5)).map(({ timestamp }) => timestamp),
    [5, 0xffff_fffb],
  );
});

test('aggregate: an empty one holds nothing', () => {
  assert.deepEqual(splitAggregate(aggregate('')), []);
});

test('aggregate: what back pointers say does not matter, that they are there does', () => {
  const header = '08 000001 000000 00 000000 af';
  assert.equal(splitAggregate(aggregate(`${header} ffffffff`)).length, 1);
  assert.throws(() => splitAggregate(aggregate(header)), refused);
});

test('aggregate: refused when cut, when it nests, when it holds commands or too many messages', () => {
  assert.throws(() => splitAggregate(aggregate('08 000001 0000')), refused);
  assert.throws(() => splitAggregate(aggregate('08 ffffff 000000 00 000000 af 0000000c')), refused);
  for (const type of ['16', '14', '01', '00']) {
    assert.throws(() => splitAggregate(aggregate(`${type} 000000 000000 00 000000 0000000b`)), refused);
  }
  const many = (count: number) => aggregate('08 000000 000000 00 000000 0000000b'.repeat(count));
  assert.equal(splitAggregate(many(4096)).length, 4096);
  assert.throws(() => splitAggregate(many(4097)), refused);
});
