import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AudienceTown } from '../helpers/audience-town.ts';

test('it waits for a publisher from its start, and again from each end', () => {
  const town = new AudienceTown();
  const { playback } = town.join();
  town.clock.advance(7_000);
  assert.equal(playback.waitingMillis, 7_000);
  town.begin();
  town.clock.advance(7_000);
  assert.equal(playback.waitingMillis, 0);
  town.leave();
  town.clock.advance(3_000);
  assert.equal(playback.waitingMillis, 3_000);
});

test('the wait goes on through pauses, and notices a publisher that left in one', () => {
  const town = new AudienceTown();
  town.begin();
  const viewer = town.join();
  town.pause(viewer);
  town.leave();
  town.clock.advance(5_000);
  town.resume(viewer);
  assert.deepEqual(viewer.told, ['began', 'ended']);
  town.clock.advance(2_000);
  town.pause(viewer);
  town.clock.advance(2_000);
  town.resume(viewer);
  assert.equal(viewer.playback.waitingMillis, 4_000);
});

test('starting twice is starting once, stopping twice too', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const viewer = town.join();
  viewer.playback.start();
  assert.equal(town.seen(viewer).length, 4);
  viewer.playback.stop();
  viewer.playback.stop();
  town.publish('delta');
  assert.equal(town.seen(viewer).length, 4);
});

test('what is wanted while it is paused holds when it goes on', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const viewer = town.join();
  town.pause(viewer);
  viewer.playback.want('video', false);
  town.resume(viewer);
  town.publish('delta');
  town.publish('audio');
  town.clock.advance(100);
  assert.deepEqual(
    town.seen(viewer).map(({ kind }) => kind),
    ['metadata', 'avc', 'aac', 'key', 'metadata', 'aac', 'audio'],
  );
});

test('wanting what is wanted already changes nothing', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const viewer = town.join();
  viewer.playback.want('video', true);
  assert.equal(town.seen(viewer).length, 4);
});
