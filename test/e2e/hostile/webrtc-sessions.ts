/**
 * Strangers who guess at the sessions of others, and what must never be said of secrets.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { HostileStudio, Reply, StudioFamily } from '../../helpers/hostile-studio.ts';
import { bearer, offerOf } from '../../helpers/rtc-client.ts';
import { DIGEST } from '../../helpers/sdp.ts';
import { broadcasterKey, viewerKey } from '../../helpers/vendor-site.ts';

const SDP = { 'content-type': 'application/sdp' };
const FRAGMENT = { 'content-type': 'application/trickle-ice-sdpfrag' };
const METHODS = ['PATCH', 'DELETE', 'GET', 'HEAD'] as const;
type Method = (typeof METHODS)[number];

function request(studio: HostileStudio, method: Method, path: string, token?: string): Promise<Reply> {
  const headers = { ...bearer(token), ...(method === 'PATCH' ? { ...FRAGMENT, 'if-match': '*' } : {}) };
  const body = 'a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n';
  return studio.request(path, { method, headers, ...(method === 'PATCH' ? { body } : {}) });
}

/** All that a client can see of an answer, but for the time. */
function seen({ status, headers, body }: Reply): unknown {
  return [status, [...headers].filter(([name]) => name !== 'date').sort(), body];
}

/** Identifiers that are near one. */
function guesses(id: string, count: number): string[] {
  const near = Array.from({ length: 32 }, (_, at) => {
    const digit = (Number.parseInt(id[at]!, 16) ^ 1).toString(16);
    return id.slice(0, at) + digit + id.slice(at + 1);
  });
  return [...near, ...Array.from({ length: count }, () => randomBytes(16).toString('hex'))];
}

export const SESSIONS: readonly StudioFamily[] = [
  {
    name: 'sessions of others',
    async run(studio) {
      const token = randomBytes(16).toString('hex');
      const owner = await studio.open('publish', '/free/owned/whip', { token });
      const other = await studio.open('play', '/free/screen/whep', { token: 'of-another-session' });
      const id = owner.url.split('/').at(-1)!;
      const otherId = other.url.split('/').at(-1)!;
      const nobody = randomBytes(16).toString('hex');
      let asked = 0;
      for (const method of METHODS) {
        // the same words for what is foreign as for what is not there
        const foreign: readonly (readonly [path: string, token?: string])[] = [
          ['/free/owned/whip/ID'],
          ['/free/owned/whip/ID', ''],
          ['/free/owned/whip/ID', 'of-another-session'],
          ['/free/owned/whip/ID', token.slice(0, -1)],
          ['/free/owned/whip/ID', `${token}0`],
          ['/free/owned/whip/ID', token.toUpperCase()],
          [`/free/owned/whip/ID?token=${token}&key=${token}`],
          ['/free/other/whip/ID', token],
          ['/free/owned/whep/ID', token],
          ['/other/owned/whip/ID', token],
          ['/free/inner/owned/whip/ID', token],
          ['/free/screen/whep/ID', 'of-another-session'],
        ];
        for (const [path, wrong] of foreign) {
          const hit = await request(studio, method, path.replace('ID', id), wrong);
          const miss = await request(studio, method, path.replace('ID', nobody), wrong);
          assert.equal(hit.status, 404, `${method} ${path} ${wrong}: ${hit.body}`);
          assert.deepEqual(seen(hit), seen(miss), `${method} ${path}`);
          asked += 2;
        }
        const exchanged = await request(studio, method, `/free/owned/whip/${otherId}`, token);
        assert.equal(exchanged.status, 404);
        // what is no identifier is no session at all, whoever asks
        for (const text of [
          id.toUpperCase(),
          `${id}0`,
          id.slice(1),
          `${id}%00`,
          `%2e%2e/${id}`,
          `${id};a=b`,
          '__proto__',
        ]) {
          const reply = await request(studio, method, `/free/owned/whip/${text}`, token);
          assert.ok(reply.status === 404 || reply.status === 405, `${method} ${text}: ${reply.status}`);
          asked += 1;
        }
      }
      for (const guess of guesses(id, Math.round(400 * studio.scale))) {
        const { status } = await request(
          studio,
          METHODS[studio.random(METHODS.length)]!,
          `/free/owned/whip/${guess}`,
          token,
        );
        assert.equal(status, 404);
        asked += 1;
      }
      assert.equal((await owner.about('GET')).status, 204, 'it is still there');
      assert.equal((await other.about('GET')).status, 204, 'and the other one');
      const departed = owner.url;
      await owner.leave();
      await other.leave();
      assert.equal((await fetch(departed, { method: 'DELETE', headers: bearer(token) })).status, 404);
      const late = [id, nobody].map((each) => request(studio, 'GET', `/free/owned/whip/${each}`, 'another'));
      const [gone, never] = await Promise.all(late);
      assert.deepEqual(seen(gone!), seen(never!), 'nor does a stranger learn that it was there');
      owner.vanish();
      other.vanish();
      return `${asked} requests, no hit`;
    },
  },
  {
    name: 'secrets',
    async run(studio) {
      const fresh = (count = 1) => Array.from({ length: count }, () => `s3cr3t-${randomBytes(12).toString('hex')}`);
      const [query, password, token, pwd, inline, agent] = fresh(6) as [string, string, string, string, string, string];
      const { server, webKey } = studio;
      const [may, watch] = [broadcasterKey(webKey, 2, 4), viewerKey(webKey, 4)];
      server.keepSecret(query, password, token, pwd, inline, may, watch);
      const basic = Buffer.from(`user:${password}`).toString('base64');
      server.keepSecret(basic);
      const credentials = { ufrag: 'user-of-a-secret', password: pwd };
      const offer = offerOf('publish', credentials, DIGEST);
      const spoilt = [
        offer.replace('m=audio', 'm=audio x'),
        offer.replace('a=ice-ufrag:', 'a=ice-ufrag:x y'),
        offer.replaceAll('a=fingerprint', `a=crypto:1 AES inline:${inline}\r\na=x`),
        `${inline}\r\n${offer}`,
        JSON.stringify({ sdp: offer, token: inline }),
        offer.replaceAll('\r\n', '\r'),
      ];
      const targets = [
        ...[`/keyed/show?channel_id=4&userID=2&key=${query}/whip`, `/keyed/show/whip?channel_id=4&key=${query}`],
        ...[`/whip/keyed/show?key=${query}`, `/keyed/show%3Fkey=${'k'.repeat(2_000)}/whip?key=${query}`],
        ...[`/nobody/show/whip?key=${query}`, `/free/show/nothing?key=${query}`, `/?key=${query}`],
        ...[`/free/show/whip?key=${query}&key=${query}`, `/keyed/show?channel_id=4&userID=2&key=${may}/whip`],
        ...[`/keyed/show/whep?channel_id=4&key=${watch}`, `/keyed/show/whep?channel_id=4&key=${watch.slice(1)}`],
      ];
      const authorizations = [
        `Bearer ${token}`,
        `Bearer ${token} ${token}`,
        `Basic ${basic}`,
        `Digest response="${password}"`,
        '',
      ];
      const hidden = [query, password, token, pwd, inline, may, watch, basic];
      let refusals = 0;
      for (const path of targets) {
        for (const authorization of authorizations) {
          for (const body of [offer, spoilt[refusals % spoilt.length]!]) {
            const headers = {
              ...SDP,
              ...(authorization && { authorization }),
              'user-agent': 'a client',
              cookie: `c=${agent}`,
            };
            server.keepSecret(agent);
            const reply = await studio.request(path, { headers, body });
            if (reply.status === 201) {
              const theirs = /^a=ice-pwd:(\S+)/m.exec(reply.body)![1]!;
              server.keepSecret(theirs);
              const location = reply.headers.get('location')!;
              // the restart of a stranger, then of its maker
              for (const auth of ['Bearer guess', authorization]) {
                const patch = { ...FRAGMENT, 'if-match': '*', ...(auth && { authorization: auth }) };
                const fragment = `a=ice-ufrag:anotheruser\r\na=ice-pwd:${pwd}-again\r\n`;
                const restarted = await studio.request(location, { method: 'PATCH', headers: patch, body: fragment });
                if (restarted.status === 200) server.keepSecret(/^a=ice-pwd:(\S+)/m.exec(restarted.body)![1]!);
                else
                  for (const secret of [...hidden, theirs]) assert.ok(!restarted.body.includes(secret), restarted.body);
              }
              await studio.request(location, { method: 'DELETE', headers: authorization ? { authorization } : {} });
            } else {
              refusals += 1;
              const told = reply.body + JSON.stringify([...reply.headers]);
              for (const secret of hidden) assert.ok(!told.includes(secret), `${path}: ${told}`);
            }
          }
        }
      }
      await signals(studio, offer, query, hidden);
      // every line about it is written
      await sleep(200);
      server.check();
      return `${refusals} refusals without a secret`;
    },
  },
];

/** The same by WebSocket, whose replies repeat a client's own names to it and nothing else. */
async function signals(studio: HostileStudio, sdp: string, key: string, hidden: readonly string[]): Promise<void> {
  const streamInfo = { applicationName: 'keyed', streamName: `show?channel_id=4&userID=2&key=${key}` };
  const messages = [
    { direction: 'publish', command: 'sendOffer', streamInfo, sdp: { sdp }, userData: { token: hidden[0] } },
    { direction: 'publish', command: 'sendOffer', streamInfo, sdp: { sdp: sdp.slice(20) } },
    { direction: 'play', command: 'getOffer', streamInfo, secureToken: { hash: hidden[1] } },
    { direction: 'play', command: hidden[2], streamInfo },
    { messageType: 'OFFER', action: 'PUBLISH', ...streamInfo, sdp, secureToken: hidden[3] },
  ];
  for (const path of ['/webrtc-session.json', `/webrtc-session.json?webrtcImplementation=v2&key=${key}`]) {
    const socket = new WebSocket(`ws://127.0.0.1:${studio.httpPort}${path}`);
    await new Promise((resolve) => socket.once('open', resolve));
    for (const message of messages) {
      const reply = await new Promise<string>((resolve) => {
        socket.once('message', (data) => resolve(String(data)));
        socket.send(JSON.stringify(message));
      });
      const { streamInfo: _own, command: _too, ...rest } = JSON.parse(reply) as Record<string, unknown>;
      for (const secret of hidden) assert.ok(!JSON.stringify(rest).includes(secret), reply);
    }
    socket.terminate();
  }
}
