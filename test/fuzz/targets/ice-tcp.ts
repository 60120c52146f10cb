/** What comes over a media connection. However it is cut, the same frames, the same refusal, and bounded memory. */
import assert from 'node:assert/strict';
import { PeerError } from '../../../src/base/errors.ts';
import { IceFrameReader, MAX_FRAME_BYTES } from '../../../src/webrtc/ice-frames.ts';
import type { FuzzTarget } from '../target.ts';

export const target: FuzzTarget = {
  name: 'ice-tcp',
  run(bytes) {
    const whole = read(bytes, bytes.length);
    for (const step of [1, 3, 7, 1460]) assert.deepEqual(read(bytes, step), whole);
  },
};

/** Reads `bytes` fed `step` at a time, each piece spoilt when it was read. */
function read(bytes: Buffer, step: number): readonly string[] {
  const reader = new IceFrameReader();
  const frames: string[] = [];
  try {
    for (let at = 0; at < bytes.length; at += step) {
      const piece = Buffer.from(bytes.subarray(at, at + step));
      reader.feed(piece);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame.toString('hex'));
      piece.fill(0xee);
      assert.ok(reader.held < 2 + MAX_FRAME_BYTES, `${reader.held} bytes held`);
    }
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    frames.push(`${error.code} ${error.message}`);
  }
  return frames;
}
