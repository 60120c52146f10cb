import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HandshakeFragments, handshakeMessage, messageOf } from '../../src/webrtc/dtls-fragments.ts';

/** A piece of a message of `length` bytes. */
function piece(type: number, number: number, length: number, offset: number, bytes: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header[0] = type;
  header.writeUIntBE(length, 1, 3);
  header.writeUInt16BE(number, 4);
  header.writeUIntBE(offset, 6, 3);
  header.writeUIntBE(bytes.length, 9, 3);
  return Buffer.concat([header, bytes]);
}

test('a message comes out whole, once, with the header of one piece', () => {
  const fragments = new HandshakeFragments();
  assert.equal(fragments.add(piece(11, 0, 6, 0, Buffer.from('abc')), 0), false);
  assert.equal(fragments.take(0), undefined);
  fragments.add(piece(11, 0, 6, 3, Buffer.from('def')), 0);
  const message = fragments.take(0)!;
  assert.deepEqual(message, {
    ...{ type: 11, number: 0, epoch: 0, body: Buffer.from('abcdef') },
    whole: piece(11, 0, 6, 0, Buffer.from('abcdef')),
  });
  assert.deepEqual(message.whole, handshakeMessage(11, 0, Buffer.from('abcdef')));
  assert.deepEqual({ ...messageOf(message.whole), epoch: 0 }, message);
  assert.equal(fragments.take(0), undefined);
});

test('a message without a body needs no bytes', () => {
  const fragments = new HandshakeFragments();
  fragments.add(piece(14, 0, 0, 0, Buffer.alloc(0)), 0);
  assert.deepEqual(fragments.take(0)?.body, Buffer.alloc(0));
});

test('what is over is told, and no longer kept', () => {
  const fragments = new HandshakeFragments();
  const half = piece(11, 0, 6, 0, Buffer.from('abc'));
  fragments.add(half, 0);
  fragments.advance(1);
  assert.equal(fragments.next, 1);
  assert.equal(fragments.add(half, 0), true);
  fragments.add(piece(11, 0, 6, 3, Buffer.from('def')), 0);
  assert.equal(fragments.take(0), undefined);
});

test('a message of another type, length or epoch takes the place of what was begun', () => {
  for (const [type, length, epoch] of [
    [12, 6, 0],
    [11, 7, 0],
    [11, 6, 1],
  ] as const) {
    const fragments = new HandshakeFragments();
    fragments.add(piece(11, 0, 6, 0, Buffer.from('abc')), 0);
    fragments.add(piece(type, 0, length, 3, Buffer.from('defg').subarray(0, length - 3)), epoch);
    assert.equal(fragments.take(0), undefined, 'not from the pieces of both');
    fragments.add(piece(type, 0, length, 0, Buffer.from('xyz')), epoch);
    assert.equal(fragments.take(0)?.body.toString('latin1', 0, 3), 'xyz');
  }
});

test('impossible pieces are passed over', () => {
  const fragments = new HandshakeFragments();
  fragments.add(piece(11, 0, 2, 1, Buffer.from('abc')), 0);
  fragments.add(piece(11, 0, 3, 0, Buffer.from('abc')).subarray(0, 14), 0);
  fragments.add(Buffer.alloc(5), 0);
  assert.equal(fragments.take(0), undefined);
});

test('a message that is too far ahead is not kept', () => {
  const fragments = new HandshakeFragments();
  for (let number = 0; number < 20; number++) fragments.add(piece(14, number, 0, 0, Buffer.alloc(0)), 0);
  assert.ok(fragments.take(7));
  assert.equal(fragments.take(8), undefined);
});

test('memory is bounded, whatever is announced', () => {
  const fragments = new HandshakeFragments();
  const before = process.memoryUsage().arrayBuffers;
  for (let number = 0; number < 0x1_0000; number += 1) {
    fragments.add(piece(11, number, 0xff_ffff, 0, Buffer.from('a')), 0);
    fragments.add(piece(12, number, 8_000 + (number % 100), 0, Buffer.from('a')), 0);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 << 20);
  // four begun messages of 8 kB fill it, and those that are finished make room
  fragments.advance(0x1_0000);
  fragments.advance(0);
  for (let number = 0; number < 4; number++) fragments.add(piece(11, number, 8_000, 0, Buffer.alloc(8_000)), 0);
  fragments.add(piece(11, 4, 8_000, 0, Buffer.alloc(8_000)), 0);
  assert.equal(fragments.take(4), undefined);
  assert.ok(fragments.take(0));
  fragments.add(piece(11, 4, 8_000, 0, Buffer.alloc(8_000)), 0);
  assert.ok(fragments.take(4));
});

test('law: any cut, any order, any repetition gives the message', () => {
  const cut = fc.record({
    body: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    cuts: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 100 }))),
    number: fc.integer({ min: 0, max: 7 }),
  });
  fc.assert(
    fc.property(cut, ({ body, cuts, number }) => {
      const fragments = new HandshakeFragments();
      const pieces = cuts.map(([share, size]) => {
        const from = Math.floor(share * body.length);
        return piece(16, number, body.length, from, body.subarray(from, from + size));
      });
      const come = new Set<number>();
      for (const [nth, bytes] of pieces.entries()) {
        fragments.add(bytes, 0);
        const from = Math.floor(cuts[nth]![0] * body.length);
        for (let at = from; at < Math.min(body.length, from + cuts[nth]![1]); at++) come.add(at);
        if (come.size === body.length) break;
        assert.equal(fragments.take(number), undefined);
      }
      if (come.size < body.length) fragments.add(piece(16, number, body.length, 0, body), 0);
      assert.deepEqual(fragments.take(number)?.body, body);
    }),
  );
});
