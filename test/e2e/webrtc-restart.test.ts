/**
 * Publishers come back, change what they send, and take over from themselves; what their viewers make of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBrowser, type RtcPage } from '../helpers/browser.ts';
import { startCastgate } from '../helpers/castgate.ts';
import { makeMedia, publish } from '../helpers/ffmpeg.ts';
import { until } from '../helpers/program.ts';
import { siteSettings } from '../helpers/site-settings.ts';
import { broadcasterKey, startVendorSite, viewerKey } from '../helpers/vendor-site.ts';

const WEB_KEY = 'restart-secret-19';

/** `count` more frames are decoded. */
async function goesOn(screen: RtcPage, count: number): Promise<void> {
  const { framesDecoded = 0 } = await screen.stats('viewer', 'video');
  await screen.decoded(framesDecoded + count);
}

/** What a session that is over says of its end. */
function lastWords(location: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  return until('the session is over', async () => {
    const answer = await fetch(location, { headers });
    return answer.status === 404 ? answer.text() : undefined;
  });
}

test('viewers see the publisher come back; another codec sends them away in words', {
  timeout: 60_000,
}, async (t) => {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0' } });
  const browser = await openBrowser(t);
  const at = (path: string) => `http://${server.address('http')}${path}`;
  const open = () => browser.page(at('/'));
  const [camera, again, one, two] = [await open(), await open(), await open(), await open()];
  const first = await camera.publish(at('/live/show/whip'), { codec: 'H264' });
  assert.equal(first.status, 201, first.problem);
  await server.session('publishing', 'show');
  const watched = [await one.watch(at('/live/show/whep')), await two.watch(at('/live/show/whep'))];
  const viewers = (await server.sessions()).filter(({ state }) => state === 'playing').map(({ id }) => id);
  assert.equal(viewers.length, 2);
  for (const screen of [one, two]) await goesOn(screen, 20);

  assert.equal((await again.publish(at('/live/show/whip'))).status, 409, 'somebody has the stream');
  assert.equal((await fetch(first.location, { method: 'DELETE' })).status, 200);
  const second = await again.publish(at('/live/show/whip'), { codec: 'H264', width: 480, height: 270 });
  assert.equal(second.status, 201, second.problem);
  for (const screen of [one, two]) await goesOn(screen, 60);

  const still = (await server.sessions()).filter(({ state }) => state === 'playing').map(({ id }) => id);
  assert.deepEqual(still, viewers, 'all in the same sessions');

  assert.equal((await fetch(second.location, { method: 'DELETE' })).status, 200);
  assert.equal((await camera.publish(at('/live/show/whip'), { codec: 'VP8' })).status, 201);
  for (const { location } of watched) assert.match(await lastWords(location), /another codec; play it again/);
  assert.equal((await one.watch(at('/live/show/whep'))).status, 201);
  await goesOn(one, 20);
  await server.stop();
});

test('the same key takes over, another does not, and viewers stay', { timeout: 60_000 }, async (t) => {
  const site = await startVendorSite({ webKey: WEB_KEY, channels: { bobchan: { post: 4, owner: 2 } } });
  t.after(() => site.stop());
  const [key, strange, view] = [broadcasterKey(WEB_KEY, 2, 4), broadcasterKey(WEB_KEY, 9, 4), viewerKey(WEB_KEY, 4)];
  const server = await startCastgate(t, {
    settings: { ...siteSettings('vw', site, WEB_KEY), 'http.listen': '127.0.0.1:0' },
    secrets: [WEB_KEY, key, strange, view],
  });
  const browser = await openBrowser(t);
  const at = (path: string) => `http://${server.address('http')}${path}`;
  const door = (user: number, its: string) => at(`/vw/bobchan/whip?channel_id=4&userID=${user}&key=${its}`);
  const open = () => browser.page(at('/'));
  const [camera, again, screen] = [await open(), await open(), await open()];
  const first = await camera.publish(door(2, key), { codec: 'H264' });
  assert.equal(first.status, 201, first.problem);
  await server.session('publishing', 'bobchan');
  const watched = await screen.watch(at(`/vw/bobchan/whep?channel_id=4&key=${view}`));
  assert.equal(watched.status, 201, watched.problem);
  await goesOn(screen, 20);
  assert.equal((await again.publish(door(9, strange))).status, 409);
  const second = await again.publish(door(2, key), { codec: 'H264' });
  assert.equal(second.status, 201, second.problem);
  assert.match(await lastWords(first.location), /took over/);
  await goesOn(screen, 60);
  assert.equal((await fetch(watched.location)).status, 204);
  assert.equal((await server.sessions()).length, 2);

  // by RTMP, too; its sound is AAC, and viewers go on hearing Opus
  const file = await makeMedia(t, 'h264-aac', { seconds: 20 });
  publish(t, file, server.url(`vw?bobchan&bobchan&${key}&1&2&videowhisper/bobchan`), '-re');
  assert.match(await lastWords(second.location), /took over/);
  await goesOn(screen, 60);
  assert.equal((await fetch(watched.location)).status, 204);
  const { hertz } = await screen.tone();
  assert.ok(Math.abs(hertz - 440) < 12, `${hertz} Hz`);
  await server.stop();
});
