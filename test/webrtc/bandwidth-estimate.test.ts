import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BandwidthEstimate } from '../../src/webrtc/bandwidth-estimate.ts';

const MAX = 4_000_000;

test('begins with all that is allowed, and stays there without loss', () => {
  const estimate = new BandwidthEstimate(MAX);
  assert.equal(estimate.bitrate, MAX);
  estimate.update(1000, 5, 300_000);
  assert.equal(estimate.bitrate, MAX);
});

test('much loss: down to what comes and half as much again, then up again by little and little', () => {
  const estimate = new BandwidthEstimate(MAX);
  estimate.update(1000, 300, 1_000_000);
  assert.equal(estimate.bitrate, 1_500_000);
  estimate.update(1000, 50, 1_000_000);
  assert.equal(estimate.bitrate, 1_500_000, 'some loss: neither up nor down');
  estimate.update(1000, 0, 1_400_000);
  assert.ok(estimate.bitrate > 1_500_000 && estimate.bitrate < 1_700_000);
  for (let round = 0; round < 60; round++) estimate.update(1000, 0, 1_400_000);
  assert.equal(estimate.bitrate, MAX);
});

test('much loss of much: down by half of the loss', () => {
  const estimate = new BandwidthEstimate(MAX);
  estimate.update(1000, 200, 3_900_000);
  assert.equal(estimate.bitrate, MAX * 0.9);
});

test('never to nothing, never by too few packets, never by numbers that make no sense', () => {
  const estimate = new BandwidthEstimate(MAX);
  estimate.update(10, 10, 0);
  estimate.update(-500, 3, 0);
  estimate.update(100, -20, 0);
  assert.equal(estimate.bitrate, MAX);
  for (let round = 0; round < 100; round++) estimate.update(100, 200, 0);
  assert.equal(estimate.bitrate, 100_000);
});

test('an operator may allow less than anybody needs', () => {
  const estimate = new BandwidthEstimate(50_000);
  estimate.update(100, 100, 0);
  assert.equal(estimate.bitrate, 50_000);
});
