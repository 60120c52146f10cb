/**
 * Browsers under the web site's control: let in by its keys, seen in its reports, thrown out by its orders.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Browser, openBrowser } from '../helpers/browser.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { makeMedia, publish } from '../helpers/ffmpeg.ts';
import { until } from '../helpers/program.ts';
import { siteSettings } from '../helpers/site-settings.ts';
import { broadcasterKey, startVendorSite, type VendorSite, viewerKey } from '../helpers/vendor-site.ts';

const WEB_KEY = 'browsers-secret-51';
const CHANNELS = { bobchan: { post: 4, owner: 2 } };
const BROADCASTER = broadcasterKey(WEB_KEY, 2, 4);
const VIEWER = viewerKey(WEB_KEY, 4);
const GUESS = broadcasterKey('guess', 2, 4);

/** As the vendor's pages write it: the door's name lands inside the query. */
const PUBLISH = `/vw/bobchan?channel_id=4&userID=2&key=${BROADCASTER}&transcoding=0/whip`;
const WATCH = `/vw/bobchan?channel_id=4&key=${VIEWER}/whep`;

async function controlled(t: TestContext): Promise<{
  readonly site: VendorSite;
  readonly server: Castgate;
  readonly browser: Browser;
  readonly at: (path: string) => string;
}> {
  const site = await startVendorSite({ webKey: WEB_KEY, channels: CHANNELS });
  const server = await startCastgate(t, {
    settings: { ...siteSettings('vw', site, WEB_KEY), 'http.listen': '127.0.0.1:0' },
    secrets: [WEB_KEY, BROADCASTER, VIEWER, GUESS],
  });
  t.after(() => site.stop());
  const browser = await openBrowser(t);
  return { site, server, browser, at: (path) => `http://${server.address('http')}${path}` };
}

/** Rows of `rtpsessions` in the first report for which `holds`. */
async function reported(
  site: VendorSite,
  what: string,
  holds: (rows: readonly Readonly<Record<string, string | number>>[]) => boolean,
): Promise<readonly Readonly<Record<string, string | number>>[]> {
  return until(what, async () => {
    for (const { rtpsessions } of await site.calls()) {
      const rows = rtpsessions ? Object.values(rtpsessions) : [];
      if (holds(rows)) return rows;
    }
    return undefined;
  });
}

test('keys let browsers in, the report shows them, orders send them away with words', {
  timeout: 120_000,
}, async (t) => {
  const { site, server, browser, at } = await controlled(t);
  const [camera, screen] = [await browser.page(at('/')), await browser.page(at('/'))];

  assert.equal((await camera.publish(at('/vw/bobchan/whip'))).status, 401);
  assert.equal((await camera.publish(at(PUBLISH.replace(BROADCASTER, GUESS)))).status, 403);
  assert.equal(
    (await camera.publish(at(PUBLISH.replace(BROADCASTER, VIEWER)))).status,
    403,
    'a viewer may not publish',
  );
  assert.equal((await screen.watch(at(WATCH))).status, 409, 'nothing is live yet');

  const sent = await camera.publish(at(PUBLISH), { codec: 'H264' });
  assert.equal(sent.status, 201, sent.problem);
  assert.equal((await screen.watch(at('/vw/bobchan/whep?channel_id=4&key=00'))).status, 403);
  const watched = await screen.watch(at(WATCH));
  assert.equal(watched.status, 201, watched.problem);
  await screen.decoded(20);

  const rows = await reported(site, 'both are reported', (found) => found.length === 2);
  const broadcaster = rows.find(({ streamPublish }) => streamPublish === 'true');
  const viewer = rows.find((row) => row !== broadcaster);
  const { runSeconds, TransferIn, TransferOut, TransferTotal, sessionId, ip, isWebRTC, ...facts } = broadcaster!;
  assert.deepEqual(facts, {
    streamName: 'bobchan',
    streamQuery: `channel_id=4&userID=2&key=${BROADCASTER}&transcoding=0`,
    streamPublish: 'true',
    streamPlay: 'false',
  });
  assert.match(String(sessionId), /^\d{1,10}$/);
  assert.equal(ip, '127.0.0.1');
  assert.equal(viewer!.streamPlay, 'true');

  await site.set({ disconnect: { [String(viewer!.sessionId)]: 'Your minutes are over' } });
  const why = await until('the viewer can learn why', async () => {
    const answer = await fetch(watched.location);
    return answer.status === 404 ? answer.text() : undefined;
  });
  assert.match(why, /Your minutes are over/);
  assert.equal((await server.sessions()).length, 1, 'an order ends nobody else');
  await site.set({ disconnect: { [String(sessionId)]: 'The channel closes' } });
  await until('nobody is left', async () => (await server.sessions()).length === 0);
  assert.match(await (await fetch(sent.location)).text(), /The channel closes/);
  await server.stop();
});

test('a bearer token may stand in for the key, and RTMP under the same name is refused meanwhile', {
  timeout: 60_000,
}, async (t) => {
  const { server, browser, at } = await controlled(t);
  const camera = await browser.page(at('/'));
  const sent = await camera.publish(at('/vw/bobchan/whip?channel_id=4&userID=2'), { token: BROADCASTER });
  assert.equal(sent.status, 201, sent.problem);
  await server.session('publishing', 'bobchan');
  assert.equal((await fetch(sent.location, { method: 'DELETE' })).status, 404, "the session is its maker's");
  const session = (await server.sessions())[0]!;
  assert.equal(session.protocol, 'webrtc');
  const file = await makeMedia(t, 'h264-aac', { seconds: 5 });
  const other = broadcasterKey(WEB_KEY, 9, 4);
  const intruder = await publish(t, file, server.url(`vw?bobchan&bobchan&${other}&1&9&videowhisper/bobchan`)).end();
  assert.notEqual(intruder.code, 0);
  const gone = await fetch(sent.location, { method: 'DELETE', headers: { authorization: `Bearer ${BROADCASTER}` } });
  assert.equal(gone.status, 200);
  await until('the session is over', async () => (await server.sessions()).length === 0);
  await server.stop();
});
