/**
 * WHIP and WHEP as their clients see them, on the public site, with a made-up endpoint behind.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { PeerError, RefusedError } from '../../src/base/errors.ts';
import { SiteServer } from '../../src/http/http-server.ts';
import { whipRoutes } from '../../src/webrtc/whip.ts';
import { CANDIDATE, CLIENT_SDP, FakeEndpoint, SERVER_SDP } from '../helpers/fake-endpoint.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';

const SDP = { 'content-type': 'application/sdp' };
const FRAGMENT = { 'content-type': 'application/trickle-ice-sdpfrag' };
const RESTART = 'a=ice-ufrag:bbbb\r\na=ice-pwd:client2\r\n';

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

function town(maxPending?: number) {
  const endpoint = new FakeEndpoint();
  const log = new LogRecorder();
  const greeting = () => ({ version: '1.2.3', rtmpPort: 1935, app: 'live', webControlled: false });
  const site = new SiteServer({ listen: '127.0.0.1:0', tlsListen: '' }, { log, greeting });
  site.register(whipRoutes(endpoint, maxPending));
  const call = (method: Method, url: string, headers: Record<string, string> = {}, payload?: string) =>
    site.app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  const post = (url: string, headers: Record<string, string> = {}, offer = CLIENT_SDP) =>
    call('POST', url, { ...SDP, ...headers }, offer);
  /** A session, and how to speak about it. */
  const begun = async (url = '/live/bob/whip', headers: Record<string, string> = {}) => {
    const answer = await post(url, headers);
    assert.equal(answer.statusCode, 201, answer.body);
    const location = String(answer.headers['location']);
    const patch = (body: string, more: Record<string, string> = {}) =>
      call('PATCH', location, { ...FRAGMENT, ...headers, ...more }, body);
    return { answer, location, session: endpoint.last, patch };
  };
  return { endpoint, log, site, call, post, begun };
}

type Reply = Awaited<ReturnType<ReturnType<typeof town>['call']>>;

function assertProblem(reply: Reply, status: number, code: string): void {
  assert.deepEqual([reply.statusCode, reply.json().code], [status, code], reply.body);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  assert.equal(reply.json().status, status);
  assertOpenToPages(reply);
}

function assertOpenToPages(reply: Reply): void {
  assert.equal(reply.headers['access-control-allow-origin'], '*');
  const exposed = String(reply.headers['access-control-expose-headers']).split(', ');
  for (const name of ['Location', 'Link', 'ETag', 'Accept-Patch']) assert.ok(exposed.includes(name), name);
}

describe('POST', () => {
  it('answers an offer with 201, the answer and where the session is', async () => {
    const { endpoint, begun } = town();
    endpoint.iceLinks = ['<stun:a.example>; rel="ice-server"', '<turn:b.example>; rel="ice-server"; username="u"'];
    const { answer, location, session } = await begun();
    assert.equal(answer.body, SERVER_SDP);
    assert.equal(answer.headers['content-type'], 'application/sdp');
    assert.equal(location, `/live/bob/whip/${session.id}`);
    assert.equal(answer.headers['etag'], session.etag);
    assert.equal(answer.headers['accept-patch'], 'application/trickle-ice-sdpfrag');
    assert.deepEqual(answer.headers['link'], endpoint.iceLinks);
    assertOpenToPages(answer);
  });

  it('publishes or plays, by any of the addresses, with what the client brought', async () => {
    const { endpoint, begun } = town();
    const request = { app: 'live', stream: 'bob', query: '', ip: '127.0.0.1', token: undefined, offer: CLIENT_SDP };
    const asked = async (url: string, headers: Record<string, string> = {}) => {
      await begun(url, { 'user-agent': 'test', ...headers });
      const { userAgent, ...last } = endpoint.requests.at(-1)!;
      assert.equal(userAgent, 'test');
      return last;
    };
    assert.deepEqual(await asked('/live/bob/whip'), { ...request, door: 'whip', asked: 'publish' });
    assert.deepEqual(await asked('/whep/live/bob'), { ...request, door: 'whep', asked: 'play' });
    assert.deepEqual(await asked('//live/room1/bob/whep'), {
      ...request,
      app: 'live/room1',
      door: 'whep',
      asked: 'play',
    });
    assert.deepEqual(await asked('/live/_definst_/bob?channel_id=4&userID=2&key=K/whip'), {
      ...request,
      query: 'channel_id=4&userID=2&key=K',
      door: 'whip',
      asked: 'publish',
    });
    assert.deepEqual(await asked('/live/bob/whip?key=K', { authorization: 'bearer  T0k/en+=' }), {
      ...request,
      query: 'key=K',
      token: 'T0k/en+=',
      door: 'whip',
      asked: 'publish',
    });
  });

  it('of another type is refused before it is read', async () => {
    const { endpoint, call } = town();
    for (const type of ['application/json', 'text/plain', 'application/sdpx', 'application/trickle-ice-sdpfrag', ';']) {
      assertProblem(await call('POST', '/live/bob/whip', { 'content-type': type }, 'v=0'), 415, 'api/media-type');
    }
    assertProblem(await call('POST', '/live/bob/whip', { 'content-length': '3' }), 415, 'api/media-type');
    assert.equal(endpoint.requests.length, 0);
    for (const type of ['Application/SDP', 'application/sdp; charset=utf-8', 'application/sdp ;x=y']) {
      const { statusCode } = await call('POST', '/live/bob/whip', { 'content-type': type }, 'v=0');
      assert.equal(statusCode, 201, type);
    }
  });

  it('of more than 64 KiB is refused', async () => {
    const { endpoint, post } = town();
    assert.equal((await post('/live/bob/whip', {}, 'x'.repeat(64 << 10))).statusCode, 201);
    assertProblem(await post('/live/bob/whip', {}, 'x'.repeat((64 << 10) + 1)), 413, 'api/too-large');
    assert.equal(endpoint.requests.length, 1);
  });

  it('with names that cannot be is refused', async () => {
    const { endpoint, post } = town();
    for (const url of ['/live/a%3Cb/whip', '/_definst_/bob/whip', `/live/${'x'.repeat(65)}/whep`]) {
      assertProblem(await post(url), 400, 'access/name');
    }
    assertProblem(await post('/live/bob/whip', { authorization: `Bearer ${'t'.repeat(1_025)}` }), 400, 'access/name');
    assert.equal(endpoint.requests.length, 0);
  });

  /** A refusal of the endpoint, its status, and seconds to the next try. */
  const refusals: readonly (readonly [code: string, status: number, retryAfter?: string])[] = [
    ['webrtc/sdp', 400],
    ['webrtc/codecs', 422],
    ['webrtc/direction', 422],
    ['webrtc/anything-else', 422],
    ['access/application', 404],
    ['access/name', 400],
    ['access/role', 403],
    ['access/webkey', 403],
    ['access/duplicate', 409],
    ['stream/not-found', 409, '2'],
    ['access/busy', 503, '5'],
    ['access/shutdown', 503, '5'],
    ['access/web', 503, '10'],
    ['web/answer', 503, '10'],
  ];
  for (const [code, status, retryAfter] of refusals) {
    it(`that is refused for ${code} is answered ${status}`, async () => {
      const { endpoint, post } = town();
      endpoint.before = () => {
        throw new RefusedError(code, 'Words for the client.');
      };
      const reply = await post('/live/bob/whep', { authorization: 'Bearer T' });
      assertProblem(reply, status, code);
      assert.equal(reply.json().detail, 'Words for the client.');
      assert.equal(reply.headers['retry-after'], retryAfter);
      assert.equal(reply.headers['www-authenticate'], undefined);
    });
  }

  it('without credentials gets 401 and what is wanted; with wrong ones 403', async () => {
    const { endpoint, post } = town();
    for (const code of ['access/key', 'access/login']) {
      endpoint.before = () => {
        throw new RefusedError(code, 'No.');
      };
      for (const url of ['/live/bob/whip', '/live/bob/whip?key=', '/live/bob?channel_id=4/whip']) {
        const bare = await post(url);
        assertProblem(bare, 401, code);
        assert.equal(bare.headers['www-authenticate'], 'Bearer realm="castgate"');
      }
      const tries = [
        post('/live/bob/whip?key=K'),
        post('/live/bob?key=K/whip'),
        post('/live/bob/whip', { authorization: 'Bearer T' }),
        post('/live/bob/whip', { authorization: 'Basic dTpw' }),
      ];
      for (const reply of await Promise.all(tries)) {
        assertProblem(reply, 403, code);
        assert.equal(reply.headers['www-authenticate'], undefined);
      }
    }
  });

  it('that finds a fault of ours says nothing of it', async () => {
    const { endpoint, log, post } = town();
    endpoint.before = () => {
      throw new TypeError('secret of the stack');
    };
    const reply = await post('/live/bob/whip');
    assertProblem(reply, 500, 'server/bug');
    assert.doesNotMatch(reply.body, /secret/);
    assert.ok(log.codes().includes('server/bug'));
    endpoint.before = () => {
      throw new PeerError('webrtc/sdp', 'Not an offer.');
    };
    assertProblem(await post('/live/bob/whip'), 400, 'webrtc/sdp');
  });

  it('waits with so many others, and no more', async () => {
    const { endpoint, post } = town(2);
    let go = () => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    endpoint.before = () => gate;
    const waiting = [post('/live/a/whip'), post('/live/b/whip')];
    await new Promise(setImmediate);
    const reply = await post('/live/c/whip');
    assertProblem(reply, 503, 'access/busy');
    assert.equal(reply.headers['retry-after'], '5');
    go();
    for (const each of await Promise.all(waiting)) assert.equal(each.statusCode, 201);
    assert.equal((await post('/live/c/whip')).statusCode, 201, 'there is room again');
  });

  it('whose client has gone leaves no session behind', async (context) => {
    const { endpoint, site } = town();
    const address = await site.listen();
    context.after(() => site.close());
    let answerNow = () => {};
    const asked = new Promise<void>((resolve) => {
      endpoint.before = () => {
        resolve();
        return new Promise<void>((go) => (answerNow = go));
      };
    });
    const socket = connect(address.plain!.port, '127.0.0.1');
    const head = `POST /live/bob/whip HTTP/1.1\r\nHost: h\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\n`;
    socket.write(`${head}v=0`);
    await asked;
    const gone = once(site.server, 'connection');
    socket.destroy();
    // a later connection is accepted once the server has seen the end of this one
    const other = connect(address.plain!.port, '127.0.0.1');
    await gone;
    await once(other, 'connect');
    other.write('GET /live/bob/whip HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(other, 'data');
    answerNow();
    await new Promise(setImmediate);
    assert.equal(endpoint.last.hangUps, 1);
    other.destroy();
  });
});

describe('PATCH', () => {
  it('takes candidates in each form, and says nothing', async () => {
    const { begun } = town();
    const { session, patch } = await begun();
    const same = `a=ice-ufrag:aaaa\r\na=ice-pwd:client\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\na=${CANDIDATE}\r\n`;
    for (const body of [CANDIDATE, `a=${CANDIDATE}`, same, `${same}a=end-of-candidates\r\n`]) {
      for (const match of [
        {},
        { 'if-match': '*' },
        { 'if-match': session.etag },
        { 'if-match': `"x", ${session.etag}` },
      ]) {
        const reply = await patch(body, match);
        assert.deepEqual([reply.statusCode, reply.body, reply.headers['etag']], [204, '', undefined]);
        assertOpenToPages(reply);
      }
    }
    assert.equal(session.patches.length, 16);
  });

  it('takes an empty body for the end of candidates', async () => {
    const { call, begun } = town();
    const { location, session, patch } = await begun();
    assert.equal((await patch('')).statusCode, 204);
    assert.equal((await patch('\r\n')).statusCode, 204);
    assert.equal((await call('PATCH', location)).statusCode, 204, 'without a type');
    assert.deepEqual(session.patches, []);
  });

  it('restarts ICE when the credentials are new, and gives the new tag', async () => {
    const { begun } = town();
    const { session, patch } = await begun();
    const reply = await patch(RESTART, { 'if-match': '*' });
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers['content-type'], 'application/trickle-ice-sdpfrag');
    assert.match(reply.body, /a=ice-ufrag:server2\r\na=ice-pwd:serverpassword2\r\n/);
    assert.equal(reply.headers['etag'], '"ice-2"');
    const repeated = await patch(RESTART, { 'if-match': '*' });
    assert.deepEqual([repeated.statusCode, repeated.headers['etag'], repeated.body], [200, session.etag, reply.body]);
    assert.equal(
      (await patch(RESTART, { 'if-match': session.etag })).statusCode,
      204,
      'a candidate, by its entity tag',
    );
    const again = await patch('a=ice-ufrag:cccc\r\na=ice-pwd:c\r\n', { 'if-match': '"ice-2"' });
    assert.equal(again.headers['etag'], session.etag);
  });

  it('needs the entity tag to restart, and the right one for anything', async () => {
    const { begun } = town();
    const { session, patch } = await begun();
    assertProblem(await patch(RESTART), 428, 'webrtc/if-match');
    for (const stale of ['"ice-0"', 'W/"ice-1"', 'ice-1', '"*"', '']) {
      assertProblem(await patch(RESTART, { 'if-match': stale }), 412, 'webrtc/etag');
      assertProblem(await patch(CANDIDATE, { 'if-match': stale }), 412, 'webrtc/etag');
    }
    assert.deepEqual(session.patches, []);
    assert.equal(session.etag, '"ice-1"');
  });

  it('of another type, or no fragment, is refused', async () => {
    const { call, begun } = town();
    const { location, session, patch } = await begun();
    for (const type of ['application/sdp', 'application/json', 'text/plain']) {
      assertProblem(await call('PATCH', location, { 'content-type': type }, 'x'), 415, 'api/media-type');
    }
    assertProblem(await patch('nonsense'), 400, 'webrtc/sdp');
    assertProblem(await patch('x'.repeat((64 << 10) + 1)), 413, 'api/too-large');
    assert.ok(session.open);
  });
});

describe('a session', () => {
  it('ends by DELETE, whatever the tag, and then is not there', async () => {
    const { call, begun } = town();
    const { location, session, patch } = await begun();
    const reply = await call('DELETE', location, { 'if-match': '"stale"' });
    assert.deepEqual([reply.statusCode, reply.body], [200, '']);
    assert.equal(session.hangUps, 1);
    assertProblem(await call('DELETE', location), 404, 'webrtc/session');
    assertProblem(await patch(CANDIDATE), 404, 'webrtc/session');
    assertProblem(await call('GET', location), 404, 'webrtc/session');
    assert.equal(session.hangUps, 1);
  });

  it('ends by DELETE with a body as well', async () => {
    const { call, begun } = town();
    const { location } = await begun();
    assert.equal((await call('DELETE', location, { 'content-type': 'application/json' }, '{')).statusCode, 200);
  });

  it('is there for GET and HEAD while it lasts, and tells afterwards why it ended', async () => {
    const { call, begun } = town();
    const { location, session } = await begun();
    for (const method of ['GET', 'HEAD'] as const) {
      const reply = await call(method, location);
      assert.deepEqual([reply.statusCode, reply.body], [204, '']);
    }
    session.open = false;
    session.lastWords = { code: 'access/disconnected', reason: 'Your time is over.' };
    const reply = await call('GET', location);
    assertProblem(reply, 404, 'access/disconnected');
    assert.equal(reply.json().detail, 'Your time is over.');
  });

  it('belongs to its path and its token', async () => {
    const { call, begun } = town();
    const mine = { authorization: 'Bearer mine' };
    const { session } = await begun('/live/bob/whip?key=K', mine);
    const own = `/live/bob/whip/${session.id}`;
    const foreign: readonly (readonly [string, Record<string, string>])[] = [
      [own, {}],
      [own, { authorization: 'Bearer yours' }],
      [`/live/eve/whip/${session.id}`, mine],
      [`/other/bob/whip/${session.id}`, mine],
      [`/live/bob/whip/${'0'.repeat(32)}`, mine],
    ];
    for (const [url, headers] of foreign) {
      assertProblem(await call('DELETE', url, headers), 404, 'webrtc/session');
      assertProblem(await call('PATCH', url, { ...FRAGMENT, ...headers }, CANDIDATE), 404, 'webrtc/session');
      assertProblem(await call('GET', url, headers), 404, 'webrtc/session');
    }
    assert.ok(session.open);
    assert.equal((await call('DELETE', own, mine)).statusCode, 200);
  });
});

describe('every resource', () => {
  it('answers a preflight without asking who calls', async () => {
    const { endpoint, call } = town();
    endpoint.iceLinks = ['<stun:a.example>; rel="ice-server"'];
    const asks = { origin: 'https://page.example', 'access-control-request-method': 'POST' };
    const offers = await call('OPTIONS', '/live/bob?key=K/whip', asks);
    const session = await call('OPTIONS', `/live/bob/whip/${'0'.repeat(32)}`, asks);
    for (const [reply, methods] of [
      [offers, ['POST', 'GET', 'HEAD', 'OPTIONS']],
      [session, ['PATCH', 'DELETE', 'GET', 'HEAD', 'OPTIONS']],
    ] as const) {
      assert.deepEqual([reply.statusCode, reply.body], [200, '']);
      assertOpenToPages(reply);
      assert.equal(reply.headers['link'], undefined);
      assert.equal(reply.headers['allow'], methods.join(', '));
      assert.equal(reply.headers['access-control-allow-methods'], methods.join(', '));
      assert.equal(reply.headers['access-control-allow-headers'], 'Authorization, Content-Type, If-Match');
    }
    assert.equal(offers.headers['accept-post'], 'application/sdp');
    assert.equal(session.headers['accept-patch'], 'application/trickle-ice-sdpfrag');
    assert.equal(endpoint.requests.length, 0);
  });

  it('answers GET and HEAD without content, and WHEP says what it takes', async () => {
    const { call } = town();
    for (const method of ['GET', 'HEAD'] as const) {
      const whip = await call(method, '/live/bob/whip');
      assert.deepEqual([whip.statusCode, whip.body], [204, '']);
      const whep = await call(method, '/whep/live/bob');
      assert.deepEqual([whep.statusCode, whep.body, whep.headers['content-type']], [200, '', 'application/sdp']);
      assertOpenToPages(whep);
    }
  });

  it('knows its methods and lists them', async () => {
    const { call } = town();
    const offers = ['PUT', 'PATCH', 'DELETE'] as const;
    for (const method of offers) {
      const reply = await call(method, '/live/bob/whip', { 'content-type': 'text/html' }, 'x');
      assertProblem(reply, 405, 'api/method');
      assert.equal(reply.headers['allow'], 'POST, GET, HEAD, OPTIONS');
    }
    for (const method of ['POST', 'PUT'] as const) {
      const reply = await call(method, `/live/bob/whip/${'0'.repeat(32)}`, SDP, 'v=0');
      assertProblem(reply, 405, 'api/method');
      assert.equal(reply.headers['allow'], 'PATCH, DELETE, GET, HEAD, OPTIONS');
    }
  });
});

describe('the rest of the site', () => {
  it('is as it was', async () => {
    const { call } = town();
    const page = await call('GET', '/');
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /A live media server/);
    assert.equal((await call('GET', '/?/live/bob/whip')).statusCode, 200);
    assert.equal(page.headers['access-control-allow-origin'], undefined);
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      for (const url of ['/favicon.ico', '/live/bob', '/v1/sessions', '/live/whip', '/whip', '/a/b/c?x=whip']) {
        const reply = await call(method, url);
        assert.deepEqual([reply.statusCode, reply.json().code], [404, 'api/not-found'], `${method} ${url}`);
        assert.equal(reply.headers['allow'], undefined);
        assert.equal(reply.headers['access-control-allow-origin'], undefined);
      }
    }
    const wrong = await call('POST', '/');
    assert.deepEqual([wrong.statusCode, wrong.headers['allow']], [405, 'GET, HEAD']);
  });

  it('keeps its own kinds of bodies', async () => {
    const { site } = town();
    site.app.post('/echo', async ({ body }) => body);
    const reply = await site.app.inject({ method: 'POST', url: '/echo', payload: { a: 1 } });
    assert.deepEqual(reply.json(), { a: 1 });
    const sdp = await site.app.inject({ method: 'POST', url: '/echo', headers: SDP, payload: 'v=0' });
    assert.equal(sdp.statusCode, 415);
  });

  it('logs no query and no token', async () => {
    const { endpoint, log, post } = town();
    endpoint.before = () => {
      throw new RefusedError('access/key', 'No.');
    };
    await post('/live/bob?key=QUERY-KEY/whip', { authorization: 'Bearer BEARER-TOKEN' });
    assert.ok(log.lines.length > 0);
    assert.doesNotMatch(JSON.stringify(log.lines), /QUERY-KEY|BEARER-TOKEN/);
  });
});
