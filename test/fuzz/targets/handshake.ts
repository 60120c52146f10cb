/** The first bytes of a connection, to a server and, as if they came from one, to a client. */
import assert from 'node:assert/strict';
import { PeerError } from '../../../src/base/errors.ts';
import { ClientHandshake, type HandshakeStep, ServerHandshake } from '../../../src/rtmp/handshake.ts';
import type { FuzzTarget } from '../target.ts';

const random = (count: number) => Buffer.alloc(count, 0x5a);

interface Outcome {
  readonly reply: Buffer | undefined;
  readonly done: boolean;
  readonly rest: Buffer;
  readonly refusal: string | undefined;
}

export const target: FuzzTarget = {
  name: 'handshake',
  run(bytes) {
    const sides = [
      () => new ServerHandshake(random),
      () => new ClientHandshake(random, 'digest'),
      () => new ClientHandshake(random, 'simple'),
    ];
    for (const side of sides) assert.deepEqual(feed(side(), bytes, 1000), feed(side(), bytes, bytes.length));
  },
};

function feed(side: { feed(bytes: Buffer): HandshakeStep }, bytes: Buffer, step: number): Outcome {
  let reply: Buffer | undefined;
  try {
    for (let at = 0; at < bytes.length; at += step) {
      const { reply: now, done, rest } = side.feed(bytes.subarray(at, at + step));
      if (now !== undefined) {
        assert.equal(reply, undefined, 'one reply');
        reply = Buffer.from(now);
      }
      if (done) return { reply, done, rest: Buffer.concat([rest, bytes.subarray(at + step)]), refusal: undefined };
    }
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { reply, done: false, rest: Buffer.alloc(0), refusal: error.code };
  }
  return { reply, done: false, rest: Buffer.alloc(0), refusal: undefined };
}
