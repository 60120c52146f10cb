/**
 * Streams that browsers cannot show reach a browser, where the settings have them re-encoded.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openBrowser } from '../helpers/browser.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { makeMedia, publish } from '../helpers/ffmpeg.ts';
import { run, until } from '../helpers/program.ts';

const SETTINGS = { 'http.listen': '127.0.0.1:0', 'applications.live.webRtcReencode': 'auto' };

/** Encoders that the server has started. */
async function children(t: TestContext, server: Castgate): Promise<readonly string[]> {
  // with itself in it, as an empty list is no success
  const { stdout } = await run(t, 'ps', ['-o', 'pid=,args=', '--ppid', `${server.pid},${process.pid}`]);
  return stdout.split('\n').filter((line) => line.includes('-f matroska'));
}

test('B-frames over RTMP: a browser shows and hears them, by one ffmpeg for all', { timeout: 120_000 }, async (t) => {
  const server = await startCastgate(t, { settings: SETTINGS });
  const browser = await openBrowser(t);
  const at = (path: string) => `http://${server.address('http')}${path}`;
  publish(t, await makeMedia(t, 'h264-bframes-aac', { seconds: 60 }), server.url('live/show'), '-re');
  await server.session('publishing', 'show');
  await server.logged('that it has B-frames', ({ code }) => code === 'stream/b-frames');
  assert.deepEqual(await children(t, server), [], 'while nobody watches');

  const [screen, other] = [await browser.page(at('/')), await browser.page(at('/'))];
  const watched = await screen.watch(at('/live/show/whep'));
  assert.equal(watched.status, 201, watched.problem);
  const first = await screen.decoded(30);
  const second = await other.watch(at('/live/show/whep'));
  assert.equal(second.status, 201, second.problem);
  await other.decoded(30);
  const later = await screen.decoded(Number(first['framesDecoded']) + 75);
  const since = (name: string) => Number(later[name]) - Number(first[name]);
  assert.ok(since('framesReceived') - since('framesDecoded') <= 3, 'all that come are decoded');
  assert.equal(since('pliCount'), 0);
  assert.ok(since('totalFreezesDuration') < 0.5, `frozen for ${since('totalFreezesDuration')} s`);
  assert.ok((await screen.presented()).length > 60);
  const { hertz, decibels } = await screen.tone();
  assert.ok(decibels > -60, `${decibels} dB`);
  assert.ok(Math.abs(hertz - 440) < 12, `${hertz} Hz`);
  assert.equal((await children(t, server)).length, 1);

  await fetch(watched.location, { method: 'DELETE' });
  await fetch(second.location, { method: 'DELETE' });
  await until('ffmpeg has gone', async () => (await children(t, server)).length === 0);
  await screen.goto(at('/'));
  await screen.watch(at('/live/show/whep'));
  await screen.decoded(10);
  assert.equal((await children(t, server)).length, 1, 'another viewer, another process');
  const pid = Number.parseInt((await children(t, server))[0]!, 10);
  await server.stop();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('without ffmpeg it says so at the start, and refuses as ever', { timeout: 60_000 }, async (t) => {
  const file = await makeMedia(t, 'h264-bframes-aac', { seconds: 30 });
  const empty = mkdtempSync(join(tmpdir(), 'castgate-path-'));
  t.after(() => rmSync(empty, { recursive: true, force: true }));
  const server = await startCastgate(t, { settings: SETTINGS, env: { PATH: empty } });
  const { msg } = await server.logged('what is missing', ({ code }) => code === 'media/encoder');
  assert.match(msg, /Install ffmpeg/);
  publish(t, file, server.url('live/show'), '-re');
  await server.session('publishing', 'show');
  const browser = await openBrowser(t);
  const screen = await browser.page(`http://${server.address('http')}/`);
  await server.logged('that it has B-frames', ({ code }) => code === 'stream/b-frames');
  const { status, problem } = await screen.watch(`http://${server.address('http')}/live/show/whep`);
  assert.equal(status, 422);
  assert.match(problem, /-bf 0/);
});
