/**
 * Browsers where no UDP comes through, and browsers that begin ICE anew under way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBrowser, type RtcPage } from '../helpers/browser.ts';
import { startCastgate } from '../helpers/castgate.ts';
import { until } from '../helpers/program.ts';

/** `count` more frames are decoded. */
async function goesOn(screen: RtcPage, count: number): Promise<void> {
  const { framesDecoded = 0 } = await screen.stats('viewer', 'video');
  await screen.decoded(framesDecoded + count);
}

test('over TCP alone, in and out', { timeout: 60_000 }, async (t) => {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0', 'webrtc.listen': '' } });
  const browser = await openBrowser(t);
  const at = (path: string) => `http://${server.address('http')}${path}`;
  const [camera, screen] = [await browser.page(at('/')), await browser.page(at('/'))];
  const sent = await camera.publish(at('/live/show/whip'), { codec: 'H264' });
  assert.equal(sent.status, 201, sent.problem);
  assert.doesNotMatch(sent.answer, / udp /);
  await server.session('publishing', 'show');
  const watched = await screen.watch(at('/live/show/whep'));
  assert.equal(watched.status, 201, watched.problem);
  await goesOn(screen, 90);
  assert.equal((await camera.pair('publisher'))?.local.protocol, 'tcp');
  assert.equal((await screen.pair('viewer'))?.local.protocol, 'tcp');
  const { packetsLost, nackCount } = await screen.stats('viewer', 'video');
  assert.deepEqual([packetsLost, nackCount], [0, 0]);
  const { decibels } = await screen.tone();
  assert.ok(decibels > -60, `${decibels} dB`);
  await server.stop();
});

test('ICE begins anew by PATCH, twice on either leg, and media goes on', { timeout: 60_000 }, async (t) => {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0' } });
  const browser = await openBrowser(t);
  const at = (path: string) => `http://${server.address('http')}${path}`;
  const [camera, screen] = [await browser.page(at('/')), await browser.page(at('/'))];
  const sent = await camera.publish(at('/live/show/whip'), { codec: 'H264' });
  assert.equal(sent.status, 201, sent.problem);
  await server.session('publishing', 'show');
  const watched = await screen.watch(at('/live/show/whep'));
  assert.equal(watched.status, 201, watched.problem);
  await goesOn(screen, 20);
  const before = await server.sessions();
  const tags = new Set<string>();
  for (const [page, which, location] of [
    [camera, 'publisher', sent.location],
    [screen, 'viewer', watched.location],
    [camera, 'publisher', sent.location],
    [screen, 'viewer', watched.location],
  ] as const) {
    const old = (await page.pair(which))!.remote.usernameFragment;
    const { status, problem, etag } = await page.restart(which, location);
    assert.equal(status, 200, problem);
    tags.add(etag);
    await until(`the ${which} uses new credentials`, async () => {
      const now = (await page.pair(which))?.remote.usernameFragment;
      return now !== undefined && now !== old;
    });
    await goesOn(screen, 60);
  }
  assert.equal(tags.size, 4);
  assert.deepEqual(
    (await server.sessions()).map(({ id }) => id),
    before.map(({ id }) => id),
  );
  const { nackCount, packetsLost } = await screen.stats('viewer', 'video');
  assert.deepEqual([nackCount, packetsLost], [0, 0]);
  await server.stop();
});
