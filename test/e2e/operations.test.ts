/**
 * What an operator does to a running server: signals, other settings, ending a session.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startCastgate } from '../helpers/castgate.ts';
import { makeMedia, play, publish } from '../helpers/ffmpeg.ts';
import { LightClient } from '../helpers/light-client.ts';
import { until } from '../helpers/program.ts';
import { siteSettings } from '../helpers/site-settings.ts';
import { startVendorSite, viewerKey } from '../helpers/vendor-site.ts';

const WEB_KEY = 'operations-secret';
const NO_APPLICATION = /there is no such application/;

async function configFile(t: TestContext, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'castgate-config-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'castgate.yml');
  await writeFile(file, text);
  return file;
}

test('DELETE ends a real encoder and a real player, and both show the reason', async (t) => {
  const server = await startCastgate(t);
  const url = server.url('live/show');
  const encoder = publish(t, await makeMedia(t, 'h264-bframes-aac', { seconds: 30 }), url, '-re');
  const broadcaster = await server.session('publishing', 'show');
  const player = play(t, url);
  const viewer = await server.session('playing', 'show');
  const end = (id: string, reason: string) =>
    server.api(`/v1/sessions/${id}?reason=${encodeURIComponent(reason)}`, 'DELETE');
  await end(viewer.id, 'Seats are taken');
  assert.match((await player.end()).stderr, /Seats are taken/);
  assert.ok(encoder.running);
  await end(broadcaster.id, 'The hall closes');
  assert.match((await encoder.end()).stderr, /The hall closes/);
  await until('both are gone', async () => (await server.sessions()).length === 0);
  await server.stop();
});

test('SIGTERM: everybody is told, all logouts are delivered, exit code 0', async (t) => {
  const site = await startVendorSite({ webKey: WEB_KEY, channels: { lobby: { post: 7, owner: 3 } } });
  t.after(() => site.stop());
  const server = await startCastgate(t, {
    settings: { ...siteSettings('vw', site, WEB_KEY), 'applications.free.acceptPlayers': 'true' },
    secrets: [WEB_KEY, viewerKey(WEB_KEY, 7)],
  });
  const file = await makeMedia(t, 'h264-bframes-aac', { seconds: 30 });
  const encoder = publish(t, file, server.url('free/show'), '-re');
  await server.session('publishing', 'show');
  const player = play(t, server.url('free/show'));
  const names = ['ann', 'bob', 'cy'];
  const viewers = names.map((name) =>
    new LightClient(t, 'play', server.url(`vw?${name}&lobby&${viewerKey(WEB_KEY, 7)}&0`), 'show').begun(),
  );
  await Promise.all(viewers);
  await until(
    'all play',
    async () => (await server.sessions()).filter(({ state }) => state === 'playing').length === 4,
  );

  await server.stop('SIGTERM');
  for (const program of [encoder, player]) {
    assert.match((await program.end()).stderr, /shutting down/, program.command);
  }
  for (const viewer of viewers) assert.match((await viewer).refusal ?? '', /shutting down/);
  assert.deepEqual(await site.sessions(), []);
  const logouts = (await site.calls()).filter(({ task }) => task === 'rtmp_logout');
  // one in front of each login, one behind
  assert.equal(logouts.length, 2 * names.length);
});

test('a second signal forces the end', async (t) => {
  const site = await startVendorSite({ webKey: WEB_KEY, channels: { lobby: { post: 7, owner: 3 } } });
  t.after(() => site.stop());
  const server = await startCastgate(t, { settings: siteSettings('vw', site, WEB_KEY), secrets: [WEB_KEY] });
  await new LightClient(t, 'play', server.url(`vw?ann&lobby&${viewerKey(WEB_KEY, 7)}&0`), 'show').begun();
  await site.set({ delay: 60_000 });
  server.program.kill('SIGTERM');
  await server.logged('that it leaves', ({ msg }) => msg.startsWith('shutting down'));
  // two signals within a tenth of a second are one
  await new Promise((resolve) => setTimeout(resolve, 300));
  server.program.kill('SIGTERM');
  const { code } = await server.program.end();
  server.check();
  assert.equal(code, 143);
});

test('SIGHUP: good settings are taken, broken ones leave the old in force, nobody is disconnected', async (t) => {
  const file = await configFile(t, 'applications:\n  first: {}\n');
  const server = await startCastgate(t, { configFile: file });
  const inside = await new LightClient(t, 'play', server.url('first'), 'show').begun();
  const refusal = async (app: string) => {
    const peer = new LightClient(t, 'play', server.url(app), 'show');
    return until(`an answer for ${app}`, () => peer.refusal ?? (peer.ready && 'let in'));
  };
  assert.match(await refusal('second'), NO_APPLICATION);

  await writeFile(file, 'applications:\n  second: {}\nrmtp: {}\n');
  server.program.kill('SIGHUP');
  const told = await server.logged('that the file is broken', ({ code }) => code === 'config/reload');
  assert.match(JSON.stringify(told.faults), /rmtp/);
  assert.match(await refusal('second'), NO_APPLICATION);
  assert.equal(await refusal('first'), 'let in');

  await writeFile(file, 'applications:\n  second: {}\n');
  server.program.kill('SIGHUP');
  await server.logged('that the settings are new', ({ msg }) => msg === 'settings read again');
  assert.equal(await refusal('second'), 'let in');
  assert.match(await refusal('first'), NO_APPLICATION);
  assert.ok(!inside.closed);
  await server.stop();
});
