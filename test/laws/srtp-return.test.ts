/**
 * Return: what was protected comes back as it was, once, whatever the order within the window; and no bytes make a receiver throw.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REPLAY_WINDOW } from '../../src/webrtc/replay-window.ts';
import { SrtcpReceiver, SrtcpSender } from '../../src/webrtc/srtcp.ts';
import { SrtpReceiver } from '../../src/webrtc/srtp-receiver.ts';
import { SrtpSender } from '../../src/webrtc/srtp-sender.ts';
import { masterOf, PROFILES, rtcpPacket, rtpPacket } from '../helpers/srtp.ts';

const profile = fc.constantFrom(...PROFILES);
const payload = fc.uint8Array({ maxLength: 1400 }).map((bytes) => Buffer.from(bytes));
const ROUND = 0x1_0000;

test('return: packets in any order, lost, doubled and wrapped, come back once', () => {
  const run = fc.record({
    profile,
    // steps forward up to half a round; below zero: late
    steps: fc.array(fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: 1, max: 32_000 })), {
      maxLength: 60,
    }),
    first: fc.integer({ min: 0, max: 65_535 }),
    payload,
  });
  fc.assert(
    fc.property(run, ({ profile: name, steps, first, payload: bytes }) => {
      const sender = new SrtpSender(name, masterOf(name));
      const receiver = new SrtpReceiver(name, masterOf(name));
      const seen = new Set<number>();
      let highest = first;
      let index = first;
      for (const step of [0, ...steps]) {
        index = Math.max(0, index + step);
        const plain = rtpPacket(5, index % ROUND, bytes);
        const out = Buffer.alloc(plain.length + sender.trailer);
        sender.protectInto(out, plain, index);
        const fresh = !seen.has(index) && index > highest - REPLAY_WINDOW;
        const back = receiver.unprotect(out);
        if (fresh) assert.deepEqual(back, plain, `index ${index}`);
        else assert.equal(back, undefined, `index ${index} again`);
        seen.add(index);
        highest = Math.max(highest, index);
      }
    }),
  );
});

test('return: compound packets come back', () => {
  fc.assert(
    fc.property(profile, fc.array(fc.string({ maxLength: 300 }), { maxLength: 20 }), (name, rests) => {
      const sender = new SrtcpSender(name, masterOf(name));
      const receiver = new SrtcpReceiver(name, masterOf(name));
      for (const rest of rests) {
        const plain = rtcpPacket(9, rest);
        assert.deepEqual(receiver.unprotect(sender.protect(plain)), plain);
      }
    }),
  );
});

test('calm: no bytes are taken for a packet, and none make a receiver throw', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((any) => Uint8Array.from([0x80 | (any[0]! & 0x3f), ...any])),
  );
  fc.assert(
    fc.property(profile, bytes, (name, any) => {
      assert.equal(new SrtpReceiver(name, masterOf(name)).unprotect(Buffer.from(any)), undefined);
      assert.equal(new SrtcpReceiver(name, masterOf(name)).unprotect(Buffer.from(any)), undefined);
    }),
    { numRuns: 2000 },
  );
});
