import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from '../../src/media/frame.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import type { RenditionCodec } from '../../src/relay/rendition.ts';
import type { Source } from '../../src/relay/source.ts';
import { Stream } from '../../src/relay/stream.ts';
import { programmeOf } from '../../src/webrtc/programme.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import { AAC_CONFIG, frame } from '../helpers/frames.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';
import { description, WebRtcTown } from '../helpers/webrtc-town.ts';

const PLAY = description('chromium-156-play');
const CHROMIUM = readDescription(PLAY);
/** The same of a client that knows nothing but VP8. */
const OLD = readDescription(PLAY.replaceAll(/^a=rtpmap:(\d+) (?:H264|VP9|AV1)\//gm, 'a=rtpmap:$1 X/'));
const SOUND = frame('audio', 'config', 0, { data: AAC_CONFIG });
const IN_ORDER = [frame('video', 'config', 0), frame('video', 'key', 0)];
const SHUFFLED = [...IN_ORDER, frame('video', 'delta', 40, { cts: 80 }), frame('video', 'delta', 80)];
const HEVC = [frame('video', 'key', 0, { codec: 'hevc' })];

interface Case {
  readonly sound?: Frame;
  readonly frames: readonly Frame[];
  readonly reencodes?: boolean;
  readonly failure?: Source['failure'];
}

/** What a stream of these frames, with sound, is watched as. */
function programme(
  { sound = SOUND, frames, reencodes = true, failure }: Case,
  remote: typeof CHROMIUM | undefined = CHROMIUM,
) {
  const stream = new Stream('live', 'show', GOP_DEFAULTS, () => {});
  const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
  for (const each of [...frames, sound]) publication.write(each);
  const rendition = (): Source => ({
    ...{ app: 'live', name: 'show', live: true, failure },
    ...{ replay: () => [], configs: () => [] },
    subscribe: () => ({ requestKeyFrame() {}, close() {} }),
  });
  return programmeOf({ clock: new VirtualClock(), stream, reencodes, rendition }, remote);
}

async function translated(given: Case, remote?: typeof CHROMIUM) {
  const { wanted, renditions } = await programme(given, remote);
  return [wanted.video?.codec, wanted.audio?.codec, renditions.join(' ')];
}

test('pictures that a viewer can show are left alone', async () => {
  assert.deepEqual(await translated({ frames: IN_ORDER }), ['h264', 'opus', 'opus']);
  assert.deepEqual(await translated({ frames: IN_ORDER, reencodes: false }), ['h264', 'opus', 'opus']);
});

test('who hears Opus goes on hearing when the next publisher sends AAC', async () => {
  const opus = frame('audio', 'delta', 0, { codec: 'opus' });
  assert.deepEqual(await translated({ sound: opus, frames: IN_ORDER }), ['h264', 'opus', 'opus']);
  const mp3 = frame('audio', 'delta', 0, { codec: 'mp3' });
  assert.deepEqual(await translated({ sound: mp3, frames: IN_ORDER }), ['h264', undefined, '']);
});

test('pictures out of order are re-encoded, where that is allowed', async () => {
  assert.deepEqual(await translated({ frames: SHUFFLED }), ['h264', 'opus', 'h264 opus']);
  assert.equal((await programme({ frames: SHUFFLED })).wanted.video?.profile, '42e01f', 'no longer as they came');
  await assert.rejects(programme({ frames: SHUFFLED, reencodes: false }), { code: 'stream/b-frames' });
});

test('so are those of a codec that the client lacks, and of HEVC where we make the offer', async () => {
  assert.deepEqual(await translated({ frames: HEVC }), ['h264', 'opus', 'h264 opus']);
  assert.deepEqual(await translated({ frames: HEVC, reencodes: false }), ['hevc', 'opus', 'opus']);
  assert.deepEqual(await translated({ frames: HEVC }, OLD), ['hevc', 'opus', 'opus'], 'it would not have H.264 either');
  const ours = await programmeOf(
    { clock: new VirtualClock(), stream: streamOf(HEVC), reencodes: true, rendition: (stream) => stream },
    undefined,
  );
  assert.deepEqual(ours.renditions, ['h264']);
});

test('what cannot be decoded by ffmpeg as we write it is refused as ever', async () => {
  const sorenson = [frame('video', 'key', 0, { codec: 'flv1' })];
  assert.deepEqual(await translated({ frames: sorenson }), ['flv1', 'opus', 'opus']);
});

test('where re-encoding has failed viewers are told why', async () => {
  const failure = { code: 'media/encoder', reason: 'too slow' };
  await assert.rejects(programme({ frames: SHUFFLED, failure }), {
    code: 'stream/b-frames',
    message: /-bf 0.*too slow/,
  });
  await assert.rejects(programme({ frames: HEVC, failure }), { code: 'media/encoder', message: /too slow/ });
});

function streamOf(frames: readonly Frame[]): Stream {
  const stream = new Stream('live', 'show', GOP_DEFAULTS, () => {});
  const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
  for (const each of frames) publication.write(each);
  // enough of it to show that there is no sound
  for (let at = 1; at < 50; at++) publication.write({ ...frames.at(-1)!, dts: at * 40_000, pts: at * 40_000 });
  return stream;
}

test('a viewer of pictures that turn out to be out of order is sent for another way to see them', async () => {
  const town = await new WebRtcTown().open();
  const asked: (readonly RenditionCodec[])[] = [];
  let failure: Source['failure'];
  town.reencodes = true;
  town.rendition = (stream, to) => {
    asked.push(to);
    return {
      ...{ app: stream.app, name: stream.name, live: true },
      get failure() {
        return to.includes('h264') ? failure : undefined;
      },
      replay: () => stream.replay(),
      configs: () => stream.configs(),
      subscribe: (subscriber) => stream.subscribe(subscriber),
    };
  };
  const { publication, film } = town.camera();
  film(50);
  const first = await town.endpoint.play(town.request(), PLAY);
  town.place.connect();
  const last = town.hub.find('live', 'show')!.replay().at(-1)!;
  publication.write({ ...last, role: 'delta', dts: 200_000, pts: 300_000 });
  publication.write({ ...last, role: 'delta', dts: 240_000, pts: 260_000 });
  await town.clock.run(1_500);
  assert.equal(first.session.lastWords?.code, 'stream/changed');
  const second = await town.endpoint.play(town.request(), PLAY);
  town.place.connect();
  await town.clock.run(1_500);
  assert.ok(second.session.open);
  assert.deepEqual(asked.at(-1), ['h264']);
  failure = { code: 'media/encoder', reason: 'ffmpeg has ended' };
  await town.clock.run(1_500);
  assert.equal(second.session.lastWords?.code, 'stream/b-frames');
  assert.match(second.session.lastWords!.reason, /ffmpeg has ended/);
});
