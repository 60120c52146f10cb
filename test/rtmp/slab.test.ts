import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeMessage } from '../../src/rtmp/chunk-writer.ts';
import { MESSAGE, type Message } from '../../src/rtmp/messages.ts';
import { chunkStreamOf, Slab, type Wire } from '../../src/rtmp/slab.ts';

const BLOCK_BYTES = 256 << 10;

function bytes({ block, start, end }: Wire): Buffer {
  return block.subarray(start, end);
}

function message(typeId: number, timestamp: number, body: Buffer): Message {
  return { typeId, streamId: 5, timestamp, chunkStreamId: 9, body };
}

function expected({ typeId, timestamp, body }: Message, chunkSize: number, streamId = 1): Buffer {
  return writeMessage({ typeId, streamId, timestamp, body }, chunkSize, chunkStreamOf(typeId));
}

for (const timestamp of [0, 0xfffffe, 0xffffff, 0x1000000, 2 ** 32 - 1]) {
  for (const typeId of [MESSAGE.Audio, MESSAGE.Video]) {
    test(`a body in its room has its header in front: type ${typeId}, time ${timestamp}`, () => {
      const slab = new Slab(4_096);
      slab.room(MESSAGE.Video, 0, 77);
      const body = slab.room(typeId, timestamp, 4_096)!;
      body.fill(0x5a);
      const complete = message(typeId, timestamp, body);
      assert.deepEqual(bytes(slab.wireOf(complete)!), expected(complete, 4_096));
    });
  }
}

test('there is no room for nothing, nor for more than one chunk', () => {
  const slab = new Slab(4_096);
  assert.equal(slab.room(MESSAGE.Video, 0, 0), undefined);
  assert.equal(slab.room(MESSAGE.Video, 0, 4_097), undefined);
  assert.equal(new Slab(1 << 20).room(MESSAGE.Video, 0, BLOCK_BYTES), undefined);
  assert.equal(new Slab(1 << 20).room(MESSAGE.Video, 0, BLOCK_BYTES - 12)?.length, BLOCK_BYTES - 12);
});

test('a body that came from elsewhere has no wire form here', () => {
  const [slab, other] = [new Slab(4_096), new Slab(4_096)];
  const body = other.room(MESSAGE.Video, 0, 10)!;
  slab.room(MESSAGE.Video, 0, 10);
  assert.equal(slab.wireOf(message(MESSAGE.Video, 0, body)), undefined);
  assert.equal(slab.wireOf(message(MESSAGE.Video, 0, Buffer.alloc(10))), undefined);
});

test('bodies keep out of each other, over many blocks, finished or not', () => {
  const slab = new Slab(65_536);
  const kept: { complete: Message; whole: Buffer }[] = [];
  for (let i = 0; i < 200; i++) {
    const body = slab.room(MESSAGE.Video, i, 1 + ((i * 7_919) % 20_000))!;
    body.fill(i);
    if (i % 3 === 0) continue;
    const complete = message(MESSAGE.Video, i, body);
    kept.push({ complete, whole: expected(complete, 65_536) });
  }
  for (const { complete, whole } of kept) assert.ok(bytes(slab.wireOf(complete)!).equals(whole));
});

test('neighbours in time are neighbours in memory', () => {
  const slab = new Slab(65_536);
  const [first, second] = [0, 40].map((time) => message(MESSAGE.Video, time, slab.room(MESSAGE.Video, time, 100)!));
  const [a, b] = [slab.wireOf(first!)!, slab.wireOf(second!)!];
  assert.equal(a.block, b.block);
  assert.equal(a.end, b.start);
});

for (const [chunkSize, length] of [
  [128, 10],
  [128, 1_000],
  [4_096, 70_000],
  [65_536, 70_000],
  [128, 300_000],
] as const) {
  test(`${length} bytes are written in chunks of ${chunkSize}, and copied for another message stream`, () => {
    const slab = new Slab(chunkSize, 7);
    const body = Buffer.alloc(length, 0x33);
    for (const timestamp of [5, 0x2000000]) {
      const complete = message(MESSAGE.Video, timestamp, body);
      const wire = slab.write(MESSAGE.Video, timestamp, body);
      assert.ok(bytes(wire).equals(expected(complete, chunkSize)));
      assert.ok(bytes(slab.copy(wire)).equals(expected(complete, chunkSize, 7)));
      assert.ok(bytes(wire).equals(expected(complete, chunkSize)), 'the original stays');
    }
  });
}

test('a message of nothing, and no message at all', () => {
  const slab = new Slab(128, 2);
  const empty = message(MESSAGE.Audio, 0, Buffer.alloc(0));
  assert.deepEqual(bytes(slab.write(MESSAGE.Audio, 0, empty.body)), expected(empty, 128));
  const none = slab.copy({ block: Buffer.alloc(0), start: 0, end: 0 });
  assert.equal(none.end, none.start);
});
