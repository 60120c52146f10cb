/**
 * No holes: whatever queues do and whenever players come, pause, stall and drain, the video that each one receives is a sequence of
 * decodable runs, and sound, metadata and configurations are never withheld. Fresh start stands in fresh-start.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WriteWindow } from '../../src/rtmp/options.ts';
import { AudienceTown, type Sent, type Viewer } from '../helpers/audience-town.ts';

type Action =
  | { readonly do: 'key' | 'delta' | 'audio' | 'interleaved' | 'abandon'; readonly size: number; readonly step: number }
  | { readonly do: 'avc' | 'aac' | 'metadata' | 'leave' | 'begin' | 'takeover' }
  | { readonly do: 'join'; readonly messageStream: number; readonly stalled: boolean }
  | { readonly do: 'pause' | 'resume' | 'stall' | 'flow'; readonly viewer: number }
  | { readonly do: 'trickle'; readonly viewer: number; readonly bytes: number }
  | { readonly do: 'time'; readonly millis: number };

const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 8, max: 700 }) },
  { weight: 3, arbitrary: fc.integer({ min: 700, max: 9_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 65_000, max: 66_500 }) },
);
const steps = fc.oneof(
  { weight: 9, arbitrary: fc.nat(50) },
  { weight: 1, arbitrary: fc.constantFrom(0xffffff, 2 ** 31) },
);
const who = fc.nat(20);

function media<T extends 'key' | 'delta' | 'audio' | 'interleaved' | 'abandon'>(name: T): fc.Arbitrary<Action> {
  return fc.record({
    do: fc.constant(name),
    size: name === 'audio' ? fc.integer({ min: 8, max: 400 }) : sizes,
    step: steps,
  });
}

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: media('key') },
  { weight: 12, arbitrary: media('delta') },
  { weight: 10, arbitrary: media('audio') },
  { weight: 2, arbitrary: media('interleaved') },
  { weight: 1, arbitrary: media('abandon') },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('avc', 'aac', 'metadata', 'leave', 'begin', 'takeover') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('join'),
      messageStream: fc.constantFrom(1, 1, 1, 2),
      stalled: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'stall', 'flow'), viewer: who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('trickle'), viewer: who, bytes: fc.nat(6_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('time'), millis: fc.nat(120) }) },
) as fc.Arbitrary<Action>;

const scenario = fc.record({
  writeWindow: fc.constantFrom<WriteWindow>('video', 0, 20, 100),
  chunkSize: fc.constantFrom(128, 1_000, 4_096, 65_536),
  actions: fc.array(action, { minLength: 10, maxLength: 150 }),
});

function play(town: AudienceTown, actions: readonly Action[]): void {
  for (const each of actions) {
    switch (each.do) {
      case 'key':
      case 'delta':
      case 'audio':
        if (town.live) town.publish(each.do, each.size, each.step);
        break;
      case 'interleaved':
        if (town.live) town.publishInterleaved(each.size, each.step);
        break;
      case 'abandon':
        town.abandon(each.size);
        break;
      case 'avc':
      case 'aac':
      case 'metadata':
        if (town.live) town.publish(each.do);
        break;
      case 'leave':
        town.leave();
        break;
      case 'begin':
        if (!town.live) town.begin();
        break;
      case 'takeover':
        if (town.live) town.begin('taken over');
        break;
      case 'join': {
        const viewer = town.join({ messageStream: each.messageStream });
        viewer.transport.stalled = each.stalled;
        break;
      }
      case 'time':
        town.clock.advance(each.millis);
        break;
      default:
        act(town, each);
    }
  }
}

function act(town: AudienceTown, each: Extract<Action, { viewer: number }>): void {
  const viewer = town.viewers[each.viewer % Math.max(1, town.viewers.length)];
  if (viewer === undefined) return;
  if (each.do === 'pause') town.pause(viewer);
  else if (each.do === 'resume') town.resume(viewer);
  else if (each.do === 'trickle') viewer.transport.drain(each.bytes);
  else if (each.do === 'stall') viewer.transport.stalled = true;
  else {
    viewer.transport.stalled = false;
    viewer.transport.drain();
  }
}

/** Each stay of a viewer: from a start to a stop. What was received in it is found by what was queued before it. */
function checkPictures(sent: readonly Sent[]): void {
  let last: Sent | undefined;
  for (const each of sent) {
    if (each.kind === 'delta') {
      assert.ok(last !== undefined, `picture ${each.number} begins without a key frame`);
      assert.equal(last.number, each.after, `picture ${each.number} follows ${last.number}, not ${each.after}`);
      assert.equal(last.era, each.era);
      last = each;
    } else if (each.kind === 'key') {
      last = each;
    }
  }
}

function checkRest(town: AudienceTown, viewer: Viewer, seen: readonly Sent[]): void {
  const rest = seen.filter(({ kind }) => kind !== 'key' && kind !== 'delta').map(({ number }) => number);
  const got = new Map<number, number>();
  for (const number of rest) got.set(number, (got.get(number) ?? 0) + 1);
  for (const [i, { published }] of viewer.starts.entries()) {
    const until = viewer.stops[i] ?? town.sent.length;
    // what was pending when it stopped may go with it, as nobody would hear it
    const certain = viewer.stops[i] === undefined ? until : published;
    for (let number = published; number < certain; number++) {
      const each = town.sent[number]!;
      if (each.kind === 'key' || each.kind === 'delta') continue;
      assert.ok(got.has(number), `${each.kind} ${number} is missing`);
    }
  }
  if (viewer.starts.length > 1) return;
  for (const [number, times] of got) assert.equal(times, 1, `message ${number} came ${times} times`);
}

test('whatever queues do, each player receives decodable runs, and all that is no picture', () => {
  fc.assert(
    fc.property(scenario, ({ actions, ...options }) => {
      const town = new AudienceTown(options);
      town.begin();
      play(town, actions);
      town.settle();
      for (const viewer of town.viewers) {
        assert.equal(viewer.reader.partialBytes, 0);
        const seen = town.seen(viewer);
        checkPictures(seen);
        checkRest(town, viewer, seen);
      }
    }),
    { numRuns: 300 },
  );
});
