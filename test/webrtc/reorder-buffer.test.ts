import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReorderBuffer, type ReorderLimits } from '../../src/webrtc/reorder-buffer.ts';
import { extendSequence } from '../../src/webrtc/sequence.ts';
import { packet } from '../helpers/rtp.ts';

const LIMITS = { packets: 8, bytes: 100 };

/** A buffer from 10 on, and what it delivered: numbers, those behind a gap with a stroke in front. */
function buffer(limits: ReorderLimits = LIMITS, wait = 50, first = 10) {
  const out: string[] = [];
  const made = new ReorderBuffer(first, wait, limits, ({ payload }, gap) => {
    out.push(`${gap ? '|' : ''}${payload.readUInt32BE(0)}`);
  });
  const push = (number: number, now = 0, size = 4) => made.push(number, packet(payloadOf(number, size)), now);
  return { made, push, out };
}

function payloadOf(number: number, size = 4): Buffer {
  const payload = Buffer.alloc(size);
  payload.writeUInt32BE(number);
  return payload;
}

test('what comes in order passes at once', () => {
  const { push, out, made } = buffer();
  for (const number of [10, 11, 12]) push(number);
  assert.deepEqual(out, ['10', '11', '12']);
  assert.equal(made.held, 0);
  assert.equal(made.lost, 0);
});

test('what comes early waits for what is missing', () => {
  const { push, out } = buffer();
  for (const number of [10, 12, 13, 11, 14]) push(number);
  assert.deepEqual(out, ['10', '11', '12', '13', '14']);
});

test('what is missing is given up after the wait, counted from when it was passed over', () => {
  const { made, push, out } = buffer();
  push(10, 0);
  push(13, 100);
  push(12, 140);
  made.check(149);
  assert.deepEqual(out, ['10']);
  made.check(150);
  assert.deepEqual(out, ['10', '|12', '13']);
  assert.equal(made.lost, 1);
});

test('a packet that comes is reason enough to look at the time', () => {
  const { push, out } = buffer();
  push(10, 0);
  push(12, 0);
  push(13, 60);
  assert.deepEqual(out, ['10', '|12', '13']);
});

test('what comes twice or too late is refused', () => {
  const { made, push, out } = buffer();
  push(10);
  push(12);
  assert.equal(push(12), false);
  assert.equal(push(10), false);
  made.giveUp();
  assert.equal(push(11), false);
  assert.deepEqual(out, ['10', '|12']);
});

test('over the number of packets the oldest gap is given up', () => {
  const { made, push, out } = buffer();
  push(10);
  for (let number = 12; number <= 18; number++) push(number);
  assert.deepEqual(out, ['10']);
  push(19);
  assert.deepEqual(out, ['10', '|12', '13', '14', '15', '16', '17', '18', '19']);
  assert.equal(made.held, 0);
});

test('over the number of bytes, too', () => {
  const { made, push, out } = buffer();
  push(10);
  push(12, 0, 60);
  push(14, 0, 60);
  assert.deepEqual(out, ['10', '|12']);
  assert.equal(made.heldBytes, 60);
});

test('a long jump delivers what waits and goes on behind', () => {
  const { made, push, out } = buffer();
  for (const number of [10, 12, 5000]) push(number);
  assert.deepEqual(out, ['10', '|12']);
  push(4994);
  push(4993);
  made.giveUp();
  assert.deepEqual(out, ['10', '|12', '|4993', '4994', '|5000']);
  assert.equal(made.lost, 5000 - 10 + 1 - 5);
});

test('payloads that wait are its own', () => {
  const { made, out } = buffer();
  const lent = payloadOf(11);
  made.push(11, packet(lent), 0);
  lent.fill(0xff);
  made.push(10, packet(payloadOf(10)), 0);
  assert.deepEqual(out, ['10', '11']);
});

test('law: numbers rise; gaps are told; nothing that comes within the limits is lost; no more is held than allowed', () => {
  const step = fc.record({ number: fc.nat(60), size: fc.integer({ min: 4, max: 40 }), pass: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.constantFrom(4, 16, 64), (steps, packets) => {
      const limits = { packets, bytes: 200 };
      const delivered: number[] = [];
      let told = 0;
      const made = new ReorderBuffer(20, 50, limits, ({ payload }, gap) => {
        const number = payload.readUInt32BE(0);
        const expected = (delivered.at(-1) ?? 19) + 1;
        assert.ok(number >= expected, 'rises');
        assert.equal(gap, number > expected, 'gaps are told');
        told += number - expected;
        delivered.push(number);
      });
      const taken = new Map<number, number>();
      let now = 0;
      for (const { number, size, pass } of steps) {
        now += pass;
        made.check(now);
        if (made.push(number, packet(payloadOf(number, size)), now)) {
          assert.ok(!taken.has(number), 'none twice');
          taken.set(number, now);
        }
        assert.ok(made.held < packets && made.heldBytes <= limits.bytes);
        for (const [waiting, since] of taken) {
          assert.ok(delivered.includes(waiting) || now - since < 50, 'none waits too long');
        }
      }
      made.giveUp();
      assert.deepEqual(
        delivered,
        [...taken.keys()].sort((a, b) => a - b),
        'all that were taken',
      );
      assert.equal(made.lost, told);
      assert.deepEqual([made.held, made.heldBytes], [0, 0]);
    }),
  );
});

test('sequence numbers go on across the wrap, in both directions', () => {
  assert.equal(extendSequence(3, 0x1fffe), 0x20003);
  assert.equal(extendSequence(0xfffe, 0x20003), 0x1fffe);
  assert.equal(extendSequence(5, 5 + 7 * 0x10000), 5 + 7 * 0x10000);
});
