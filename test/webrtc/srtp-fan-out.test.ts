import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock, Millis, Timer } from '../../src/base/clock.ts';
import { Hub } from '../../src/relay/hub.ts';
import type { Path } from '../../src/webrtc/path.ts';
import { RtpAudiences } from '../../src/webrtc/rtp-audiences.ts';
import { srtpKeys } from '../helpers/srtp-reference.ts';
import { audioFrame, negotiated, videoFrame } from '../helpers/viewer-town.ts';

/** Every packet that is sent takes 10 us; nothing else takes time. */
const PER_PACKET: Millis = 0.01;

class BusyClock implements Clock {
  time: Millis = 0;
  soonest: (() => void)[] = [];
  timers: { at: Millis; then: () => void }[] = [];

  now(): Millis {
    return this.time;
  }
  wallTime(): Millis {
    return this.time;
  }
  after(delay: Millis, then: () => void): Timer {
    this.timers.push({ at: this.time + delay, then });
    return { cancel() {} };
  }
  every(): Timer {
    return { cancel() {} };
  }
  soon(then: () => void): Timer {
    this.soonest.push(then);
    return { cancel() {} };
  }

  /** One turn of the event loop; answers how long it took. False: nothing to do. */
  turn(): Millis | false {
    const start = this.time;
    const due = this.soonest;
    this.soonest = [];
    for (const then of due) then();
    if (due.length > 0) return this.time - start;
    const timer = this.timers.sort((a, b) => a.at - b.at).shift();
    if (timer === undefined) return false;
    this.time = Math.max(this.time, timer.at);
    timer.then();
    return 0;
  }
}

class CountingPath implements Path {
  readonly ip = '192.0.2.1';
  readonly port = 5004;
  readonly protocol = 'udp';
  queuedBytes = 0;
  readonly types: number[] = [];
  readonly #clock: BusyClock;

  constructor(clock: BusyClock) {
    this.#clock = clock;
  }

  send(bytes: Uint8Array, offset: number): void {
    this.#clock.time += PER_PACKET;
    this.types.push(bytes[offset + 1]! & 127);
  }
}

function town(viewers: number, streams = 1) {
  const clock = new BusyClock();
  const audiences = new RtpAudiences({ clock, random: (count) => Buffer.alloc(count, 7), maxDatagram: 1_200 });
  const events = { rtcp() {}, changed() {}, began() {}, ended() {} };
  const hub = new Hub();
  const rooms = Array.from({ length: streams }, (_, room) => {
    const stream = hub.stream('live', `room ${room}`);
    const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
    const paths = Array.from({ length: viewers }, () => {
      const path = new CountingPath(clock);
      audiences.join(stream, negotiated(), srtpKeys(), events).path = path;
      return path;
    });
    return { publication, paths };
  });
  return { clock, rooms };
}

test('a key frame for many viewers is sent in slices, and each of them gets all of it', () => {
  const { clock, rooms } = town(150);
  rooms[0]!.publication.write(videoFrame('key', 0, 0, 50_000));
  let longest = 0;
  for (let spent = clock.turn(); spent !== false; spent = clock.turn()) longest = Math.max(longest, spent);
  const counts = new Set(rooms[0]!.paths.map(({ types }) => types.length));
  assert.equal(counts.size, 1);
  assert.ok([...counts][0]! > 40);
  // a slice, and the group of four that was begun in it
  assert.ok(longest > 3 && longest < 5, `${longest} ms`);
});

test('sound is not held up by a picture, nor one stream by another', () => {
  const { clock, rooms } = town(100, 2);
  const [first, second] = rooms;
  first!.publication.write(videoFrame('key', 0, 0, 60_000));
  second!.publication.write(audioFrame(0, 0));
  first!.publication.write(audioFrame(0, 0));
  while (second!.paths.some(({ types }) => types.length === 0)) assert.notEqual(clock.turn(), false);
  while (first!.paths.some(({ types }) => !types.includes(111))) assert.notEqual(clock.turn(), false);
  const pictures = first!.paths.reduce((sum, { types }) => sum + types.filter((type) => type !== 111).length, 0);
  assert.ok(pictures < (100 * 60_000) / 1_168, `${pictures} packets of the picture went first`);
});

test('what comes while a slice is being sent does not wait for a timer', () => {
  const { clock, rooms } = town(97);
  const { publication, paths } = rooms[0]!;
  publication.write(videoFrame('key', 0, 0, 3_000));
  for (let number = 1; number < 60; number++) {
    clock.turn();
    publication.write(videoFrame('delta', number, number * 40, 3_000));
    assert.deepEqual(clock.timers, [], `picture ${number}`);
  }
  while (clock.turn() !== false);
  assert.equal(new Set(paths.map(({ types }) => types.length)).size, 1);
});

test('one path that takes no more keeps nobody busy, and goes on when it does', () => {
  const { clock, rooms } = town(9);
  const { publication, paths } = rooms[0]!;
  paths[4]!.queuedBytes = 1 << 20;
  publication.write(videoFrame('key', 0, 0, 10_000));
  let looks = 0;
  while (clock.time < 1_000 && clock.turn() !== false) looks += 1;
  assert.ok(looks < 200, `${looks} turns of the event loop in a second`);
  assert.deepEqual(new Set(paths.map(({ types }) => types.length)), new Set([0, paths[0]!.types.length]));
  const since = clock.time;
  paths[4]!.queuedBytes = 0;
  while (clock.turn() !== false);
  assert.equal(paths[4]!.types.length, paths[0]!.types.length);
  assert.ok(clock.time - since < 50, 'soon enough');
});
