/**
 * WebRTC clients that share no code with browsers, nor with each other: aiortc, libdatachannel, and one that insists on being the server
 * of DTLS. (Firefox is not here: its H.264 is a download, and it takes no loopback address.)
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AiortcClient } from '../helpers/aiortc.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { DatachannelClient } from '../helpers/datachannel.ts';
import { isRtcp, liveRtp, RtpDecoder } from '../helpers/live-rtp.ts';
import { PassivePublisher } from '../helpers/passive-publisher.ts';
import { run, until } from '../helpers/program.ts';

async function opened(t: TestContext): Promise<{ server: Castgate; at: (path: string) => string }> {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0' } });
  return { server, at: (path) => `http://${server.address('http')}${path}` };
}

for (const codec of ['VP8', 'H264'] as const) {
  test(`aiortc publishes ${codec} and Opus, and aiortc plays`, { timeout: 60_000 }, async (t) => {
    const { server, at } = await opened(t);
    const camera = new AiortcClient(t, 'publish', at('/live/show/whip'), codec);
    await server.session('publishing', 'show');
    const screen = new AiortcClient(t, 'play', at('/live/show/whep'), codec);
    const first = await screen.until('picture and sound come', ({ video, audio }) => video > 5 && audio > 5);
    await screen.until('both go on, and can be heard', ({ video, audio, loudest }) => {
      return video >= first.video + 60 && audio >= first.audio + 100 && loudest > 3_000;
    });
    for (const { profile } of server.lines().filter(({ msg }) => msg === 'publishing' || msg === 'playing')) {
      assert.equal(profile, 'aes128-cm-sha1-80');
    }
    if (codec === 'H264') await decodesOverRtmp(t, server);
    await screen.stop();
    await until('castgate knows that it has left', async () => (await server.sessions()).length === 1);
    await camera.stop();
    await until('castgate knows that nobody is left', async () => (await server.sessions()).length === 0);
    await server.stop();
  });
}

test('libdatachannel publishes H.264 and Opus, and libdatachannel plays', { timeout: 60_000 }, async (t) => {
  const { server, at } = await opened(t);
  const camera = await DatachannelClient.open(t, 'publish', at('/live/show/whip'));
  assert.ok(camera.offer.indexOf('a=fingerprint:') < camera.offer.indexOf('m='), 'the fingerprint is of the session');
  await liveRtp(t, (packet, kind) => camera.send(packet, kind));
  await server.session('publishing', 'show');
  await decodesOverRtmp(t, server);

  const screen = await DatachannelClient.open(t, 'play', at('/live/show/whep'));
  const decoder = await RtpDecoder.open(t, 50);
  const reports = { video: 0, audio: 0 };
  screen.receive((packet, kind) => {
    if (isRtcp(packet)) reports[kind] += 1;
    else decoder.take(packet, kind);
  });
  const { stderr } = await decoder.program.success();
  const decibels = Number(/max_volume: (\S+) dB/.exec(stderr)?.[1]);
  assert.ok(decibels > -30, stderr);
  await until('both were reported on', () => reports.video > 0 && reports.audio > 0);

  // as OBS does; of its own accord the library says nothing when it closes
  for (const { location } of [screen, camera]) {
    assert.equal((await fetch(location, { method: 'DELETE' })).status, 200);
  }
  await until('castgate knows that nobody is left', async () => (await server.sessions()).length === 0);
  await server.stop();
});

test('a client that waits for the handshake publishes, as ffmpeg does', { timeout: 60_000 }, async (t) => {
  const { server, at } = await opened(t);
  const camera = await PassivePublisher.open(t, at('/live/show/whip'));
  await liveRtp(t, (packet) => camera.send(packet));
  await server.session('publishing', 'show');
  await decodesOverRtmp(t, server);
  assert.equal((await fetch(camera.location, { method: 'DELETE' })).status, 200);
  await until('castgate knows that nobody is left', async () => (await server.sessions()).length === 0);
  assert.equal((await fetch(camera.location)).status, 404);
  await server.stop();
});

/** Picture and sound of `live/show`, without an error, the sound loud enough. */
async function decodesOverRtmp(t: TestContext, server: Castgate): Promise<void> {
  const open = ['-nostdin', '-v', 'info', '-nostats', '-i', server.url('live/show'), '-frames:v', '40'];
  const { stderr } = await run(t, 'ffmpeg', [...open, '-af', 'volumedetect', '-f', 'null', '-']);
  assert.doesNotMatch(stderr, /error|corrupt|invalid/i);
  const decibels = Number(/max_volume: (\S+) dB/.exec(stderr)?.[1]);
  assert.ok(decibels > -30, stderr);
}
