/**
 * Whole towns on virtual time, the same seeds each time: a build must not turn red for what it did not change. New seeds are for
 * `npm run sim -- --minutes 10`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaint, Tally } from './story.ts';
import { simulate } from './town.ts';

/** Seeds 1 to here. */
const TOWNS = 100;

test('no town breaks a law', async (t) => {
  const tally = new Tally();
  const live = async (seed: number) => {
    const outcome = await simulate(seed);
    tally.add(outcome);
    const wrong = complaint(outcome);
    if (wrong !== undefined) assert.fail(wrong);
  };
  for (let seed = 1; seed <= TOWNS; seed++) await live(seed);
  t.diagnostic(`seeds 1 to ${TOWNS}; ${tally}`);
  for (const what of ['messages', 'yes', 'no', 'logouts', 'reports', 'orders', 'kills', 'stops']) {
    assert.ok(tally.sum(what) > 10, `there is life in the towns: ${what}`);
  }
});

test('the same seed is the same town', async () => {
  assert.deepEqual(await simulate(7), await simulate(7));
});
