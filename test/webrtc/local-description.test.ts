import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RTCPeerConnection } from 'werift';
import { candidateText, orderedCandidates, writeAnswer, writeOffer } from '../../src/webrtc/local-description.ts';
import { negotiateAnswer, negotiatePlay, negotiatePublish, type Wanted } from '../../src/webrtc/negotiation.ts';
import { offerFor } from '../../src/webrtc/play-offer.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import {
  AUDIO,
  DIGEST,
  LOCAL,
  ORIGIN,
  PLAY_OFFER,
  PUBLISH_OFFER,
  receiving,
  recorded,
  SENT,
  SESSION,
  sdp,
  swap,
  VIDEO,
} from '../helpers/sdp.ts';

const STREAM: Wanted = { video: { codec: 'h264', profile: '42e01f' }, audio: { codec: 'opus' } };

function answerPublish(text: string): readonly string[] {
  return lines(writeAnswer(negotiatePublish(readDescription(text)), LOCAL, ORIGIN));
}

function answerPlay(text: string, wanted: Wanted = STREAM): readonly string[] {
  return lines(writeAnswer(negotiatePlay(readDescription(text), wanted), LOCAL, ORIGIN, SENT));
}

function lines(text: string): readonly string[] {
  assert.ok(text.endsWith('\r\n'));
  return text.slice(0, -2).split('\r\n');
}

const HEAD = [
  'v=0',
  'o=- 4611686018427387904 3 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=ice-lite',
  'a=ice-options:trickle',
  'a=msid-semantic:WMS *',
];
const PASSIVE = [
  'a=ice-ufrag:serverufragserverufrag',
  'a=ice-pwd:serverpasswordserverpassword',
  `a=fingerprint:sha-256 ${DIGEST}`,
  'a=setup:passive',
];
const CANDIDATES = [
  'a=candidate:3 1 udp 2130706175 192.0.2.1 8189 typ host',
  'a=candidate:2 1 udp 2130706431 2001:db8::1 8189 typ host',
  'a=candidate:1 1 tcp 1500000000 192.0.2.1 8189 typ host tcptype passive',
  'a=end-of-candidates',
];

test('the answer to a publisher, line by line', () => {
  assert.deepEqual(answerPublish(PUBLISH_OFFER), [
    ...HEAD,
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1;stereo=1',
    ...PASSIVE,
    ...CANDIDATES,
    'm=video 9 UDP/TLS/RTP/SAVPF 102 103',
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    'a=recvonly',
    'a=rtcp-mux',
    'a=rtcp-rsize',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    'a=rtcp-fb:102 nack',
    'a=rtcp-fb:102 nack pli',
    'a=rtpmap:103 rtx/90000',
    'a=fmtp:103 apt=102',
    ...PASSIVE,
  ]);
});

test('the answer to a player, line by line', () => {
  const channel = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:d'];
  assert.deepEqual(answerPlay(`${PLAY_OFFER}${sdp(channel)}`), [
    ...HEAD,
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sendonly',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=msid:q1w2e3r4 audio',
    'a=ssrc:1001 cname:q1w2e3r4',
    'a=ssrc:1001 msid:q1w2e3r4 audio',
    ...PASSIVE,
    ...CANDIDATES,
    'm=video 9 UDP/TLS/RTP/SAVPF 102 103',
    'c=IN IP4 0.0.0.0',
    'a=mid:1',
    'a=sendonly',
    'a=rtcp-mux',
    'a=rtcp-rsize',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    'a=rtcp-fb:102 nack',
    'a=rtcp-fb:102 nack pli',
    'a=rtpmap:103 rtx/90000',
    'a=fmtp:103 apt=102',
    'a=msid:q1w2e3r4 video',
    'a=ssrc-group:FID 1002 1003',
    'a=ssrc:1002 cname:q1w2e3r4',
    'a=ssrc:1002 msid:q1w2e3r4 video',
    'a=ssrc:1003 cname:q1w2e3r4',
    'a=ssrc:1003 msid:q1w2e3r4 video',
    ...PASSIVE,
    'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:d',
    'a=inactive',
  ]);
});

test('retransmissions are not announced where they are not agreed', () => {
  const offer = sdp(SESSION, swap(receiving(VIDEO), 'a=fmtp:103'));
  const answer = answerPlay(offer);
  assert.ok(answer.includes('a=ssrc:1002 cname:q1w2e3r4'));
  assert.deepEqual(
    answer.filter((line) => /FID|1003|rtx|103/.test(line)),
    [],
  );
});

test('a client that waits is answered active; its protocol and its lack of names come back', () => {
  const alone = swap(swap(AUDIO, 'a=setup', 'a=setup:passive'), 'a=mid');
  const answer = answerPublish(sdp('v=0', swap(alone, 'm=', 'm=audio 9 RTP/SAVPF 111')));
  assert.ok(answer.includes('m=audio 9 RTP/SAVPF 111') && answer.includes('a=setup:active'));
  assert.deepEqual(
    answer.filter((line) => /^a=(mid|group)/.test(line)),
    [],
  );
});

test('phones turn their pictures themselves: no answer takes the orientation as a note', () => {
  for (const name of ['chromium-156-publish', 'wowza-publish-h264', 'videowhisper-publish-vp8']) {
    assert.match(recorded(name), /urn:3gpp:video-orientation/, name);
    const answer = answerPublish(recorded(name)).filter((line) => line.startsWith('a=extmap:'));
    assert.deepEqual(
      answer.filter((line) => /orientation|abs-send-time|audio-level/.test(line)),
      [],
      name,
    );
    if (name.startsWith('chromium')) assert.equal(answer.length, 6, 'those that are read come back');
  }
});

test('extensions come back as the other side sees them', () => {
  const mid = 'urn:ietf:params:rtp-hdrext:sdes:mid';
  const delay = 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';
  const offer = sdp(SESSION, receiving(VIDEO), `a=extmap:6/recvonly ${delay}`, `a=extmap:4 ${mid}`);
  const answer = answerPlay(offer, { video: STREAM.video });
  assert.deepEqual(
    answer.filter((line) => line.startsWith('a=extmap')),
    [`a=extmap:4 ${mid}`, `a=extmap:6/sendonly ${delay}`],
  );
  const published = answerPublish(sdp(SESSION, VIDEO, `a=extmap:4/sendonly ${mid}`));
  assert.ok(published.includes(`a=extmap:4/recvonly ${mid}`));
});

test('layers are taken as they were offered, in the old words where those were used', () => {
  const end = (text: string) => answerPublish(text).filter((line) => /^a=(rid|simulcast)/.test(line));
  const rids = ['a=rid:h recv', 'a=rid:m recv', 'a=rid:l recv'];
  const offer = recorded('chromium-156-simulcast');
  assert.deepEqual(end(offer), [...rids, 'a=simulcast:recv h;m;l']);
  assert.deepEqual(end(offer.replace('a=simulcast:send h;', 'a=simulcast: send rid=h;')), [
    ...rids,
    'a=simulcast: recv rid=h;m;l',
  ]);
  assert.deepEqual(end(recorded('chromium-156-publish')), []);
});

test('sound is wanted in two channels, unless the client says otherwise; what it says of its own sending does not come back', () => {
  const fmtp = (parameters: string) => {
    return answerPublish(sdp(SESSION, swap(AUDIO, 'a=fmtp', `a=fmtp:111 ${parameters}`))).find((line) =>
      line.startsWith('a=fmtp'),
    );
  };
  assert.equal(fmtp('minptime=10'), 'a=fmtp:111 minptime=10;stereo=1');
  assert.equal(fmtp('stereo=0;sprop-stereo=1'), 'a=fmtp:111 stereo=0');
  assert.equal(fmtp(''), 'a=fmtp:111 stereo=1');
});

test('an offer of ours is answered by its own mirror, and understood', () => {
  const offered = offerFor(STREAM);
  const offer = writeOffer(offered, LOCAL, ORIGIN, SENT);
  const facts = readDescription(offer);
  assert.deepEqual(
    facts.sections.map(({ kind, direction, transport }) => [kind, direction, transport.setup]),
    [
      ['audio', 'sendonly', 'actpass'],
      ['video', 'sendonly', 'actpass'],
    ],
  );
  assert.deepEqual(facts.sections[1]?.sources, [{ ssrc: 1002, rtx: 1003 }]);
  assert.equal(lines(offer).filter((line) => line.startsWith('a=candidate')).length, 3);
  const answer = offer
    .replaceAll('a=sendonly', 'a=recvonly')
    .replaceAll('actpass', 'active')
    .replace('a=ice-lite\r\n', '');
  const { negotiated } = negotiateAnswer(readDescription(answer), offered);
  assert.deepEqual(negotiated, offered);
});

test('what is offered follows the stream', () => {
  const parameters = (wanted: Wanted) => Object.fromEntries(offerFor(wanted).video!.codecs[0]!.parameters);
  const h264 = { 'level-asymmetry-allowed': '1', 'packetization-mode': '1', 'profile-level-id': '42e01f' };
  assert.deepEqual(parameters({ video: { codec: 'h264', profile: '640028' } }), h264);
  assert.deepEqual(parameters({ video: { codec: 'vp8' } }), {});
  assert.deepEqual(parameters({ video: { codec: 'vp9', profile: '2' } }), { 'profile-id': '2' });
  assert.deepEqual(parameters({ video: { codec: 'av1', profile: '1' } }), { profile: '1' });
  assert.deepEqual(offerFor({ audio: { codec: 'opus' } }).video, undefined);
  assert.throws(() => offerFor({ video: { codec: 'flv1' } }), { name: 'RefusedError', code: 'webrtc/codecs' });
});

test('candidates: those that simple clients can use come first, otherwise in the order given', () => {
  const { candidates } = LOCAL;
  assert.deepEqual(
    orderedCandidates(candidates).map(({ foundation }) => foundation),
    ['3', '2', '1'],
  );
  assert.deepEqual(
    orderedCandidates([...candidates, { ...candidates[2]!, foundation: '4' }]).map(({ foundation }) => foundation),
    ['3', '4', '2', '1'],
  );
  assert.equal(candidateText(candidates[2]!), 'candidate:3 1 udp 2130706175 192.0.2.1 8189 typ host');
});

test('answers fit the 8 KiB that FFmpeg has room for', () => {
  const longest = Math.max(
    ...['chromium-156-publish', 'chromium-156-simulcast'].map(
      (name) => answerPublish(recorded(name)).join('\r\n').length,
    ),
  );
  assert.ok(longest > 2_000 && longest < 8_000, `${longest} characters`);
});

test('werift takes our answers and answers our offer', async (t) => {
  const local = { ...LOCAL, candidates: [] };
  // with full ICE it asks the world for its address, and goes on when it is closed; what it says of that is taken back
  const full = (text: string) => text.replace('a=ice-lite\r\n', '');
  const peer = () => {
    const made = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceLite: true, iceUseIpv6: false });
    t.after(() => made.close());
    return made;
  };
  for (const direction of ['sendonly', 'recvonly'] as const) {
    const client = peer();
    for (const kind of ['audio', 'video'] as const) client.addTransceiver(kind, { direction });
    await client.setLocalDescription(await client.createOffer());
    const text = full(client.localDescription!.sdp);
    const wanted: Wanted = { video: { codec: 'vp8' }, audio: { codec: 'opus' } };
    const offer = readDescription(text);
    const agreement = direction === 'sendonly' ? negotiatePublish(offer) : negotiatePlay(offer, wanted);
    await client.setRemoteDescription({ type: 'answer', sdp: writeAnswer(agreement, local, ORIGIN, SENT) });
    assert.deepEqual(
      client.getTransceivers().map(({ currentDirection }) => currentDirection),
      [direction, direction],
    );
  }
  const player = peer();
  const offered = offerFor({ video: { codec: 'vp8' }, audio: { codec: 'opus' } });
  await player.setRemoteDescription({ type: 'offer', sdp: writeOffer(offered, local, ORIGIN, SENT) });
  await player.setLocalDescription(await player.createAnswer());
  const { negotiated } = negotiateAnswer(readDescription(full(player.localDescription!.sdp)), offered);
  assert.deepEqual([negotiated.audio?.codecs[0]?.codec, negotiated.video?.codecs[0]?.codec], ['opus', 'vp8']);
});
