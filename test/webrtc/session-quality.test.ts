import assert from 'node:assert/strict';
import { test } from 'node:test';
import { description, type FakeIce, GOODBYE, WebRtcTown } from '../helpers/webrtc-town.ts';

const PUBLISH = description('videowhisper-publish-vp8');
const PLAY = description('chromium-156-play');
const VP8 = 96;
const VP8_KEY = Buffer.from('10d00200 9d012a10001000 0000000000'.replaceAll(' ', ''), 'hex');
const VP8_DELTA = Buffer.from('10d10200 0000000000'.replaceAll(' ', ''), 'hex');

const only = ({ registry }: WebRtcTown) => [...registry][0]!;

/** A town where somebody watches, and the packets that came. */
async function watched() {
  const town = await new WebRtcTown().open();
  const camera = town.camera();
  camera.film(60);
  await town.endpoint.play(town.request(), PLAY);
  return { town, camera };
}

function report(place: FakeIce, ssrc: number, fractionLost: number, lost: number): void {
  const block = { ssrc, fractionLost, lost, highest: 0, jitter: 450, lastReport: 0, sinceLastReport: 0 };
  place.control([{ type: 'rr', ssrc: 9, blocks: [block] }]);
}

test('a viewer before its first report: what was agreed and sent, and nothing made up', async () => {
  const { town } = await watched();
  const session = only(town);
  assert.deepEqual(session.quality?.(), { through: undefined, srtpProfile: undefined, codecs: [] });
  town.place.connect();
  await town.clock.run(1_200);
  const { through, srtpProfile, codecs, sending, receiving } = session.quality!();
  assert.deepEqual([through, srtpProfile, codecs, receiving], ['udp', 'aes128-cm-sha1-80', ['h264'], undefined]);
  const { lossPercent, packetsLost, rttMillis, jitterMillis, estimatedBitrate } = sending!;
  assert.deepEqual(
    [lossPercent, packetsLost, rttMillis, jitterMillis, estimatedBitrate],
    [undefined, undefined, undefined, undefined, undefined],
  );
  assert.equal(sending!.packetsSent, town.place.received().length);
  assert.deepEqual(
    [sending!.packetsRetransmitted, sending!.nacks, sending!.keyFrameRequests, sending!.freezes],
    [0, 0, 0, 0],
  );
});

test('a viewer’s reports are its quality, and the totals of all viewers', async () => {
  const { town, camera } = await watched();
  town.place.connect();
  await town.clock.run(100);
  const { video } = town.server.audiences.sources;
  report(town.place, video, 64, 7);
  const packets = town.place.received();
  town.place.control([{ type: 'nack', sender: 9, media: video, lost: [packets[1]!.readUInt16BE(2)] }]);
  town.place.control([{ type: 'pli', sender: 9, media: video }]);
  const { sending } = only(town).quality!();
  assert.deepEqual([sending?.lossPercent, sending?.packetsLost, sending?.jitterMillis], [25, 7, 5]);
  assert.deepEqual([sending?.nacks, sending?.packetsRetransmitted, sending?.keyFrameRequests], [1, 1, 1]);
  const { counts } = town.server.audiences;
  assert.deepEqual([counts.nacks, counts.retransmitted, counts.pictureRequests], [1, 1, 1]);
  assert.equal(town.server.audiences.packets, packets.length + 1);
  camera.film(1);
  await town.clock.run(50);
  assert.ok(town.server.audiences.packets > packets.length + 1);
});

test('a freeze is a group of pictures in which the viewer asked for another, however often', async () => {
  const { town, camera } = await watched();
  const { video } = town.server.audiences.sources;
  const ask = () => town.place.control([{ type: 'pli', sender: 9, media: video }]);
  const freezes = () => only(town).quality!().sending!.freezes;
  town.place.connect();
  ask();
  assert.equal(freezes(), 0, 'nothing had been shown');
  await town.clock.run(100);
  ask();
  ask();
  assert.equal(freezes(), 1);
  camera.film(25);
  await town.clock.run(100);
  assert.equal(freezes(), 1);
  ask();
  assert.equal(freezes(), 2);
});

test('a join is the time from the request to the first key frame, counted once', async () => {
  const { town, camera } = await watched();
  await town.clock.run(70);
  assert.deepEqual(town.joins, []);
  town.place.connect();
  await town.clock.run(30);
  assert.equal(town.joins.length, 1);
  assert.ok(town.joins[0]! >= 70 && town.joins[0]! < 90, `${town.joins[0]} ms`);
  camera.film(60);
  await town.clock.run(500);
  assert.equal(town.joins.length, 1);
});

test('a join waits for the key frame that is not there yet', async () => {
  const town = await new WebRtcTown().open();
  await town.endpoint.publish(town.request(), PUBLISH);
  const publisher = town.place;
  publisher.connect();
  publisher.media(VP8, 0, VP8_KEY);
  const playing = town.endpoint.play(town.request({ stream: 'show' }), PLAY);
  await town.clock.run(2_500);
  await playing;
  // the one that the viewer was promised has gone with its publisher
  publisher.receive(GOODBYE);
  town.place.connect();
  await town.clock.run(50);
  assert.deepEqual(town.joins, []);
  await town.endpoint.publish(town.request(), PUBLISH);
  town.place.connect();
  town.place.media(VP8, 0, VP8_KEY);
  await town.clock.run(50);
  assert.equal(town.joins.length, 1);
});

test('a publisher: each source, what it sent and what was asked of it', async () => {
  const town = await new WebRtcTown().open();
  await town.endpoint.publish(town.request(), PUBLISH);
  const session = only(town);
  town.place.connect();
  assert.deepEqual(session.quality!(), {
    ...{ through: 'udp', srtpProfile: 'aes128-cm-sha1-80', codecs: [], receiving: [] },
  });
  town.place.media(VP8, 90, VP8_KEY);
  town.place.media(VP8, 3_690, VP8_DELTA);
  const { codecs, sending, receiving } = session.quality!();
  assert.deepEqual([codecs, sending, receiving?.length], [['vp8'], undefined, 1]);
  const [source] = receiving!;
  assert.deepEqual(
    [source!.kind, source!.codec, source!.layer, source!.relayed, source!.packets, source!.frames, source!.keyFrames],
    ['video', 'vp8', undefined, true, 2, 2, 1],
  );
  assert.deepEqual([source!.packetsLost, source!.packetsRecovered, source!.rttMillis], [0, 0, undefined]);
});

test('what all publishers sent is told within about a second, and to the last packet when they go', async () => {
  const town = await new WebRtcTown().open();
  const { ingest } = town.server.counts;
  for (const stream of ['a', 'b']) await town.endpoint.publish(town.request({ stream }), PUBLISH);
  for (const place of town.places) {
    place.connect();
    place.media(VP8, 90, VP8_KEY);
  }
  await town.clock.run(2_100);
  assert.equal(ingest.packets, 2);
  const [first] = town.places;
  first!.media(VP8, 3_690, VP8_DELTA);
  first!.receive(GOODBYE);
  assert.equal(ingest.packets, 3);
  await town.clock.run(2_100);
  assert.equal(ingest.packets, 3);
});

test('what a source counted is not forgotten when another takes its place', async () => {
  const town = await new WebRtcTown().open();
  await town.endpoint.publish(town.request(), PUBLISH);
  town.place.connect();
  town.place.media(VP8, 90, VP8_KEY, 7);
  await town.clock.run(5_000);
  town.place.media(VP8, 90, VP8_KEY, 8);
  await town.clock.run(2_100);
  assert.equal(only(town).quality!().receiving![0]!.packets, 1);
  assert.equal(town.server.counts.ingest.packets, 2);
});

test('whoever fails the handshake is counted by code, whoever goes by itself is not', async () => {
  const town = await new WebRtcTown().open();
  await town.endpoint.publish(town.request(), PUBLISH);
  town.place.connect();
  town.place.receive(Buffer.of(22, 9));
  assert.equal(town.server.counts.closed.get('webrtc/dtls'), 1);
  await town.endpoint.publish(town.request(), PUBLISH);
  town.place.connect();
  town.place.receive(GOODBYE);
  assert.equal(town.server.counts.closed.size, 1);
  await town.endpoint.publish(town.request(), PUBLISH);
  only(town).disconnect('enough');
  assert.deepEqual(
    [...town.server.counts.closed],
    [
      ['webrtc/dtls', 1],
      ['access/disconnected', 1],
    ],
  );
});
