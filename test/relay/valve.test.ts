import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Valve, type ValveLimits } from '../../src/relay/valve.ts';

const LIMITS: ValveLimits = { highBytes: 100, lowBytes: 20, hardBytes: 200, stallMillis: 1_000 };

/** Each step: `k` key or `d` delta, the bytes waiting, and whether it may pass. */
const RUNS: readonly [name: string, steps: readonly (readonly ['k' | 'd', number, boolean])[]][] = [
  [
    'nobody begins in mid-run',
    [
      ['d', 0, false],
      ['d', 0, false],
      ['k', 0, true],
      ['d', 0, true],
    ],
  ],
  [
    'a queue up to the high mark is no jam',
    [
      ['k', 0, true],
      ['d', 100, true],
      ['d', 101, false],
    ],
  ],
  [
    'after a jam: not before a key frame, however empty the queue',
    [
      ['k', 0, true],
      ['d', 101, false],
      ['d', 0, false],
      ['k', 0, true],
      ['d', 100, true],
    ],
  ],
  [
    'after a jam: not at a key frame, before the queue has drained',
    [
      ['k', 0, true],
      ['d', 101, false],
      ['k', 21, false],
      ['d', 0, false],
      ['k', 20, true],
    ],
  ],
  [
    'a key frame that finds a jam shuts it as well',
    [
      ['k', 0, true],
      ['k', 101, false],
      ['d', 0, false],
    ],
  ],
];

for (const [name, steps] of RUNS) {
  test(name, () => {
    const valve = new Valve();
    for (const [unit, queued, passes] of steps) {
      assert.equal(valve.admits(unit === 'k', queued, LIMITS), passes, `${unit} with ${queued} waiting`);
      assert.equal(valve.open, passes);
    }
  });
}

test('shut from outside, it waits for a key frame', () => {
  const valve = new Valve();
  assert.equal(valve.admits(true, 0, LIMITS), true);
  valve.shut();
  assert.equal(valve.admits(false, 0, LIMITS), false);
  assert.equal(valve.admits(true, 0, LIMITS), true);
});
