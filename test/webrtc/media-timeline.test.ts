import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MediaTimeline, type SourceClock } from '../../src/webrtc/media-timeline.ts';
import type { NtpTime } from '../../src/webrtc/rtcp.ts';

const VIDEO = 90_000;
const AUDIO = 48_000;
const WALL = 3_900_000_000_000_000;

function ntp(micros: number): NtpTime {
  const seconds = Math.floor(micros / 1e6);
  return { seconds, fraction: Math.floor(((micros - seconds * 1e6) * 2 ** 32) / 1e6) };
}

/** A source whose timestamp at capture time `ms` is `start` and its ticks. */
class Emitter {
  readonly clock: SourceClock;
  readonly rate: number;
  readonly start: number;
  /** From capture to arrival. */
  readonly delay: number;
  /** How much faster its clock is than real time. */
  readonly drift: number;

  constructor(clock: SourceClock, rate: number, { start = 0xffff_0000, delay = 0, drift = 0 } = {}) {
    this.clock = clock;
    this.rate = rate;
    this.start = start;
    this.delay = delay;
    this.drift = drift;
  }

  timestamp(ms: number): number {
    return (this.start + Math.round((ms * (1 + this.drift) * this.rate) / 1000)) >>> 0;
  }

  /** The time of what was captured at `ms`, in ms. */
  at(ms: number): number {
    return this.clock.time(this.timestamp(ms), ms + this.delay) / 1000;
  }

  report(ms: number, error = 0): void {
    this.clock.report(ntp(WALL + (ms + error) * 1000), this.timestamp(ms));
  }
}

test('a source begins where its first packet arrived, and keeps its steps', () => {
  const timeline = new MediaTimeline();
  const audio = new Emitter(timeline.source(AUDIO, true), AUDIO);
  const video = new Emitter(timeline.source(VIDEO, false), VIDEO, { delay: 30 });
  assert.equal(audio.at(1000), 0);
  assert.equal(audio.at(1020), 20);
  assert.equal(video.at(1020), 50, 'arrival at 1050');
  assert.equal(video.at(1060), 90);
});

test('across the wrap of the timestamps', () => {
  const timeline = new MediaTimeline();
  const video = new Emitter(timeline.source(VIDEO, false), VIDEO, { start: 0xffff_fff0 });
  for (let ms = 0; ms < 1000; ms += 40) assert.equal(video.at(ms), ms);
});

test('reports bring lips and voice together, within a second, without a step back', () => {
  const timeline = new MediaTimeline();
  const audio = new Emitter(timeline.source(AUDIO, true), AUDIO, { delay: 20 });
  const video = new Emitter(timeline.source(VIDEO, false), VIDEO, { delay: 180 });
  let before = -1;
  let apart = 0;
  for (let ms = 0; ms < 3000; ms += 40) {
    if (ms === 1000) {
      audio.report(ms);
      video.report(ms);
    }
    const sound = audio.at(ms);
    const picture = video.at(ms);
    apart = picture - sound;
    assert.ok(picture - before >= 20, `${picture} behind ${before}`);
    if (ms < 1000) assert.equal(apart, 160);
    if (ms >= 1360) assert.ok(Math.abs(apart) < 0.1, `${apart}`);
    before = picture;
  }
});

test('small differences are left as they are', () => {
  const timeline = new MediaTimeline();
  const audio = new Emitter(timeline.source(AUDIO, true), AUDIO);
  const video = new Emitter(timeline.source(VIDEO, false), VIDEO, { delay: 8 });
  for (let ms = 0; ms < 3000; ms += 40) {
    if (ms % 1000 === 0) {
      audio.report(ms);
      video.report(ms);
    }
    assert.ok(Math.abs(video.at(ms) - audio.at(ms) - 8) < 0.1);
  }
});

test('clocks that know nothing of each other are not believed', () => {
  const timeline = new MediaTimeline();
  const audio = new Emitter(timeline.source(AUDIO, true), AUDIO);
  const video = new Emitter(timeline.source(VIDEO, false), VIDEO);
  for (let ms = 0; ms < 2000; ms += 40) {
    audio.report(ms);
    video.report(ms, 3_600_000);
    assert.equal(video.at(ms), audio.at(ms));
  }
});

test('a jump of the timestamps goes on as our clock does', () => {
  for (const jump of [0x4000_0000, 0xc000_0000, 90_000 * 3600]) {
    const timeline = new MediaTimeline();
    const clock = timeline.source(VIDEO, false);
    assert.equal(clock.time(1000, 0), 0);
    assert.equal(clock.time(1000 + 3600, 40), 40_000);
    assert.equal(clock.time((1000 + 7200 + jump) >>> 0, 90), 90_000);
    assert.equal(clock.time((1000 + 10_800 + jump) >>> 0, 130), 130_000);
  }
});

test('a pause is one, and a burst behind a stall keeps its steps', () => {
  const timeline = new MediaTimeline();
  const clock = timeline.source(VIDEO, false);
  clock.time(0, 0);
  assert.equal(clock.time(90 * 60_000, 60_000), 60_000_000, 'a minute of silence');
  assert.equal(clock.time(90 * 60_040, 75_000), 60_040_000, 'sent 40 ms later, held up for 15 s');
  assert.equal(clock.time(90 * 60_080, 75_001), 60_080_000);
});

test('reports of another time, of no time and before any packet are no use', () => {
  const timeline = new MediaTimeline();
  const early = timeline.source(VIDEO, false);
  early.report(ntp(WALL), 5);
  assert.equal(early.behindNtp, undefined);
  early.begin(0, 0);
  early.report({ seconds: 0, fraction: 0 }, 0);
  early.report(ntp(WALL), 90_000 * 61);
  assert.equal(early.behindNtp, undefined);
  early.report(ntp(WALL), 90_000);
  assert.equal(early.behindNtp, WALL - 1e6);
});

test('without audio, layers follow the first of them; who left leads nobody', () => {
  const timeline = new MediaTimeline();
  const small = new Emitter(timeline.source(VIDEO, false), VIDEO, { start: 1 });
  const large = new Emitter(timeline.source(VIDEO, false), VIDEO, { start: 77_777, delay: 90 });
  for (let ms = 0; ms < 2000; ms += 40) {
    small.at(ms);
    large.at(ms);
    small.report(ms);
    large.report(ms);
  }
  assert.ok(Math.abs(small.at(2000) - large.at(2000)) < 0.1);
  timeline.leave(small.clock);
  const late = new Emitter(timeline.source(VIDEO, false), VIDEO, { delay: 200 });
  for (let ms = 2040; ms < 5000; ms += 40) {
    late.at(ms);
    late.report(ms);
  }
  assert.ok(Math.abs(late.at(5000) - large.at(5000)) < 0.1);
});

test('law: within 40 ms after five seconds, whatever delays, drifts and errors of reports; times never go back', () => {
  const source = fc.record({
    start: fc.nat(0xffff_ffff),
    delay: fc.nat(400),
    drift: fc.integer({ min: -200, max: 200 }).map((ppm) => ppm / 1e6),
  });
  fc.assert(
    fc.property(
      source,
      source,
      fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 40, maxLength: 40 }),
      (a, v, e) => {
        const timeline = new MediaTimeline();
        const audio = new Emitter(timeline.source(AUDIO, true), AUDIO, a);
        const video = new Emitter(timeline.source(VIDEO, false), VIDEO, v);
        let before = Number.NEGATIVE_INFINITY;
        for (let ms = 0; ms < 20_000; ms += 40) {
          const sound = audio.at(ms);
          const picture = video.at(ms);
          assert.ok(picture > before, 'rises');
          before = picture;
          if (ms >= 5000) assert.ok(Math.abs(picture - sound) < 40, `${picture - sound} at ${ms}`);
          if (ms % 1000 === 0) {
            audio.report(ms, e[(2 * ms) / 1000]);
            video.report(ms, e[(2 * ms) / 1000 + 1]);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
