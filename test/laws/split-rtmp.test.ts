/** Split: however bytes are cut, the same messages come out. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts';
import { writeMessage } from '../../src/rtmp/chunk-writer.ts';
import { ClientHandshake, ServerHandshake } from '../../src/rtmp/handshake.ts';
import { MESSAGE, type Message, writeSetChunkSize } from '../../src/rtmp/messages.ts';
import { anyManners, anyMessage, interleave, pieces } from '../helpers/chunks.ts';

const LIMITS = { maxMessage: 1 << 20, maxUnread: 64 << 20 };

function announce(chunkSize: number): Buffer {
  const body = writeSetChunkSize(chunkSize);
  return writeMessage({ typeId: MESSAGE.SetChunkSize, streamId: 0, timestamp: 0, body }, 128, 2);
}

/** Feeds each piece, pulls, then spoils the piece: whoever kept a view of it will show. */
function readPieces(cut: readonly Buffer[]): Message[] {
  const reader = new ChunkReader(LIMITS);
  const messages: Message[] = [];
  for (const piece of cut) {
    reader.feed(piece);
    for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
    piece.fill(0xee);
  }
  assert.equal(reader.partialBytes, 0);
  return messages;
}

const stream = fc.record({
  messages: fc.array(anyMessage, { minLength: 1, maxLength: 12 }),
  manners: anyManners,
  picks: fc.array(fc.nat(1000), { maxLength: 20 }),
  cuts: fc.oneof(
    fc.constant([1]),
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
    fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 6 }),
  ),
});

test('chunks in every form, interleaved and cut anywhere, become the messages that were sent', () => {
  fc.assert(
    fc.property(stream, ({ messages, manners, picks, cuts }) => {
      const { bytes, complete } = interleave(messages, manners, picks);
      const whole = Buffer.concat([announce(manners.chunkSize), bytes]);
      assert.deepEqual(readPieces(pieces(whole, cuts)), complete);
    }),
    { numRuns: 400 },
  );
});

test('the same without repeated extended timestamps', () => {
  fc.assert(
    fc.property(stream, ({ messages, manners, picks, cuts }) => {
      const { bytes, complete } = interleave(messages, { ...manners, repeatsTime: false }, picks);
      // Something must follow: a payload that begins like the timestamp is only told from it by more bytes.
      const last = { typeId: MESSAGE.Audio, streamId: 1, timestamp: 0, chunkStreamId: 4, body: Buffer.alloc(0) };
      const whole = Buffer.concat([announce(manners.chunkSize), bytes, writeMessage(last, 128, 4)]);
      assert.deepEqual(readPieces(pieces(whole, cuts)), [...complete, last]);
    }),
    { numRuns: 400 },
  );
});

test('bytes may be fed ahead of the messages pulled, with or without hold', () => {
  const turn = fc.record({ feed: fc.nat(3), pull: fc.nat(3), hold: fc.boolean() });
  fc.assert(
    fc.property(
      stream,
      fc.array(turn, { minLength: 1, maxLength: 10 }),
      ({ messages, manners, picks, cuts }, turns) => {
        const { bytes, complete } = interleave(messages, manners, picks);
        const cut = pieces(Buffer.concat([announce(manners.chunkSize), bytes]), cuts);
        const reader = new ChunkReader(LIMITS);
        const read: Message[] = [];
        for (let i = 0, at = 0; at < cut.length; i++) {
          const { feed, pull, hold } = turns[i % turns.length]!;
          const fed = cut.slice(at, at + feed + 1);
          at += fed.length;
          for (const piece of fed) reader.feed(piece);
          for (let pulled = 0; pulled < pull; pulled++) {
            const message = reader.next();
            if (message === undefined) break;
            read.push(message);
          }
          if (!hold) continue;
          reader.hold();
          for (const piece of fed) piece.fill(0xee);
        }
        for (let message = reader.next(); message !== undefined; message = reader.next()) read.push(message);
        assert.deepEqual(read, complete);
      },
    ),
    { numRuns: 300 },
  );
});

/** The same bytes each time, as a handshake needs some. */
function noise(seed: string): (count: number) => Buffer {
  let turn = 0;
  return (count) => {
    const blocks: Buffer[] = [];
    for (let bytes = 0; bytes < count; bytes += 32)
      blocks.push(createHash('sha256').update(`${seed}${turn++}`).digest());
    return Buffer.concat(blocks).subarray(0, count);
  };
}

test('handshakes cut anywhere say the same and leave the same rest', () => {
  const cutting = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 });
  const form = fc.constantFrom('simple' as const, 'digest' as const);
  fc.assert(
    fc.property(form, fc.constantFrom(8 as const, 772 as const), cutting, (form, pointer, cuts) => {
      const opening = new ClientHandshake(noise('client'), form, pointer).begin();
      const toServer = Buffer.concat([opening, Buffer.alloc(1536, 7), Buffer.from('chunks')]);
      const whole = feedAll(new ServerHandshake(noise('server')), [toServer]);
      assert.equal(whole.rest.toString(), 'chunks');
      assert.equal(whole.reply.length, 3073);
      assert.deepEqual(feedAll(new ServerHandshake(noise('server')), pieces(toServer, cuts)), whole);

      const toClient = Buffer.concat([whole.reply, Buffer.from('more')]);
      const client = () => new ClientHandshake(noise('client'), form, pointer);
      const answered = feedAll(client(), [toClient]);
      assert.equal(answered.reply.length, 1536);
      assert.equal(answered.rest.toString(), 'more');
      assert.deepEqual(feedAll(client(), pieces(toClient, cuts)), answered);
    }),
    { numRuns: 60 },
  );
});

function feedAll(
  handshake: ServerHandshake | ClientHandshake,
  cut: readonly Buffer[],
): { reply: Buffer; rest: Buffer } {
  const replies: Buffer[] = [];
  const rest: Buffer[] = [];
  let over = false;
  for (const piece of cut) {
    if (over) {
      rest.push(piece);
      continue;
    }
    const step = handshake.feed(piece);
    if (step.reply !== undefined) replies.push(Buffer.from(step.reply));
    rest.push(step.rest);
    over = step.done;
  }
  assert.ok(over);
  return { reply: Buffer.concat(replies), rest: Buffer.concat(rest) };
}
