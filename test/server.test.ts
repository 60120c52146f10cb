import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/base/clock.ts';
import { readConfig } from '../src/config.ts';
import { MediaServer } from '../src/server.ts';
import { avcBody } from './helpers/frames.ts';
import { LightClient } from './helpers/light-client.ts';
import { LogRecorder } from './helpers/log-recorder.ts';
import { until } from './helpers/program.ts';
import { VirtualClock } from './helpers/virtual-clock.ts';
import { description } from './helpers/webrtc-town.ts';

const SETTINGS = [
  ...['rtmp.listen=127.0.0.1:0', 'http.listen=127.0.0.1:0', 'admin.listen=127.0.0.1:0'],
  ...['webrtc.listen=127.0.0.1:0', 'webrtc.tcpListen='],
];

test('a chunk size that changes while a stream is live harms none of its players', { timeout: 20_000 }, async (t) => {
  const configuration = (chunkSize: number) =>
    readConfig({ settings: [...SETTINGS, 'state.dir=', `rtmp.chunkSize=${chunkSize}`] }).config;
  const log = new LogRecorder();
  const server = new MediaServer(configuration(65_536), { clock: systemClock, log, version: '1.2.3' });
  const { rtmp } = await server.start();
  t.after(() => server.stop());
  const url = `rtmp://127.0.0.1:${rtmp!.port}/live`;
  const publisher = await new LightClient(t, 'publish', url, 'a').begun();
  const picture = avcBody('key', 40_000);
  publisher.write(9, 0, picture);
  const before = await new LightClient(t, 'play', url, 'a').begun();
  await server.reload(configuration(4_096));
  const after = await new LightClient(t, 'play', url, 'a').begun();
  publisher.write(9, 40, picture);
  for (const player of [before, after]) {
    const pictures = () => player.received.filter(({ typeId }) => typeId === 9);
    await until('both pictures arrive', () => player.fault === undefined && pictures().length === 2);
    for (const { body } of pictures()) assert.ok(body.equals(picture));
  }
  assert.ok(log.lines.some(({ fields }) => String(fields['settings']).includes('rtmp.chunkSize')));
});

test('a reload changes what WebRTC allows and tells, and says what it cannot change', {
  timeout: 20_000,
}, async (t) => {
  const configuration = (...webrtc: string[]) => {
    return readConfig({ settings: [...SETTINGS, 'state.dir=', ...webrtc] }).config;
  };
  const log = new LogRecorder();
  const few = configuration('webrtc.maxSessions=1', 'webrtc.publicAddresses=198.51.100.1');
  const server = new MediaServer(few, { clock: systemClock, log, version: '1.2.3' });
  const { http } = await server.start();
  t.after(() => server.stop());
  const publish = async (stream: string) => {
    const url = `http://127.0.0.1:${http!.port}/live/${stream}/whip`;
    const headers = { 'content-type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: description('chromium-156-publish') });
    return `${response.status} ${/198\.51\.100\.\d/.exec(await response.text()) ?? 'busy'}`;
  };
  assert.deepEqual([await publish('a'), await publish('b')], ['201 198.51.100.1', '503 busy']);
  await server.reload(
    configuration('webrtc.maxSessions=3', 'webrtc.publicAddresses=198.51.100.2', 'webrtc.maxDatagram=1100'),
  );
  const after = [await publish('b'), await publish('c'), await publish('d')];
  assert.deepEqual(after, ['201 198.51.100.2', '201 198.51.100.2', '503 busy']);
  const told = log.lines.flatMap(({ fields }) => (fields['code'] === 'config/reload' ? [fields['settings']] : []));
  assert.deepEqual(told, [['webrtc.maxDatagram']]);
});

test('a second server on the same ports tells no site that the sessions of the first have gone', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'castgate-second-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const journal = join(dir, 'logouts.journal');
  const owed = '["+","live","bob"]\n';
  writeFileSync(journal, owed);
  const first = createServer().listen(0, '127.0.0.1');
  t.after(() => first.close());
  await new Promise((resolve) => first.once('listening', resolve));
  const { port } = first.address() as { readonly port: number };
  const site = 'http://site.example/site.php?task';
  const { config } = readConfig({
    settings: [
      ...SETTINGS,
      `rtmp.listen=127.0.0.1:${port}`,
      `state.dir=${dir}`,
      `applications.live.webLogin=${site}=rtmp_login&s=`,
      `applications.live.webLogout=${site}=rtmp_logout&s=`,
      `applications.live.webStatus=${site}=rtmp_status`,
    ],
  });
  const asked: string[] = [];
  const send = async ({ url }: { readonly url: string }) => {
    asked.push(url);
    return { ok: true, body: Buffer.alloc(0) } as const;
  };
  const second = new MediaServer(config, {
    clock: systemClock,
    log: new LogRecorder(),
    version: '1.2.3',
    webClient: () => ({ send, close() {} }),
  });
  await assert.rejects(second.start(), { code: 'server/listen' });
  assert.deepEqual(asked, []);
  assert.equal(readFileSync(journal, 'utf8'), owed);
});

test('a second server on the same state directory opens no door and asks no site, until the first has stopped', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'castgate-second-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const site = 'http://site.example/site.php?task';
  const settings = [...SETTINGS, `state.dir=${dir}`, `applications.live.webStatus=${site}=rtmp_status`];
  const { config } = readConfig({ settings });
  const server = (asked: string[]) =>
    new MediaServer(config, {
      clock: systemClock,
      log: new LogRecorder(),
      version: '1.2.3',
      webClient: () => ({
        async send({ url }) {
          asked.push(url);
          return { ok: true, body: Buffer.alloc(0) };
        },
        close() {},
      }),
    });
  const first = server([]);
  t.after(() => first.stop());
  await first.start();
  const asked: string[] = [];
  const second = server(asked);
  t.after(() => second.stop());
  await assert.rejects(second.start(), { code: 'server/state', message: new RegExp(`process ${process.pid}`) });
  assert.deepEqual(asked, []);
  await first.stop();
  const third = server(asked);
  t.after(() => third.stop());
  await third.start();
});

test('the end takes less than the 10 s after which Docker kills, whatever the site does', async () => {
  const clock = new VirtualClock();
  const settings = ['rtmp.listen=', 'http.listen=', 'admin.listen=', 'state.dir='];
  const { config } = readConfig({ settings: [...settings, 'applications.live.webStatus=http://site.example/status'] });
  const silent = { send: () => new Promise<never>(() => {}), close() {} };
  const log = new LogRecorder();
  const server = new MediaServer(config, { clock, log, version: '1.2.3', webClient: () => silent });
  await server.start();
  await clock.run(100);
  const begun = clock.now();
  await clock.until(server.stop());
  const goodbyes = 2_500;
  assert.ok(clock.now() - begun + goodbyes < 10_000, `${clock.now() - begun} ms`);
});
