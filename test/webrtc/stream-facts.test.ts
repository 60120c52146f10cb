import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { Stream } from '../../src/relay/stream.ts';
import { settledFacts } from '../../src/webrtc/stream-facts.ts';
import { frame } from '../helpers/frames.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

/** A stream that a viewer stays with, whoever publishes. */
function town() {
  const clock = new VirtualClock();
  const stream = new Stream('live', 'show', GOP_DEFAULTS, () => {});
  stream.subscribe({ write() {}, began() {}, ended() {}, viewers: 1 });
  return { clock, stream, publish: () => stream.publish({ requestKeyFrame() {}, evicted() {} }) };
}

/** What is known, and after how long. */
async function settled(clock: VirtualClock, stream: Stream) {
  const began = clock.now();
  const { video, audio } = await clock.until(settledFacts(stream, clock));
  return [video?.codec, audio?.codec, clock.now() - began];
}

test('sound that comes after the picture is waited for, from each publisher anew', async () => {
  const { clock, stream, publish } = town();
  for (let round = 0; round < 2; round++) {
    const publication = publish();
    publication.write(frame('video', 'config', 0));
    publication.write(frame('video', 'key', 0));
    clock.after(90, () => publication.write(frame('audio', 'config', 90)));
    assert.deepEqual(await settled(clock, stream), ['h264', 'aac', 100], `publisher ${round + 1}`);
    for (let at = 1; at < 60; at++) publication.write(frame('video', 'delta', at * 40));
    publication.close();
  }
});

test('after so many pictures without a sound none will come, and after two seconds', async () => {
  const { clock, stream, publish } = town();
  const publication = publish();
  publication.write(frame('video', 'key', 0));
  assert.deepEqual(await settled(clock, stream), ['h264', undefined, 2000]);
  for (let at = 1; at < 45; at++) publication.write(frame('video', 'delta', at * 40));
  assert.deepEqual(await settled(clock, stream), ['h264', undefined, 0]);
});
