/**
 * Whole towns on virtual time: as many seeds as fit, the same ones first and new ones after them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaint, Tally } from './story.ts';
import { simulate } from './town.ts';

/** Seeds 1 to here, on every machine. */
const ALWAYS = 40;
/** Then new ones, for as long as this in all (ms). */
const TIME = 35_000;
const NEW_SEEDS = 1_000_000;

test('no town breaks a law', async (t) => {
  const begun = performance.now();
  const tally = new Tally();
  const live = async (seed: number) => {
    const outcome = await simulate(seed);
    tally.add(outcome);
    const wrong = complaint(outcome);
    if (wrong !== undefined) assert.fail(wrong);
  };
  for (let seed = 1; seed <= ALWAYS; seed++) await live(seed);
  const first = NEW_SEEDS + (Date.now() % NEW_SEEDS);
  let seed = first;
  while (performance.now() - begun < TIME) await live(seed++);
  t.diagnostic(`seeds 1 to ${ALWAYS} and ${first} to ${seed - 1}; ${tally}`);
  for (const what of ['messages', 'yes', 'no', 'logouts', 'reports', 'orders', 'kills', 'stops']) {
    assert.ok(tally.sum(what) > 10, `there is life in the towns: ${what}`);
  }
});

test('the same seed is the same town', async () => {
  assert.deepEqual(await simulate(7), await simulate(7));
});
