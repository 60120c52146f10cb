/**
 * The page of the server and its elements, in a real browser that keeps to their policies.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type BrowserOptions, openBrowser } from '../helpers/browser.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { makeMedia, publish } from '../helpers/ffmpeg.ts';
import { until } from '../helpers/program.ts';
import { siteSettings } from '../helpers/site-settings.ts';
import { broadcasterKey, startVendorSite, type VendorSite } from '../helpers/vendor-site.ts';

const FAKE_UI = '--use-fake-ui-for-media-stream';
const FAKE_DEVICE = '--use-fake-device-for-media-stream';
const FREE_AUTOPLAY = '--autoplay-policy=no-user-gesture-required';
const PHONE = { width: 390, height: 844 };

interface Theatre {
  readonly server: Castgate;
  readonly at: (path: string) => string;
  /** Opens a page; what breaks its policy, or throws in it, fails the test. */
  readonly open: (url: string) => Promise<Page>;
}

async function theatre(
  t: TestContext,
  {
    settings = {},
    secrets = [],
    ...options
  }: BrowserOptions & { settings?: Record<string, string>; secrets?: string[] } = {},
): Promise<Theatre> {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0', ...settings }, secrets });
  const browser = await openBrowser(t, { ...options, strict: true });
  const wrong: string[] = [];
  t.after(() => assert.deepEqual(wrong, [], 'what pages complained about'));
  const open = async (url: string) => {
    const page = await browser.open('about:blank');
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to|Uncaught|MIME type/.test(message.text())) wrong.push(message.text());
    });
    await page.goto(url);
    return page;
  };
  return { server, at: (path) => `http://${server.address('http')}${path}`, open };
}

/** Waits until an element of the page is in a state. */
function reaches(page: Page, name: 'castgate-play' | 'castgate-publish', state: string): Promise<unknown> {
  return page.locator(`${name}[data-state=${state}]`).waitFor();
}

async function goLive(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Go live' }).click();
  await reaches(page, 'castgate-publish', 'live');
}

/** Pictures that were shown so far. */
function shown(page: Page): Promise<number> {
  return page.evaluate('document.querySelector("castgate-play").video.getVideoPlaybackQuality().totalVideoFrames');
}

async function plays(page: Page, more = 15): Promise<void> {
  await reaches(page, 'castgate-play', 'live');
  const before = await shown(page);
  await until(`${more} more pictures`, async () => (await shown(page)) >= before + more);
}

test('a visitor publishes; another finds it in the list, watches, and unmutes', { timeout: 90_000 }, async (t) => {
  const { at, open, server } = await theatre(t);
  const home = await open(at('/'));
  await home.getByText('Nothing is live now.').waitFor();
  await home.locator('#publish-source').fill('live/show');
  await home.getByRole('button', { name: 'Publish' }).click();
  await home.getByRole('heading', { name: 'live/show' }).waitFor();
  await goLive(home);
  await home.getByText('H.264').first().waitFor();
  assert.equal((await server.session('publishing', 'show')).protocol, 'webrtc');

  const viewer = await open(at('/'));
  await viewer.getByText('One stream is live.').waitFor();
  assert.match((await viewer.locator('#streams li').textContent()) ?? '', /^live\/showH\.264 \d+×\d+, Opus$/);
  await viewer.getByRole('link', { name: 'live/show' }).click();
  await plays(viewer);
  const muted = () => viewer.evaluate('document.querySelector("castgate-play").muted');
  assert.equal(await muted(), true);
  await viewer.getByText('Unmute').click();
  assert.equal(await muted(), false);
  await viewer.getByText('Unmute').waitFor({ state: 'hidden' });
  await viewer.getByRole('button', { name: 'Statistics' }).click();
  await viewer.getByText(/^Opus, [1-9]/).waitFor();
  await viewer.getByRole('slider', { name: 'Volume' }).fill('0');
  assert.equal(await muted(), true);

  // another network: the session lives on, with new credentials of ICE
  const ufrag =
    '/ice-ufrag:.*/.exec(document.querySelector("castgate-publish").peerConnection.localDescription.sdp)[0]';
  const before = await home.evaluate(ufrag);
  const { id } = await server.session('publishing', 'show');
  await home.evaluate('dispatchEvent(new Event("online"))');
  await until('ICE has begun anew', async () => (await home.evaluate(ufrag)) !== before);
  await reaches(home, 'castgate-publish', 'live');
  await plays(viewer);
  assert.equal((await server.session('publishing', 'show')).id, id);

  // leaving the page ends what it did
  await home.goto('about:blank');
  await until('nobody publishes', async () => (await server.sessions()).every(({ state }) => state !== 'publishing'));
  await reaches(viewer, 'castgate-play', 'waiting');
  await server.stop();
});

test('a player waits for its stream, and for its return', { timeout: 90_000 }, async (t) => {
  const { at, open, server } = await theatre(t);
  const viewer = await open(at('/?watch=live/show'));
  await viewer.getByText('Waiting for the stream…').waitFor();
  const file = await makeMedia(t, 'h264-aac', { seconds: 60 });
  const first = publish(t, file, server.url('live/show'), '-re');
  await plays(viewer);
  first.kill('SIGKILL');
  await first.end();
  await reaches(viewer, 'castgate-play', 'waiting');
  // and in another codec, which the session that waits cannot carry
  const camera = await open(at('/?publish=live/show'));
  await camera.getByLabel('Codec').selectOption('vp8');
  await goLive(camera);
  await plays(viewer);
  await viewer.getByRole('button', { name: 'Statistics' }).click();
  await viewer.getByText(/^VP8/).waitFor();
  await viewer.getByRole('button', { name: 'Stop' }).click();
  await until('the viewer has left', async () => (await server.sessions()).length === 1);
  await viewer.getByRole('button', { name: 'Play' }).click();
  await plays(viewer);
});

test('who is thrown out reads why, and stays out', { timeout: 60_000 }, async (t) => {
  const { at, open, server } = await theatre(t);
  const camera = await open(at('/?publish=live/show'));
  await goLive(camera);
  const { id } = await server.session('publishing', 'show');
  await server.api(`/v1/sessions/${id}?reason=${encodeURIComponent('The hall closes')}`, 'DELETE');
  await camera.getByRole('alert').getByText('The hall closes').waitFor();
  await reaches(camera, 'castgate-publish', 'ended');
  assert.equal(
    await camera.evaluate('document.querySelector("castgate-publish").media'),
    undefined,
    'the camera is off',
  );
  assert.deepEqual(await server.sessions(), []);
  await goLive(camera);
  assert.equal(await camera.getByRole('alert').isVisible(), false);
});

test('what the server refuses is shown in its words, with the fix', { timeout: 60_000 }, async (t) => {
  const { at, open, server } = await theatre(t);
  publish(t, await makeMedia(t, 'h264-bframes-aac', { seconds: 30 }), server.url('live/show'), '-re');
  await server.logged('that it has B-frames', ({ code, stream }) => code === 'stream/b-frames' && stream === 'show');
  const viewer = await open(at('/?watch=live/show'));
  await viewer.getByRole('alert').getByText('-bf 0').first().waitFor();
  const camera = await open(at('/?publish=live/show'));
  await camera.getByRole('button', { name: 'Go live' }).click();
  await camera.getByRole('alert').getByText('Stop the other encoder').waitFor();
  const home = await open(at('/'));
  await home.getByText('with B-frames: for RTMP players only').waitFor();
  const odd = await open(at('/?watch=nonsense'));
  await odd.getByText('Write application and stream, such as live/test.').waitFor();
});

for (const { what, text, options, host } of [
  {
    what: 'permission',
    text: 'Camera or microphone was not allowed.',
    options: { without: [FAKE_UI], arguments: [`${FAKE_UI}=deny`] },
  },
  { what: 'devices', text: 'No camera and no microphone was found.', options: { without: [FAKE_DEVICE] } },
  {
    what: 'a secure page',
    text: 'to secure pages only',
    options: { arguments: ['--host-resolver-rules=MAP media.test 127.0.0.1'] },
    host: 'media.test',
  },
]) {
  test(`without ${what} it says what is missing`, { timeout: 60_000 }, async (t) => {
    const { at, open } = await theatre(t, options);
    const url = new URL(at('/?publish=live/show'));
    if (host !== undefined) url.hostname = host;
    const camera = await open(url.href);
    assert.equal(await camera.getByText('HTTPS only').isVisible(), host !== undefined);
    await camera.getByRole('button', { name: 'Go live' }).click();
    await camera.getByRole('alert').getByText(text).waitFor();
  });
}

test('a controlled application lists nothing; links of the web site work, wrong keys are refused', {
  timeout: 60_000,
}, async (t) => {
  const webKey = 'page-secret-77';
  const key = broadcasterKey(webKey, 2, 4);
  const site = await startVendorSite({ webKey, channels: { bobchan: { post: 4, owner: 2 } } });
  const { at, open, server } = await theatre(t, { settings: siteSettings('vw', site, webKey), secrets: [webKey, key] });
  t.after(() => site.stop());
  const source = `vw/bobchan?channel_id=4&userID=2&key=${key}`;
  const stranger = await open(at(`/?publish=${source.replace(key, '00')}`));
  await stranger.getByRole('button', { name: 'Go live' }).click();
  await stranger.getByRole('alert').waitFor();
  await reaches(stranger, 'castgate-publish', 'ended');

  const camera = await open(at(`/?publish=${source}`));
  await camera.getByRole('heading', { name: 'vw/bobchan', exact: true }).waitFor();
  await goLive(camera);
  assert.equal(await camera.getByText('You are live.').isVisible(), false, 'the link would not lead to it');
  assert.ok(!String(await camera.locator('body').textContent()).includes(key));
  const home = await open(at('/'));
  await home.getByText('A web site decides').waitFor();
  assert.deepEqual(await (await fetch(at('/streams.json'))).json(), { streams: [] });
  await site.set({ disconnect: { [await reportedNumber(site)]: 'Your minutes are over' } });
  await camera.getByRole('alert').getByText('Your minutes are over').waitFor();
  await server.stop();
});

/** The only browser's, as the site was told. */
function reportedNumber(site: VendorSite): Promise<string> {
  return until('the site is told', async () => {
    const calls = await site.calls();
    return calls.flatMap(({ rtpsessions }) => (rtpsessions ? Object.keys(rtpsessions) : [])).at(-1);
  });
}

test("the elements serve another site's page under its own policy", { timeout: 90_000 }, async (t) => {
  const { at, open, server } = await theatre(t, {
    without: [FREE_AUTOPLAY],
    arguments: ['--autoplay-policy=document-user-activation-required'],
  });
  const origin = new URL(at('/')).origin;
  const html = (path = '') => `<!doctype html><title>Ours</title>
<script type="module" src="${origin}/web/castgate-play.js"></script>
<script type="module" src="${origin}/web/castgate-publish.js"></script>
${
  path === '/publish'
    ? '<castgate-publish src="live/show" size="640x360" frame-rate="15" bitrate="600" codec="vp8" autoplay></castgate-publish>'
    : `<castgate-play src="${origin}/live/show/whep" autoplay></castgate-play>`
}`;
  const policy = `default-src 'none'; script-src ${origin}; connect-src ${origin}; require-trusted-types-for 'script'`;
  const other = createServer(({ url }, response) =>
    response.setHeader('content-type', 'text/html').setHeader('content-security-policy', policy).end(html(url)),
  );
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const ours = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const camera = await open(`${ours}/publish`);
  await reaches(camera, 'castgate-publish', 'live');
  const page = await open(`${ours}/play`);
  await plays(page);
  const stats = `new Promise((resolve) => document.addEventListener('castgate-stats', ({ detail }) => resolve(detail.videoCodec)))`;
  assert.equal(await page.evaluate(stats), 'VP8');
  assert.equal(await page.getByRole('button').count(), 0, 'no controls were asked for');
  await camera.evaluate('document.querySelector("castgate-publish").remove()');
  await until('removing it ends it', async () =>
    (await server.sessions()).every(({ state }) => state !== 'publishing'),
  );
  await page.evaluate('document.querySelector("castgate-play").stop()');
  await until('nobody is left', async () => (await server.sessions()).length === 0);
});

test('microphone, camera and bitrate change while live; mute keeps others waiting for words', {
  timeout: 60_000,
}, async (t) => {
  const { at, open, server } = await theatre(t);
  const camera = await open(at('/?publish=live/show'));
  await camera.getByLabel('Microphone').selectOption('off');
  await goLive(camera);
  const { id } = await server.session('publishing', 'show');
  const senders = (): Promise<string[] | undefined> =>
    camera.evaluate(
      `document.querySelector('castgate-publish').peerConnection?.getSenders().map(({ track }) => track.kind)`,
    );
  assert.deepEqual(await senders(), ['video']);
  await camera.getByLabel('Bitrate').selectOption('800');
  const limit = () =>
    camera.evaluate(
      `document.querySelector('castgate-publish').peerConnection.getSenders()[0].getParameters().encodings[0].maxBitrate`,
    );
  await until('the limit is set', async () => (await limit()) === 800_000);
  assert.equal((await server.session('publishing', 'show')).id, id);
  assert.equal(await camera.getByLabel('Codec').isDisabled(), true);
  // sound was not agreed on, so a new session brings it
  await camera.getByLabel('Microphone').selectOption('');
  await until('sound is sent', async () => String((await senders())?.sort()) === 'audio,video');
  await reaches(camera, 'castgate-publish', 'live');
  await camera.getByRole('button', { name: 'Mute' }).click();
  const enabled = () => camera.evaluate(`document.querySelector('castgate-publish').media.getAudioTracks()[0].enabled`);
  assert.equal(await enabled(), false);
  const other = await camera.getByLabel('Microphone').locator('option').last().getAttribute('value');
  await camera.getByLabel('Microphone').selectOption(other);
  await camera.getByRole('button', { name: 'Unmute' }).waitFor();
  assert.equal(await enabled(), false, 'who is muted stays so');
});

for (const viewport of [{ width: 1_280, height: 800 }, PHONE]) {
  test(`at ${viewport.width} pixels nothing is cut off, and every control has a name and a turn`, {
    timeout: 60_000,
  }, async (t) => {
    const { at, open } = await theatre(t, { viewport });
    for (const path of ['/', '/?watch=live/show', '/?publish=live/show']) {
      const page = await open(at(path));
      if (path === '/') await page.getByText('Nothing is live now.').waitFor();
      else await page.locator('castgate-play, castgate-publish').waitFor();
      const width = await page.evaluate('document.documentElement.scrollWidth');
      assert.ok(Number(width) <= viewport.width, `${path} is ${width} wide`);
      const controls = page.locator('button:visible, input:visible, select:visible, a:visible');
      const count = await controls.count();
      assert.ok(count >= 3, path);
      const enabled: string[] = [];
      for (const control of await controls.all()) {
        const name = String(await control.evaluate(nameOf as never));
        assert.notEqual(name, '', `${path}: a control without a name`);
        if (await control.isEnabled()) enabled.push(name);
      }
      const turns: string[] = [];
      for (let each = 0; each < enabled.length; each++) {
        await page.keyboard.press('Tab');
        turns.push(String(await page.evaluate(`(${nameOf})(${FOCUSED})`)));
      }
      assert.deepEqual(turns, enabled, `${path}: the order of the keyboard is that of the page`);
    }
  });
}

interface Control {
  readonly labels?: readonly {
    readonly textContent: string;
    readonly firstElementChild: { textContent: string } | null;
  }[];
  readonly textContent: string;
  getAttribute(name: string): string | null;
}

/** Runs in the page: what a screen reader says. */
function nameOf(node: Control): string {
  const [label] = node.labels ?? [];
  return (
    node.getAttribute('aria-label') ??
    label?.firstElementChild?.textContent ??
    label?.textContent ??
    node.textContent
  ).trim();
}

/** Runs in the page: what has the focus, in shadow roots too. */
const FOCUSED = `(() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node;
})()`;
