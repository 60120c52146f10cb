import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AudienceTown, type Sent, type Viewer } from '../helpers/audience-town.ts';

function words(town: AudienceTown, viewer: Viewer): string {
  return town
    .seen(viewer)
    .map((sent: Sent) => `${sent.kind}${sent.number}`)
    .join(' ');
}

test('a player who is there gets everything', () => {
  const town = new AudienceTown();
  const viewer = town.join();
  town.begin();
  town.publish('key');
  town.publish('audio');
  town.publish('delta');
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3 audio4 delta5');
  assert.deepEqual(viewer.told, ['ended', 'began']);
});

test('who comes later starts with metadata, configurations and the group, in one write, and goes on with the others', () => {
  const town = new AudienceTown();
  town.begin();
  for (const kind of ['key', 'delta', 'key', 'audio', 'delta'] as const) town.publish(kind);
  const viewer = town.join();
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key5 audio6 delta7');
  town.publish('delta');
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key5 audio6 delta7 delta8');
});

test('who comes while a window is open gets that window once', () => {
  const town = new AudienceTown({ writeWindow: 100 });
  town.begin();
  town.publish('key');
  const first = town.join();
  town.publish('delta');
  town.publish('audio');
  const second = town.join();
  assert.equal(words(town, first), words(town, second));
  town.publish('delta');
  town.clock.advance(100);
  assert.equal(words(town, second), 'metadata0 avc1 aac2 key3 delta4 audio5 delta6');
  assert.equal(words(town, first), words(town, second));
});

test('without a cache, who comes in mid-group waits for a key frame and hears at once', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const first = town.join();
  // the group is over its bound: the cache has forgotten it
  town.publish('delta', 100, 11_000);
  const second = town.join();
  town.publish('audio');
  town.publish('delta');
  town.publish('key');
  assert.equal(words(town, second), 'metadata0 avc1 aac2 audio5 key7');
  assert.equal(words(town, first), 'metadata0 avc1 aac2 key3 delta4 audio5 delta6 key7');
});

test('a player in jam hears on, sees nothing, and goes on at a key frame when it has caught up', () => {
  const town = new AudienceTown();
  town.begin();
  const viewer = town.join();
  viewer.transport.stalled = true;
  town.publish('key', 3_000);
  town.publish('delta', 3_000);
  // the jam shows at the next picture
  for (const kind of ['delta', 'audio', 'aac', 'key', 'audio'] as const) town.publish(kind);
  viewer.transport.drain();
  town.clock.advance(100);
  viewer.transport.stalled = false;
  viewer.transport.drain();
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3 delta4 audio6 aac7 audio9');
  town.publish('delta');
  town.publish('key');
  town.publish('delta');
  town.settle();
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3 delta4 audio6 aac7 audio9 key11 delta12');
  assert.equal(town.audiences.withheld, 3);
  town.pause(viewer);
  assert.equal(town.audiences.withheld, 3);
});

test('one in jam costs the others nothing', () => {
  const town = new AudienceTown();
  town.begin();
  const [slow, quick] = [town.join(), town.join()];
  slow.transport.stalled = true;
  for (let i = 0; i < 30; i++) town.publish(i % 10 === 0 ? 'key' : i % 2 === 0 ? 'delta' : 'audio', 1_000);
  town.clock.advance(100);
  assert.deepEqual(
    town.seen(quick).map(({ number }) => number),
    Array.from({ length: 33 }, (_, number) => number),
  );
  assert.ok(slow.transport.queuedBytes < 25_000, `${slow.transport.queuedBytes}`);
});

test('in video mode sound rides with the next picture, for a tenth of a second at most', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const viewer = town.join();
  const writes = viewer.transport.writes;
  town.publish('audio');
  town.publish('audio');
  assert.equal(viewer.transport.writes, writes);
  town.publish('delta');
  assert.equal(viewer.transport.writes, writes + 1);
  town.clock.advance(1_000);
  town.publish('audio');
  town.clock.advance(99);
  assert.equal(viewer.transport.writes, writes + 1);
  town.clock.advance(1);
  assert.equal(viewer.transport.writes, writes + 2);
});

test('in video mode sound without pictures soon goes out at once', () => {
  const town = new AudienceTown();
  town.begin();
  const viewer = town.join();
  for (let i = 0; i < 60; i++) town.publish('audio', 100, 20);
  assert.equal(town.seen(viewer).length, 63);
});

test('mode 0 writes each message, a window writes what came in its time', () => {
  for (const [writeWindow, writes] of [
    [0, 4],
    [50, 1],
  ] as const) {
    const town = new AudienceTown({ writeWindow });
    town.begin();
    const viewer = town.join();
    const before = viewer.transport.writes;
    for (const kind of ['key', 'audio', 'delta', 'audio'] as const) town.publish(kind);
    town.clock.advance(50);
    assert.equal(viewer.transport.writes - before, writes);
    assert.equal(town.seen(viewer).length, 7);
  }
});

test('a window that grows large does not wait', () => {
  const town = new AudienceTown({ writeWindow: 1_000 });
  town.begin();
  const viewer = town.join();
  town.publish('key', 60_000);
  for (let i = 0; i < 6; i++) town.publish('delta', 60_000);
  assert.ok(town.seen(viewer).length >= 8);
});

test('who wants one kind only gets that, and both again from a fresh start', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const viewer = town.join();
  viewer.playback.want('video', false);
  town.publish('delta');
  town.publish('audio');
  town.clock.advance(100);
  viewer.playback.want('video', true);
  viewer.playback.want('audio', false);
  town.publish('audio');
  town.publish('delta');
  const soundOnly = 'metadata0 aac2 audio5';
  const both = 'metadata0 avc1 aac2 key3 delta4 audio5';
  const silent = 'metadata0 avc1 key3 delta4 delta7';
  assert.equal(words(town, viewer), `metadata0 avc1 aac2 key3 ${soundOnly} ${both} ${silent}`);
});

test('sound alone asks nobody for a key frame, and nobody withholds anything', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const viewer = town.join({ video: false });
  town.publish('audio');
  town.clock.advance(100);
  assert.equal(words(town, viewer), 'metadata0 aac2 audio4');
  assert.equal(town.audiences.withheld, 0);
});

test('a publisher that returns: its viewers wait for its key frame, and newcomers see nothing of the one before', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key');
  const viewer = town.join();
  town.leave();
  const waiting = town.join();
  town.begin();
  town.publish('delta');
  town.publish('audio');
  town.publish('key');
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3 metadata4 avc5 aac6 audio8 key9');
  assert.equal(words(town, waiting), 'metadata4 avc5 aac6 audio8 key9');
  assert.deepEqual(viewer.told, ['began', 'ended', 'began']);
  assert.deepEqual(waiting.told, ['ended', 'began']);
});

test('a viewer who was alone, paused, and came back after the publisher did, is found on the stream of today', () => {
  const town = new AudienceTown();
  const viewer = town.join();
  town.pause(viewer);
  assert.equal(town.hub.size, 0);
  town.begin();
  town.publish('key');
  town.resume(viewer);
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3');
});

test('audiences, streams and timers go with their last player', () => {
  const town = new AudienceTown();
  town.begin();
  const viewers = [town.join(), town.join({ messageStream: 2 }), town.join({ audio: false })];
  town.publish('audio');
  for (const viewer of viewers) town.pause(viewer);
  town.leave();
  assert.equal(town.hub.size, 0);
  assert.equal(town.clock.pending, 0);
});

test('an opening larger than the queue may be does not count as late; what comes behind it does', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key', 60_000);
  const viewer = town.join({}, { hardBytes: 6_000 });
  viewer.transport.stalled = true;
  const second = town.join({}, { hardBytes: 6_000, highBytes: 5_000 });
  second.transport.stalled = true;
  town.pause(viewer);
  town.resume(viewer);
  town.publish('delta', 3_000);
  viewer.playback.check();
  assert.deepEqual(viewer.told, ['began', 'began']);
  assert.ok(viewer.transport.queuedBytes > 60_000);
  // half of the opening has gone: what comes behind has no more room for that
  viewer.transport.drain(30_000);
  for (let i = 0; i < 9; i++) town.publish('audio', 1_000);
  town.clock.advance(100);
  viewer.playback.check();
  assert.deepEqual(viewer.told, ['began', 'began', 'too slow']);
});

test('who does not read cannot have opening after opening', () => {
  const town = new AudienceTown();
  town.begin();
  town.publish('key', 60_000);
  const viewer = town.join();
  viewer.transport.stalled = true;
  for (let i = 0; i < 100; i++) {
    town.pause(viewer);
    town.resume(viewer);
  }
  assert.ok(viewer.transport.queuedBytes < 100_000, `${viewer.transport.queuedBytes}`);
});

test('no progress for too long is too slow, however little waits', () => {
  const town = new AudienceTown();
  town.begin();
  const viewer = town.join({}, { stallMillis: 20_000 });
  viewer.transport.stalled = true;
  town.publish('key');
  const seconds = (count: number) => {
    for (let i = 0; i < count; i++) {
      town.clock.advance(1_000);
      viewer.playback.check();
    }
  };
  seconds(15);
  viewer.transport.drain(1);
  seconds(21);
  assert.deepEqual(viewer.told, ['began']);
  seconds(1);
  assert.deepEqual(viewer.told, ['began', 'too slow']);
});

test('sound rides with the next picture, or leaves within 100 ms when none comes', () => {
  const town = new AudienceTown({ writeWindow: 'video' });
  town.begin();
  town.publish('key');
  const viewer = town.join();
  town.publish('audio');
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3');
  town.publish('delta');
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3 audio4 delta5');
  town.publish('audio');
  town.clock.advance(49);
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3 audio4 delta5');
  town.clock.advance(51);
  assert.equal(words(town, viewer), 'metadata0 avc1 aac2 key3 audio4 delta5 audio6');
});
