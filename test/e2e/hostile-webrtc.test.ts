/**
 * Families of hostile input against the doors of WebRTC, one server for all of them: it stays up, nobody suffers, and nothing is left.
 *
 * Longer: `CASTGATE_HOSTILE_SCALE=10 CASTGATE_HOSTILE_SEED=7 node --test test/e2e/hostile-webrtc.test.ts`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostileStudio } from '../helpers/hostile-studio.ts';
import { until } from '../helpers/program.ts';
import { INSIDE } from './hostile/webrtc-inside.ts';
import { OFFERS } from './hostile/webrtc-offers.ts';
import { PORT } from './hostile/webrtc-port.ts';
import { SESSIONS } from './hostile/webrtc-sessions.ts';
import { SIGNALS } from './hostile/webrtc-signals.ts';

const SCALE = Number(process.env.CASTGATE_HOSTILE_SCALE ?? 1);
const SEED = Number(process.env.CASTGATE_HOSTILE_SEED ?? 1);
const FAMILIES = [...OFFERS, ...PORT, ...SIGNALS, ...SESSIONS, ...INSIDE];
const WEB_KEY = 'hostile-web-key-93';
/** In use above what it was: code that was compiled meanwhile, counters by name, last words for a minute. */
const MAX_LIVE_GROWTH = 16 << 20;
/** Resident above what it was: the collector's young generation grows to 64 MiB, and freed pages stay with the process. */
const MAX_RESIDENT_GROWTH = 192 << 20;

test('hostile families of WebRTC', async (t) => {
  const studio = await HostileStudio.start(t, SEED, SCALE, WEB_KEY);
  await studio.verify('before');
  const liveAtStart = await studio.server.liveMemory();
  const start = await studio.server.resident();
  const descriptors = await studio.descriptors();
  for (const family of FAMILIES) {
    await t.test(family.name, async (t) => {
      const told = await family.run(studio);
      await studio.verify(family.name);
      await studio.alone();
      await until('the descriptors are back', async () => (await studio.descriptors()) <= descriptors + 4);
      t.diagnostic(`${told}; then ${mebibytes(await studio.server.resident())} MiB resident`);
    });
  }
  const end = await studio.server.resident();
  const live = (await studio.server.liveMemory()) - liveAtStart;
  const { pair, screening, longestAnswer } = studio;
  t.diagnostic(
    `seed ${SEED}; longest gap of the pairs ${pair.longestGap.toFixed(0)} and ${screening.longestGap.toFixed(0)} ms`,
  );
  t.diagnostic(`longest answer ${longestAnswer.toFixed(0)} ms`);
  t.diagnostic(
    `resident ${mebibytes(start)} MiB at the start, ${mebibytes(end)} at the end; in use ${mebibytes(live)} more`,
  );
  await studio.stop();
  assert.ok(live < MAX_LIVE_GROWTH, `memory in use grew by ${mebibytes(live)} MiB`);
  assert.ok(end - start < MAX_RESIDENT_GROWTH, `resident memory grew by ${mebibytes(end - start)} MiB`);
});

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
