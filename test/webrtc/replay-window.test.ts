import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SOURCES, REPLAY_WINDOW, ReplayGuard, ReplayWindow } from '../../src/webrtc/replay-window.ts';

test('an index is new once', () => {
  const window = new ReplayWindow(100);
  assert.equal(window.verdict(100), 'replayed');
  assert.equal(window.verdict(99), 'new', 'late by a little, and not seen');
  window.take(99);
  assert.equal(window.verdict(99), 'replayed');
  assert.equal(window.highest, 100);
  assert.equal(window.verdict(-1), 'late');
});

test('the window is as long as it says', () => {
  const window = new ReplayWindow(5000);
  assert.equal(window.verdict(5000 - REPLAY_WINDOW + 1), 'new');
  assert.equal(window.verdict(5000 - REPLAY_WINDOW), 'late');
});

test('what is jumped over is new, whatever was there a window before', () => {
  for (const jump of [2, 31, 32, 33, REPLAY_WINDOW - 1, REPLAY_WINDOW, REPLAY_WINDOW + 1, 10 * REPLAY_WINDOW]) {
    const window = new ReplayWindow(0);
    for (let index = 1; index < 3 * REPLAY_WINDOW; index++) window.take(index);
    const from = window.highest;
    window.take(from + jump);
    for (let index = Math.max(from + 1, from + jump - REPLAY_WINDOW + 1); index < from + jump; index++) {
      assert.equal(window.verdict(index), 'new', `${index} after a jump of ${jump}`);
    }
    const before = from + jump - REPLAY_WINDOW < from ? 'replayed' : 'late';
    assert.equal(window.verdict(from), before, `the last one before a jump of ${jump}`);
  }
});

test('sources have windows of their own, and there are not too many', () => {
  const guard = new ReplayGuard();
  for (let ssrc = 0; ssrc < MAX_SOURCES; ssrc++) assert.ok(guard.take(ssrc, 7));
  assert.equal(guard.admits(3, 7), false);
  assert.equal(guard.admits(MAX_SOURCES, 7), true);
  assert.equal(guard.take(MAX_SOURCES, 7), false);
  assert.ok(guard.take(3, 8), 'those that are known go on');
  assert.equal(guard.highest(3), 8);
  assert.equal(guard.highest(MAX_SOURCES), undefined);
  assert.deepEqual(guard.refused, { malformed: 0, late: 0, replayed: 1, forged: 0, sources: 1 });
});
