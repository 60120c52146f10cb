import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Millis } from '../../src/base/clock.ts';
import { SendingTimeline } from '../../src/webrtc/sending-timeline.ts';
import { audioFrame, videoFrame } from '../helpers/viewer-town.ts';

const video = (line: SendingTimeline, millis: Millis, now: Millis): Millis =>
  (line.shiftOf('video', videoFrame('delta', 0, millis), now) + millis * 1000) / 1000;
const audio = (line: SendingTimeline, millis: Millis, now: Millis): Millis =>
  (line.shiftOf('audio', audioFrame(0, millis), now) + millis * 1000) / 1000;

test('the first frame is now; the publisher’s own distances follow, whenever frames come', () => {
  const line = new SendingTimeline();
  assert.equal(video(line, 500, 10_000), 10_000);
  assert.equal(audio(line, 480, 10_003), 9_980);
  assert.equal(video(line, 540, 10_090), 10_040);
  assert.equal(audio(line, 500, 10_091), 10_000);
});

test('a clock that runs a little fast or slow is followed for hours', () => {
  const line = new SendingTimeline();
  video(line, 0, 0);
  for (let second = 1; second < 40_000; second++) {
    assert.equal(video(line, second * 1000, second * 1000.1), second * 1000);
  }
});

test('a pause is no jump: time has passed on both clocks', () => {
  const line = new SendingTimeline();
  video(line, 0, 1_000);
  assert.equal(video(line, 30_000, 31_050), 31_000);
});

test('a jump of the publisher’s clock, ahead or back, goes on now, and both tracks stay together', () => {
  for (const jump of [-3_000_000, 90_000, 4_000_000]) {
    const line = new SendingTimeline();
    video(line, 5_000_000, 1_000);
    audio(line, 5_000_010, 1_010);
    assert.equal(video(line, 5_000_040 + jump, 1_040), 1_040);
    // the sound of before the jump comes late and stays in its place
    assert.equal(audio(line, 5_000_030, 1_045), 1_030);
    assert.equal(audio(line, 5_000_050 + jump, 1_050), 1_050);
    assert.equal(video(line, 5_000_080 + jump, 1_081), 1_080);
  }
});

test('another publisher goes on behind the last, never before', () => {
  const line = new SendingTimeline();
  video(line, 0, 1_000);
  // frames of a burst lie ahead of the clock
  assert.equal(video(line, 900, 1_010), 1_900);
  line.began();
  assert.equal(video(line, 77_000, 1_020), 1_920);
  assert.equal(audio(line, 77_010, 1_021), 1_930);
});

test('frames of a cache lie in the past, however far back they go', () => {
  const line = new SendingTimeline();
  line.anchor(videoFrame('delta', 9, 19_000), 50_000);
  assert.equal(video(line, 10_000, 50_000), 41_000);
  assert.equal(audio(line, 10_020, 50_000), 41_020);
  assert.equal(video(line, 10_040, 50_000), 41_040);
});
