/**
 * A real browser publishes and watches.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Browser, openBrowser } from '../helpers/browser.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { makeMedia, publish } from '../helpers/ffmpeg.ts';
import { run, until } from '../helpers/program.ts';

interface Studio {
  readonly server: Castgate;
  readonly browser: Browser;
  /** An address of the HTTP door. */
  readonly at: (path: string) => string;
}

async function studio(t: TestContext, settings: Readonly<Record<string, string>> = {}): Promise<Studio> {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0', ...settings } });
  const browser = await openBrowser(t);
  return { server, browser, at: (path) => `http://${server.address('http')}${path}` };
}

for (const codec of ['H264', 'VP8', 'VP9', 'AV1']) {
  test(`WHIP ${codec} and Opus to WHEP in another page`, { timeout: 90_000 }, async (t) => {
    const { browser, at } = await studio(t);
    const [camera, screen] = [await browser.page(at('/')), await browser.page(at('/'))];
    const sent = await camera.publish(at('/live/show/whip'), { codec });
    assert.equal(sent.status, 201, sent.problem);
    const watched = await screen.watch(at('/live/show/whep'));
    assert.equal(watched.status, 201, watched.problem);
    const first = await screen.decoded(30);
    const later = await screen.decoded(Number(first['framesDecoded']) + 60);
    // freezes tell of the load of the machine, too; these tell of the stream alone
    assert.equal(later['packetsLost'], 0);
    assert.equal(later['pliCount'], first['pliCount'], 'no picture was beyond decoding');
    const { decibels } = await screen.tone();
    assert.ok(decibels > -60, `${decibels} dB`);
    assert.ok((await screen.presented()).length > 60);
  });
}

for (const codec of ['H264', 'VP8']) {
  test(`of three layers of ${codec} viewers get the largest`, { timeout: 90_000 }, async (t) => {
    const { server, browser, at } = await studio(t);
    const camera = await browser.page(at('/'));
    const sent = await camera.publish(at('/live/show/whip'), {
      ...{ codec, width: 1_280, height: 720, layers: ['h', 'm', 'l'] },
    });
    assert.equal(sent.status, 201, sent.problem);
    assert.match(sent.answer, /a=simulcast:recv h;m;l/);
    await server.session('publishing', 'show');
    const screen = await browser.page(at('/'));
    assert.equal((await screen.watch(at('/live/show/whep'))).status, 201);
    await screen.decoded(30);
    await until('the largest layer is seen', async () => {
      const { frameWidth } = await screen.stats('viewer', 'video');
      return frameWidth === 1_280;
    });
  });
}

test('ffmpeg over RTMP to a browser: picture, and a tone of the right pitch', { timeout: 90_000 }, async (t) => {
  const { server, browser, at } = await studio(t);
  const file = await makeMedia(t, 'h264-aac', { seconds: 30 });
  publish(t, file, server.url('live/show'), '-re');
  await server.session('publishing', 'show');
  const screen = await browser.page(at('/'));
  const watched = await screen.watch(at('/live/show/whep'));
  assert.equal(watched.status, 201, watched.problem);
  await screen.decoded(60);
  const { hertz, decibels } = await screen.tone();
  assert.ok(decibels > -60, `${decibels} dB`);
  assert.ok(Math.abs(hertz - 440) < 12, `${hertz} Hz`);
});

test('a browser to RTMP: H.264 and AAC, and it decodes', { timeout: 90_000 }, async (t) => {
  const { server, browser, at } = await studio(t);
  const camera = await browser.page(at('/'));
  const sent = await camera.publish(at('/live/show/whip'), { codec: 'H264' });
  assert.equal(sent.status, 201, sent.problem);
  await server.session('publishing', 'show');
  const url = server.url('live/show');
  const show = ['-v', 'error', '-show_entries', 'stream=codec_name,width', '-of', 'csv=p=0', url];
  const { stdout } = await run(t, 'ffprobe', show);
  assert.match(stdout, /h264,\d+/);
  assert.match(stdout, /aac/);
  await run(t, 'ffmpeg', ['-nostdin', '-v', 'error', '-i', url, '-frames:v', '1', '-f', 'null', '-']);
});

test('a stream with B-frames is refused in words', { timeout: 60_000 }, async (t) => {
  const { server, browser, at } = await studio(t);
  const encoder = publish(t, await makeMedia(t, 'h264-bframes-aac', { seconds: 30 }), server.url('live/show'), '-re');
  await server.session('publishing', 'show');
  await server.logged('that it has B-frames', ({ code, stream }) => code === 'stream/b-frames' && stream === 'show');
  const screen = await browser.page(at('/'));
  const { status, problem } = await screen.watch(at('/live/show/whep'));
  assert.equal(status, 422);
  assert.match(problem, /-bf 0/);
  assert.ok(encoder.running);
});

test('a browser that was thrown out can learn why', { timeout: 60_000 }, async (t) => {
  const { server, browser, at } = await studio(t);
  const camera = await browser.page(at('/'));
  const { location } = await camera.publish(at('/live/show/whip'));
  const { id } = await server.session('publishing', 'show');
  await server.api(`/v1/sessions/${id}?reason=${encodeURIComponent('The hall closes')}`, 'DELETE');
  const answer = await fetch(location);
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /The hall closes/);
});
