import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SendingQuality, SessionQuality, SourceQuality } from '../../src/session/quality.ts';
import { AdminTown, fakePublication, fakeViewer, playing, publishing } from '../helpers/admin-town.ts';

const SENDING: SendingQuality = {
  ...{ lossPercent: 1.5625, packetsLost: 3, rttMillis: 41.26, jitterMillis: 2.04, bitrate: 2_000_000.4 },
  ...{ estimatedBitrate: 3_000_000, packetsSent: 900, packetsRetransmitted: 9, nacks: 12, keyFrameRequests: 2 },
  freezes: 1,
};
const SOURCE: SourceQuality = {
  ...{ kind: 'video', codec: 'vp8', layer: 'h', relayed: true, packets: 500, packetsLost: 1, packetsRecovered: 4 },
  ...{
    jitterMillis: 3.333,
    rttMillis: 20,
    bitrate: 1_000_000,
    nacks: 5,
    keyFrameRequests: 2,
    frames: 100,
    keyFrames: 3,
  },
  ...{ width: 1280, height: 720 },
};

async function shown(quality: SessionQuality): Promise<unknown> {
  const town = new AdminTown();
  const [session] = town.enter(playing('show', { transport: 'webrtc', quality: () => quality }));
  const one = await town.get(`/v1/sessions/${session!.id}`);
  assert.equal(one.statusCode, 200, one.body);
  assert.deepEqual((await town.list('/v1/sessions'))[0], one.json());
  return one.json().quality;
}

test('a viewer’s quality: rounded, and what is not known left out', async () => {
  const common = { through: 'tcp', srtpProfile: 'aead-aes-128-gcm', codecs: ['h264', 'opus'] } as const;
  assert.deepEqual(await shown({ ...common, sending: SENDING }), {
    ...common,
    sending: { ...SENDING, lossPercent: 1.6, rttMillis: 41.3, jitterMillis: 2, bitrate: 2_000_000 },
  });
  const unknown = { lossPercent: undefined, packetsLost: undefined, rttMillis: undefined, jitterMillis: undefined };
  const answer = await shown({ ...common, sending: { ...SENDING, ...unknown, estimatedBitrate: undefined } });
  const { bitrate, packetsSent, packetsRetransmitted, nacks, keyFrameRequests, freezes } = SENDING;
  assert.deepEqual(answer, {
    ...common,
    sending: {
      ...{ bitrate: Math.round(bitrate), packetsSent, packetsRetransmitted, nacks, keyFrameRequests, freezes },
    },
  });
});

test('a publisher’s: every source, with the layer that viewers get', async () => {
  const sound = {
    ...SOURCE,
    kind: 'audio',
    codec: 'opus',
    layer: undefined,
    width: undefined,
    height: undefined,
  } as const;
  const { layer: _layer, width: _width, height: _height, ...plain } = { ...sound, jitterMillis: 3.3 };
  const quality: SessionQuality = {
    ...{ through: 'udp', srtpProfile: 'aes128-cm-sha1-80', codecs: ['vp8', 'opus'] },
    receiving: [SOURCE, { ...SOURCE, layer: 'q', relayed: false }, sound],
  };
  assert.deepEqual(await shown(quality), {
    ...quality,
    receiving: [{ ...SOURCE, jitterMillis: 3.3 }, { ...SOURCE, layer: 'q', relayed: false, jitterMillis: 3.3 }, plain],
  });
});

test('figures that are none, or below nothing, harm nobody', async () => {
  const odd = { bitrate: Number.NaN, rttMillis: Number.POSITIVE_INFINITY, packetsLost: -4, lossPercent: -0 };
  const answer = await shown({
    through: undefined,
    srtpProfile: undefined,
    codecs: [],
    sending: { ...SENDING, ...odd },
  });
  const { sending } = answer as { sending: SendingQuality };
  assert.deepEqual([sending.bitrate, sending.packetsLost, sending.lossPercent], [0, 0, 0]);
});

test('sessions of a protocol that tells nothing have none', async () => {
  const town = new AdminTown();
  town.enter(publishing('show'));
  assert.equal('quality' in (await town.list('/v1/sessions'))[0]!, false);
});

test('a stream says whether browsers can watch it, and how its sound is bridged', async () => {
  const town = new AdminTown();
  const stream = town.hub.stream('live', 'show');
  const publication = fakePublication(stream);
  stream.subscribe(fakeViewer(3));
  const failure = { code: 'media/aac-profile', reason: 'AAC object type 5' };
  town.reach = {
    browsers: { watchable: false, lack: { code: 'stream/b-frames', reason: 'B-frames' } },
    renditions: [
      { to: 'opus', state: 'failed', viewers: 2, failure },
      { to: 'aac', state: 'idle', viewers: 0 },
    ],
  };
  const [item] = await town.list('/v1/streams');
  assert.deepEqual(item!['browsers'], { watchable: false, code: 'stream/b-frames', reason: 'B-frames' });
  assert.deepEqual(item!['renditions'], [
    { to: 'opus', state: 'failed', viewers: 2, failureCode: failure.code, failure: failure.reason },
    { to: 'aac', state: 'idle', viewers: 0, failureCode: null, failure: null },
  ]);
  assert.deepEqual([item!['reordered'], item!['audience']], [false, 3]);
  town.reach = { browsers: { watchable: true }, renditions: [] };
  assert.deepEqual((await town.list('/v1/streams'))[0]!['browsers'], { watchable: true, code: null, reason: null });
  publication.close();
  assert.equal('browsers' in (await town.list('/v1/streams'))[0]!, false, 'who knows what comes next');
});

test('pictures out of order are told of the stream', async () => {
  const town = new AdminTown();
  const stream = town.hub.stream('live', 'show');
  const publication = fakePublication(stream);
  const picture = { kind: 'video', codec: 'h264', size: 1, data: Buffer.of(0), track: 0 } as const;
  for (const pts of [0, 80_000, 40_000]) {
    publication.write({ ...picture, role: pts === 0 ? 'key' : 'delta', dts: 0, pts });
  }
  assert.equal((await town.list('/v1/streams'))[0]!['reordered'], true);
  assert.equal((await town.get('/v1/streams/live/show')).json().reordered, true);
});
