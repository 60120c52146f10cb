/**
 * Whole ways through a real ffmpeg, and what becomes of programs that are none.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../../../src/base/clock.ts';
import type { Frame } from '../../../src/media/frame.ts';
import { readAvcConfig, readAvcSps } from '../../../src/media/h264.ts';
import { PictureEncoders } from '../../../src/media/picture-bridge/picture-encoders.ts';
import { PictureOrder } from '../../../src/media/picture-order.ts';
import { difference, film, greyPictures } from '../../helpers/film.ts';
import { until } from '../../helpers/program.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

/** Frames that may be under way before more are written. */
const UNDER_WAY = 12;
const SECOND = 25;

function open(t: TestContext, options: Partial<ConstructorParameters<typeof PictureEncoders>[0]> = {}) {
  const encoders = new PictureEncoders({ clock: systemClock, ...options });
  t.after(() => encoders.close());
  const made: Frame[] = [];
  const failures: string[] = [];
  const transcoder = encoders.start({
    frame: (frame) => made.push(frame),
    failed: (code, text) => failures.push(`${code}: ${text}`),
  });
  const pictures = () => made.filter(({ role }) => role !== 'config');
  return { encoders, made, failures, transcoder, pictures };
}

type Opened = ReturnType<typeof open>;

/** Writes `past` at once and the rest no faster than pictures come back; answers with what came. */
async function pass({ transcoder, pictures }: Opened, past: readonly Frame[], frames: readonly Frame[]) {
  const had = pictures().length;
  for (const frame of past) transcoder.write(frame);
  for (const [at, frame] of frames.entries()) {
    await turn();
    await until('pictures come back', () => at - (pictures().length - had) < UNDER_WAY);
    transcoder.write(frame);
  }
  // the decoder keeps what it may have to show later
  await until('the last come back', () => pictures().length - had >= frames.length - 4);
  return pictures().slice(had);
}

const times = (frames: readonly Frame[]) => frames.map(({ pts }) => pts).sort((one, other) => one - other);

/** Processes that are children of this test. */
function children(): readonly number[] {
  const words = ['-o', 'pid=,args=', '--ppid', String(process.pid)];
  const lines = execFileSync('ps', words, { encoding: 'utf8' }).trim().split('\n');
  return lines.filter((line) => line.includes('libx264')).map((line) => Number.parseInt(line, 10));
}

const FILM = film('h264', 4);

/** A program that does what `script` says. */
function program(t: TestContext, script: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'castgate-encoder-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'program');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('B-frames go in, pictures in order come out, each at its own time', { timeout: 60_000 }, async (t) => {
  const opened = open(t);
  const order = new PictureOrder();
  for (const frame of FILM) order.push(frame);
  assert.ok(order.reordered, 'the film is what it should be');
  const [first, ...rest] = FILM;
  const out = await pass(opened, [first!], rest);
  assert.deepEqual(
    out.map(({ pts }) => pts),
    times(FILM).slice(0, out.length),
  );
  assert.ok(out.every(({ dts, pts, codec, track }) => dts === pts && codec === 'h264' && track === 0));
  assert.equal(out[0]!.role, 'key');
  const keys = out.flatMap(({ role }, at) => (role === 'key' ? [at] : []));
  assert.ok(
    keys.every((at, index) => index === 0 || at - keys[index - 1]! <= SECOND),
    `key frames at ${keys}`,
  );
  assert.equal(opened.made[0]!.role, 'config');
  assert.ok(out.every(({ config }) => config === opened.made[0]));
  const sps = readAvcSps(readAvcConfig(opened.made[0]!.data)!.sps[0]!)!;
  assert.deepEqual([sps.profile, sps.width, sps.height, sps.bFrames], [66, 320, 180, false]);

  const [seen, original] = [greyPictures(out), greyPictures(FILM)];
  assert.equal(seen.length, out.length, 'all decode');
  for (const [at, picture] of seen.entries()) {
    const near = [at - 1, at, at + 1].filter((other) => original[other] !== undefined);
    const best = near.sort((a, b) => difference(picture, original[a]!) - difference(picture, original[b]!))[0];
    assert.equal(best, at, `picture ${at} is that of ${best}`);
  }
});

for (const codec of ['hevc', 'vp9'] as const) {
  test(`${codec} becomes H.264`, { timeout: 60_000 }, async (t) => {
    const frames = film(codec, 2);
    const opened = open(t);
    assert.ok(opened.encoders.takes(frames[0]!));
    const out = await pass(opened, [frames[0]!], frames.slice(1));
    assert.deepEqual(
      out.map(({ pts }) => pts),
      times(frames).slice(0, out.length),
    );
    assert.equal(greyPictures(out).length, out.length);
  });
}

test('what was before is decoded, not shown: the first picture is a key frame at the live edge', async (t) => {
  const opened = open(t);
  const past = FILM.slice(0, 70);
  const out = await pass(opened, past, FILM.slice(70, 95));
  assert.ok(out[0]!.pts >= past.at(-1)!.dts, `${out[0]!.pts}`);
  assert.ok(out[0]!.pts <= past.at(-1)!.dts + 120_000, `${out[0]!.pts}`);
  assert.equal(out[0]!.role, 'key');
  assert.equal(greyPictures(out).length, out.length);
  const skipped = times(FILM).filter((time) => time < out[0]!.pts).length;
  const original = greyPictures(FILM);
  const seen = greyPictures(out);
  assert.ok(difference(seen[9]!, original[skipped + 9]!) < difference(seen[9]!, original[skipped + 10]!));
});

test('nothing is begun but at a key frame, and nobody is given what is no picture', async (t) => {
  const { encoders, transcoder, pictures } = open(t);
  for (const frame of FILM.slice(1, 10)) transcoder.write(frame);
  await sleep(20);
  assert.deepEqual([encoders.counts.started, encoders.counts.running, pictures().length], [0, 0, 0]);
  const sound = { ...FILM[0]!, kind: 'audio', codec: 'aac' } as const;
  const kinds = [FILM[0]!, sound, { ...FILM[0]!, track: 1 }, { ...FILM[0]!, codec: 'flv1' } as const];
  assert.deepEqual(
    kinds.map((frame) => encoders.takes(frame)),
    [true, false, false, false],
  );
});

test("times that make no sense are nobody's fault", async (t) => {
  const { encoders, transcoder, failures } = open(t);
  const [key, ...rest] = FILM;
  const wrong = [-80_000, 0, -4e15, 4e15, 0.5, -0.5];
  for (const [round, shift] of wrong.entries()) {
    transcoder.write({ ...key!, pts: key!.dts + shift });
    for (const frame of rest.slice(0, 5))
      transcoder.write({ ...frame, pts: frame.pts + shift, dts: frame.dts - round });
    await turn();
    for (const frame of rest.slice(5, 9))
      transcoder.write({ ...frame, pts: frame.dts + shift, dts: frame.dts + shift });
  }
  assert.ok(encoders.counts.started > 0);
  assert.deepEqual(failures, []);
});

test('another size, or another time, is another process; the pictures go on', { timeout: 60_000 }, async (t) => {
  const opened = open(t);
  const first = await pass(opened, FILM.slice(0, 1), FILM.slice(1, 30));
  const later = film('h264', 1, 'scale=160:90').map((frame) => ({
    ...frame,
    dts: frame.dts + 4e6,
    pts: frame.pts + 4e6,
  }));
  const second = await pass(opened, later.slice(0, 1), later.slice(1));
  assert.equal(second[0]!.role, 'key');
  assert.notEqual(second[0]!.config, first[0]!.config);
  assert.equal(readAvcSps(readAvcConfig(second[0]!.config!.data)!.sps[0]!)!.width, 160);
  assert.deepEqual(
    second.map(({ pts }) => pts),
    times(later).slice(0, second.length),
  );
  const back = later.map((frame) => ({ ...frame, dts: frame.dts - 60e6, pts: frame.pts - 60e6 }));
  const third = await pass(opened, back.slice(0, 1), back.slice(1));
  assert.equal(third[0]!.pts, times(back)[0]);
  assert.deepEqual([opened.encoders.counts.started, opened.encoders.counts.running], [3, 1]);
  assert.deepEqual(opened.failures, []);
});

test('who is held up loses whole runs, and goes on at a key frame', { timeout: 60_000 }, async (t) => {
  const opened = open(t);
  const { encoders, transcoder, pictures } = opened;
  const frames = [...FILM, ...FILM.map((frame) => ({ ...frame, dts: frame.dts + 4e6, pts: frame.pts + 4e6 }))];
  await pass(opened, frames.slice(0, 1), frames.slice(1, 25));
  const [child] = children();
  process.kill(child!, 'SIGSTOP');
  for (const frame of frames.slice(25, 125)) transcoder.write(frame);
  const { dropped } = encoders.counts;
  assert.ok(dropped > 0 && dropped < 100, `${dropped} dropped`);
  process.kill(child!, 'SIGCONT');
  /** In, and neither out nor come too late. */
  const underWay = () => encoders.counts.framesIn - encoders.counts.framesOut - (encoders.counts.dropped - dropped);
  await until('it has caught up', () => underWay() <= 4);
  const before = pictures().length;
  for (const frame of frames.slice(125)) {
    await sleep(0);
    await until('it keeps up', () => underWay() < UNDER_WAY);
    transcoder.write(frame);
  }
  await until('the last come back', () => underWay() <= 4);
  assert.ok(
    pictures().length >= before + 40,
    `${pictures().length - before} more, a second of which may come too late`,
  );
  const out = pictures();
  assert.ok(out.every(({ pts }, at) => at === 0 || pts > out[at - 1]!.pts));
  assert.equal(greyPictures(out).length, out.length, 'no picture needs one that was left out');
  assert.deepEqual(opened.failures, []);
  assert.equal(encoders.counts.started, 1);
});

test('closed is gone: no process is left, and nothing more is said', async (t) => {
  const { encoders, transcoder, made, failures } = open(t);
  for (const frame of FILM.slice(0, 20)) transcoder.write(frame);
  await until('it runs', () => children().length === 1);
  transcoder.close();
  transcoder.close();
  await until('it is gone', () => children().length === 0);
  const said = made.length;
  transcoder.write(FILM[0]!);
  await sleep(50);
  assert.deepEqual([made.length, failures.length, encoders.counts.running], [said, 0, 0]);
  const other = encoders.start({ frame() {}, failed() {} });
  other.write(FILM[0]!);
  await until('another runs', () => children().length === 1);
  await encoders.close();
  assert.deepEqual(children(), [], 'when the promise resolves');
});

test('without the program it has failed at once', async (t) => {
  const { transcoder, failures } = open(t, { program: '/nowhere/ffmpeg' });
  for (const frame of FILM.slice(0, 5)) transcoder.write(frame);
  await until('it says so', () => failures.length > 0);
  for (const frame of FILM.slice(5)) transcoder.write(frame);
  await sleep(20);
  assert.equal(failures.length, 1);
  assert.match(failures[0]!, /^media\/encoder: .*ENOENT/);
});

test('one that ends is followed by others, each after a longer pause, until it is given up', async (t) => {
  const clock = new VirtualClock();
  const opened = open(t, { clock, program: program(t, 'echo "no such encoder" >&2; exit 1') });
  const { encoders, transcoder, failures } = opened;
  const starts: number[] = [];
  for (let second = 0; failures.length === 0; second++) {
    assert.ok(second < 30, 'it is never given up');
    const shift = second * 500_000;
    const { started } = encoders.counts;
    transcoder.write({ ...FILM[0]!, dts: FILM[0]!.dts + shift, pts: FILM[0]!.pts + shift });
    clock.advance(0);
    if (encoders.counts.started > started) {
      starts.push(clock.now());
      await until('it has ended', () => encoders.counts.running === 0);
    }
    clock.advance(250);
  }
  assert.deepEqual(starts, [0, 500, 1_500, 3_500]);
  assert.deepEqual(failures, ['media/encoder: no such encoder']);
  assert.equal(encoders.counts.failed, 1);
});

for (const [what, script, words] of [
  ['answers nothing', 'exec cat > /dev/null', /ffmpeg answers nothing|too slow/],
  ['does not even read', 'exec sleep 60', /ffmpeg answers nothing|too slow/],
  ['answers with something else', 'exec yes', /ffmpeg answers with no FLV/],
  ['says far too much', 'head -c 9000000 /dev/zero | tr "\\0" x >&2; exit 1', /x{50}/],
] as const) {
  test(`one that ${what} is given up, and ended`, { timeout: 60_000 }, async (t) => {
    const clock = new VirtualClock();
    const opened = open(t, { clock, program: program(t, script) });
    const { encoders, transcoder, failures } = opened;
    for (let round = 0; failures.length === 0; round++) {
      assert.ok(round < 100, 'it is never given up');
      for (const frame of FILM.slice(0, 25)) {
        const shift = round * 1e6;
        transcoder.write({ ...frame, dts: frame.dts + shift, pts: frame.pts + shift });
        clock.advance(40);
      }
      await sleep(20);
    }
    assert.match(failures[0]!, words);
    assert.ok(failures[0]!.length < 500);
    assert.deepEqual([failures.length, encoders.counts.running], [1, 0]);
  });
}

test('whether a program can encode is seen before it is needed', async (t) => {
  const { encoders } = open(t);
  assert.equal(encoders.able, false);
  assert.equal(await encoders.look(), undefined);
  assert.equal(encoders.able, true);
  const missing = new PictureEncoders({ clock: systemClock, program: '/nowhere/ffmpeg' });
  assert.match((await missing.look())!, /ENOENT/);
  assert.equal(missing.able, false);
  const poor = new PictureEncoders({ clock: systemClock, program: program(t, 'echo "Unknown encoder" >&2; exit 1') });
  assert.equal(await poor.look(), 'Unknown encoder');
});
