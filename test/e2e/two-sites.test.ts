/**
 * Applications with web sites of their own: each is decided by its own, and none suffers from another's.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { makeMedia, play, publish } from '../helpers/ffmpeg.ts';
import { HealthyPair } from '../helpers/healthy-pair.ts';
import { LightClient } from '../helpers/light-client.ts';
import { type PhpServer, startPhpServer } from '../helpers/php.ts';
import { until } from '../helpers/program.ts';
import { siteSettings } from '../helpers/site-settings.ts';
import { broadcasterKey, startVendorSite } from '../helpers/vendor-site.ts';

const VENDOR_KEY = 'vendor-secret-1';
const EXAMPLE_KEY = 'example-secret-2 & more';
const EXAMPLE = fileURLToPath(new URL('../../examples/php/site.php', import.meta.url));
const KEY = broadcasterKey(VENDOR_KEY, 3, 7);
const BROADCAST = `vendor?bob&lobby&${KEY}&1&3&videowhisper`;

interface ApplicationView {
  readonly name: string;
  readonly state: string;
  readonly failure: string | null;
  readonly failureCode: string | null;
}

async function application(server: Castgate, name: string): Promise<ApplicationView> {
  const found = (await server.api<ApplicationView[]>('/v1/applications')).find((each) => each.name === name);
  assert.ok(found !== undefined, `${name} is not listed`);
  return found;
}

function vendorSite(t: TestContext) {
  const channels = { lobby: { post: 7, owner: 3 } };
  return startVendorSite({ webKey: VENDOR_KEY, channels }).then((site) => {
    t.after(() => site.stop());
    return site;
  });
}

/** The example that is shipped, and its command line. */
async function exampleSite(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'castgate-site-'));
  const environment: Record<string, string> = { SITE_WEB_KEY: EXAMPLE_KEY, SITE_DATA: data };
  const php: PhpServer = await startPhpServer(EXAMPLE, environment);
  t.after(async () => {
    await php.stop();
    await rm(data, { recursive: true, force: true });
  });
  const task = (name: string) => `${php.origin}/site.php?task=${name}`;
  return {
    webLogin: `${task('rtmp_login')}&s=`,
    webLogout: `${task('rtmp_logout')}&s=`,
    webStatus: task('rtmp_status'),
    /** `php site.php …`; `rtmp`: where its addresses lead. */
    async command(rtmp: string, ...words: string[]): Promise<string> {
      const env = { ...process.env, ...environment, SITE_MEDIA_SERVER: rtmp };
      return (await promisify(execFile)('php', [EXAMPLE, ...words], { env })).stdout.trim();
    },
  };
}

test('two applications, two sites; a third name is refused in words that ffmpeg shows', async (t) => {
  const [vendor, example] = [await vendorSite(t), await exampleSite(t)];
  const server = await startCastgate(t, {
    settings: { ...siteSettings('vendor', vendor, VENDOR_KEY), ...siteSettings('example', example, EXAMPLE_KEY) },
    secrets: [VENDOR_KEY, EXAMPLE_KEY, KEY],
  });
  const file = await makeMedia(t, 'h264-bframes-aac', { seconds: 30 });
  const media = server.url('example');
  const broadcast = await example.command(media, 'broadcaster', 'Bob Ærø', 'The lobby');
  const watch = await example.command(media, 'viewer', 'eve', 'The lobby');
  const secretOf = (address: string) => /&(\d+-[\da-f]{32})&/.exec(address)![1]!;
  server.keepSecret(secretOf(broadcast), secretOf(watch));

  const encoders = [
    publish(t, file, server.url(`${BROADCAST}/show`), '-re'),
    publish(t, file, `${broadcast}/show`, '-re'),
  ];
  const viewer = play(t, `${watch}/show`);
  await until('all three are inside', async () => (await server.sessions()).length === 3);
  assert.deepEqual((await server.sessions()).map(({ app, name }) => `${app} ${name}`).sort(), [
    'example Bob Ærø',
    'example eve',
    'vendor bob',
  ]);
  const online = await until('the example site sees its two', async () => {
    const said = await example.command(media, 'online');
    return said.includes('"cam":1') && said.includes('users eve') && said;
  });
  assert.doesNotMatch(online, /users bob/);

  const unlisted = await publish(t, file, server.url('elsewhere/show')).end();
  assert.match(unlisted.stderr, /there is no such application/);
  const forged = await publish(t, file, `${watch.replace('&0&0&', '&1&0&')}/show2`).end();
  assert.match(forged.stderr, /the web site refused the login/i);

  await example.command(media, 'kick', 'eve', 'Enough for today & tomorrow');
  assert.match((await viewer.end()).stderr, /Enough for today & tomorrow/);
  assert.match((await play(t, `${watch}/show`).end()).stderr, /the web site refused the login/i);
  assert.ok(encoders.every(({ running }) => running));
  await server.stop();
});

test('a site that is down lets nobody in, a slow one only its own wait, a redirecting one is named', async (t) => {
  const vendor = await vendorSite(t);
  const redirecting = createServer((_, response) =>
    response.writeHead(302, { location: 'https://www.site.example/new?key=1' }).end(),
  );
  redirecting.listen(0, '127.0.0.1');
  await once(redirecting, 'listening');
  t.after(() => redirecting.close());
  const moved = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/`;
  // a port that nobody listens on: reserved for discarding
  const nowhere = 'http://127.0.0.1:9/';
  const addresses = (origin: string) => ({
    webLogin: `${origin}?s=`,
    webLogout: `${origin}?x=1&s=`,
    webStatus: origin,
  });
  const server = await startCastgate(t, {
    settings: {
      ...siteSettings('vendor', vendor, VENDOR_KEY),
      ...siteSettings('down', addresses(nowhere), 'x1-secret-x1'),
      ...siteSettings('moved', addresses(moved), 'x2-secret-x2'),
      'applications.free.acceptPlayers': 'true',
    },
    secrets: [VENDOR_KEY, KEY, 'x1-secret-x1', 'x2-secret-x2'],
  });
  const pair = await HealthyPair.start(t, server.url('free'));

  const refusals = ['down', 'moved'].map(
    (app) => new LightClient(t, 'play', server.url(`${app}?eve&lobby&abc&0`), 'show'),
  );
  for (const peer of refusals) await until('the gate is shut', () => peer.refusal);
  assert.deepEqual(await server.sessions().then((all) => all.filter(({ app }) => app !== 'free')), []);
  const down = await application(server, 'down');
  assert.match(down.state, /^nobody can log in: 127\.0\.0\.1:9 refuses the connection/);
  assert.equal(down.failureCode, 'web/unreachable');
  const elsewhere = await application(server, 'moved');
  assert.match(elsewhere.state, /redirects to https:\/\/www\.site\.example\/new; configure the address/);
  assert.equal(elsewhere.failureCode, 'web/redirect');

  await vendor.set({ delay: 3_000 });
  const before = pair.pictures;
  const slow = new LightClient(t, 'publish', server.url(BROADCAST), 'show');
  await slow.begun();
  assert.ok(pair.pictures - before > 20, 'others go on while a login waits');
  await vendor.set({ delay: 0 });
  await pair.check('with a slow site');
  await slow.leave();
  await pair.stop();
  await server.stop();
});
