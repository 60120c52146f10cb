/**
 * docs/session-control.md shows what castgate sends, and what it understands, to the byte.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readStatusReply } from '../../src/control/status-reply.ts';
import { loginParams, loginUrl, logoutUrl, readLoginReply } from '../../src/control/web-login.ts';
import { StatusForm } from '../../src/control/web-status.ts';
import { parseRtmpAddress } from '../../src/session/address.ts';
import { isSafeName } from '../../src/session/safe-text.ts';
import { aSession, SESSION_STARTED_AT } from '../helpers/sessions.ts';

const page = readFileSync(new URL('../../docs/session-control.md', import.meta.url), 'utf8');
/** The example blocks, by their first words. */
const blocks = [...page.matchAll(/^```(?:sh)?\n(.*?)\n```$/gms)].map((match) => match[1]!);

function block(start: string): string {
  const found = blocks.filter((text) => text.startsWith(start));
  assert.equal(found.length, 1, `one example starts with ${start}`);
  return found[0]!;
}

test('the requests shown are those that are sent', () => {
  const { params } = parseRtmpAddress('rtmp://h/live?My+Channel&lobby&0123456789abcdef&1&7&videowhisper', undefined);
  const site = 'https://example.org';
  const login = loginUrl(`${site}/site.php?task=rtmp_login&s=`, loginParams(params, '2001:db8::1'));
  assert.equal(block('GET /site.php?task=rtmp_login'), `GET ${login.slice(site.length)} HTTP/1.1`);
  const logout = logoutUrl(`${site}/site.php?task=rtmp_logout&s=`, 'My Channel');
  assert.equal(block('GET /site.php?task=rtmp_logout'), `GET ${logout.slice(site.length)} HTTP/1.1`);
});

test('the report shown is the one that is sent', () => {
  const publisher = aSession({
    name: 'My Channel',
    role: 'broadcaster',
    ip: '2001:db8::1',
    hasVideo: true,
    hasAudio: true,
    lastPingAt: () => SESSION_STARTED_AT + 59_000,
    stream: { name: 'lobby', query: '', doing: 'publish' },
  });
  const viewer = aSession({
    number: 77,
    transport: 'webrtc',
    ip: '2001:db8::2',
    traffic: () => ({ received: 1_200, sent: 9_000_000 }),
    stream: { name: 'lobby', query: 'channel_id=4&userID=2&key=abcdef012&ip=2001%3Adb8%3A%3A2', doing: 'play' },
  });
  const form = new StatusForm([publisher, viewer], 60_000, { appInstanceInfo: 'castgate', limitClientRateIn: 0 });
  while (form.write());
  const fields = [...new URLSearchParams(String(form.body))].map(([name, value]) => `${name}=${value}`);
  assert.equal(block('users='), fields.join('\n'));
});

test('the answers shown are understood', () => {
  const rules = { webKey: 'SECRET', webKeyCheck: 'require', acceptVerified: false } as const;
  assert.deepEqual(readLoginReply(block('VideoWhisper=1&login=1'), rules), {
    accepted: true,
    role: 'broadcaster',
    canKick: false,
  });
  const order = { key: 'eve', session: 'eve', disconnect: 'Your time is over' };
  const reply = readStatusReply(block('VideoWhisper=1&usersCount'));
  assert.deepEqual(reply, { kind: 'orders', users: [order], sessions: [], count: 1 });
});

test('the names that the page calls fine are let in', () => {
  assert.ok(page.includes('`Tom & Jerry\'s "show"`'));
  assert.ok(isSafeName('Tom & Jerry\'s "show"'));
});
