/**
 * The vendor's web site, as a real PHP runs it, decides about, sees and disconnects real encoders and players.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Castgate, startCastgate } from '../helpers/castgate.ts';
import { contents, makeMedia, play, publish, readMedia } from '../helpers/ffmpeg.ts';
import { until } from '../helpers/program.ts';
import { siteSettings } from '../helpers/site-settings.ts';
import {
  broadcasterKey,
  startVendorSite,
  type VendorCall,
  type VendorSite,
  viewerKey,
} from '../helpers/vendor-site.ts';

const WEB_KEY = 'a "secret" & 100%';
const CHANNELS = { 'My Channel': { post: 7, owner: 3 }, other: { post: 8, owner: 4 } };
const BROADCASTER = broadcasterKey(WEB_KEY, 3, 7);
const VIEWER = viewerKey(WEB_KEY, 7);
const WRONG = broadcasterKey('guess', 3, 7);
const BROADCAST = `vw?My+Channel&My+Channel&${BROADCASTER}&1&3&videowhisper/My-Channel`;

const watch = (session: string) => `vw?${session}&My+Channel&${VIEWER}&0&videowhisper/My-Channel`;

async function controlled(t: TestContext): Promise<{ site: VendorSite; server: Castgate }> {
  const site = await startVendorSite({ webKey: WEB_KEY, channels: CHANNELS });
  const server = await startCastgate(t, {
    settings: siteSettings('vw', site, WEB_KEY),
    secrets: [WEB_KEY, BROADCASTER, VIEWER, WRONG],
  });
  // the site last: what is owed to it is delivered first
  t.after(() => site.stop());
  return { site, server };
}

/** The first report for which `holds`. */
function reported(site: VendorSite, what: string, holds: (call: VendorCall) => boolean): Promise<VendorCall> {
  return until(what, async () => (await site.calls()).find((call) => call.task === 'rtmp_status' && holds(call)));
}

const logouts = async (site: VendorSite, session: string) =>
  (await site.calls()).filter(({ task, query }) => task === 'rtmp_logout' && query.endsWith(`s=${session}`)).length;

test('the site decides who publishes and who watches, sees them, and sends them away with its own words', async (t) => {
  const { site, server } = await controlled(t);
  const file = await makeMedia(t, 'h264-bframes-aac', { seconds: 30 });

  const guessing = publish(t, file, server.url(BROADCAST.replace(BROADCASTER, WRONG)));
  const guessed = await guessing.end();
  assert.notEqual(guessed.code, 0);
  assert.match(guessed.stderr, /the web site refused the login/i);

  const encoder = publish(t, file, server.url(BROADCAST), '-re');
  await server.session('publishing', 'My-Channel');
  const viewer = play(t, server.url(watch('eve')));
  await server.session('playing', 'My-Channel');

  const intruder = await publish(t, file, server.url(watch('mallory'))).end();
  assert.notEqual(intruder.code, 0);
  assert.match(intruder.stderr, /may only watch/);

  const { users, rtpsessions, aS } = await reported(
    site,
    'both are reported, the encoder with picture and sound',
    ({ users }) => users !== undefined && users !== false && users['My Channel']?.cam === 1 && 'eve' in users,
  );
  assert.ok(users);
  const { startTime, lastPing, runSeconds, ...row } = users['My Channel']!;
  assert.deepEqual(row, {
    ...{ session: 'My Channel', username: '', cam: 1, mic: 1, ip: '127.0.0.1', rooms: 'My Channel', role: '1' },
  });
  assert.match(String(startTime), /^\d{13}$/);
  assert.match(String(lastPing), /^\d{13}$/);
  assert.ok(typeof runSeconds === 'number' && runSeconds >= 0);
  const eve = users.eve!;
  assert.deepEqual(
    [eve.session, eve.username, eve.cam, eve.mic, eve.rooms, eve.role],
    ['eve', '', 0, 0, 'My Channel', '0'],
  );
  assert.deepEqual(rtpsessions, []);
  assert.ok(aS);
  assert.equal(typeof aS.appInstanceInfo, 'string');

  await site.set({ disconnect: { eve: 'Your 5 minutes are over & done' } });
  assert.match((await viewer.end()).stderr, /Your 5 minutes are over & done/);
  assert.ok(encoder.running, 'an order ends nobody else');
  await site.set({ disconnect: { 'My Channel': 'This channel was "closed"' } });
  const sent = await encoder.end();
  assert.match(sent.stderr, /This channel was "closed"/);
  assert.notEqual(sent.code, 0);

  await server.stop();
  // one logout in front of each login that finds nobody inside, one behind each that was accepted
  assert.equal(await logouts(site, 'eve'), 2);
  assert.equal(await logouts(site, 'mallory'), 2);
  assert.equal(await logouts(site, 'My-Channel'), 3);
  assert.deepEqual(await site.sessions(), []);
});

test('a key lets in to watch, and what is watched is what was published', async (t) => {
  const { site, server } = await controlled(t);
  const file = await makeMedia(t, 'h264-bframes-aac');
  const viewer = readMedia(t, server.url(watch('eve')));
  await server.session('playing', 'My-Channel');
  await publish(t, file, server.url(BROADCAST)).success();
  assert.deepEqual(await contents(viewer), await contents(readMedia(t, file)));
  await server.stop();
  assert.deepEqual(await site.sessions(), []);
});

test('after a kill the next start logs out whom the site believes to be here; then a wrong key fails', async (t) => {
  const { site, server } = await controlled(t);
  const file = await makeMedia(t, 'h264-bframes-aac', { seconds: 30 });
  publish(t, file, server.url(BROADCAST), '-re');
  await server.session('publishing', 'My-Channel');
  play(t, server.url(watch('eve')));
  await server.session('playing', 'My-Channel');
  await server.crash();
  assert.deepEqual([...(await site.sessions())].sort(), ['My-Channel', 'eve']);
  const before = (await site.calls()).length;

  const again = await startCastgate(t, {
    // nothing but the journal may make the site forget
    settings: { ...siteSettings('vw', site, WEB_KEY), 'applications.vw.freshLogin': 'false' },
    secrets: [WEB_KEY, BROADCASTER, VIEWER, WRONG],
    stateDir: server.stateDir,
  });
  await until('the site has forgotten them', async () => (await site.sessions()).length === 0);
  const refused = await publish(t, file, again.url(BROADCAST.replace(BROADCASTER, WRONG))).end();
  assert.match(refused.stderr, /the web site refused the login/i);
  await again.stop();

  const since = (await site.calls()).slice(before).filter(({ task }) => task === 'rtmp_logout');
  assert.deepEqual(since.map(({ query }) => query.split('s=').at(-1)).sort(), ['My-Channel', 'eve']);
});

test('a second start in the same state directory is refused, and nobody is logged out for it', async (t) => {
  const { site, server } = await controlled(t);
  const file = await makeMedia(t, 'h264-bframes-aac', { seconds: 30 });
  publish(t, file, server.url(BROADCAST), '-re');
  await server.session('publishing', 'My-Channel');
  const before = (await site.calls()).length;

  const second = new Castgate(t, { settings: siteSettings('vw', site, WEB_KEY), stateDir: server.stateDir });
  const { code, stderr } = await second.program.ended;
  assert.equal(code, 1);
  for (const word of [`process ${server.pid}`, server.stateDir, 'state.dir']) assert.ok(stderr.includes(word), stderr);
  const since = (await site.calls()).slice(before).filter(({ task }) => task === 'rtmp_logout');
  assert.deepEqual(since, []);
  assert.deepEqual(await site.sessions(), ['My-Channel']);
  await server.stop();
});
