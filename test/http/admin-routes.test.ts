import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminTown,
  fakeApplication,
  fakePublication,
  fakeSession,
  fakeViewer,
  playing,
  publishing,
  SECRET,
} from '../helpers/admin-town.ts';

test('a session is shown with what the interface promises, and nothing else', async () => {
  const town = new AdminTown();
  const [session] = town.enter(publishing('show', { name: 'anna', transport: 'rtmps' }));
  assert.deepEqual(await town.list('/v1/sessions'), [
    {
      id: session!.id,
      name: 'anna',
      protocol: 'rtmps',
      app: 'live',
      stream: 'show',
      room: 'lobby',
      role: 'broadcaster',
      ip: '192.0.2.7',
      startedAt: '2026-01-31T12:00:00.000Z',
      bytesIn: 100,
      bytesOut: 2_000,
      state: 'publishing',
    },
  ]);
  const one = await town.get(`/v1/sessions/${session!.id}`);
  assert.equal(one.statusCode, 200);
  assert.deepEqual(one.json(), (await town.list('/v1/sessions'))[0]);
});

test('a session without a stream says so', async () => {
  const town = new AdminTown();
  town.enter(fakeSession());
  assert.equal((await town.list('/v1/sessions'))[0]?.['stream'], null);
});

test('the list of sessions is filtered by application, stream and role', async () => {
  const town = new AdminTown();
  town.enter(publishing('a', { name: '1' }), playing('a', { name: '2' }), playing('b', { name: '3' }));
  town.enter(playing('a', { name: '4', app: 'other' }));
  const names = async (query: string) => (await town.list(`/v1/sessions?${query}`)).map((item) => item['name']);
  assert.deepEqual(await names(''), ['1', '2', '3', '4']);
  assert.deepEqual(await names('app=live'), ['1', '2', '3']);
  assert.deepEqual(await names('stream=a'), ['1', '2', '4']);
  assert.deepEqual(await names('role=broadcaster'), ['1']);
  assert.deepEqual(await names('app=live&stream=a&role=watcher'), ['2']);
  assert.deepEqual(await names('app=nowhere'), []);
});

test('the list comes in pages, each of which names the next', async () => {
  const town = new AdminTown();
  town.enter(...Array.from({ length: 5 }, (_, at) => fakeSession({ name: `n${at}` })));
  const seen: unknown[] = [];
  let url: string | undefined = '/v1/sessions?itemsPerPage=2&app=live';
  let pages = 0;
  while (url !== undefined) {
    const page = await town.get(url);
    assert.equal(page.headers['x-total-count'], '5');
    seen.push(...page.json().map((item: { name: string }) => item.name));
    const link = page.headers['link'];
    url = typeof link === 'string' ? /^<(.+)>; rel="next"$/.exec(link)?.[1] : undefined;
    pages += 1;
  }
  assert.deepEqual(seen, ['n0', 'n1', 'n2', 'n3', 'n4']);
  assert.equal(pages, 3);
  assert.deepEqual(await town.list('/v1/sessions?page=9&itemsPerPage=2'), []);
});

test('a query that makes no sense is a problem that says which part', async () => {
  const town = new AdminTown();
  for (const query of [
    'page=-1',
    'page=x',
    'itemsPerPage=0',
    'itemsPerPage=10001',
    'role=boss',
    'apps=live',
    'page=1&page=2',
  ]) {
    const answer = await town.get(`/v1/sessions?${query}`);
    assert.equal(answer.statusCode, 400, query);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.json().code, 'api/request');
    assert.match(answer.json().detail, /querystring/, query);
  }
});

test('a DELETE disconnects, once', async () => {
  const town = new AdminTown();
  const [session] = town.enter(playing('show'));
  const first = await town.call('DELETE', `/v1/sessions/${session!.id}?reason=too%20loud`);
  assert.equal(first.statusCode, 204);
  assert.equal(first.body, '');
  assert.deepEqual(session!.farewells, ['too loud']);
  const second = await town.call('DELETE', `/v1/sessions/${session!.id}`);
  assert.equal(second.statusCode, 404);
  assert.equal(second.json().code, 'api/not-found');
  assert.equal(session!.farewells.length, 1);
  assert.deepEqual((await town.list('/v1/sessions'))[0]?.['state'], 'closing');
});

test('the reason is cleaned, bounded, and never empty', async () => {
  const town = new AdminTown();
  const told = async (query: string) => {
    const [session] = town.enter(fakeSession());
    assert.equal((await town.call('DELETE', `/v1/sessions/${session!.id}${query}`)).statusCode, 204);
    return session!.farewells[0]!;
  };
  assert.equal(await told('?reason=a%00b%0d%0ac%7f'), 'a b c');
  assert.equal((await told(`?reason=${'x'.repeat(5_000)}`)).length, 200);
  assert.ok((await told(`?reason=${'x'.repeat(199)}%F0%9F%98%80`)).isWellFormed());
  assert.match(await told(''), /operator/);
  assert.match(await told('?reason=%20%0a'), /operator/);
});

test('a session that is not there is a problem, also under odd ids', async () => {
  const town = new AdminTown();
  for (const id of ['0000000000000000', '__proto__', 'constructor', '%00', '..%2f..', 'ö']) {
    for (const method of ['DELETE', 'HEAD'] as const) {
      assert.equal((await town.call(method, `/v1/sessions/${encodeURIComponent(id)}`)).statusCode, 404, id);
    }
  }
});

test('nothing changes by GET', async () => {
  const town = new AdminTown();
  const [session] = town.enter(playing('show'));
  for (const url of [`/v1/sessions/${session!.id}?reason=x`, `/v1/sessions/${session!.id}?_method=DELETE`]) {
    await town.get(url, { 'x-http-method-override': 'DELETE' });
  }
  assert.equal(session!.state, 'playing');
});

test('a live stream is shown with its publisher, tracks and counts', async () => {
  const town = new AdminTown();
  const [publisher] = town.enter(publishing('show'), playing('show'));
  const stream = town.hub.stream('live', 'show');
  fakePublication(stream);
  stream.subscribe(fakeViewer(3));
  Object.assign(stream.counts, { bytes: 4_000, videoFrames: 50, keyFrames: 2, audioFrames: 80 });
  const expected = {
    app: 'live',
    name: 'show',
    live: true,
    audience: 3,
    codecs: ['h264'],
    tracks: [{ kind: 'video', track: 0, codec: 'h264', width: 64, height: 36 }],
    reordered: false,
    renditions: [],
    bytes: 4_000,
    videoFrames: 50,
    keyFrames: 2,
    audioFrames: 80,
    publisher: publisher!.id,
    since: '2026-01-31T12:00:00.000Z',
  };
  const listed = await town.get('/v1/streams');
  assert.deepEqual(listed.json(), [expected]);
  assert.equal(listed.headers['x-total-count'], '1');
  assert.deepEqual((await town.get('/v1/streams/live/show')).json(), expected);
});

test('a stream that is only waited for is not live and has no publisher', async () => {
  const town = new AdminTown();
  town.tracks = [];
  town.hub.stream('live', 'b?').subscribe(fakeViewer());
  const one = (await town.get('/v1/streams/live/b%3F')).json();
  assert.deepEqual([one.app, one.name, one.live, one.publisher, one.since], ['live', 'b?', false, null, null]);
});

test('names with slashes are divided as they were given', async () => {
  const town = new AdminTown();
  const [publisher] = town.enter(publishing('a/b', { app: 'live/room1' }), playing('c/d'));
  town.enter(playing('a/b', { app: 'live/room1' }));
  for (const [app, name] of [
    ['live/room1', 'a/b'],
    ['live', 'c/d'],
    ['live/room2', 'e'],
  ] as const) {
    fakePublication(town.hub.stream(app, name));
  }
  const parts = (await town.list('/v1/streams')).map((item) => [item['app'], item['name'], item['publisher']]);
  assert.deepEqual(parts, [
    ['live/room1', 'a/b', publisher!.id],
    ['live', 'c/d', null],
    ['live/room2', 'e', null],
  ]);
  const one = (await town.get('/v1/streams/live%2Froom1/a%2Fb')).json();
  assert.deepEqual([one.app, one.publisher], ['live/room1', publisher!.id]);
});

test('a stream that nobody has is a problem, and asking makes none', async () => {
  const town = new AdminTown();
  const answer = await town.get('/v1/streams/live/none');
  assert.equal(answer.statusCode, 404);
  assert.equal(answer.json().code, 'api/not-found');
  assert.equal(town.hub.size, 0);
});

test('an application shows how its web site does', async () => {
  const town = new AdminTown();
  const at = town.clock.wallTime();
  town.applications = [
    fakeApplication({ lastAnswer: { kind: 'orders', at: at - 2_500, age: 2_460 } }),
    fakeApplication({
      name: '*',
      webLogin: '',
      webStatus: 'nonsense',
      lastAnswer: undefined,
      state: 'Not controlled.',
      failure: { code: 'web/timeout', text: 'The web site did not answer in 30 s.', since: at },
    }),
  ];
  town.enter(fakeSession(), fakeSession({ app: 'live/room1' }), fakeSession({ app: 'elsewhere' }));
  const [live, rest] = await town.list('/v1/applications');
  assert.deepEqual(live, {
    name: 'live',
    sessions: 2,
    acceptPlayers: false,
    webLogin: 'site.example/wp/ajax.php',
    webLogout: null,
    webStatus: 'site.example/status',
    state: 'The web site controls the sessions.',
    lastAnswer: 'orders',
    lastAnswerAt: new Date(at - 2_500).toISOString(),
    lastAnswerAge: 2.5,
    failure: null,
    failureCode: null,
    failingSince: null,
    counts: {
      logins: { accepted: 5, refused: 1 },
      answers: { orders: 7 },
      failures: { 'web/timeout': 2 },
      orders: 3,
      logoutsWaiting: 4,
    },
  });
  assert.equal(rest?.['sessions'], 1);
  assert.equal(rest?.['webStatus'], '(not a web address)');
  assert.deepEqual([rest?.['lastAnswer'], rest?.['lastAnswerAge']], [null, null]);
  assert.deepEqual([rest?.['failure'], rest?.['failureCode']], ['The web site did not answer in 30 s.', 'web/timeout']);
});

test('no secret leaves by any page, nor by the log', async () => {
  const town = new AdminTown();
  town.applications = [fakeApplication()];
  const [publisher] = town.enter(publishing('show'), playing('show'));
  fakePublication(town.hub.stream('live', 'show'));
  const pages = ['/', '/v1', '/v1/sessions', `/v1/sessions/${publisher!.id}`, '/v1/streams', '/v1/streams/live/show'];
  for (const url of [...pages, '/v1/applications', '/metrics', '/healthz', '/readyz', `/none?token=${SECRET}`]) {
    const answer = await town.get(url);
    assert.ok(!answer.body.includes(SECRET) && !JSON.stringify(answer.headers).includes(SECRET), url);
  }
  assert.ok(town.log.lines.length >= 10);
  assert.ok(!JSON.stringify(town.log.lines).includes(SECRET));
});

test('the answer holds only what the schema names', async () => {
  const town = new AdminTown();
  const track = { kind: 'video', track: 0, codec: 'h264', extra: SECRET } as const;
  town.tracks = [track];
  fakePublication(town.hub.stream('live', 'show'));
  assert.deepEqual((await town.list('/v1/streams'))[0]?.['tracks'], [{ kind: 'video', track: 0, codec: 'h264' }]);
});

test('health says ok, readiness says why not', async () => {
  const town = new AdminTown();
  const health = await town.get('/healthz');
  assert.deepEqual([health.statusCode, health.body], [200, 'ok\n']);
  const ready = await town.get('/readyz');
  assert.deepEqual([ready.statusCode, ready.body], [200, 'ready\n']);
  town.readiness = { ok: false, reasons: ['draining', 'live: no answer'] };
  const not = await town.get('/readyz');
  assert.equal(not.statusCode, 503);
  assert.equal(not.headers['content-type'], 'application/problem+json');
  assert.deepEqual([not.json().code, not.json().detail], ['server/not-ready', 'draining; live: no answer']);
  assert.deepEqual(not.json().reasons, ['draining', 'live: no answer']);
  assert.equal((await town.get('/healthz')).statusCode, 200);
});

test('the index leads to pages that are there', async () => {
  const town = new AdminTown();
  const { links, version } = (await town.get('/v1')).json();
  assert.equal(version, '1.2.3');
  for (const link of links) assert.equal((await town.get(link)).statusCode, 200, link);
  assert.match((await town.get('/')).body, /\/v1/);
});

test('a wrong method is told apart from a wrong path', async () => {
  const town = new AdminTown();
  const method = await town.call('POST', '/v1/sessions');
  assert.deepEqual([method.statusCode, method.headers['allow'], method.json().code], [405, 'GET, HEAD', 'api/method']);
  const item = await town.call('PUT', '/v1/sessions/abc?x=1');
  assert.deepEqual([item.statusCode, item.headers['allow']], [405, 'DELETE, GET, HEAD']);
  const preflight = await town.call('OPTIONS', '/v1/sessions/abc');
  assert.equal(preflight.statusCode, 405);
  assert.equal(preflight.headers['access-control-allow-origin'], undefined);
  const path = await town.call('POST', '/v2/sessions');
  assert.deepEqual([path.statusCode, path.json().code], [404, 'api/not-found']);
});

test('a problem names its code, its page and its cure', async () => {
  const town = new AdminTown();
  const found = (await town.get('/none')).json();
  assert.deepEqual(Object.keys(found), ['type', 'title', 'status', 'detail', 'code', 'fix']);
  assert.equal(found.type, 'docs/errors.md#apinot-found');
  assert.equal(found.status, 404);
});
