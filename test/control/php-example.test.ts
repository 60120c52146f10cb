/**
 * The example that site owners start from does what it says: a real PHP serves it, and is asked as castgate asks.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readStatusReply, type StatusReply } from '../../src/control/status-reply.ts';
import { type LoginReply, loginParams, loginUrl, logoutUrl, readLoginReply } from '../../src/control/web-login.ts';
import { StatusForm } from '../../src/control/web-status.ts';
import { parseRtmpAddress } from '../../src/session/address.ts';
import type { Session } from '../../src/session/session.ts';
import { type PhpServer, startPhpServer } from '../helpers/php.ts';
import { aSession } from '../helpers/sessions.ts';

const SCRIPT = fileURLToPath(new URL('../../examples/php/site.php', import.meta.url));
const WEB_KEY = 'a secret & more';
const RULES = { webKey: WEB_KEY, webKeyCheck: 'require', acceptVerified: false } as const;

let data: string;
let environment: Record<string, string>;
let site: PhpServer;
before(async () => {
  data = await mkdtemp(join(tmpdir(), 'castgate-site-'));
  environment = { SITE_WEB_KEY: WEB_KEY, SITE_DATA: data, SITE_MEDIA_SERVER: 'rtmp://media.example/live' };
  site = await startPhpServer(SCRIPT, environment);
});
after(async () => {
  await site.stop();
  await rm(data, { recursive: true, force: true });
});

async function command(...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('php', [SCRIPT, ...words], { env: { ...process.env, ...environment } });
  return stdout.trim();
}

async function login(address: string, change: { key?: string; session?: string } = {}): Promise<LoginReply> {
  const { params } = parseRtmpAddress(address, undefined);
  const url = loginUrl(`${site.origin}/site.php?task=rtmp_login&s=`, {
    ...loginParams(params, '2001:db8::1'),
    ...change,
  });
  return readLoginReply(await (await fetch(url)).text(), RULES);
}

async function report(sessions: Session[]): Promise<StatusReply> {
  const form = new StatusForm(sessions, 60_000, { appInstanceInfo: 'castgate' });
  while (form.write());
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new Uint8Array(form.body);
  const response = await fetch(`${site.origin}/site.php?task=rtmp_status`, { method: 'POST', headers, body });
  return readStatusReply(Buffer.from(await response.arrayBuffer()));
}

test('an address that the site made lets in, one that was changed does not', async () => {
  const broadcaster = await command('broadcaster', 'Bob Ærø', 'The lobby');
  assert.match(
    broadcaster,
    /^rtmp:\/\/media\.example\/live\?Bob\+%C3%86r%C3%B8&The\+lobby&\d+-[\da-f]{32}&1&0&videowhisper$/,
  );
  assert.deepEqual(await login(broadcaster), { accepted: true, role: 'broadcaster', canKick: false });
  const viewer = await command('viewer', 'eve', 'The lobby');
  assert.deepEqual(await login(viewer), { accepted: true, role: 'watcher', canKick: false });

  const refused = { accepted: false, code: 'access/login', reason: 'the web site refused the login' };
  assert.deepEqual(await login(viewer.replace('&0&0&', '&1&0&')), refused, 'a viewer who says he is a broadcaster');
  assert.deepEqual(await login(viewer, { session: 'adam' }), refused, 'somebody else');
  assert.deepEqual(await login(viewer.replace('lobby', 'cellar')), refused, 'another room');
  assert.deepEqual(await login(viewer, { key: '' }), refused);
  assert.deepEqual(await login(viewer.replace(/&\d+-/, '&1700000000-')), refused, 'an address of the past');
  assert.deepEqual(await login('rtmp://media.example/live'), refused, 'no address of the site');
});

test('a logout forgets what a login noted, once', async () => {
  await login(await command('viewer', 'lea', 'lobby'));
  const before = (await readdir(join(data, 'sessions'))).length;
  const url = logoutUrl(`${site.origin}/site.php?task=rtmp_logout&s=`, 'lea');
  assert.equal(await (await fetch(url)).text(), 'logout=1');
  assert.equal(await (await fetch(url)).text(), 'logout=0');
  assert.equal((await readdir(join(data, 'sessions'))).length, before - 1);
});

test('a report shows who is there, and its answer sends away whom the site does not want', async () => {
  const eve = aSession({ name: 'eve', room: 'The lobby' });
  const bob = aSession({ name: 'Bob Ærø', role: 'broadcaster' });
  const browser = aSession({ number: 31, transport: 'webrtc', stream: { name: 'lobby', query: '', doing: 'publish' } });
  assert.deepEqual(await report([bob, eve, browser]), { kind: 'orders', users: [], sessions: [], count: 0 });
  assert.match(await command('online'), /^users Bob Ærø .*\nusers eve .*"rooms":"The lobby".*\nrtpsessions 31 /);

  await command('kick', 'eve', "That's enough & more");
  await command('kick', 'lobby');
  assert.deepEqual(await report([bob, eve, browser]), {
    kind: 'orders',
    users: [{ key: 'eve', session: 'eve', disconnect: "That's enough & more" }],
    sessions: [{ key: '31', session: '31', disconnect: 'Disconnected by the site' }],
    count: 2,
  });
  const viewer = await command('viewer', 'eve', 'lobby');
  assert.equal((await login(viewer)).accepted, false, 'nor may she come back');
  await command('pardon', 'eve');
  assert.equal((await login(viewer)).accepted, true);
});

test('what is no report, no task, or no server of the site is denied', async () => {
  const url = `${site.origin}/site.php?task=rtmp_status`;
  const answer = async (input: string, init?: RequestInit) => readStatusReply(await (await fetch(input, init)).text());
  const body = 'users=O:8:"stdClass":0:{}&rtpsessions=a:0:{}&aS=a:0:{}';
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.deepEqual(await answer(url, { method: 'POST', headers, body }), {
    kind: 'denied',
    text: 'The report cannot be read',
  });
  assert.deepEqual(await answer(url), { kind: 'denied', text: 'The report cannot be read' });
  assert.deepEqual(await answer(`${site.origin}/site.php`), { kind: 'denied', text: 'No such task' });

  const guarded = await startPhpServer(SCRIPT, { ...environment, SITE_SERVERS: '192.0.2.1' });
  const keyless = await startPhpServer(SCRIPT, { ...environment, SITE_WEB_KEY: 'short' });
  try {
    assert.equal((await fetch(`${guarded.origin}/site.php?task=rtmp_status`)).status, 403);
    assert.equal((await fetch(`${keyless.origin}/site.php?task=rtmp_login`)).status, 500);
  } finally {
    await guarded.stop();
    await keyless.stop();
  }
});

test('parameters of a shape that nobody sends are no way in', async () => {
  for (const query of [
    '',
    's=x',
    's=x&p=y',
    's[]=x&p[]=y',
    's=x&p[][]=y',
    's=x&p[a]=y&p[b]=z',
    's=x&p[]=x&p[]=&p[]=99999999999-&p[]=1',
  ]) {
    const response = await fetch(`${site.origin}/site.php?task=rtmp_login&${query}`);
    assert.equal(await response.text(), 'VideoWhisper=1&login=0', query);
  }
});
