/**
 * Lets towns live: node test/sim/run.ts [--seed N] [--seeds COUNT] [--minutes M]
 * One town, so many in a row, or for so long. Stops at the first that breaks a law, and tells what happened there.
 */
import { parseArgs } from 'node:util';
import { complaint, Tally } from './story.ts';
import { simulate } from './town.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
  },
});
const first = Number(values.seed);
const count =
  values.seeds === undefined ? (values.minutes === undefined ? 1 : Number.POSITIVE_INFINITY) : Number(values.seeds);
const end =
  performance.now() + (values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000);
if (!Number.isSafeInteger(first) || Number.isNaN(count) || Number.isNaN(end)) {
  console.error('usage: npm run sim -- [--seed N] [--seeds COUNT] [--minutes M]');
  process.exit(2);
}
const tally = new Tally();
for (let seed = first; seed < first + count && performance.now() < end; seed++) {
  const outcome = await simulate(seed);
  tally.add(outcome);
  const wrong = complaint(outcome);
  if (wrong === undefined) continue;
  console.error(wrong);
  process.exitCode = 1;
  break;
}
console.log(`seed ${first} and on, ${tally}`);
