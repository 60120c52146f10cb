/** Clock: unwrapped times keep every step of the publisher's, across wraps, and wrapped again they are what came. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Timeline } from '../../src/rtmp/timeline.ts';

const WRAP = 2 ** 32;

test('times wrapped and unwrapped keep their distances, however often they wrap', () => {
  const step = fc.oneof(fc.integer({ min: -500, max: 5_000 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(fc.nat(WRAP - 1), fc.array(step, { maxLength: 50 }), (first, steps) => {
      const timeline = new Timeline();
      let truth = Math.max(first, 500 * 50);
      truth %= WRAP;
      assert.equal(timeline.unwrap(truth), truth);
      for (const each of steps) {
        // before the very beginning there is no time
        if (truth + each < 0) continue;
        truth += each;
        assert.equal(timeline.unwrap(truth % WRAP), truth);
      }
    }),
  );
});

test('whatever comes, the answer is a time that wraps to it, and never negative', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(WRAP - 1), { maxLength: 50 }), (timestamps) => {
      const timeline = new Timeline();
      for (const timestamp of timestamps) {
        const millis = timeline.unwrap(timestamp);
        assert.ok(millis >= 0 && Number.isSafeInteger(millis));
        assert.equal(millis % WRAP, timestamp);
      }
    }),
  );
});
