/**
 * Pages that were written for Wowza, in a real browser: both dialects, on both ports, with the names of the vendor's scripts.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Browser, openBrowser, type RtcPage } from '../helpers/browser.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { run, until } from '../helpers/program.ts';
import { siteSettings } from '../helpers/site-settings.ts';
import { broadcasterKey, startVendorSite, type VendorSite, viewerKey } from '../helpers/vendor-site.ts';
import { openWowzaPage, type WowzaPage } from '../helpers/wowza.ts';

const WEB_KEY = 'wowza-secret-73';
const BROADCASTER = broadcasterKey(WEB_KEY, 2, 4);
const VIEWER = viewerKey(WEB_KEY, 4);
const GUESS = viewerKey('guess', 4);
const PUBLISH = `bobchan?channel_id=4&userID=2&key=${BROADCASTER}&ip=127.0.0.1&transcoding=0`;
const PLAY = `bobchan?channel_id=4&userID=3&key=${VIEWER}&ip=127.0.0.1`;

interface Stage {
  readonly server: Castgate;
  readonly browser: Browser;
  readonly site: VendorSite;
  /** A page whose socket is on this port. */
  readonly page: (door: 'http' | 'rtmp') => Promise<WowzaPage>;
}

/** Application `vw` is controlled, all others are open. */
async function stage(t: TestContext): Promise<Stage> {
  const site = await startVendorSite({ webKey: WEB_KEY, channels: { bobchan: { post: 4, owner: 2 } } });
  t.after(() => site.stop());
  const server = await startCastgate(t, {
    settings: {
      ...siteSettings('vw', site, WEB_KEY),
      'applications.open.gopCache': 'true',
      'http.listen': '127.0.0.1:0',
    },
    secrets: [WEB_KEY, BROADCASTER, VIEWER, GUESS],
  });
  const browser = await openBrowser(t);
  const page = (door: 'http' | 'rtmp') => {
    const socket = `ws://${server.address(door)}/webrtc-session.json`;
    return openWowzaPage(browser, `http://${server.address('http')}/`, socket);
  };
  return { server, browser, site, page };
}

/** The picture goes on. */
async function goesOn(screen: RtcPage): Promise<void> {
  const { framesDecoded } = await screen.decoded(20);
  await screen.decoded(Number(framesDecoded) + 30);
}

for (const [door, codec] of [
  ['http', 'H264'],
  ['rtmp', 'VP8'],
] as const) {
  test(`classic, ${codec}, by the port of ${door}, under control`, { timeout: 60_000 }, async (t) => {
    const { server, page } = await stage(t);
    const [camera, screen] = [await page(door), await page(door)];

    const early = await screen.play('vw', PLAY);
    assert.equal(early.status, 502);
    assert.equal(early.command, 'getOffer');
    assert.equal((await camera.publish('vw', PUBLISH.replace(BROADCASTER, GUESS))).status, 403);
    assert.equal((await camera.publish('vw', 'bobchan')).status, 403);

    const sent = await camera.publish('vw', PUBLISH, { codec });
    assert.equal(sent.status, 200, sent.statusDescription);
    const { sessionId, ...names } = sent.streamInfo;
    assert.deepEqual(names, { applicationName: 'vw/_definst_', streamName: PUBLISH });
    assert.match(sessionId, /^\d+$/);
    assert.deepEqual([sent.direction, sent.command, sent.sdp!.type], ['publish', 'sendOffer', 'answer']);
    assert.ok(sent.iceCandidates!.length > 0);
    assert.match(sent.offer, /b=AS:900\na=framerate/, 'the offer is one that was tampered with');
    assert.equal(sent.offer.match(/^a=fmtp:/gm)?.length, codec === 'H264' ? 4 : 3);

    await server.session('publishing', 'bobchan');
    assert.equal((await screen.play('vw', PLAY.replace(VIEWER, GUESS))).status, 403);
    const played = await screen.play('vw', PLAY);
    assert.equal(played.status, 200, played.statusDescription);
    assert.equal(played.command, 'sendResponse');
    assert.notEqual(played.streamInfo.sessionId, sessionId);
    await goesOn(screen.rtc);
    const { decibels } = await screen.rtc.tone();
    assert.ok(decibels > -60, `${decibels} dB`);

    assert.equal((await screen.available('vw', PLAY)).status, 403, 'what is live is not for everybody');
    await server.stop();
  });
}

test('classic, open to all: who is live is listed', { timeout: 60_000 }, async (t) => {
  const { page, server } = await stage(t);
  const [camera, screen] = [await page('http'), await page('rtmp')];
  assert.equal((await screen.available('open')).availableStreams, null);
  assert.equal((await camera.publish('open', 'show')).status, 200);
  const streams = await until('its picture is there', async () => {
    const { availableStreams } = await screen.available('open');
    return availableStreams?.some(({ readyVideo }) => readyVideo) ? availableStreams : undefined;
  });
  assert.deepEqual(streams, [
    { streamName: 'show', readyAudio: true, readyVideo: true, codecAudio: 'opus', codecVideo: 'h264' },
  ]);
  assert.equal((await screen.play('open/_definst_', 'show')).status, 200);
  await goesOn(screen.rtc);
  const url = server.url('open/show');
  await run(t, 'ffmpeg', ['-nostdin', '-v', 'error', '-i', url, '-frames:v', '10', '-f', 'null', '-']);
  await server.stop();
});

test('v2 under control: publish, view, restart of ICE on both legs, last words', { timeout: 60_000 }, async (t) => {
  const { server, site, page } = await stage(t);
  const [camera, screen] = [await page('rtmp'), await page('http')];
  assert.equal((await screen.v2('viewer', 'vw', PLAY)).statusCode, 502);
  assert.equal((await camera.v2('publisher', 'vw', PUBLISH.replace(BROADCASTER, GUESS))).statusCode, 403);
  const sent = await camera.v2('publisher', 'vw', PUBLISH, { codec: 'H264' });
  assert.equal(sent.statusCode, 200, sent.statusDescription);
  await server.session('publishing', 'bobchan');
  const viewed = await screen.v2('viewer', 'vw', PLAY);
  assert.equal(viewed.statusCode, 200, viewed.statusDescription);
  assert.ok(viewed.candidates.every(({ messageType }) => messageType === 'CANDIDATE'));
  await goesOn(screen.rtc);

  for (const [side, which] of [
    [camera, 'publisher'],
    [screen, 'viewer'],
  ] as const) {
    const before = side === camera ? sent : viewed;
    const again = await side.restart(which);
    assert.equal(again.statusCode, 200, again.statusDescription);
    assert.equal(again.message!.connectionId, before.message!.connectionId);
    assert.notEqual(ufragOf(again.message!.sdp), ufragOf(before.message!.sdp));
    await until(`the ${which} uses its new credentials`, async () => {
      const pair = await side.rtc.pair(which);
      return pair?.remote.usernameFragment === ufragOf(again.message!.sdp);
    });
    await goesOn(screen.rtc);
  }

  const why = screen.ended('viewer');
  await site.set({ disconnect: { [viewed.message!.connectionId]: 'Your minutes are over' } });
  assert.match(await why, /Your minutes are over/);
  await server.stop();
});

test('a player is held while its stream starts, and told apart when it does not', { timeout: 60_000 }, async (t) => {
  const { server, page } = await stage(t);
  const [camera, screen] = [await page('http'), await page('http')];
  const offer: string = await camera.rtc.page.evaluate(
    `rtc.camera({ codec: 'H264' }).then((pc) => pc.setLocalDescription()).then(() => publisher.localDescription.sdp)`,
  );
  const post = () =>
    fetch(`http://${server.address('http')}/open/show/whip`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: offer,
    });
  const slow = await post();
  assert.equal(slow.status, 201);
  assert.equal((await screen.play('open', 'show')).status, 502, 'it never began');
  assert.equal(
    (await screen.play('open', 'show', { user: 'ann' })).status,
    504,
    "the vendor's page asks again by itself",
  );

  let answered = false;
  const held = screen.play('open', 'show').finally(() => {
    answered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(answered, false);
  const sdp = await slow.text();
  await camera.rtc.page.evaluate(`publisher.setRemoteDescription(${JSON.stringify({ type: 'answer', sdp })})`);
  assert.equal((await held).status, 200);
  await goesOn(screen.rtc);
  await server.stop();
});

function ufragOf(sdp: string): string | undefined {
  return /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
}
