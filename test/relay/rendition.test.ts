import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Codec, Frame, FrameKind, FrameRole } from '../../src/media/frame.ts';
import type { Transcoder, TranscoderEvents } from '../../src/media/transcoder.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import type { RenditionCodec } from '../../src/relay/rendition.ts';
import { Renditions } from '../../src/relay/renditions.ts';
import { Stream, type Subscriber } from '../../src/relay/stream.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

function frame(kind: FrameKind, role: FrameRole, codec: Codec, dts: number, fill = 1): Frame {
  const data = Buffer.alloc(4, fill);
  return { kind, role, codec, dts, pts: dts, size: 4, data, track: 0 };
}

const [head, key, delta] = [
  frame('video', 'config', 'h264', 0),
  frame('video', 'key', 'h264', 0),
  frame('video', 'delta', 'h264', 40_000),
];
const asc = frame('audio', 'config', 'aac', 0);
const aac = (dts: number) => frame('audio', 'delta', 'aac', dts);
const opus = (dts: number) => frame('audio', 'delta', 'opus', dts);

/** Transcoders that answer when told to. */
class Booth {
  readonly running: { to: RenditionCodec; events: TranscoderEvents; heard: Frame[]; closed: boolean }[] = [];

  start(to: RenditionCodec, events: TranscoderEvents): Transcoder {
    const one = { to, events, heard: [] as Frame[], closed: false };
    this.running.push(one);
    return {
      write: (heard) => void one.heard.push(heard),
      close: () => {
        one.closed = true;
      },
    };
  }
}

class Witness implements Subscriber {
  readonly seen: (Frame | string)[] = [];
  viewers = 1;
  write(seen: Frame): void {
    this.seen.push(seen);
  }
  began(): void {
    this.seen.push('began');
  }
  ended(): void {
    this.seen.push('ended');
  }
}

function town() {
  const booth = new Booth();
  const clock = new VirtualClock();
  const failures: string[] = [];
  const renditions = new Renditions({
    clock,
    sound: booth,
    pictures: { takes: ({ kind }) => kind === 'video', start: (events) => booth.start('h264', events) },
    limits: () => GOP_DEFAULTS,
    failed: (stream, to, code) => failures.push(`${stream.name} ${to} ${code}`),
  });
  const stream = new Stream('live', 'a', GOP_DEFAULTS, () => {});
  const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
  return { booth, clock, failures, renditions, stream, publication, rendition: renditions.of(stream, 'opus') };
}

test('one transcoder for all subscribers, started by the first and closed after the last', () => {
  const { booth, publication, renditions, stream, rendition } = town();
  publication.write(asc);
  assert.equal(renditions.of(stream, 'opus'), rendition);
  const first = rendition.subscribe(new Witness());
  const second = rendition.subscribe(new Witness());
  assert.equal(renditions.running, 1);
  assert.equal(stream.audience, 2);
  first.close();
  first.close();
  assert.equal(renditions.running, 1);
  second.close();
  assert.equal(renditions.running, 0);
  assert.equal(stream.audience, 0);
  assert.deepEqual(
    booth.running.map(({ closed }) => closed),
    [true],
  );
});

test('pictures pass as they are, sound comes from the transcoder', () => {
  const { booth, publication, rendition } = town();
  for (const sent of [head, asc, key, aac(10)]) publication.write(sent);
  assert.deepEqual(rendition.replay(), [head, key], 'the original sound is of no use to a newcomer');
  const witness = new Witness();
  rendition.subscribe(witness);
  publication.write(aac(20));
  publication.write(delta);
  const [one] = booth.running;
  assert.equal(one!.to, 'opus');
  assert.deepEqual(one!.heard, [asc, aac(20)], 'the configuration in force first');
  one!.events.frame(opus(20));
  assert.deepEqual(witness.seen, [delta, opus(20)]);
  assert.deepEqual(rendition.replay(), [head, key, delta, opus(20)], 'the next newcomer hears at once');
});

test('a failed transcoder costs the sound only, and the next publisher gets another', () => {
  const { booth, failures, publication, stream, rendition } = town();
  const witness = new Witness();
  rendition.subscribe(witness);
  publication.write(asc);
  booth.running[0]!.events.failed('media/transcoder', 'gone');
  assert.deepEqual(failures, ['a opus media/transcoder']);
  publication.write(aac(20));
  publication.write(key);
  booth.running[0]!.events.frame(opus(20));
  assert.deepEqual(witness.seen, [key]);
  assert.equal(booth.running.length, 1);
  publication.close();
  const next = stream.publish({ requestKeyFrame() {}, evicted() {} });
  next.write(asc);
  assert.equal(booth.running.length, 2);
  assert.deepEqual(witness.seen, [key, 'ended', 'began']);
});

test('sound that failed is tried again after a pause, for those who are there and from its configuration on', () => {
  const { booth, clock, publication, rendition } = town();
  const witness = new Witness();
  rendition.subscribe(witness);
  publication.write(asc);
  booth.running[0]!.events.failed('media/transcoder', 'gone');
  clock.advance(9_990);
  publication.write(aac(20));
  assert.equal(booth.running.length, 1, 'too early');
  clock.advance(10);
  publication.write(aac(40));
  publication.write(aac(60));
  assert.equal(booth.running.length, 2);
  assert.deepEqual(booth.running[1]!.heard, [asc, aac(40), aac(60)]);
  booth.running[1]!.events.frame(opus(40));
  assert.deepEqual(witness.seen, [opus(40)]);
});

test('another configuration is another try at once, the same one said again is not', () => {
  const { booth, publication, rendition } = town();
  rendition.subscribe(new Witness());
  publication.write(asc);
  booth.running[0]!.events.failed('media/aac', 'no such rate');
  publication.write(frame('audio', 'config', 'aac', 20));
  assert.equal(booth.running.length, 1);
  const other = frame('audio', 'config', 'aac', 40, 2);
  publication.write(other);
  publication.write(aac(60));
  assert.deepEqual(booth.running[1]?.heard, [other, aac(60)]);
});

test('renditions that had nothing to translate are neither listed nor counted', () => {
  const { publication, renditions, stream, rendition } = town();
  const subscription = rendition.subscribe(new Witness());
  publication.write(opus(0));
  assert.deepEqual([renditions.running, renditions.states(stream)], [0, []]);
  publication.write(asc);
  assert.deepEqual([renditions.running, renditions.states(stream).length], [1, 1]);
  publication.close();
  assert.equal(renditions.running, 0);
  const next = stream.publish({ requestKeyFrame() {}, evicted() {} });
  next.write(opus(0));
  assert.deepEqual([renditions.running, renditions.states(stream)[0]?.state], [0, 'waiting']);
  next.write(asc);
  next.write(aac(20));
  assert.equal(renditions.running, 1);
  subscription.close();
  assert.deepEqual([renditions.running, renditions.states(stream)[0]?.state], [0, 'idle']);
});

test('its state tells who hears it, and what failed last', () => {
  const { booth, publication, renditions, stream, rendition } = town();
  const states = () => renditions.states(stream);
  assert.deepEqual(renditions.states(new Stream('live', 'b', GOP_DEFAULTS, () => {})), []);
  const plain = { to: 'opus', viewers: 0, failure: undefined } as const;
  const subscription = rendition.subscribe(new Witness());
  publication.write(asc);
  assert.deepEqual(states(), [{ ...plain, state: 'running', viewers: 1 }]);
  booth.running[0]!.events.failed('media/transcoder', 'gone');
  const failure = { code: 'media/transcoder', reason: 'gone' };
  assert.deepEqual(states(), [{ ...plain, state: 'failed', viewers: 1, failure }]);
  publication.close();
  assert.deepEqual(states(), [{ ...plain, state: 'waiting', viewers: 1, failure }]);
  stream.publish({ requestKeyFrame() {}, evicted() {} }).write(asc);
  assert.deepEqual(states(), [{ ...plain, state: 'running', viewers: 1, failure }]);
  subscription.close();
  assert.deepEqual(states(), [{ ...plain, state: 'idle', failure }]);
});

test('what an ended publisher left in the transcoder reaches nobody', () => {
  const { booth, publication, stream, rendition } = town();
  const witness = new Witness();
  rendition.subscribe(witness);
  publication.write(asc);
  publication.close();
  assert.ok(booth.running[0]!.closed);
  stream.publish({ requestKeyFrame() {}, evicted() {} });
  booth.running[0]!.events.frame(opus(0));
  assert.deepEqual(witness.seen, ['ended', 'began']);
});

test('sound that is in the wanted codec already passes', () => {
  const { booth, publication, rendition } = town();
  const witness = new Witness();
  rendition.subscribe(witness);
  publication.write(opus(0));
  assert.deepEqual(witness.seen, [opus(0)]);
  assert.equal(booth.running.length, 0);
});

test('pictures begin with the past, which is not shown, and sound passes', () => {
  const { booth, publication, renditions, stream } = town();
  for (const sent of [head, asc, key, aac(10)]) publication.write(sent);
  const pictures = renditions.of(stream, 'h264');
  assert.deepEqual(pictures.replay(), [asc, aac(10)], 'the original picture is of no use to a newcomer');
  const witness = new Witness();
  pictures.subscribe(witness);
  publication.write(delta);
  publication.write(aac(20));
  const [one] = booth.running;
  assert.deepEqual(one!.heard, [head, key, delta]);
  const made = { ...key, pts: 40_000 };
  one!.events.frame(made);
  assert.deepEqual(witness.seen, [aac(20), made]);
  assert.equal(renditions.running, 0, 'of sound');
});

test('sound stands on pictures, and the first viewer starts both', () => {
  const { booth, publication, renditions, stream } = town();
  for (const sent of [head, asc, key]) publication.write(sent);
  const both = renditions.of(stream, 'h264', 'opus');
  assert.equal(renditions.of(stream, 'h264', 'opus'), both);
  const witness = new Witness();
  const watching = both.subscribe(witness);
  const [sound, pictures] = [booth.running[0]!, booth.running[1]!];
  assert.deepEqual([sound.to, pictures.to], ['opus', 'h264']);
  const made = { ...key, pts: 40_000 };
  pictures.events.frame(made);
  sound.events.frame(opus(0));
  assert.deepEqual(witness.seen, [made, opus(0)]);
  assert.deepEqual(
    renditions.states(stream).map(({ to, state }) => `${to} ${state}`),
    ['h264 running', 'opus running'],
  );
  watching.close();
  assert.ok(booth.running.every(({ closed }) => closed));
  assert.equal(stream.audience, 0);
});

test('pictures that failed turn viewers away, until they are tried again', () => {
  const { booth, clock, failures, publication, renditions, stream } = town();
  for (const sent of [head, key]) publication.write(sent);
  const both = renditions.of(stream, 'h264', 'opus');
  const watching = both.subscribe(new Witness());
  assert.equal(both.failure, undefined);
  booth.running[0]!.events.failed('media/encoder', 'gone');
  assert.deepEqual(failures, ['a h264 media/encoder']);
  assert.deepEqual(both.failure, { code: 'media/encoder', reason: 'gone' });
  watching.close();
  both.subscribe(new Witness()).close();
  assert.equal(booth.running.length, 1, 'too early');
  clock.advance(30_000);
  assert.equal(both.failure, undefined);
  both.subscribe(new Witness());
  assert.equal(booth.running.length, 2);
  booth.running[1]!.events.failed('media/encoder', 'again');
  publication.close();
  assert.equal(both.failure, undefined, 'another publisher, another try');
});
