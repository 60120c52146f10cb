/**
 * Wowza's first signalling as its pages see it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { WebSocket } from 'ws';
import { RefusedError } from '../../src/base/errors.ts';
import { HOLD, REPLY_LIMIT } from '../../src/webrtc/wowza-caller.ts';
import { CANDIDATE, CLIENT_SDP, type FakeSession, SERVER_SDP } from '../helpers/fake-endpoint.ts';
import { SocketTown } from '../helpers/socket-town.ts';
import { settled } from '../helpers/virtual-clock.ts';

const QUERY = 'channel_id=4&userID=2&key=K&ip=192.0.2.9&transcoding=0';
const streamInfo = { applicationName: 'live', streamName: `bob?${QUERY}`, sessionId: '[empty]' };
const echoed = { ...streamInfo, applicationName: 'live/_definst_' };
const userData = { param1: 'value1', videowhisper: 'webrtc-broadcast' };
const sendOffer = {
  direction: 'publish',
  command: 'sendOffer',
  streamInfo,
  sdp: { type: 'offer', sdp: CLIENT_SDP },
  userData,
};
const getOffer = {
  direction: 'play',
  command: 'getOffer',
  streamInfo,
  userData: { param1: 'value1' },
  secureToken: null,
};
const iceCandidates = [{ candidate: CANDIDATE, sdpMid: 'video0', sdpMLineIndex: 0 }];

const refusing = (code: string) => () => {
  throw new RefusedError(code, `Refused: ${code}.`);
};

it('publishes: an offer is answered, with candidates', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  const reply = await page.ask(sendOffer);
  assert.deepEqual(reply, {
    status: 200,
    statusDescription: 'OK',
    direction: 'publish',
    command: 'sendOffer',
    streamInfo: { ...echoed, sessionId: '1' },
    sdp: { type: 'answer', sdp: SERVER_SDP },
    iceCandidates,
  });
  const request = { app: 'live', stream: 'bob', query: QUERY, ip: '127.0.0.1', door: 'wowza', userAgent: 'page' };
  assert.deepEqual(town.endpoint.requests, [{ ...request, asked: 'publish', offer: CLIENT_SDP }]);
});

it('plays: our offer is answered by the number that we gave', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller('/webrtc-session.json?x=1');
  assert.deepEqual(await page.ask(getOffer), {
    status: 200,
    statusDescription: 'OK',
    direction: 'play',
    command: 'getOffer',
    streamInfo: { ...echoed, sessionId: '1' },
    sdp: { type: 'offer', sdp: SERVER_SDP },
  });
  const sendResponse = { ...getOffer, command: 'sendResponse', sdp: { type: 'answer', sdp: CLIENT_SDP } };
  const unknown = await page.ask(sendResponse);
  assert.deepEqual([unknown['status'], unknown['command']], [404, 'sendResponse']);
  const given = { ...streamInfo, sessionId: '1' };
  const unreadable = await page.ask({ ...sendResponse, streamInfo: given, sdp: { sdp: 'nonsense' } });
  assert.equal(unreadable['status'], 400);
  const reply = await page.ask({ ...sendResponse, streamInfo: given });
  assert.deepEqual(reply, {
    status: 200,
    statusDescription: 'OK',
    direction: 'play',
    command: 'sendResponse',
    streamInfo: { ...echoed, sessionId: '1' },
    iceCandidates,
  });
  assert.deepEqual(town.endpoint.last.answers, [CLIENT_SDP]);
  assert.equal((await page.ask({ ...sendResponse, streamInfo: given }))['status'], 404, 'once');
});

it('an offer that has ended takes no answer, and no room', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  const getOffer = { direction: 'play', command: 'getOffer', streamInfo };
  const end = (session: FakeSession, reason: string) => {
    session.open = false;
    session.lastWords = { code: 'webrtc/timeout', reason };
  };
  assert.equal((await page.ask(getOffer))['status'], 200);
  end(town.endpoint.last, 'Too late.');
  const sendResponse = { ...getOffer, command: 'sendResponse', sdp: { type: 'answer', sdp: CLIENT_SDP } };
  const refused = await page.ask({ ...sendResponse, streamInfo: { ...streamInfo, sessionId: '1' } });
  assert.deepEqual([refused['status'], refused['statusDescription']], [404, 'Too late.']);
  assert.deepEqual(town.endpoint.last.answers, []);
  for (let i = 0; i < 16; i++) assert.equal((await page.ask(getOffer))['status'], 200);
  assert.equal((await page.ask(getOffer))['status'], 503, 'sixteen wait');
  end(town.endpoint.last, 'Too late.');
  assert.equal((await page.ask(getOffer))['status'], 200);
});

it('says what is live, if it may', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  const list = { direction: 'play', command: 'getAvailableStreams', streamInfo };
  assert.deepEqual((await page.ask(list))['availableStreams'], null);
  town.endpoint.streams = [
    { name: 'bob', audioCodec: 'opus', videoCodec: 'h264' },
    { name: 'eve', audioCodec: undefined, videoCodec: 'vp8' },
  ];
  const reply = await page.ask({ ...list, direction: 'publish' });
  assert.deepEqual([reply['status'], reply['direction'], reply['streamInfo']], [200, 'publish', echoed]);
  assert.deepEqual(reply['availableStreams'], [
    { streamName: 'bob', readyAudio: true, readyVideo: true, codecAudio: 'opus', codecVideo: 'h264' },
    { streamName: 'eve', readyAudio: false, readyVideo: true, codecAudio: '', codecVideo: 'vp8' },
  ]);
  assert.deepEqual(town.endpoint.listings.at(-1), {
    app: 'live',
    query: QUERY,
    ip: '127.0.0.1',
    door: 'wowza',
    userAgent: 'page',
  });
  town.endpoint.before = refusing('access/key');
  const refused = await page.ask({ ...list, streamInfo: { applicationName: 'live' } });
  assert.deepEqual([refused['status'], refused['availableStreams']], [403, undefined]);
  assert.equal(town.endpoint.listings.at(-1)!.query, '');
});

/** A refusal of the endpoint, and the status that a page is told. */
const STATUSES: readonly (readonly [code: string, status: number])[] = [
  ['stream/not-found', 502],
  ['access/duplicate', 503],
  ['access/busy', 503],
  ['access/shutdown', 503],
  ['access/web', 503],
  ['access/key', 403],
  ['access/login', 403],
  ['access/role', 403],
  ['access/application', 404],
  ['webrtc/sdp', 400],
  ['webrtc/codecs', 422],
];

it('refuses in the protocol’s numbers and plain words, and keeps the socket open', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  for (const [code, status] of STATUSES) {
    town.endpoint.before = refusing(code);
    for (const message of [sendOffer, getOffer]) {
      const { direction, command } = message;
      const expected = { status, statusDescription: `Refused: ${code}.`, direction, command, streamInfo: echoed };
      assert.deepEqual(await page.ask(message), expected);
    }
  }
  town.endpoint.before = () => {
    throw new TypeError('a secret');
  };
  const reply = await page.ask(sendOffer);
  assert.deepEqual([reply['status'], reply['statusDescription']], [500, 'The server met a fault of its own.']);
  town.endpoint.before = () => {};
  assert.equal((await page.ask(sendOffer))['status'], 200);
  assert.deepEqual(new Set(town.log.codes()), new Set([...STATUSES.map(([code]) => code), 'server/bug']));
  assert.doesNotMatch(JSON.stringify(town.log.lines), /key=K/);
});

it('holds a player while its stream is starting', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  town.endpoint.before = refusing('stream/not-found');
  town.starting.add('live/bob');
  let asked = town.asked();
  page.tell(getOffer);
  await asked;
  await town.clock.run(HOLD / 2);
  assert.equal(page.heard.length, 0);
  town.endpoint.before = () => {};
  town.starting.clear();
  await town.clock.run(200);
  assert.equal((await page.next())['status'], 200);

  town.endpoint.before = refusing('stream/not-found');
  town.starting.add('live/bob');
  asked = town.asked();
  page.tell(getOffer);
  await asked;
  await town.clock.run(HOLD + 200);
  assert.equal((await page.next())['status'], 502, 'but not for long');

  const vendors = [
    { ...getOffer, streamInfo: { ...streamInfo, userName: 'eve' } },
    { ...getOffer, userData: { videowhisper: 'webrtc-playback' } },
  ];
  for (const message of vendors) {
    asked = town.asked();
    page.tell(message);
    await asked;
    await town.clock.run(HOLD + 200);
    assert.equal((await page.next())['status'], 504, 'the vendor’s player asks again');
  }
  town.starting.clear();
  assert.equal((await page.ask(vendors[0]))['status'], 502, 'nobody is coming');
});

it('answers before its clients give up, and ends what comes too late', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  let go = () => {};
  let asked = town.asked();
  town.endpoint.before = () => new Promise<void>((resolve) => (go = resolve));
  asked = town.asked();
  page.tell(sendOffer);
  await asked;
  await town.clock.run(REPLY_LIMIT);
  assert.equal((await page.next())['status'], 503);
  go();
  await settled();
  assert.equal(town.endpoint.last.hangUps, 1);
});

it('lets sessions outlive the socket', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  await page.ask(sendOffer);
  page.socket.close();
  await page.closed;
  await settled();
  assert.equal(town.endpoint.last.hangUps, 0);
});

it('ends what nobody can take any more: an answer to one who has gone, an offer without its answer', async (context) => {
  const town = await new SocketTown().open(context);
  const gone = await town.caller();
  let go = () => {};
  town.endpoint.before = () => new Promise<void>((resolve) => (go = resolve));
  const asked = town.asked();
  gone.tell(sendOffer);
  await asked;
  gone.socket.close();
  await gone.closed;
  // what this one says is heard after the other has gone
  await (await town.caller()).ask({});
  go();
  await settled();
  assert.equal(town.endpoint.last.hangUps, 1);

  town.endpoint.before = () => {};
  const waiting = await town.caller();
  await waiting.ask(getOffer);
  waiting.socket.close();
  await waiting.closed;
  await (await town.caller()).ask({});
  assert.equal(town.endpoint.last.hangUps, 1);
});

it('keeps few offers open for one socket', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  for (let i = 0; i < 16; i++) assert.equal((await page.ask(getOffer))['status'], 200);
  assert.equal((await page.ask(getOffer))['status'], 503);
});

it('names an instance that the client named', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  for (const [given, app, back] of [
    ['live/_definst_', 'live', 'live/_definst_'],
    ['live/room1', 'live/room1', 'live/room1'],
  ] as const) {
    const reply = await page.ask({ ...sendOffer, streamInfo: { ...streamInfo, applicationName: given } });
    assert.equal((reply['streamInfo'] as Record<string, unknown>)['applicationName'], back);
    assert.equal(town.endpoint.requests.at(-1)!.app, app);
  }
});

it('stays calm whatever it is told', async (context) => {
  const town = await new SocketTown({ maxRate: 1_000 }).open(context);
  const page = await town.caller();
  const nothing = { direction: '', command: '', streamInfo: { applicationName: '', streamName: '', sessionId: '' } };
  const hostile = [
    ...['', 'x', '{', '[]', 'null', '1', '"text"', '{}', '[{"command":"sendOffer"}]', '\u0000', '{"a":1}{'],
    `${'['.repeat(32_000)}${']'.repeat(32_000)}`,
    `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
    `{"__proto__":{"direction":"publish","command":"sendOffer"}}`,
    `{"constructor":{"prototype":{"command":"sendOffer"}}}`,
    `{"direction":["publish"],"command":{"toString":"sendOffer"},"streamInfo":7}`,
  ];
  for (const json of hostile) {
    const { status, statusDescription, ...rest } = await page.ask(json);
    assert.equal(status, 400, json.slice(0, 60));
    assert.equal(typeof statusDescription, 'string');
    assert.deepEqual(rest, nothing);
  }
  const odd: unknown[] = [null, 0, [], {}, 'text', { sdp: 7 }, { __proto__: { sdp: 'x' } }];
  for (const value of odd) {
    for (const key of ['streamInfo', 'sdp', 'userData'] as const) {
      const reply = await page.ask({ ...sendOffer, [key]: value });
      assert.equal(reply['status'], key === 'streamInfo' ? 400 : 200, `${key} ${JSON.stringify(value)}`);
      assert.equal(reply['command'], 'sendOffer');
    }
  }
  for (const streamName of ['', '?key=K', '../x', 'a<b', 'x'.repeat(65), `bob?${'q'.repeat(1_025)}`, '\ud800']) {
    const reply = await page.ask({ ...sendOffer, streamInfo: { ...streamInfo, streamName } });
    assert.equal(reply['status'], 400, streamName);
  }
  assert.equal(({} as Record<string, unknown>)['command'], undefined);
  assert.ok(!town.log.codes().includes('server/bug'));
  assert.equal(page.socket.readyState, WebSocket.OPEN);
});

it('answers in order, and keeps only so many waiting', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  let go = () => {};
  town.endpoint.before = () => new Promise<void>((resolve) => (go = resolve));
  const asked = town.asked();
  page.tell(sendOffer);
  page.tell('{');
  await asked;
  go();
  assert.deepEqual([(await page.next())['status'], (await page.next())['status']], [200, 400]);
  for (let i = 0; i < 10; i++) page.tell(sendOffer);
  assert.deepEqual(await page.closed, [1000, 'Wait for the answers.']);
});

it('takes no message of more than 64 KiB', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  page.tell('x'.repeat((64 << 10) + 1));
  assert.equal((await page.closed)[0], 1009);
});

it('leaves other paths to others', async (context) => {
  const town = await new SocketTown().open(context);
  for (const path of ['/', '/webrtc-session.jsonx', '/live/webrtc-session.json', '/x?/webrtc-session.json']) {
    const socket = new WebSocket(`ws://127.0.0.1:${town.port}${path}`);
    const [error] = await once(socket, 'error');
    assert.match(String(error), /404/, path);
  }
  assert.ok(await town.caller('//webrtc-session.json'));
});
