import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broadcast, live, type ViewerTown } from '../helpers/viewer-town.ts';

/** How many audiences have subscribed. */
function counted(): { town: ViewerTown; subscribed: () => number } {
  const town = live();
  let count = 0;
  const { stream } = town;
  town.source = {
    ...{ app: stream.app, name: stream.name, live: true },
    replay: () => stream.replay(),
    configs: () => stream.configs(),
    subscribe(subscriber) {
      count += 1;
      return stream.subscribe(subscriber);
    },
  };
  return { town, subscribed: () => count };
}

test('payload types are each viewer’s own, and make no audience of their own', () => {
  const { town, subscribed } = counted();
  const watchers = Array.from({ length: 32 }, (_, index) =>
    town.watch({ videoType: 96 + index, audioType: 127 - index }),
  );
  assert.equal(subscribed(), 1);
  broadcast(town, 0, 2);
  for (const [index, watcher] of watchers.entries()) {
    const got = watcher.take();
    const { video, audio } = town.audiences.sources;
    assert.ok(got.length > 6);
    for (const { ssrc, payloadType } of got) {
      assert.equal(
        payloadType,
        new Map([
          [video, 96 + index],
          [audio, 127 - index],
        ]).get(ssrc),
      );
    }
    assert.ok(got.some(({ marker }) => marker));
  }
});

test('a source has so many audiences and no more, whatever numbers clients give to an extension', () => {
  const { town, subscribed } = counted();
  const watchers = Array.from({ length: 14 }, (_, index) => town.watch({ playoutDelay: 1 + index, audio: false }));
  for (let times = 0; times < 3; times++)
    for (let id = 1; id < 256; id++) town.watch({ playoutDelay: id, audio: false });
  assert.equal(subscribed(), 9);
  broadcast(town, 0, 2);
  for (const [index, watcher] of watchers.entries()) {
    const got = watcher.take();
    assert.equal(got.filter(({ marker }) => marker).length, 2);
    assert.equal((got[0]!.bytes[0]! & 0x10) > 0, index < 8, `the extension for viewer ${index}`);
  }
});

test('the last viewer to leave ends the subscription', () => {
  const town = live();
  const first = town.watch();
  const second = town.watch({ videoType: 96, audio: false });
  const third = town.watch();
  assert.equal(town.audiences.viewers, 3);
  assert.equal(town.stream.audience, 3);
  broadcast(town, 0, 2);
  assert.ok(second.take().some(({ payloadType }) => payloadType === 96));
  for (const watcher of [first, second, third]) {
    watcher.viewer.leave();
    watcher.viewer.leave();
  }
  broadcast(town, 2, 2);
  first.take();
  third.take();
  broadcast(town, 4, 2);
  assert.deepEqual([first.take(), second.take(), third.take()], [[], [], []]);
  assert.equal(town.stream.audience, 0);
  town.unpublish();
  assert.equal(town.clock.pending, 0, 'no timer outlives the last viewer');
});
