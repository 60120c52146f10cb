import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts';
import { writeMessage } from '../../src/rtmp/chunk-writer.ts';
import { MESSAGE, type Message, writeAbort, writeSetChunkSize } from '../../src/rtmp/messages.ts';
import { type BodyAllocator, CHUNK_LIMITS, type ChunkLimits, MAX_ASKED } from '../../src/rtmp/partial-messages.ts';
import { basicHeader } from '../helpers/chunks.ts';

/** A header of type 0 that declares a message of `length` bytes. */
function header(length: number, chunkStreamId = 6): Buffer {
  const rest = Buffer.alloc(11);
  rest.writeUIntBE(length, 3, 3);
  rest[6] = MESSAGE.Video;
  return Buffer.concat([basicHeader(0, chunkStreamId), rest]);
}

function setChunkSize(reader: ChunkReader, size: number): void {
  const body = writeSetChunkSize(size);
  reader.feed(writeMessage({ typeId: MESSAGE.SetChunkSize, streamId: 0, timestamp: 0, body }, 128, 2));
  assert.equal(reader.next(), undefined);
}

function pull(reader: ChunkReader): Message[] {
  const messages: Message[] = [];
  for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  return messages;
}

const video = (length: number, fill = 7) => ({
  typeId: 9,
  streamId: 1,
  timestamp: 40,
  body: Buffer.alloc(length, fill),
});

test('a message over the limit is refused at its header', () => {
  const reader = new ChunkReader({ maxMessage: 1000 });
  reader.feed(header(1000));
  assert.equal(reader.next(), undefined);
  reader.feed(Buffer.alloc(0));
  const refused = { name: 'PeerError', code: 'rtmp/message-size' };
  const second = new ChunkReader({ maxMessage: 1000 });
  second.feed(header(1001));
  assert.throws(() => second.next(), refused);
});

test('the limit may be raised', () => {
  const reader = new ChunkReader();
  assert.equal(reader.maxMessage, CHUNK_LIMITS.maxMessage);
  reader.maxMessage = 200_000;
  reader.feed(writeMessage(video(200_000), 128, 6));
  assert.equal(reader.next()?.body.length, 200_000);
});

test('16 MB declared cost nothing until they come', () => {
  const reader = new ChunkReader({ maxMessage: 0xff_ffff });
  reader.feed(header(0xff_ffff));
  assert.equal(reader.next(), undefined);
  assert.ok(reader.partialBytes <= 4096, `${reader.partialBytes} bytes held`);
});

test('a body holds at most a few times what has come of it', () => {
  const reader = new ChunkReader({ maxMessage: 0xff_ffff });
  setChunkSize(reader, 0xff_ffff);
  const length = 3_000_000;
  const message = writeMessage(video(length), 0xff_ffff, 6);
  for (let at = 0; at < message.length; at += 10_000) {
    reader.feed(message.subarray(at, at + 10_000));
    const complete = reader.next();
    const come = Math.min(at + 10_000, message.length);
    if (complete === undefined) assert.ok(reader.partialBytes <= 4 * come, `${reader.partialBytes} held of ${come}`);
    else assert.deepEqual(complete.body, video(length).body);
  }
  assert.equal(reader.partialBytes, 0);
});

test('a body that came in one piece is exactly as large as its memory', () => {
  const reader = new ChunkReader();
  reader.feed(writeMessage(video(10_000), 128, 6));
  assert.equal(reader.next()?.body.buffer.byteLength, 10_000);
});

test('chunk streams: 1024 may be used, not one more', () => {
  const reader = new ChunkReader();
  const { maxChunkStreams } = CHUNK_LIMITS;
  for (let id = 2; id < 2 + maxChunkStreams; id++) {
    reader.feed(header(0, id));
    assert.equal(pull(reader).length, 1);
  }
  reader.feed(header(0, 65_599));
  assert.throws(() => reader.next(), { name: 'PeerError', code: 'rtmp/chunk-streams' });
});

test('messages begun: 64, not one more', () => {
  const reader = new ChunkReader();
  setChunkSize(reader, 1);
  const { maxPartialMessages } = CHUNK_LIMITS;
  for (let id = 3; id < 3 + maxPartialMessages; id++) {
    reader.feed(Buffer.concat([header(2, id), Buffer.of(1)]));
    assert.equal(reader.next(), undefined);
  }
  reader.feed(header(2, 1000));
  assert.throws(() => reader.next(), { name: 'PeerError', code: 'rtmp/partial-messages' });
});

test('bytes that messages begun declare: the limit, and never more than two messages of full length, however they are cut', () => {
  const flood = (limits: Partial<ChunkLimits>, step: number) => {
    const reader = new ChunkReader(limits);
    const sent = Buffer.concat([3, 4, 5, 6, 7].map((id) => Buffer.concat([header(20_000, id), Buffer.alloc(128)])));
    for (let at = 0; at < sent.length; at += step) {
      reader.feed(sent.subarray(at, at + step));
      reader.next();
      assert.ok(reader.partialBytes <= 100_000);
    }
  };
  const refused = { name: 'PeerError', code: 'rtmp/partial-messages' };
  for (const step of [1, 100, 10_000]) {
    flood({ maxPartialBytes: 100_000 }, step);
    assert.throws(() => flood({ maxPartialBytes: 99_999 }, step), refused);
    flood({ maxMessage: 50_000 }, step);
    assert.throws(() => flood({ maxMessage: 49_999 }, step), refused);
  }
});

test('who left a message unfinished is trusted with little memory, whatever is at hand', () => {
  const reader = new ChunkReader();
  setChunkSize(reader, 10_000);
  for (let i = 0; i < 2; i++) {
    reader.feed(Buffer.concat([header(60_000), Buffer.alloc(10_000)]));
    assert.equal(reader.next(), undefined);
  }
  assert.equal(reader.partialBytes, 10_000);
});

/** An allocator that notes what it was asked, and answers views of one block. */
function recorder() {
  const asked: (readonly [number, number, number, number])[] = [];
  const block = Buffer.alloc(1 << 20);
  let used = 0;
  const allocate: BodyAllocator = (...what) => {
    asked.push(what);
    used += what[3];
    return block.subarray(used - what[3], used);
  };
  return { asked, block, allocate };
}

test('the owner is asked once for each body, with its header complete, and the payload goes there', () => {
  const { asked, block, allocate } = recorder();
  const reader = new ChunkReader({}, allocate);
  const sent = writeMessage(video(1000), 128, 6);
  for (const byte of sent) {
    reader.feed(Buffer.of(byte));
    const message = reader.next();
    if (message === undefined) continue;
    assert.equal(message.body.buffer, block.buffer);
    assert.deepEqual(message.body, video(1000).body);
  }
  assert.deepEqual(asked, [[9, 1, 40, 1000]]);
});

test('the owner is not asked for empty bodies, nor for those over 64 KiB', () => {
  const { asked, allocate } = recorder();
  const reader = new ChunkReader({ maxMessage: 1 << 20 }, allocate);
  for (const length of [0, MAX_ASKED, MAX_ASKED + 1]) {
    reader.feed(writeMessage(video(length), 128, 6));
    assert.equal(reader.next()?.body.length, length);
  }
  assert.deepEqual(
    asked.map(([, , , length]) => length),
    [MAX_ASKED],
  );
});

test('an owner who has no room leaves the body to the reader', () => {
  const reader = new ChunkReader({}, () => undefined);
  reader.feed(writeMessage(video(1000), 128, 6));
  assert.deepEqual(reader.next()?.body, video(1000).body);
});

test('an owner who answers another length makes a mistake of ours', () => {
  const reader = new ChunkReader({}, () => Buffer.alloc(10));
  reader.feed(writeMessage(video(11), 128, 6));
  assert.throws(() => reader.next(), RangeError);
});

test('who leaves a message unfinished cannot use up a slab: the owner is not asked any more', () => {
  const { asked, allocate } = recorder();
  const reader = new ChunkReader({}, allocate);
  setChunkSize(reader, 1);
  for (let i = 0; i < 100; i++) {
    reader.feed(Buffer.concat([header(60_000), Buffer.of(1)]));
    assert.equal(reader.next(), undefined);
    assert.ok(reader.partialBytes <= 60_000);
  }
  assert.deepEqual(
    asked.map(([typeId]) => typeId),
    [MESSAGE.SetChunkSize, MESSAGE.Video],
  );
  assert.ok(reader.partialBytes <= 4096);

  const aborting = recorder();
  const other = new ChunkReader({}, aborting.allocate);
  const abort = { typeId: MESSAGE.Abort, streamId: 0, timestamp: 0, body: writeAbort(6) };
  other.feed(
    Buffer.concat([header(60_000), Buffer.alloc(128), writeMessage(abort, 128, 2), writeMessage(video(5), 128, 6)]),
  );
  assert.deepEqual(other.next()?.body, video(5).body, 'and what comes then is still read');
  assert.deepEqual(
    aborting.asked.map(([typeId]) => typeId),
    [MESSAGE.Video, MESSAGE.Abort],
  );
});
