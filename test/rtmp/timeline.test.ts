import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../../src/rtmp/timeline.ts';

const WRAP = 2 ** 32;

/** Timestamps as they come, and as they are meant. */
const RUNS: readonly [what: string, timestamps: readonly number[], millis: readonly number[]][] = [
  ['the usual', [0, 40, 80], [0, 40, 80]],
  ['sound a little behind the picture', [100, 90, 120, 110], [100, 90, 120, 110]],
  ['beyond 24 bits', [0xffffff - 1, 0xffffff, 0x1000000], [0xffffff - 1, 0xffffff, 0x1000000]],
  ['the wrap', [WRAP - 40, 0, 40], [WRAP - 40, WRAP, WRAP + 40]],
  ['sound behind the picture at the wrap', [WRAP - 10, 5, WRAP - 3, 20], [WRAP - 10, WRAP + 5, WRAP - 3, WRAP + 20]],
  ['back before its own beginning', [100, WRAP - 100], [100, WRAP - 100]],
  ['half a cycle ahead, with nothing behind it', [0, 2 ** 31], [0, 2 ** 31]],
  ['a new start in mid-stream', [3_600_000, 0, 40], [3_600_000, 0, 40]],
];

for (const [what, timestamps, millis] of RUNS) {
  test(what, () => {
    const timeline = new Timeline();
    assert.deepEqual(
      timestamps.map((timestamp) => timeline.unwrap(timestamp)),
      millis,
    );
  });
}
