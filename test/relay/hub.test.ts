import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { Hub } from '../../src/relay/hub.ts';
import type { Publisher, Subscriber } from '../../src/relay/stream.ts';
import { frame } from '../helpers/frames.ts';

const nobody: Publisher & Subscriber = {
  viewers: 1,
  requestKeyFrame() {},
  evicted() {},
  write() {},
  began() {},
  ended() {},
};

test('a name has one stream for as long as it is used', () => {
  const hub = new Hub();
  const stream = hub.stream('live', 'a');
  assert.equal(hub.stream('live', 'a'), stream);
  assert.notEqual(hub.stream('live', 'b'), stream);
  assert.equal(hub.find('live', 'a'), stream);
  assert.equal(hub.find('live', 'c'), undefined);
  assert.deepEqual(
    [...hub].map(({ name }) => name),
    ['a', 'b'],
  );
});

test('streams leave with their last user, whichever side that is', () => {
  const hub = new Hub();
  const publication = hub.stream('live', 'a').publish(nobody);
  const subscription = hub.stream('live', 'a').subscribe(nobody);
  publication.close();
  assert.equal(hub.size, 1);
  subscription.close();
  assert.equal(hub.size, 0);

  const again = hub.stream('live', 'a').subscribe(nobody);
  const live = hub.stream('live', 'a').publish(nobody);
  again.close();
  assert.equal(hub.size, 1);
  live.close();
  assert.equal(hub.size, 0);
});

test('a hundred thousand names that came and went leave nothing', () => {
  const hub = new Hub();
  for (let i = 0; i < 100_000; i++) hub.stream('live', `${i}`).subscribe(nobody).close();
  assert.equal(hub.size, 0);
});

test('a takeover keeps the stream where newcomers look for it', () => {
  const hub = new Hub();
  hub.stream('live', 'a').publish(nobody);
  const after = hub.stream('live', 'a').publish(nobody, 'somebody else came');
  after.write(frame('video', 'key', 0));
  assert.equal(hub.find('live', 'a')?.live, true);
  assert.equal(hub.stream('live', 'a').replay().length, 1);
});

test('an old stream that goes idle once more does not take a new one of its name with it', () => {
  const hub = new Hub();
  const old = hub.stream('live', 'a');
  old.subscribe(nobody).close();
  const fresh = hub.stream('live', 'a');
  assert.notEqual(fresh, old);
  old.subscribe(nobody).close();
  assert.equal(hub.find('live', 'a'), fresh);
});

test('names that look alike when joined are streams of their own', () => {
  const hub = new Hub();
  const one = hub.stream('live/room1', 'x');
  assert.notEqual(hub.stream('live', 'room1/x'), one);
  assert.deepEqual([one.app, one.name], ['live/room1', 'x']);
  assert.equal(hub.size, 2);
});

test('bounds of the cache are asked for by application', () => {
  const hub = new Hub((app) => ({ ...GOP_DEFAULTS, enabled: app === 'kept' }));
  for (const app of ['kept', 'not']) {
    hub
      .stream(app, 'a')
      .publish(nobody)
      .write(frame('video', 'key', 0));
  }
  assert.equal(hub.stream('kept', 'a').replay().length, 1);
  assert.equal(hub.stream('not', 'a').replay().length, 0);
});
