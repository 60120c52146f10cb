/**
 * Wowza's second signalling as its pages see it.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { HOLD } from '../../src/webrtc/wowza-caller.ts';
import { CANDIDATE, CLIENT_SDP, SERVER_SDP } from '../helpers/fake-endpoint.ts';
import { SocketTown } from '../helpers/socket-town.ts';

const PATH = '/webrtc-session.json?webrtcImplementation=v2';
const names = { applicationName: 'live', streamName: 'bob?key=K', connectionId: '[empty]' };
const OFFER = { messageType: 'OFFER', action: 'PUBLISH', ...names, sdp: CLIENT_SDP, secureToken: { hash: 'x' } };

it('answers the client’s offer in both directions, then lists candidates', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller(PATH);
  for (const [action, asked, connectionId] of [
    ['PUBLISH', 'publish', '1'],
    ['VIEW', 'play', '2'],
  ] as const) {
    const reply = await page.ask({ ...OFFER, action });
    assert.deepEqual(reply, { statusCode: 200, statusDescription: 'OK', message: { connectionId, sdp: SERVER_SDP } });
    assert.deepEqual(await page.next(), { messageType: 'CANDIDATE', candidate: CANDIDATE });
    const request = { app: 'live', stream: 'bob', query: 'key=K', ip: '127.0.0.1', door: 'wowza', userAgent: 'page' };
    assert.deepEqual(town.endpoint.requests.at(-1), { ...request, asked, offer: CLIENT_SDP });
  }
});

it('is spoken only where it is asked for', async (context) => {
  const town = await new SocketTown().open(context);
  for (const [path, v2] of [
    ['/webrtc-session.json', false],
    ['/webrtc-session.json?webrtcImplementation=v1', false],
    ['/webrtc-session.json?webrtcImplementation=v22', false],
    ['/webrtc-session.json?a=1&webrtcImplementation=v2&b=2', true],
  ] as const) {
    const reply = await (await town.caller(path)).ask(OFFER);
    assert.equal('statusCode' in reply, v2, path);
  }
});

it('takes candidates and their end without a word', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller(PATH);
  await page.ask(OFFER);
  await page.next();
  for (const candidate of [CANDIDATE, '', 7])
    page.tell({ ...OFFER, messageType: 'CANDIDATE', connectionId: '1', candidate });
  const reply = await page.ask({ messageType: 'OFFER' });
  assert.equal(reply['statusCode'], 400);
  assert.equal(page.heard.length, 3);
});

it('restarts ICE by a whole offer, and answers with a whole answer', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller(PATH);
  await page.ask(OFFER);
  await page.next();
  const sdp = CLIENT_SDP.replace('ufrag:aaaa', 'ufrag:bbbb');
  const restart = { ...OFFER, messageType: 'ICE_RESTART', connectionId: '1', sdp };
  const reply = await page.ask(restart);
  const renewed = SERVER_SDP.replaceAll('server1', 'server2').replaceAll('serverpassword1', 'serverpassword2');
  assert.deepEqual(reply, { statusCode: 200, statusDescription: 'OK', message: { connectionId: '1', sdp: renewed } });
  assert.deepEqual(town.endpoint.last.patches, ['a=ice-ufrag:bbbb\r\na=ice-pwd:client\r\n']);
  await page.next();
  const again = await page.ask(restart);
  assert.deepEqual((again['message'] as Record<string, unknown>)['sdp'], renewed, 'the same again changes nothing');
  await page.next();
  assert.equal((await page.ask({ ...restart, sdp: 'v=0\r\na=ice-ufrag:x\r\n' }))['statusCode'], 400);
  assert.equal((await page.ask({ ...restart, connectionId: '2' }))['statusCode'], 404);
});

it('refuses with a code and words, never with 504 or 514', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller(PATH);
  for (const message of ['{', '[]', '{}', '{"messageType":"toString"}', { ...OFFER, action: 'constructor' }]) {
    const reply = await page.ask(message);
    assert.deepEqual(Object.keys(reply), ['statusCode', 'statusDescription']);
    assert.equal(reply['statusCode'], 400);
  }
  town.endpoint.before = () => {
    throw new RefusedError('stream/not-found', 'Nobody publishes it.');
  };
  town.starting.add('live/bob');
  const asked = town.asked();
  page.tell({ ...OFFER, action: 'VIEW', userData: { videowhisper: 'x' }, streamInfo: { userName: 'eve' } });
  await asked;
  await town.clock.run(HOLD + 200);
  assert.deepEqual(await page.next(), { statusCode: 502, statusDescription: 'Nobody publishes it.' });
});

it('keeps the socket while there is a session, and gives it the last words', async (context) => {
  const town = await new SocketTown({ pingInterval: 1_000_000 }).open(context);
  const page = await town.caller(PATH);
  await page.ask(OFFER);
  await page.next();
  await town.clock.run(600_000);
  assert.equal((await page.ask({ messageType: 'OFFER' }))['statusCode'], 400, 'still there');
  const session = town.endpoint.last;
  session.open = false;
  session.lastWords = { code: 'access/disconnected', reason: `Your time is over. ${'é'.repeat(100)}` };
  await town.clock.run(1_000);
  const [code, reason] = await page.closed;
  assert.equal(code, 1000);
  assert.match(reason, /^Your time is over\. é+$/);
  assert.ok(Buffer.byteLength(reason) <= 123);
});

it('ends a session that its page closes, and no other', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller(PATH);
  await page.ask(OFFER);
  await page.next();
  const close = { messageType: 'CLOSE', action: 'PUBLISH', connectionId: '1' };
  assert.equal((await (await town.caller(PATH)).ask(close))['statusCode'], 404, 'of another socket');
  assert.equal(town.endpoint.last.hangUps, 0);
  page.tell(close);
  assert.equal((await page.ask(close))['statusCode'], 404);
  assert.equal(town.endpoint.last.hangUps, 1);
});

it('lets a session outlive the socket', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller(PATH);
  await page.ask(OFFER);
  page.socket.close();
  await page.closed;
  await (await town.caller(PATH)).ask({});
  assert.equal(town.endpoint.last.hangUps, 0);
});
