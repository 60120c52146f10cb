/**
 * What operators see of browsers that publish and watch.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionItem, StreamItem } from '../../src/http/admin-schemas.ts';
import { openBrowser } from '../helpers/browser.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { makeMedia, publish } from '../helpers/ffmpeg.ts';
import { until } from '../helpers/program.ts';

async function qualityOf(server: Castgate, state: string) {
  const sessions = await server.api<SessionItem[]>('/v1/sessions');
  return sessions.find((session) => session.state === state && session.protocol === 'webrtc')?.quality;
}

function streamOf(server: Castgate, name: string): Promise<StreamItem | undefined> {
  return server.api<StreamItem[]>('/v1/streams').then((streams) => streams.find((stream) => stream.name === name));
}

async function total(server: Castgate, name: string): Promise<number> {
  return (await server.metric(name)).get('') ?? Number.NaN;
}

test('a browser that publishes and one that watches: the quality of both, and the totals', {
  timeout: 90_000,
}, async (t) => {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0' } });
  const browser = await openBrowser(t);
  const at = (path: string) => `http://${server.address('http')}${path}`;
  const [camera, screen] = [await browser.page(at('/')), await browser.page(at('/'))];
  assert.equal((await camera.publish(at('/live/show/whip'), { codec: 'H264' })).status, 201);
  await server.session('publishing', 'show');
  assert.equal((await screen.watch(at('/live/show/whep'))).status, 201);
  await screen.decoded(60);

  const sending = await until('the viewer has reported', async () => {
    const quality = await qualityOf(server, 'playing');
    assert.deepEqual(quality?.codecs, ['h264', 'opus']);
    assert.match(quality.through ?? 'nothing', /^(?:udp|tcp)$/);
    const { lossPercent, rttMillis } = quality.sending!;
    return lossPercent === undefined || rttMillis === undefined ? undefined : quality.sending;
  });
  assert.equal(sending!.packetsLost, 0);
  assert.ok(sending!.packetsSent > 60 && sending!.bitrate > 50_000, JSON.stringify(sending));
  assert.ok(sending!.rttMillis! < 1_000, `${sending!.rttMillis} ms`);

  const receiving = (await qualityOf(server, 'publishing'))?.receiving;
  const [picture] = receiving!.filter(({ kind }) => kind === 'video');
  assert.deepEqual([picture!.codec, picture!.relayed], ['h264', true]);
  assert.ok(picture!.width! > 0 && picture!.frames >= 60 && picture!.keyFrames > 0, JSON.stringify(picture));

  const stream = await streamOf(server, 'show');
  assert.deepEqual([stream?.audience, stream?.reordered], [1, false]);
  assert.deepEqual(stream?.browsers, { watchable: true, code: null, reason: null });
  assert.ok((await total(server, 'webrtc_packets_sent_total')) >= sending!.packetsSent);
  assert.ok((await total(server, 'webrtc_packets_received_total')) >= 60);
  assert.ok((await total(server, 'webrtc_port_received_total')) > 60);
  assert.ok((await server.metric('webrtc_checks_total')).get('ok')! > 0);
  assert.equal((await server.metric('join_duration_seconds_count')).get('webrtc'), 1);
  await server.stop();
});

test('an encoder: whether browsers can watch it, and how its sound reaches them', { timeout: 90_000 }, async (t) => {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0' } });
  publish(t, await makeMedia(t, 'h264-bframes-aac', { seconds: 60 }), server.url('live/jumpy'), '-re');
  publish(t, await makeMedia(t, 'h264-aac', { seconds: 60 }), server.url('live/calm'), '-re');
  const jumpy = await until('B-frames have been seen', async () => {
    const stream = await streamOf(server, 'jumpy');
    return stream?.reordered === true ? stream : undefined;
  });
  assert.deepEqual([jumpy!.browsers?.watchable, jumpy!.browsers?.code], [false, 'stream/b-frames']);

  const browser = await openBrowser(t);
  const page = await browser.page(`http://${server.address('http')}/`);
  assert.equal((await page.watch(`http://${server.address('http')}/live/calm/whep`)).status, 201);
  await page.decoded(30);
  const calm = await streamOf(server, 'calm');
  assert.deepEqual([calm?.browsers?.watchable, calm?.audience], [true, 1], 'one viewer, whatever stands between');
  const bridge = { to: 'opus', state: 'running', viewers: 1, failureCode: null, failure: null };
  assert.deepEqual(calm?.renditions, [bridge]);
  assert.equal(await total(server, 'audio_bridge_streams'), 1);
  assert.equal(await total(server, 'audio_bridge_renditions'), 1);
  await until('sound comes back', async () => (await total(server, 'audio_bridge_units_out_total')) > 10);
  assert.equal(
    (await server.api<SessionItem[]>('/v1/sessions')).filter(({ quality }) => quality !== undefined).length,
    1,
  );
  await server.stop();
});
