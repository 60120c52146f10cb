import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SoundLine } from '../../../src/media/audio-bridge/sound-line.ts';

const RATE = 48_000;
const BLOCK = 960;
const CHUNK = 1024;
const CHUNK_TIME = (CHUNK * 1e6) / RATE;

interface Block {
  readonly time: number;
  readonly samples: Float32Array;
}

/** A line, what came of it, and a ramp that counts the samples given. */
function makeLine() {
  const blocks: Block[] = [];
  const line = new SoundLine(RATE, 1, BLOCK, {
    block: ([plane], time) => blocks.push({ time, samples: plane!.slice(0, BLOCK) }),
  });
  let given = 0;
  const push = (time: number) => {
    line.push([Float32Array.from({ length: CHUNK }, () => ++given)], CHUNK, time);
  };
  return { blocks, push };
}

/** Times between blocks that are not 20 ms. */
function steps(blocks: readonly Block[]): number[] {
  return blocks.flatMap(({ time }, i) =>
    i === 0 || Math.abs(time - blocks[i - 1]!.time - 20_000) < 1e-3 ? [] : [time - blocks[i - 1]!.time],
  );
}

test('blocks follow each other without a seam, from the time of the first sample on', () => {
  const { blocks, push } = makeLine();
  for (let i = 0; i < 100; i++) push(5000 + i * CHUNK_TIME);
  assert.equal(blocks[0]!.time, 5000);
  assert.deepEqual(steps(blocks), []);
  const all = blocks.flatMap(({ samples }) => [...samples]);
  assert.deepEqual(
    all,
    Array.from(all, (_, i) => i + 1),
  );
});

test('times rounded to milliseconds change nothing', () => {
  const { blocks, push } = makeLine();
  for (let i = 0; i < 500; i++) push(Math.round((i * CHUNK_TIME) / 1000) * 1000);
  assert.deepEqual(steps(blocks), []);
  assert.equal(blocks.at(-1)!.samples.at(-1), blocks.length * BLOCK);
});

test('a publisher whose clock is 500 ppm off is followed, in steps of one sample a block', () => {
  for (const drift of [1.0005, 0.9995]) {
    const { blocks, push } = makeLine();
    for (let i = 0; i < 5000; i++) push(i * CHUNK_TIME * drift);
    assert.deepEqual(steps(blocks), []);
    // the sample that a block begins with, against when it was due
    for (const { time, samples } of blocks.slice(-200)) {
      const late = time - ((samples[0]! - 1) * 1e6 * drift) / RATE;
      assert.ok(Math.abs(late) < 6000, `${drift}: ${late} us`);
    }
  }
});

test('a gap is filled with silence', () => {
  const { blocks, push } = makeLine();
  for (let i = 0; i < 10; i++) push(i * CHUNK_TIME);
  const gap = 100_000;
  for (let i = 10; i < 30; i++) push(i * CHUNK_TIME + gap);
  assert.deepEqual(steps(blocks), []);
  const all = blocks.flatMap(({ samples }) => [...samples]);
  const silent = all.filter((value) => value === 0).length;
  assert.equal(silent, (gap * RATE) / 1e6);
  assert.equal(all.indexOf(10 * CHUNK + 1), 10 * CHUNK + silent);
});

test('a jump, back or far ahead, starts the count anew; nothing from before comes after it', () => {
  for (const jump of [-10_000_000, 700_000, 3_600_000_000, -50_000]) {
    const { blocks, push } = makeLine();
    for (let i = 0; i < 10; i++) push(i * CHUNK_TIME);
    const before = blocks.length;
    for (let i = 10; i < 30; i++) push(i * CHUNK_TIME + jump);
    assert.equal(steps(blocks).length, 1, `${jump}`);
    assert.equal(blocks[before]!.time, 10 * CHUNK_TIME + jump);
    assert.equal(blocks[before]!.samples[0], 10 * CHUNK + 1);
  }
});

test('a stretched block keeps its first sample, and joins the next', () => {
  const { blocks, push } = makeLine();
  for (let i = 0; i < 1000; i++) push(i * CHUNK_TIME * 1.0005);
  const all = blocks.flatMap(({ samples }) => [...samples]);
  for (const [i, value] of all.slice(1).entries()) {
    const leap = value - all[i]!;
    assert.ok(leap > 0.9 && leap < 2.01, `${leap} at ${i}`);
  }
});

test('what was off by a little is caught up with, and then samples go through as they are', () => {
  const { blocks, push } = makeLine();
  for (let i = 0; i < 1200; i++) push(i * CHUNK_TIME + (i < 50 ? 0 : 10_000));
  assert.deepEqual(steps(blocks), []);
  for (const { time, samples } of blocks.slice(-100)) {
    for (const [i, value] of samples.entries()) assert.equal(value, samples[0]! + i);
    assert.ok(Math.abs(time - 10_000 - ((samples[0]! - 1) * 1e6) / RATE) < 600);
  }
});
