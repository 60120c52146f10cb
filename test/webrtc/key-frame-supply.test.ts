import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyFrameSupply } from '../../src/webrtc/key-frame-supply.ts';
import { PacketRing } from '../../src/webrtc/packet-ring.ts';

const LIMITS = { packetBytes: 16, minSlots: 2_048, maxSlots: 8_192, keep: 0 };
const LONG = 1_024;

function town() {
  const asked: number[] = [];
  let now = 0;
  const ring = new PacketRing(LIMITS);
  const supply = new KeyFrameSupply(() => asked.push(now));
  return {
    asked,
    ring,
    supply,
    at(time: number): number {
      now = time;
      return time;
    },
    /** A key frame, and packets up to `count` in all. */
    group(count: number): void {
      ring.keyAt = ring.end;
      supply.answered(ring, now);
      this.more(count);
    },
    more(count: number): void {
      for (let packet = 0; packet < count; packet++) {
        ring.room();
        ring.push(13, 12, now);
        supply.grown(ring, now);
      }
    },
  };
}

test('two requests a second at most', () => {
  const { asked, supply, at } = town();
  for (let time = 0; time <= 1_600; time += 100) supply.ask(at(time));
  assert.deepEqual(asked, [0, 500, 1_000, 1_500]);
});

test('who does not answer in time is asked in vain, until another publishes', () => {
  const { supply, ring, at } = town();
  assert.equal(supply.inVain(0), false);
  supply.ask(at(0));
  assert.deepEqual([supply.inVain(699), supply.inVain(700)], [false, true]);
  supply.answered(ring, at(2_000));
  assert.equal(supply.inVain(2_001), true);
  supply.ask(at(2_100));
  supply.answered(ring, at(2_150));
  assert.equal(supply.inVain(2_151), true, 'a key frame in time may be chance');
  supply.forget(ring);
  assert.equal(supply.inVain(2_152), false);
});

test('a long group is tried once; who answers gets no ring for groups without end', () => {
  const it = town();
  it.group(LONG - 1);
  assert.deepEqual(it.asked, []);
  it.at(10_000);
  it.more(5);
  assert.deepEqual(it.asked, [10_000]);
  assert.equal(it.ring.groupSlots, LIMITS.maxSlots);
  it.at(10_040);
  it.group(3 * LONG);
  assert.equal(it.ring.groupSlots, LONG);
  assert.deepEqual(it.asked, [10_000], 'it is known now');
});

test('who does not answer keeps long groups', () => {
  const it = town();
  it.group(LONG);
  it.at(5_000);
  it.group(2 * LONG);
  assert.equal(it.ring.groupSlots, LIMITS.maxSlots);
  assert.deepEqual(it.asked, [0]);
});

test('an answer by chance to somebody who waits says nothing about long groups', () => {
  const it = town();
  it.group(10);
  it.supply.ask(it.at(1_000));
  it.at(1_100);
  it.group(10);
  assert.equal(it.ring.groupSlots, LIMITS.maxSlots);
});

test('who stops answering gets long groups again', () => {
  const it = town();
  it.group(LONG);
  it.at(40);
  it.group(10);
  assert.equal(it.ring.groupSlots, LONG);
  it.supply.ask(it.at(2_000));
  it.at(4_000);
  it.group(10);
  assert.equal(it.ring.groupSlots, LIMITS.maxSlots);
});
