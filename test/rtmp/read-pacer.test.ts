import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { ReadPacer } from '../../src/rtmp/read-pacer.ts';

/** A clock whose loop is turned by hand, and on which only rests and work take time. */
function turned() {
  let now = 0;
  let next: (() => void) | undefined;
  const rests: number[] = [];
  const clock: Clock = {
    ...systemClock,
    now: () => now,
    soon(then) {
      next = then;
      return { cancel() {} };
    },
  };
  return {
    clock,
    rests,
    rest(millis: number) {
      rests.push(millis);
      now += millis;
    },
    /** One turn of the loop, in which work takes `millis`; false: nobody waits for it. */
    turn(millis: number): boolean {
      const then = next;
      next = undefined;
      now += millis;
      then?.();
      return then !== undefined;
    },
  };
}

test('rests between two looks once there are enough publishers, and stops with them', () => {
  const loop = turned();
  const pacer = new ReadPacer(loop.clock, 3, 2, loop.rest);
  pacer.join();
  assert.equal(loop.turn(1), false);
  pacer.join();
  assert.equal(loop.turn(1), true);
  assert.equal(loop.turn(2), true);
  assert.deepEqual(loop.rests, [2, 1]);
  pacer.leave();
  assert.equal(loop.turn(0), true);
  assert.equal(loop.turn(0), false);
  assert.deepEqual(loop.rests, [2, 1]);
  pacer.join();
  assert.equal(loop.turn(0), true);
  assert.deepEqual(loop.rests, [2, 1, 3]);
});

test('a loop that is busy for a whole beat does not rest', () => {
  const loop = turned();
  const pacer = new ReadPacer(loop.clock, 3, 1, loop.rest);
  pacer.join();
  loop.turn(5);
  loop.turn(2.9);
  assert.deepEqual(loop.rests, []);
  loop.turn(1);
  assert.deepEqual(loop.rests, [2]);
});

test('one beat at a time, however many join; period 0 never beats', () => {
  const loop = turned();
  const pacer = new ReadPacer(loop.clock, 3, 1, loop.rest);
  for (let i = 0; i < 5; i++) pacer.join();
  loop.turn(0);
  loop.turn(0);
  assert.equal(loop.rests.length, 2);
  const still = turned();
  new ReadPacer(still.clock, 0, 0, still.rest).join();
  assert.equal(still.turn(0), false);
});
