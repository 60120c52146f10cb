import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readStatusReply } from '../../src/control/status-reply.ts';
import { type SiteStatistics, StatusForm, safeStreamQuery } from '../../src/control/web-status.ts';
import type { Session } from '../../src/session/session.ts';
import { runPhp } from '../helpers/php.ts';
import { aSession, SESSION_STARTED_AT } from '../helpers/sessions.ts';
import { startVendorSite, type VendorSite } from '../helpers/vendor-site.ts';

const STATISTICS: SiteStatistics = { appInstanceInfo: 'castgate', limitClientRateIn: 500_000 };
const NOW = 61_000;

function formOf(sessions: Iterable<Session>, statistics = STATISTICS, now = NOW): StatusForm {
  const form = new StatusForm(sessions, now, statistics);
  while (form.write(2));
  return form;
}

const publisher = aSession({
  name: 'Bob Ærø',
  role: 'broadcaster',
  room: 'lobby',
  ip: '2001:db8::1',
  hasVideo: true,
  hasAudio: true,
  startedAt: SESSION_STARTED_AT + 0.5,
  startedTick: 500,
  lastPingAt: () => SESSION_STARTED_AT + 60_000,
  stream: { name: 'bob', query: '', doing: 'publish' },
});
const browser = aSession({
  number: 77,
  transport: 'webrtc',
  ip: '2001:db8::2',
  traffic: () => ({ received: 4_000_000_000, sent: 17 }),
  stream: { name: 'chan', query: 'channel_id=4&userID=2&key=abc&ip=2001%3Adb8%3A%3A2&transcoding=0', doing: 'publish' },
});
const guest = aSession({
  number: 78,
  transport: 'webrtc',
  stream: { name: 'chan', query: 'channel_id=4&userID=&key=abc', doing: 'play' },
});

test('a report is byte for byte what PHP would post', async () => {
  const program = `
    $user = ['session' => 'Bob Ærø', 'username' => '', 'cam' => 1, 'mic' => 1, 'ip' => '2001:db8::1', 'runSeconds' => 60,
      'rooms' => 'lobby', 'role' => '1', 'startTime' => '${SESSION_STARTED_AT}', 'lastPing' => '${SESSION_STARTED_AT + 60_000}'];
    $guest = ['sessionId' => '78', 'isWebRTC' => 'true', 'ip' => '192.0.2.7', 'runSeconds' => 61, 'streamName' => 'chan',
      'streamQuery' => 'channel_id=4&userID=&key=abc', 'streamPublish' => 'false', 'streamPlay' => 'true',
      'TransferIn' => '0', 'TransferOut' => '0', 'TransferTotal' => '0'];
    $browser = ['sessionId' => '77', 'isWebRTC' => 'true', 'ip' => '2001:db8::2', 'runSeconds' => 61, 'streamName' => 'chan',
      'streamQuery' => 'channel_id=4&userID=2&key=abc&transcoding=0', 'streamPublish' => 'true', 'streamPlay' => 'false',
      'TransferIn' => '4000000000', 'TransferOut' => '17', 'TransferTotal' => '4000000017'];
    echo http_build_query([
      'users' => serialize([$user['session'] => $user]),
      'rtpsessions' => serialize(['78' => $guest, '77' => $browser]),
      'aS' => serialize(['appInstanceInfo' => 'castgate', 'limitClientRateIn' => 500000]),
    ]);`;
  const form = formOf([browser, publisher, guest]);
  assert.equal(String(form.body), String(await runPhp(program)));
  assert.deepEqual([form.users, form.rtpSessions, form.cleaned], [1, 2, 0]);
});

test('the three fields are there when nobody is', () => {
  const nothing = 'a%3A0%3A%7B%7D';
  assert.equal(String(formOf([], {}).body), `users=${nothing}&rtpsessions=${nothing}&aS=${nothing}`);
});

test('slices of any size give the same report', () => {
  const sessions = [publisher, ...Array.from({ length: 5 }, () => aSession()), browser, guest];
  for (const sample of [sessions, [publisher], [browser], sessions.slice(0, 3), [guest, browser]]) {
    const whole = new StatusForm(sample, NOW, STATISTICS);
    assert.equal(whole.write(100), false);
    assert.equal(whole.write(100), false, 'it is done');
    for (const size of [1, 2, 3]) {
      const form = new StatusForm(sample, NOW, STATISTICS);
      let slices = 1;
      while (form.write(size)) slices++;
      assert.equal(slices, Math.ceil(sample.length / size));
      assert.deepEqual(form.body, whole.body);
    }
  }
});

async function rowsOf(sessions: Iterable<Session>): Promise<{ users: object; rtpsessions: object }> {
  const program = `parse_str(stream_get_contents(STDIN), $form); foreach ($form as $name => $text) $lists[$name] = unserialize($text);
    echo json_encode($lists, JSON_FORCE_OBJECT);`;
  return JSON.parse(String(await runPhp(program, formOf(sessions).body)));
}

test('a name is one row: a broadcaster before viewers, who publishes before who waits, the oldest before the newer', async () => {
  const bob = (differences: Partial<Session>) => aSession({ name: 'bob', ...differences });
  const stream = { name: 's', query: '', doing: 'publish' } as const;
  const young = bob({ startedTick: 5, room: 'young' });
  const old = bob({ startedTick: 1, room: 'old' });
  const waiting = bob({ startedTick: 2, room: 'waiting', role: 'broadcaster' });
  const live = bob({ startedTick: 9, room: 'live', role: 'broadcaster', stream });
  for (const [sessions, room] of [
    [[young, old], 'old'],
    [[old, young], 'old'],
    [[old, waiting, young], 'waiting'],
    [[live, waiting, old], 'live'],
    [[old, waiting, live], 'live'],
  ] as const) {
    const { users } = (await rowsOf(sessions)) as { users: Record<string, { rooms: string }> };
    assert.deepEqual(Object.keys(users), ['bob']);
    assert.equal(users['bob']?.rooms, room);
  }
});

test('RTP sessions of nobody come before those of users', async () => {
  const of = (number: number, query: string) =>
    aSession({ number, transport: 'webrtc', stream: { name: 's', query, doing: 'play' } });
  const queries = ['userID=2', '', 'userID=0', 'key=k&userID=10', 'userID=', 'xuserID=3', 'userID=00', 'channel_id=1'];
  const odd = ['userID=5&userID=0', 'userID=%30'];
  const form = formOf([...queries, ...odd].map((query, index) => of(index, query)));
  const order = [...decodeURIComponent(String(form.body)).matchAll(/s:9:"sessionId";s:1:"(\d)"/g)].map((match) =>
    Number(match[1]),
  );
  assert.deepEqual(order, [1, 2, 4, 5, 6, 7, 8, 9, 0, 3]);
});

test('a session that has named no stream yet is reported', async () => {
  const { rtpsessions } = (await rowsOf([aSession({ number: 5, transport: 'webrtc' })])) as {
    rtpsessions: Record<string, object>;
  };
  const { streamName, streamQuery, streamPublish, streamPlay } = rtpsessions['5'] as Record<string, string>;
  assert.deepEqual([streamName, streamQuery, streamPublish, streamPlay], ['', '', 'false', 'false']);
});

test('a name of digits is one', async () => {
  const { users } = (await rowsOf([aSession({ name: '42' })])) as { users: Record<string, { session: unknown }> };
  assert.equal(users['42']?.session, '42');
  assert.match(decodeURIComponent(String(formOf([aSession({ name: '42' })]).body)), /^users=a:1:\{i:42;/);
});

test('running time is never negative, nor a fraction', () => {
  const seconds = (startedTick: number) =>
    Number(/"runSeconds";i:(-?\d+);/.exec(decodeURIComponent(String(formOf([aSession({ startedTick })]).body)))?.[1]);
  assert.deepEqual([61_001, 61_000, 60_001, 60_000, 0].map(seconds), [0, 0, 0, 1, 61]);
});

test('what slipped past the door is cleaned and counted', async () => {
  const session = aSession({ name: 'a<b', ip: 'fe80::1%eth0', room: 'x%41' });
  const form = formOf([session, aSession(), aSession({ transport: 'webrtc', ip: '%ab' })]);
  assert.equal(form.cleaned, 2);
  const { users } = (await rowsOf([session])) as {
    users: Record<string, { session: string; rooms: string; ip: string }>;
  };
  const { session: name, rooms, ip } = users['a_b']!;
  assert.deepEqual([name, rooms, ip], ['a_b', 'xA', 'fe80::1%eth0']);
});

test('rows of any length find room', async () => {
  const wordy = { name: 'c', query: `room=${'%C3%A9'.repeat(400)}&key=${'k'.repeat(600)}`, doing: 'play' } as const;
  const sessions = Array.from({ length: 20 }, () => aSession({ transport: 'webrtc', stream: wordy }));
  const { users, rtpsessions } = await rowsOf(sessions);
  assert.deepEqual([Object.keys(users).length, Object.keys(rtpsessions).length], [0, 20]);
});

test('statistics are made safe as well', () => {
  const form = formOf([], { appInstanceInfo: '<castgate> 100%25', 'limit<x': 5 });
  const text = 'a:2:{s:15:"appInstanceInfo";s:15:"_castgate> 100%";s:7:"limit_x";i:5;}';
  assert.equal(new URLSearchParams(String(form.body)).get('aS'), text);
});

/** A stream's query, and what the site gets of it. */
const QUERIES: readonly (readonly [query: string, safe: string])[] = [
  ['', ''],
  ['a', ''],
  ['=x', ''],
  ['channel_id=4&userID=2&key=abc&ip=1.2.3.4&transcoding=1', 'channel_id=4&userID=2&key=abc&transcoding=1'],
  ['privateUID=9&room=My%20Room&key=k', 'key=k&room=My+Room&privateUID=9'],
  ['room=My+Room', 'room=My+Room'],
  ['room=%C3%86r%C3%B8&ip=2001%3Adb8%3A%3A1', 'room=Ærø'],
  ['room=Tom%20%26%20Jerry', 'room=Tom+_+Jerry'],
  ['room=1%2B1', 'room=1_1'],
  ['room=a%253Cb%3Cc', 'room=a_b_c'],
  ['room=50%', 'room=50%'],
  ['room=%ff', 'room=_'],
  ['key=a=b', 'key=a=b'],
  ['userID=1&userID=2', 'userID=2'],
  ['user%49D=1&__proto__=2&constructor=3', ''],
  ['key=%22%3Bs%3A3', 'key=_;s:3'],
];

test('a stream query keeps what the scripts know, and no percent codes', async () => {
  for (const [query, safe] of QUERIES) assert.equal(safeStreamQuery(query), safe, query);
  assert.ok(Buffer.byteLength(safeStreamQuery(`key=${'%C3%A9'.repeat(2_000)}`)) <= 600);
  const program = `foreach (json_decode(stream_get_contents(STDIN)) as $q) { parse_str($q, $v); $out[] = $v ?: new stdClass; } echo json_encode($out);`;
  const safe = ['key=k&room=My+Room&privateUID=9', 'room=Ærø', 'room=50%', 'key=a=b'];
  const parsed = JSON.parse(String(await runPhp(program, JSON.stringify(safe))));
  const expected = [{ key: 'k', room: 'My Room', privateUID: '9' }, { room: 'Ærø' }, { room: '50%' }, { key: 'a=b' }];
  assert.deepEqual(parsed, expected);
});

let site: VendorSite;
before(async () => {
  site = await startVendorSite();
});
after(() => site.stop());

test("the vendor's receiver reads the report and is obeyed, whatever state it is in", async () => {
  const eve = aSession({ name: 'eve & "co"', room: "Tom's > room" });
  const sessions = [publisher, eve, browser, guest];
  const disconnect = { [eve.name]: 'Watch time is over > 10 & more', 77: 'Wrong key' };
  const users = [{ session: eve.name, disconnect: 'Watch time is over > 10 & more' }];
  const rtp = [{ key: '77', session: '77', disconnect: 'Wrong key' }];
  const moods = [
    {},
    { viewerKeyLost: false },
    { filter: false },
    { warning: 'front' },
    { warning: 'behind' },
    { lengths: 3 },
    { lengths: -2, filter: false },
    { encodeOrders: 'url' },
    { encodeOrders: 'list' },
    { encodeOrders: 'list', filter: false, warning: 'front' },
  ] as const;
  for (const mood of moods) {
    const settings = {
      disconnect,
      filter: true,
      warning: 'none',
      lengths: 0,
      encodeOrders: 'no',
      viewerKeyLost: true,
      ...mood,
    } as const;
    await site.set(settings);
    const key = settings.viewerKeyLost ? '' : eve.name;
    const response = await fetch(site.webStatus, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new Uint8Array(formOf(sessions).body),
    });
    const reply = readStatusReply(Buffer.from(await response.arrayBuffer()));
    const expected = { kind: 'orders', users: users.map((order) => ({ key, ...order })), sessions: rtp, count: 4 };
    assert.deepEqual(reply, expected, JSON.stringify(mood));
  }
  const { users: seen, rtpsessions, aS } = (await site.calls())[0]!;
  assert.deepEqual(Object.keys(seen || {}), [publisher.name, eve.name]);
  assert.deepEqual(Object.keys(rtpsessions || {}).sort(), ['77', '78']);
  assert.deepEqual(aS, STATISTICS);
});

test('a site that cuts its answer, denies, or says nothing has given no order', async () => {
  const kindAfter = async (settings: object): Promise<string> => {
    await site.set({
      disconnect: { bob: 'x' },
      warning: 'none',
      lengths: 0,
      encodeOrders: 'no',
      filter: false,
      cut: 0,
      ...settings,
    });
    const body = new Uint8Array(formOf([aSession({ name: 'bob' })]).body);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(site.webStatus, { method: 'POST', headers, body });
    return readStatusReply(Buffer.from(await response.arrayBuffer())).kind;
  };
  assert.equal(await kindAfter({}), 'orders');
  assert.equal(await kindAfter({ cut: 3 }), 'nonsense');
  assert.equal(await kindAfter({ cut: 60 }), 'nonsense');
  assert.equal(await kindAfter({ webStatus: 'denied' }), 'denied');
  assert.equal(await kindAfter({ webStatus: 'empty' }), 'empty');
});
