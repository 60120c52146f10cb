import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LossList } from '../../src/webrtc/loss-list.ts';

test('missing packets are asked for at once, and again after a round trip', () => {
  const losses = new LossList();
  losses.add(0x1ffff, 0x20002);
  assert.deepEqual(losses.due(1000), [0xffff, 0, 1]);
  assert.deepEqual(losses.due(1099), []);
  assert.deepEqual(losses.due(1100), [0xffff, 0, 1]);
});

test('what came is not asked for again', () => {
  const losses = new LossList();
  losses.add(5, 7);
  assert.equal(losses.arrived(5, 0, false), false, 'by itself');
  losses.due(0);
  assert.equal(losses.arrived(6, 40, true), true, 'because we asked');
  assert.equal(losses.arrived(6, 41, true), false);
  assert.equal(losses.size, 0);
});

test('an answer to the first question tells the round trip', () => {
  const losses = new LossList();
  losses.add(5, 9);
  losses.due(0);
  losses.arrived(5, 200, true);
  assert.equal(losses.rtt, 200);
  losses.arrived(6, 120, true);
  assert.equal(losses.rtt, 190);
  losses.arrived(7, 1500, true);
  assert.equal(losses.rtt, 190, 'slower than any path');
  losses.due(2000);
  losses.arrived(8, 2001, true);
  assert.equal(losses.rtt, 190, 'nobody knows which question it answers');
});

test('a packet that was only late tells nothing', () => {
  const losses = new LossList();
  losses.add(5, 6);
  losses.due(0);
  assert.equal(losses.arrived(5, 3, false), true);
  assert.equal(losses.rtt, 100);
});

test('however near the sender, there is a moment between two questions', () => {
  const losses = new LossList();
  losses.add(5, 7);
  losses.due(0);
  losses.arrived(5, 1, true);
  assert.deepEqual(losses.due(29), []);
  assert.deepEqual(losses.due(30), [6]);
});

test('nobody is asked for ever', () => {
  const losses = new LossList();
  losses.add(5, 6);
  let asked = 0;
  for (let now = 0; now < 60_000; now += 20) asked += losses.due(now).length;
  assert.equal(asked, 8);
});

test('what nobody waits for is forgotten', () => {
  const losses = new LossList();
  losses.add(5, 9);
  losses.forget(7);
  assert.equal(losses.size, 2);
  assert.deepEqual(losses.due(0), [7, 8]);
});
