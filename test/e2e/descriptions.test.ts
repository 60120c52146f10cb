/**
 * Real clients take our answers and answer our offers. Nothing is sent: what is judged is the text.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAnswer, writeOffer } from '../../src/webrtc/local-description.ts';
import { negotiateAnswer, negotiatePlay, negotiatePublish, type Wanted } from '../../src/webrtc/negotiation.ts';
import { offerFor } from '../../src/webrtc/play-offer.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import { LOCAL, ORIGIN, SENT } from '../helpers/sdp.ts';
import { answerInChromium, CLIENTS, type ClientName, settleAll } from '../helpers/sdp-clients.ts';

const STREAM: Wanted = { video: { codec: 'h264', profile: '640028' }, audio: { codec: 'opus' } };

const PUBLISHERS: readonly ClientName[] = ['chromium-publish', 'chromium-simulcast', 'aiortc-publish'];
const PLAYERS = CLIENTS.filter((name) => !PUBLISHERS.includes(name));

function answerTo(name: ClientName, text: string, stream: Wanted): string {
  const offer = readDescription(text);
  return PUBLISHERS.includes(name)
    ? writeAnswer(negotiatePublish(offer), LOCAL, ORIGIN)
    : writeAnswer(negotiatePlay(offer, stream), LOCAL, ORIGIN, SENT);
}

test('Chromium and aiortc take the answers to their offers', async (t) => {
  const settled = await settleAll(t, CLIENTS, (name, text) => answerTo(name, text, STREAM));
  const outcomes = new Map(settled.map(({ name, state, directions }) => [name, { state, directions }]));
  const sends = { state: 'stable', directions: { audio: 'sendonly', video: 'sendonly' } };
  const receives = { state: 'stable', directions: { audio: 'recvonly', video: 'recvonly' } };
  assert.deepEqual(outcomes, new Map(CLIENTS.map((name) => [name, PUBLISHERS.includes(name) ? sends : receives])));
  const [publisher, simulcast] = settled;
  assert.equal(simulcast?.layers, 3);
  assert.equal(publisher?.layers, 1);
  assert.ok(publisher?.codecs?.includes('video/H264') && publisher.codecs.includes('video/rtx'));
});

test('a stream without sound leaves the place for it empty, and Chromium and aiortc put up with that', async (t) => {
  const alone: Wanted = { video: STREAM.video };
  const settled = await settleAll(t, PLAYERS, (name, text) => answerTo(name, text, alone));
  assert.equal(settled.length, 3);
  for (const { name, state, directions } of settled) {
    assert.deepEqual([state, directions], ['stable', { audio: 'inactive', video: 'recvonly' }], name);
  }
});

test('Chromium answers an offer of ours', async (t) => {
  const offered = offerFor(STREAM);
  const answer = await answerInChromium(t, writeOffer(offered, LOCAL, ORIGIN, SENT));
  const { negotiated, transport } = negotiateAnswer(readDescription(answer), offered);
  const { audio, video } = negotiated;
  assert.deepEqual([audio?.codecs[0]?.payloadType, audio?.codecs[0]?.codec], [111, 'opus']);
  const [picture] = video?.codecs ?? [];
  assert.deepEqual([picture?.payloadType, picture?.codec, picture?.rtx], [96, 'h264', 97]);
  assert.deepEqual(video?.extensions, offered.video?.extensions);
  assert.deepEqual(picture?.feedback, offered.video?.codecs[0]?.feedback);
  assert.equal(transport.role, 'server');
});
