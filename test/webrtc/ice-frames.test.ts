import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeerError } from '../../src/base/errors.ts';
import { IceFrameReader, iceFrame, MAX_FRAME_BYTES } from '../../src/webrtc/ice-frames.ts';

function read(reader: IceFrameReader, bytes: Buffer): string[] {
  const frames: string[] = [];
  reader.feed(bytes);
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame.toString('hex'));
  return frames;
}

test('frames come back as they were written, however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 12 }),
      fc.array(fc.nat({ max: 90 }), { minLength: 1, maxLength: 12 }),
      (payloads, steps) => {
        const stream = Buffer.concat(payloads.map((bytes) => iceFrame(bytes, 0, bytes.length)));
        const reader = new IceFrameReader();
        const frames: string[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const step = 1 + steps[turn % steps.length]!;
          const piece = Buffer.from(stream.subarray(at, at + step));
          frames.push(...read(reader, piece));
          piece.fill(0xee);
          at += step;
        }
        assert.deepEqual(
          frames,
          payloads.map((bytes) => Buffer.from(bytes).toString('hex')),
        );
        assert.equal(reader.held, 0);
      },
    ),
  );
});

test('a frame is written from the middle of a larger memory', () => {
  const frame = iceFrame(Uint8Array.of(1, 2, 3, 4, 5), 1, 3);
  assert.equal(frame.toString('hex'), '0003020304');
});

test('empty frames are left out', () => {
  assert.deepEqual(read(new IceFrameReader(), Buffer.from('0000000000020102000000', 'hex')), ['0102']);
});

test('the largest frame passes, in one piece and in two; one byte more is refused before it has come', () => {
  const largest = iceFrame(Buffer.alloc(MAX_FRAME_BYTES, 7), 0, MAX_FRAME_BYTES);
  assert.equal(read(new IceFrameReader(), largest).length, 1);
  const halves = new IceFrameReader();
  assert.deepEqual(read(halves, largest.subarray(0, -1)), []);
  assert.equal(read(halves, largest.subarray(-1)).length, 1);
  const refused = (error: unknown) => error instanceof PeerError && error.code === 'webrtc/ice-tcp';
  const tooLong = Buffer.from([(MAX_FRAME_BYTES + 1) >> 8, (MAX_FRAME_BYTES + 1) & 0xff]);
  assert.throws(() => read(new IceFrameReader(), tooLong), refused);
  const later = new IceFrameReader();
  read(later, tooLong.subarray(0, 1));
  assert.throws(() => read(later, tooLong.subarray(1)), refused);
});
