import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import { audioFrame } from '../helpers/viewer-town.ts';
import { description, GOODBYE, WebRtcTown } from '../helpers/webrtc-town.ts';

const PUBLISH = description('videowhisper-publish-vp8');
const PLAY = description('chromium-156-play');
const VP8 = 96;
/** Descriptor and a key picture of 16 x 16 (RFC 7741 4.2, RFC 6386 9.1). */
const VP8_KEY = Buffer.from('10d00200 9d012a10001000 0000000000'.replaceAll(' ', ''), 'hex');

const states = ({ registry }: WebRtcTown) => [...registry].map(({ state }) => state);

test('an offer to publish: in the registry at once, live with its keys, gone with its goodbye', async () => {
  const town = await new WebRtcTown().open();
  const { session, sdp, candidates } = await town.endpoint.publish(town.request({ query: 'room=lobby' }), PUBLISH);
  assert.equal(readDescription(sdp).sections.length, 2);
  assert.match(candidates[0]!, /^candidate:1 1 udp 9 203\.0\.113\.5 8189 typ host/);
  assert.match(session.id, /^[\da-f]{32}$/);
  const [entry] = [...town.registry];
  assert.deepEqual(
    [entry?.name, entry?.room, entry?.transport, entry?.state],
    ['show', 'lobby', 'webrtc', 'connected'],
  );
  assert.deepEqual(entry?.stream, { name: 'show', query: 'room=lobby', doing: 'publish' });
  assert.equal(town.hub.find('live', 'show'), undefined, 'not before it has shown its certificate');
  assert.ok(town.server.starting('live', 'show'));

  town.place.connect();
  assert.deepEqual(states(town), ['publishing']);
  assert.equal(town.registry.publisherOf('live', 'show'), entry);
  town.place.media(VP8, 90, VP8_KEY);
  assert.equal(entry?.hasVideo, true);
  assert.equal(town.server.counts.videoFrames, 1);
  assert.ok((entry?.traffic().received ?? 0) > 30);

  town.place.receive(GOODBYE);
  assert.equal(town.registry.size, 0);
  assert.equal(town.hub.size, 0);
  assert.deepEqual([town.gate.farewells, town.gate.inside.size], [1, 0]);
  assert.equal(session.open, false);
  assert.equal(session.lastWords?.code, 'webrtc/closed');
  assert.ok(town.place.closed);
});

test('a viewer gets the picture from the last key frame on, then what comes', async () => {
  const town = await new WebRtcTown().open();
  const camera = town.camera();
  camera.film(60);
  const { session } = await town.endpoint.play(town.request(), PLAY);
  town.place.connect();
  await town.clock.run(200);
  const before = town.place.received().length;
  assert.ok(before >= 10, `${before} packets of ten pictures`);
  camera.film(5);
  await town.clock.run(200);
  assert.ok(town.place.received().length > 0);
  assert.equal(town.hub.find('live', 'show')?.audience, 1);
  session.hangUp();
  assert.equal(town.hub.find('live', 'show')?.audience, 0);
  assert.deepEqual(states(town), []);
});

test('what is not live cannot be played, and the gate gets back what it granted', async () => {
  const town = await new WebRtcTown().open();
  await assert.rejects(town.endpoint.play(town.request(), PLAY), { code: 'stream/not-found' });
  assert.deepEqual([town.gate.asked.length, town.gate.abandoned, town.registry.size], [1, 1, 0]);
  assert.equal(town.server.counts.closed.get('stream/not-found'), 1);
});

test('an offer that leads nowhere is refused before anybody is asked', async () => {
  const town = await new WebRtcTown().open();
  for (const [offer, code] of [
    ['v=1', 'webrtc/sdp'],
    [PLAY, 'webrtc/direction'],
  ] as const) {
    await assert.rejects(town.endpoint.publish(town.request(), offer), { code });
  }
  assert.equal(town.gate.asked.length, 0);
});

test('a refusal of the gate is handed on, and leaves nothing', async () => {
  const town = await new WebRtcTown().open();
  town.gate.refusal = { allow: false, code: 'access/key', reason: 'no key' };
  await assert.rejects(town.endpoint.publish(town.request(), PUBLISH), { code: 'access/key', message: 'no key' });
  assert.deepEqual([town.registry.size, town.places.length, town.gate.abandoned], [0, 0, 0]);
});

test('there is room for so many, in all and from one address', async () => {
  const town = await new WebRtcTown({ maxSessions: 3, maxSessionsPerIp: 2 }).open();
  const publish = (stream: string, ip: string) => town.endpoint.publish(town.request({ stream, ip }), PUBLISH);
  const { session } = await publish('a', '192.0.2.1');
  await publish('b', '192.0.2.1');
  await assert.rejects(publish('c', '192.0.2.1'), { code: 'access/busy' });
  await publish('c', '192.0.2.2');
  await assert.rejects(publish('d', '192.0.2.3'), { code: 'access/busy' });
  session.hangUp();
  await publish('d', '192.0.2.1');
});

test('all addresses of an IPv6 network are one', async () => {
  const town = await new WebRtcTown({ maxSessionsPerIp: 2 }).open();
  const publish = (stream: string, ip: string) => town.endpoint.publish(town.request({ stream, ip }), PUBLISH);
  const { session } = await publish('a', '2001:db8:1:2::1');
  await publish('b', '2001:db8:1:2:3:4:5:6');
  await assert.rejects(publish('c', '2001:db8:1:2::3'), { code: 'access/busy' });
  await publish('c', '2001:db8:1:3::1');
  session.hangUp();
  await publish('d', '2001:db8:1:2::4');
});

test('who was let in when the last place had gone is sent away, and the gate knows', async () => {
  const town = await new WebRtcTown({ maxSessions: 1 }).open();
  const both = [town.request({ stream: 'a' }), town.request({ stream: 'b' })].map((request) =>
    town.endpoint.publish(request, PUBLISH),
  );
  const outcomes = await Promise.allSettled(both);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.equal(town.gate.abandoned, 1);
});

test('who waits for a stream to show what it is has no place until then', async () => {
  for (const ask of ['play', 'offerPlay'] as const) {
    const town = await new WebRtcTown({ maxSessions: 2 }).open();
    town.camera().film(3);
    const all = Promise.allSettled(
      Array.from({ length: 4 }, () => town.endpoint[ask](town.request({ door: 'whep' }), PLAY)),
    );
    await town.clock.run(5_000);
    const codes = (await all).map((outcome) => (outcome.status === 'fulfilled' ? 'in' : outcome.reason.code));
    assert.deepEqual(codes, ['in', 'in', 'access/busy', 'access/busy'], ask);
    assert.deepEqual([town.server.open, town.registry.size, town.gate.inside.size, town.gate.abandoned], [2, 2, 2, 2]);
  }
});

test('a session whose transport cannot be made leaves nothing behind', async () => {
  const town = await new WebRtcTown().open();
  town.makeDtls = () => {
    throw new RangeError('no memory');
  };
  await assert.rejects(town.endpoint.publish(town.request(), PUBLISH), RangeError);
  assert.deepEqual([town.server.open, town.registry.size, town.gate.inside.size, town.gate.abandoned], [0, 0, 0, 1]);
  assert.ok(town.place.closed);
});

test('an offer that is not followed up ends by itself', async () => {
  const town = await new WebRtcTown({ connectTimeout: 3_000 }).open();
  const { session } = await town.endpoint.publish(town.request(), PUBLISH);
  await town.clock.run(2_900);
  assert.ok(session.open);
  await town.clock.run(1_500);
  assert.equal(session.lastWords?.code, 'webrtc/timeout');
  assert.equal(town.gate.farewells, 1);
});

test('a publisher that falls silent is gone, one that sends stays', async () => {
  const town = await new WebRtcTown({ publishTimeout: 5_000 }).open();
  const { session } = await town.endpoint.publish(town.request(), PUBLISH);
  town.place.connect();
  for (let second = 0; second < 8; second++) {
    town.place.media(VP8, second * 90_000, VP8_KEY);
    await town.clock.run(1_000);
  }
  assert.ok(session.open);
  await town.clock.run(6_500);
  assert.equal(session.lastWords?.code, 'webrtc/silent');
});

test('a viewer waits for a publisher to come back, and not forever', async () => {
  const town = await new WebRtcTown({ playWait: 10_000 }).open();
  const first = town.camera();
  first.film(50);
  const { session } = await town.endpoint.play(town.request(), PLAY);
  town.place.connect();
  first.publication.close();
  await town.clock.run(8_000);
  const second = town.camera();
  second.film(50);
  await town.clock.run(8_000);
  assert.ok(session.open);
  second.publication.close();
  await town.clock.run(12_000);
  assert.equal(session.lastWords?.code, 'stream/not-found');
});

test('who could have heard is told when sound begins later; who asked for pictures alone goes on', async () => {
  const town = await new WebRtcTown().open();
  const { publication, film } = town.camera();
  film(50);
  const deaf = PLAY.replace(/a=recvonly(?![\s\S]*a=recvonly)/, 'a=inactive');
  assert.notEqual(deaf, PLAY);
  const both = await town.endpoint.play(town.request(), PLAY);
  town.place.connect();
  const alone = await town.endpoint.play(town.request(), deaf);
  town.place.connect();
  await town.clock.run(3_000);
  assert.ok(both.session.open && alone.session.open);
  for (let number = 0; number < 5; number++)
    publication.write({ ...audioFrame(number, 2_000 + 20 * number), codec: 'mp3' });
  await town.clock.run(2_000);
  assert.ok(both.session.open, 'nobody could hear that');
  publication.close();
  const next = town.camera();
  next.film(5);
  next.publication.write(audioFrame(0, 0));
  await town.clock.run(2_000);
  assert.equal(both.session.lastWords?.code, 'stream/changed');
  assert.ok(alone.session.open);
});

test('a viewer whose stream turns out to have B-frames is told so', async () => {
  const town = await new WebRtcTown().open();
  const { publication, film } = town.camera();
  film(50);
  const { session } = await town.endpoint.play(town.request(), PLAY);
  town.place.connect();
  const frame = town.hub.find('live', 'show')!.replay().at(-1)!;
  publication.write({ ...frame, role: 'delta', dts: 200_000, pts: 300_000 });
  publication.write({ ...frame, role: 'delta', dts: 240_000, pts: 260_000 });
  await town.clock.run(1_500);
  assert.equal(session.lastWords?.code, 'stream/b-frames');
  await assert.rejects(town.endpoint.play(town.request(), PLAY), { code: 'stream/b-frames' });
});

test('somebody who may takes the stream over; the one before is told why', async () => {
  const town = await new WebRtcTown().open();
  const first = await town.endpoint.publish(town.request(), PUBLISH);
  town.place.connect();
  town.gate.mayTake = true;
  const second = await town.endpoint.publish(town.request(), PUBLISH);
  assert.ok(first.session.open, 'until the new one is there');
  town.place.connect();
  assert.equal(first.session.lastWords?.code, 'access/taken-over');
  assert.ok(second.session.open);
  assert.equal(town.registry.publisherOf('live', 'show')?.number, second.session.number);
});

test('who connects second to a name that is taken meanwhile is refused', async () => {
  const town = await new WebRtcTown().open();
  const sessions = [];
  for (let i = 0; i < 2; i++) sessions.push((await town.endpoint.publish(town.request(), PUBLISH)).session);
  const [early, late] = town.places;
  late!.connect();
  early!.connect();
  assert.deepEqual(
    sessions.map(({ lastWords }) => lastWords?.code),
    ['access/duplicate', undefined],
  );
});

test('an order ends a session, and its last words can be had for a minute', async () => {
  const town = await new WebRtcTown().open();
  const { session } = await town.endpoint.publish(town.request({ token: 'secret' }), PUBLISH);
  town.place.connect();
  [...town.registry][0]!.disconnect('Your time is over');
  assert.deepEqual(town.place.sent.at(-1), GOODBYE);
  const left = town.endpoint.session(session.id)!;
  assert.deepEqual(left.lastWords, { code: 'access/disconnected', reason: 'Your time is over' });
  assert.equal(left.number, session.number);
  assert.equal(left.belongsTo(town.request({ token: 'secret' })), true);
  const token = 'secret';
  for (const other of [
    { token: 'guess' },
    {},
    { token, stream: 'other' },
    { token, app: 'x' },
    { token, door: 'whep' },
  ]) {
    assert.equal(left.belongsTo(town.request(other)), false, JSON.stringify(other));
  }
  assert.throws(() => left.patch(''), { code: 'access/disconnected' });
  await town.clock.run(62_000);
  assert.equal(town.endpoint.session(session.id), undefined);
});

test('an ICE restart gets new credentials and another entity tag; candidates get nothing', async () => {
  const town = await new WebRtcTown().open();
  const { session } = await town.endpoint.publish(town.request(), PUBLISH);
  const { etag } = session;
  assert.equal(session.patch('candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host'), undefined);
  const known = town.place.remote!;
  const same = `a=ice-ufrag:${known.ufrag}\r\na=ice-pwd:${known.password}\r\n`;
  assert.equal(session.restarts(same), false);
  assert.equal(session.patch(same), undefined);
  const fresh = 'a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n';
  assert.equal(session.restarts(fresh), true);
  const answer = session.patch(fresh)!;
  assert.match(answer, /a=ice-ufrag:ufrag1\r\n/);
  assert.match(answer, /a=candidate:1 1 udp 9 203/);
  assert.notEqual(session.etag, etag);
  assert.equal(session.restarts('no fragment'), false);
  assert.throws(() => session.patch('no fragment'), { code: 'webrtc/sdp' });
});

test('a restart asked for again gets the same answer; what comes late from before it changes nothing', async () => {
  const town = await new WebRtcTown().open();
  const { session } = await town.endpoint.publish(town.request(), PUBLISH);
  const { ufrag, password } = town.place.remote!;
  const fragment = (...own: [ufrag: string, password: string]) => `a=ice-ufrag:${own[0]}\r\na=ice-pwd:${own[1]}\r\n`;
  const [first, second] = [
    fragment('EsAw', 'P2uYro0UCOQ4zxjKXaWCBui1'),
    fragment('two2', 'another-password-of-32-letters--'),
  ];
  assert.equal(session.patch(fragment(ufrag, password), true), undefined, 'there was no restart');
  const answers = [session.patch(first, true), session.patch(first, true)];
  assert.match(answers[0]!, /a=ice-ufrag:ufrag1\r\n/);
  assert.equal(answers[1], answers[0]);
  assert.equal(session.patch(first), undefined, 'a candidate of the generation in force');
  assert.match(session.patch(second)!, /a=ice-ufrag:ufrag2\r\n/);
  const { etag } = session;
  for (const late of [first, fragment(ufrag, password)]) {
    assert.equal(session.restarts(late), false);
    assert.equal(session.patch(late, true), undefined);
  }
  assert.deepEqual([session.etag, town.place.restarts], [etag, 2]);
});

test('an offer of ours is answered later; only then is there somebody to connect', async () => {
  const town = await new WebRtcTown().open();
  const camera = town.camera();
  camera.film(50);
  const { session, sdp } = await town.endpoint.offerPlay(town.request());
  assert.match(sdp, /m=video/);
  town.place.connect();
  assert.deepEqual(states(town), ['connected'], 'nobody knows whose certificate that was');
  assert.throws(() => session.answer('v=1'), { code: 'webrtc/sdp' });
  session.answer(description('wowza-play-answer'));
  assert.equal(town.place.remote?.ufrag, 'RKdW');
  assert.deepEqual(states(town), ['playing'], 'what came early was kept');
  await town.clock.run(100);
  assert.ok(town.place.received().length > 0);
  assert.throws(() => session.answer(description('wowza-play-answer')), { code: 'webrtc/session' });
});

test('live streams are listed where everybody may watch', async () => {
  const town = await new WebRtcTown().open();
  town.camera('a').film(1);
  const { stream: _stream, ...asking } = town.request();
  assert.deepEqual(await town.endpoint.available(asking), [{ name: 'a', audioCodec: undefined, videoCodec: 'h264' }]);
  await assert.rejects(town.endpoint.available({ ...asking, app: 'private' }), { code: 'access/key' });
});

test('a shutdown lets nobody in and tells everybody, publishers last', async () => {
  const town = await new WebRtcTown().open();
  await town.endpoint.publish(town.request({ stream: 'mine' }), PUBLISH);
  town.place.connect();
  town.camera().film(50);
  const viewer = await town.endpoint.play(town.request(), PLAY);
  town.place.connect();
  town.server.close();
  await assert.rejects(town.endpoint.play(town.request(), PLAY), { code: 'access/shutdown' });
  town.server.dismiss('Back in a moment');
  assert.equal(town.server.open, 0);
  assert.equal(viewer.session.lastWords?.reason, 'Back in a moment');
  const gone = town.log.lines.filter(({ text }) => text === 'disconnected');
  assert.equal(gone.length, 2);
  await town.server.stop();
  await town.clock.run(1_000);
  assert.equal(town.clock.pending, 0);
});

test('a lie in the handshake ends it, and no key is in the log', async () => {
  const town = await new WebRtcTown().open();
  const query = 'channel_id=1&key=very-secret-key';
  const { session } = await town.endpoint.publish(town.request({ query, token: 'very-secret-token' }), PUBLISH);
  town.place.events.path(town.place);
  town.place.receive(Buffer.of(22, 9));
  assert.equal(session.lastWords?.code, 'webrtc/dtls');
  assert.doesNotMatch(JSON.stringify(town.log.lines), /very-secret|password-of/);
});
