import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketRing } from '../../src/webrtc/packet-ring.ts';

const LIMITS = { packetBytes: 20, minSlots: 4, maxSlots: 16, keep: 1_000 };

/** Packets whose bytes say their position, one each `step`. */
function fill(ring: PacketRing, count: number, step: number, header = 12): void {
  for (let i = 0; i < count; i++) {
    const at = ring.room();
    ring.bytes.fill(ring.end & 255, at, at + 13 + (ring.end % 5));
    ring.push(13 + (ring.end % 5), header, ring.end * step);
  }
}

function isWhole(ring: PacketRing): void {
  for (let position = ring.first; position < ring.end; position++) {
    const at = ring.offsetOf(position);
    const packet = ring.bytes.subarray(at, at + ring.sizeOf(position));
    assert.deepEqual([...packet], new Array(13 + (position % 5)).fill(position & 255), `position ${position}`);
  }
}

test('the oldest packet makes room when nobody needs it', () => {
  const ring = new PacketRing(LIMITS);
  fill(ring, 30, 1_000);
  assert.deepEqual([ring.first, ring.end, ring.slots], [26, 30, 4]);
  isWhole(ring);
  assert.deepEqual([ring.has(25), ring.has(26), ring.has(29), ring.has(30)], [false, true, true, false]);
  assert.equal(ring.timeOf(27), 27_000);
  assert.equal(ring.headerOf(27), 12);
});

test('it grows for what is young, until it may not', () => {
  const ring = new PacketRing(LIMITS);
  fill(ring, 10, 100);
  assert.deepEqual([ring.first, ring.slots], [0, 16]);
  isWhole(ring);
  fill(ring, 10, 100);
  // ten packets are young; the rest is what the slots hold
  assert.deepEqual([ring.first, ring.slots], [4, 16]);
  isWhole(ring);
});

test('it grows for the packets since the key frame; over the cap they are nobody’s start any more', () => {
  const ring = new PacketRing(LIMITS);
  fill(ring, 3, 1_000);
  ring.keyAt = ring.end;
  fill(ring, 16, 1_000);
  assert.deepEqual([ring.first, ring.keyAt, ring.slots], [3, 3, 16]);
  isWhole(ring);
  fill(ring, 1, 1_000);
  assert.deepEqual([ring.first, ring.keyAt, ring.slots], [4, -1, 16]);
});

test('a group that is not worth it makes it grow no further, what is young still does', () => {
  const ring = new PacketRing(LIMITS);
  ring.keepGroupsUpTo(8);
  ring.keyAt = 0;
  fill(ring, 12, 1_000);
  assert.deepEqual([ring.first, ring.keyAt, ring.slots], [4, -1, 8]);
  const young = new PacketRing(LIMITS);
  young.keepGroupsUpTo(8);
  young.keyAt = 0;
  fill(young, 12, 10);
  assert.deepEqual([young.first, young.keyAt, young.slots], [0, 0, 16]);
});

test('what was before the key frame does not make it grow', () => {
  const ring = new PacketRing(LIMITS);
  fill(ring, 3, 1_000);
  ring.keyAt = ring.end;
  fill(ring, 3, 1_000);
  assert.deepEqual([ring.first, ring.keyAt, ring.slots], [2, 3, 4]);
});

test('positions beyond 32 bits', () => {
  const ring = new PacketRing(LIMITS);
  ring.first = 2 ** 32 - 2;
  ring.end = ring.first;
  fill(ring, 5, 1_000);
  assert.deepEqual([ring.first, ring.end], [2 ** 32 - 1, 2 ** 32 + 3]);
  isWhole(ring);
});
