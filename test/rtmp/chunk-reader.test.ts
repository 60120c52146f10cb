import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts';
import { writeMessage } from '../../src/rtmp/chunk-writer.ts';
import { MESSAGE, type Message, writeAbort, writeSetChunkSize } from '../../src/rtmp/messages.ts';
import type { ChunkLimits } from '../../src/rtmp/partial-messages.ts';
import { basicHeader, u32 } from '../helpers/chunks.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function pull(reader: ChunkReader): Message[] {
  const messages: Message[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  return messages;
}

/** Reads `hex` whole, and byte by byte, which must not differ. */
function read(hex: string, limits: Partial<ChunkLimits> = {}): Message[] {
  const whole = new ChunkReader(limits);
  whole.feed(bytes(hex));
  const messages = pull(whole);
  const slow = new ChunkReader(limits);
  const one: Message[] = [];
  for (const byte of bytes(hex)) {
    slow.feed(Buffer.of(byte));
    one.push(...pull(slow));
  }
  assert.deepEqual(one, messages);
  assert.equal(whole.bytesRead, bytes(hex).length);
  return messages;
}

const message = (timestamp: number, body: string, rest: Partial<Message> = {}): Message => ({
  typeId: 9,
  streamId: 1,
  timestamp,
  chunkStreamId: 6,
  body: bytes(body),
  ...rest,
});

/** A protocol control message, cut at the chunk size in force. */
const control = (typeId: number, body: Buffer, cutAt = 128) =>
  writeMessage({ typeId, streamId: 0, timestamp: 0, body }, cutAt, 2).toString('hex');
const chunkSize = (size: number) => control(MESSAGE.SetChunkSize, writeSetChunkSize(size));
const abort = (id: number, cutAt?: number) => control(MESSAGE.Abort, writeAbort(id), cutAt);

test('the specification’s first example (5.3.2.1): four audio messages, headers of type 0, 2, 3 and 3', () => {
  const body = '05'.repeat(32);
  const audio = (timestamp: number) => message(timestamp, body, { typeId: 8, streamId: 12_345, chunkStreamId: 3 });
  const chunks = [`03 0003e8 000020 08 39300000 ${body}`, `83 000014 ${body}`, `c3 ${body}`, `c3 ${body}`];
  assert.deepEqual(
    chunks.map((chunk) => bytes(chunk).length),
    [44, 36, 33, 33],
  );
  assert.deepEqual(read(chunks.join('')), [1000, 1020, 1040, 1060].map(audio));
});

test('the specification’s second example (5.3.2.2): one video message in three chunks', () => {
  const part = '01'.repeat(128);
  const chunks = [`04 0003e8 000133 09 3a300000 ${part}`, `c4 ${part}`, `c4 ${'01'.repeat(51)}`];
  assert.deepEqual(read(chunks.join('')), [message(1000, '01'.repeat(307), { streamId: 12_346, chunkStreamId: 4 })]);
});

const FIRST = '06 000064 000002 09 01000000 aabb'; // 100 ms

/** What follows FIRST, and the message that it makes. */
const FORMS: readonly (readonly [string, string, Message])[] = [
  ['type 0: all anew', '06 00000a 000001 08 02000000 cc', message(10, 'cc', { typeId: 8, streamId: 2 })],
  ['type 1: the same message stream', '46 00000a 000001 08 cc', message(110, 'cc', { typeId: 8 })],
  ['type 2: the same length and type too', '86 00000a ccdd', message(110, 'ccdd')],
  ['type 3 behind type 0: its timestamp is the delta', 'c6 ccdd', message(200, 'ccdd')],
  ['type 1 with a delta of 2^32 - 10: time goes back', '46 ffffff 000001 09 fffffff6 cc', message(90, 'cc')],
  ['type 2 with an extended delta', '86 ffffff 01000000 ccdd', message(0x0100_0064, 'ccdd')],
];

for (const [what, hex, expected] of FORMS) {
  test(what, () => assert.deepEqual(read(FIRST + hex), [message(100, 'aabb'), expected]));
}

test('type 3 repeats the last delta, message after message', () => {
  const times = read(`${FIRST} 86 000005 0000 c6 0000 c6 0000 46 000001 000002 09 0000 c6 0000`);
  assert.deepEqual(
    times.map(({ timestamp }) => timestamp),
    [100, 105, 110, 115, 116, 117],
  );
});

test('timestamps wrap at 2^32', () => {
  const last = '06 ffffff 000001 09 01000000 ffffffff aa';
  assert.deepEqual(read(`${last} 86 000002 bb`), [message(0xffff_ffff, 'aa'), message(1, 'bb')]);
});

for (const id of [2, 3, 63, 64, 65, 319, 320, 575, 576, 65_599]) {
  test(`chunk stream ${id}`, () => {
    const header = basicHeader(0, id).toString('hex');
    const follow = basicHeader(3, id).toString('hex');
    const hex = `${chunkSize(1)} ${header} 000000 000002 09 01000000 aa ${follow} bb`;
    assert.deepEqual(read(hex), [message(0, 'aabb', { chunkStreamId: id })]);
  });
}

test('the three-byte form of an id that two bytes could say is the same chunk stream', () => {
  assert.deepEqual(read(`${chunkSize(1)} 00 24 000000 000002 09 01000000 aa c1 2400 bb`), [
    message(0, 'aabb', { chunkStreamId: 100 }),
  ]);
});

test('a message without a body', () => {
  assert.deepEqual(read('06 000000 000000 09 01000000 c6'), [message(0, ''), message(0, '')]);
});

test('chunks of several messages mixed', () => {
  const hex = [
    chunkSize(2),
    '06 000000 000004 09 01000000 aabb',
    '04 000000 000003 08 01000000 1122',
    'c6 ccdd',
    'c4 33',
  ].join('');
  assert.deepEqual(read(hex), [message(0, 'aabbccdd'), message(0, '112233', { typeId: 8, chunkStreamId: 4 })]);
});

test('a chunk size holds from the next chunk on, in the middle of other messages too', () => {
  const hex = ['06 000000 000083 09 01000000', '00'.repeat(128), chunkSize(2), 'c6 aabb c6 cc'].join('');
  assert.deepEqual(read(hex), [message(0, `${'00'.repeat(128)}aabbcc`)]);
});

test('chunk sizes: 1 to 2^31 - 1, those beyond 16777215 mean that', () => {
  for (const [size, taken] of [
    [1, 1],
    [0xff_ffff, 0xff_ffff],
    [0x7fff_ffff, 0xff_ffff],
  ] as const) {
    const reader = new ChunkReader();
    reader.feed(bytes(chunkSize(size)));
    assert.equal(reader.next(), undefined);
    assert.equal(reader.chunkSize, taken);
  }
  for (const size of [0, 0x8000_0000, 0xffff_ffff]) {
    assert.throws(() => read(chunkSize(size)), { name: 'PeerError', code: 'rtmp/chunk-size' });
  }
  assert.throws(() => read(chunkSize(127), { minChunkSize: 128 }), { code: 'rtmp/chunk-size' });
  assert.throws(() => read('02 000000 000003 01 00000000 000010'), { name: 'PeerError', code: 'rtmp/message' });
});

test('abort: the partial message is gone, the next one on its chunk stream is whole', () => {
  const begun = `${chunkSize(2)} 06 000000 000004 09 01000000 aabb`;
  assert.deepEqual(read(`${begun} ${abort(6, 2)} c6 1122 c6 3344`), [message(0, '11223344')]);
  assert.deepEqual(read(`${begun} ${abort(7, 2)} c6 ccdd`), [message(0, 'aabbccdd')], 'of another chunk stream');
  assert.deepEqual(read(`${FIRST} ${abort(6)} 86 000000 ccdd`).length, 2, 'with nothing begun');
  assert.throws(() => read('02 000000 000002 02 00000000 0006'), { code: 'rtmp/message' });
});

// The shape of CVE-2016-10191: a message is continued under another length.
test('a new header in the middle of a message begins another one', () => {
  const begun = `${chunkSize(2)} 06 000005 000006 09 01000000 aabb`;
  assert.deepEqual(read(`${begun} 06 000007 000002 09 01000000 1122`), [message(7, '1122')]);
  assert.deepEqual(read(`${begun} 46 000007 000003 09 1122 c6 33`), [message(12, '112233')], 'shorter');
  assert.deepEqual(read(`${begun} 46 000007 000008 09 1122 c6 3344 c6 5566 c6 7788`), [
    message(12, '1122334455667788'),
  ]);
  assert.deepEqual(read(`${begun} 86 000007 1122 c6 3344 c6 5566`), [message(12, '112233445566')]);
});

test('type 1 may open a chunk stream, on message stream 0, as librtmp does for pings', () => {
  const ping = '42 000000 000006 04 0006 00000001';
  const expected = message(0, '000600000001', { typeId: 4, streamId: 0, chunkStreamId: 2 });
  assert.deepEqual(read(ping), [expected]);
});

test('types 2 and 3 may not open a chunk stream', () => {
  for (const header of ['82 000000', 'c6', 'c000', 'c1ffff']) {
    assert.throws(() => read(header), { name: 'PeerError', code: 'rtmp/chunk' });
  }
});

// Extended timestamps behind headers of type 3.

const extended = (time: string, length: number) =>
  `06 ffffff ${length.toString(16).padStart(6, '0')} 09 01000000 ${time}`;

test('extended timestamp: repeated on type 3, left out, or the message’s own instead of the delta', () => {
  const big = message(0x0100_0000, 'aabbccdd');
  assert.deepEqual(read(`${chunkSize(2)} ${extended('01000000', 4)} aabb c6 01000000 ccdd`), [big]);
  assert.deepEqual(read(`${chunkSize(2)} ${extended('01000000', 4)} aabb c6 ccdd`), [big]);

  const deltas = `${chunkSize(2)} 06 000001 000001 09 01000000 00 46 ffffff 000004 09 01000000 aabb`;
  const later = [message(1, '00'), message(0x0100_0001, 'aabbccdd')];
  assert.deepEqual(read(`${deltas} c6 01000000 ccdd`), later, 'the delta');
  assert.deepEqual(read(`${deltas} c6 01000001 ccdd`), later, 'the timestamp');
  assert.deepEqual(read(`${deltas} c6 ccdd`), later, 'neither');
});

test('extended timestamp: a payload that begins like it is told apart by its first other byte', () => {
  const hex = `${chunkSize(2)} ${extended('01000000', 4)} aabb c6 0100 06 000000 000000 09 01000000`;
  assert.deepEqual(read(hex), [message(0x0100_0000, 'aabb0100'), message(0, '')]);
  const next = '04 000000 000001 08 01000000 77';
  const audio = message(0, '77', { typeId: 8, chunkStreamId: 4 });
  assert.deepEqual(read(`${chunkSize(2)} ${extended('01000000', 3)} aabb c6 01 ${next}`), [
    message(0x0100_0000, 'aabb01'),
    audio,
  ]);
});

test('extended timestamp: nobody is kept waiting for bytes that need not come', () => {
  const reader = new ChunkReader();
  reader.feed(bytes(`${chunkSize(2)} ${extended('01000000', 3)} aabb c6 cc`));
  assert.deepEqual(pull(reader), [message(0x0100_0000, 'aabbcc')]);
});

test('extended timestamp: repeated where type 3 begins a message', () => {
  const hex = `06 000000 000001 09 01000000 aa 86 ffffff 01000000 bb c6 01000000 cc c6 dd 86 000001 ee c6 ff`;
  assert.deepEqual(
    read(hex).map(({ timestamp, body }) => [timestamp, body.toString('hex')]),
    [
      [0, 'aa'],
      [0x0100_0000, 'bb'],
      [0x0200_0000, 'cc'],
      [0x0300_0000, 'dd'],
      [0x0300_0001, 'ee'],
      [0x0300_0002, 'ff'],
    ],
  );
});

test('extended timestamp: none is looked for behind a later header without one', () => {
  const hex = `${chunkSize(4)} ${extended('01000000', 1)} aa 86 000001 bb 46 000001 000008 09 aabbccdd c6 00000001`;
  assert.deepEqual(
    read(hex).map(({ body }) => body.toString('hex')),
    ['aa', 'bb', 'aabbccdd00000001'],
  );
});

test('an extended timestamp that three bytes could say', () => {
  assert.deepEqual(read(`${chunkSize(2)} ${extended('00000005', 3)} aabb c6 00000005 cc`), [message(5, 'aabbcc')]);
});

// Feeding.

test('the buffer fed may be reused once next has answered undefined', () => {
  const reader = new ChunkReader();
  const socket = Buffer.alloc(7);
  const sent = bytes(`${FIRST} 86 000005 ccdd c6 eeff`);
  const messages: Message[] = [];
  for (let at = 0; at < sent.length; at += socket.length) {
    const length = sent.copy(socket, 0, at);
    reader.feed(socket.subarray(0, length));
    messages.push(...pull(reader));
    socket.fill(0xee);
  }
  assert.deepEqual(messages, [message(100, 'aabb'), message(105, 'ccdd'), message(110, 'eeff')]);
});

test('hold: bytes behind a message that waits for an answer are copied aside', () => {
  const reader = new ChunkReader();
  const socket = bytes(`${FIRST} 86 000005 ccdd 86 0000`);
  reader.feed(socket);
  assert.deepEqual(reader.next(), message(100, 'aabb'));
  reader.hold();
  reader.hold();
  socket.fill(0xee);
  for (const more of ['05 ee', 'ff']) {
    const later = bytes(more);
    reader.feed(later);
    reader.hold();
    later.fill(0xee);
  }
  assert.deepEqual(pull(reader), [message(105, 'ccdd'), message(110, 'eeff')]);
  assert.deepEqual(pull(reader), []);
});

test('bytes that nobody asks for are bounded', () => {
  const reader = new ChunkReader({ maxUnread: 1000 });
  for (let i = 0; i < 10; i++) reader.feed(Buffer.alloc(100, 1));
  assert.throws(() => reader.feed(Buffer.alloc(1)), { name: 'PeerError', code: 'rtmp/too-many-questions' });
});

test('bytes are counted when they are fed', () => {
  const reader = new ChunkReader();
  reader.feed(u32(0));
  reader.feed(u32(0));
  assert.equal(reader.bytesRead, 8);
});
