/**
 * Families of hostile input from outside, one server for all of them: it stays up, nobody suffers, and nothing is left.
 *
 * Longer: `CASTGATE_HOSTILE_SCALE=10 CASTGATE_HOSTILE_SEED=7 node --test test/e2e/hostile.test.ts`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostileTown } from '../helpers/hostile-town.ts';
import { COMMANDS } from './hostile/commands.ts';
import { CROWDS } from './hostile/crowds.ts';
import { MEDIA } from './hostile/media.ts';
import { WIRE } from './hostile/wire.ts';

const SCALE = Number(process.env.CASTGATE_HOSTILE_SCALE ?? 1);
const SEED = Number(process.env.CASTGATE_HOSTILE_SEED ?? 1);
const FAMILIES = [...WIRE, ...COMMANDS, ...MEDIA, ...CROWDS];
/** In use above what it was: code that was compiled meanwhile, counters by name. */
const MAX_LIVE_GROWTH = 12 << 20;
/** Resident above what it was: the collector's young generation grows to 64 MiB, and freed pages stay with the process. */
const MAX_RESIDENT_GROWTH = 192 << 20;

test('hostile families', async (t) => {
  const town = await HostileTown.start(t, SEED, SCALE);
  await town.verify('before');
  const liveAtStart = await town.server.liveMemory();
  const start = await town.server.resident();
  let largest = 0;
  for (const family of FAMILIES) {
    await t.test(family.name, async (t) => {
      const before = town.connections;
      await family.run(town);
      await town.verify(family.name);
      await town.alone();
      const memory = await town.server.resident();
      largest = Math.max(largest, memory);
      t.diagnostic(`${town.connections - before} connections, then ${(memory / 2 ** 20).toFixed(0)} MiB resident`);
    });
  }
  const end = await town.server.resident();
  const live = (await town.server.liveMemory()) - liveAtStart;
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
  t.diagnostic(
    `${town.connections} hostile connections, seed ${SEED}; longest gap of the pair ${town.pair.longestGap.toFixed(0)} ms`,
  );
  t.diagnostic(`resident ${mebibytes(start)}, at most ${mebibytes(largest)}, at the end ${mebibytes(end)} MiB`);
  t.diagnostic(`in use ${mebibytes(liveAtStart)} MiB at the start, ${mebibytes(live)} MiB more at the end`);
  await town.pair.stop();
  await town.server.stop();
  assert.ok(live < MAX_LIVE_GROWTH, `memory in use grew by ${mebibytes(live)} MiB`);
  assert.ok(end - start < MAX_RESIDENT_GROWTH, `resident memory grew by ${mebibytes(end - start)} MiB`);
});
