import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import type { Frame } from '../../src/media/frame.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { type Publisher, Stream, type Subscriber } from '../../src/relay/stream.ts';
import { frame } from '../helpers/frames.ts';

const key = frame('video', 'key', 0);
const delta = frame('video', 'delta', 40);
const sound = frame('audio', 'delta', 20);

/** Writes down what happens to it, and may react. */
class Witness implements Subscriber, Publisher {
  readonly seen: (Frame | string)[] = [];
  viewers = 1;
  onWrite: () => void = () => {};

  write(frame: Frame): void {
    this.seen.push(frame);
    this.onWrite();
  }
  began(): void {
    this.seen.push('began');
  }
  ended(): void {
    this.seen.push('ended');
  }
  requestKeyFrame(): void {
    this.seen.push('key wanted');
  }
  evicted(reason: string): void {
    this.seen.push(`evicted: ${reason}`);
  }
}

function aStream(): { stream: Stream; idle: () => number } {
  let count = 0;
  const stream = new Stream('live', 'a', GOP_DEFAULTS, () => {
    count += 1;
  });
  return { stream, idle: () => count };
}

test('every subscriber gets every frame while the write is running', () => {
  const { stream } = aStream();
  const [first, second] = [new Witness(), new Witness()];
  const publication = stream.publish(new Witness());
  stream.subscribe(first);
  stream.subscribe(second);
  publication.write(key);
  publication.write(sound);
  assert.deepEqual(first.seen, [key, sound]);
  assert.deepEqual(second.seen, [key, sound]);
  assert.deepEqual(stream.replay(), [key, sound]);
});

test('counts are by kind, audience is the sum of who stands behind', () => {
  const { stream } = aStream();
  const publication = stream.publish(new Witness());
  const [one, group] = [new Witness(), new Witness()];
  group.viewers = 40;
  stream.subscribe(one);
  stream.subscribe(group);
  for (const each of [frame('video', 'config', 0), key, delta, sound]) publication.write(each);
  const bytes = frame('video', 'config', 0).data.length + key.data.length + delta.data.length + sound.data.length;
  assert.deepEqual(stream.counts, { videoFrames: 3, audioFrames: 1, keyFrames: 1, bytes });
  assert.equal(stream.audience, 41);
});

test('who waits is told when a publisher comes and goes; the cache goes with it', () => {
  const { stream, idle } = aStream();
  const waiting = new Witness();
  const subscription = stream.subscribe(waiting);
  const publication = stream.publish(new Witness());
  assert.equal(stream.live, true);
  publication.write(key);
  publication.close();
  publication.close();
  assert.deepEqual(waiting.seen, ['began', key, 'ended']);
  assert.deepEqual(stream.replay(), []);
  assert.equal(idle(), 0);
  subscription.close();
  subscription.close();
  assert.equal(idle(), 1);
});

test('a publisher that returns finds its viewers, and the cache starts anew', () => {
  const { stream, idle } = aStream();
  const waiting = new Witness();
  stream.subscribe(waiting);
  const before = stream.publish(new Witness());
  before.write(key);
  before.close();
  const after = stream.publish(new Witness());
  const later = frame('video', 'key', 9);
  after.write(later);
  before.write(delta);
  assert.deepEqual(waiting.seen, ['began', key, 'ended', 'began', later]);
  assert.deepEqual(stream.replay(), [later]);
  assert.equal(idle(), 0);
});

test('a second publisher is refused', () => {
  const { stream } = aStream();
  const publication = stream.publish(new Witness());
  assert.throws(
    () => stream.publish(new Witness()),
    (error) =>
      error instanceof RefusedError && error.code === 'access/duplicate' && /^a is already/.test(error.message),
  );
  const viewer = new Witness();
  stream.subscribe(viewer);
  publication.write(key);
  assert.deepEqual(viewer.seen, [key]);
});

test('a takeover: the first one is told why, and nothing of it is relayed any more', () => {
  const { stream } = aStream();
  const [old, viewer] = [new Witness(), new Witness()];
  stream.subscribe(viewer);
  const before = stream.publish(old);
  before.write(key);
  const after = stream.publish(new Witness(), 'somebody else came');
  assert.deepEqual(old.seen, ['evicted: somebody else came']);
  before.write(delta);
  before.close();
  assert.equal(stream.live, true);
  after.write(sound);
  assert.deepEqual(viewer.seen, ['began', key, 'ended', 'began', sound]);
  assert.deepEqual(stream.replay(), [sound]);
});

test('a takeover without viewers does not make the stream idle', () => {
  const { stream, idle } = aStream();
  stream.publish(new Witness());
  const after = stream.publish(new Witness(), 'somebody else came');
  assert.equal(idle(), 0);
  after.close();
  assert.equal(idle(), 1);
});

test('an evicted publisher that closes while it is told does no harm', () => {
  const { stream, idle } = aStream();
  const old = new Witness();
  const before = stream.publish(old);
  old.evicted = () => before.close();
  const after = stream.publish(new Witness(), 'somebody else came');
  after.write(key);
  assert.deepEqual(stream.replay(), [key]);
  assert.equal(idle(), 0);
});

test('a subscriber that leaves during a write costs its neighbours nothing', () => {
  const { stream } = aStream();
  const publication = stream.publish(new Witness());
  const [a, b, c] = [new Witness(), new Witness(), new Witness()];
  const leave = [a, b, c].map((each) => stream.subscribe(each));
  a.onWrite = () => leave[0]!.close();
  publication.write(key);
  publication.write(delta);
  assert.deepEqual(a.seen, [key]);
  assert.deepEqual(b.seen, [key, delta]);
  assert.deepEqual(c.seen, [key, delta]);
});

test('a subscriber that is removed by another during a write gets nothing more', () => {
  const { stream } = aStream();
  const publication = stream.publish(new Witness());
  const [a, b, c] = [new Witness(), new Witness(), new Witness()];
  const leave = [a, b, c].map((each) => stream.subscribe(each));
  a.onWrite = () => leave[1]!.close();
  publication.write(key);
  assert.deepEqual([a.seen, b.seen, c.seen], [[key], [], [key]]);
});

test('who comes during a write gets that frame once, from the replay', () => {
  const { stream } = aStream();
  const publication = stream.publish(new Witness());
  const [a, late] = [new Witness(), new Witness()];
  let replay: readonly Frame[] = [];
  stream.subscribe(a);
  a.onWrite = () => {
    if (replay.length > 0) return;
    replay = stream.replay();
    stream.subscribe(late);
  };
  publication.write(key);
  publication.write(delta);
  assert.deepEqual([...replay, ...late.seen], [key, delta]);
});

test('a publisher that closes during its own write ends it for those who are still to come', () => {
  const { stream } = aStream();
  const publication = stream.publish(new Witness());
  const [a, b] = [new Witness(), new Witness()];
  stream.subscribe(a);
  stream.subscribe(b);
  a.onWrite = () => publication.close();
  publication.write(key);
  assert.deepEqual(a.seen, [key, 'ended']);
  assert.deepEqual(b.seen, ['ended']);
});

test('a wish for a key frame reaches the publisher, if there is one', () => {
  const { stream } = aStream();
  const subscription = stream.subscribe(new Witness());
  subscription.requestKeyFrame();
  const publisher = new Witness();
  stream.publish(publisher);
  subscription.requestKeyFrame();
  assert.deepEqual(publisher.seen, ['key wanted']);
});
