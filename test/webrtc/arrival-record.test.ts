import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ArrivalRecord } from '../../src/webrtc/arrival-record.ts';
import { readRtcp, writeRtcp } from '../../src/webrtc/rtcp.ts';
import type { TransportFeedback } from '../../src/webrtc/transport-feedback.ts';

/** All that is to be told, through bytes and back. */
function tell(record: ArrivalRecord): TransportFeedback[] {
  const told: TransportFeedback[] = [];
  for (;;) {
    const feedback = record.feedback(1, 2);
    if (feedback === undefined) return told;
    const bytes = writeRtcp([feedback]);
    assert.ok(bytes.length <= 1_100, 'fits a datagram');
    const [read] = readRtcp(bytes);
    assert.deepEqual(read, feedback);
    told.push(feedback);
  }
}

/** Arrivals by sequence number, milliseconds. */
function arrivals(told: readonly TransportFeedback[]): Map<number, number | undefined> {
  const found = new Map<number, number | undefined>();
  for (const { base, reference, deltas } of told) {
    let units = reference * 256;
    for (const [index, delta] of deltas.entries()) {
      const number = (base + index) & 0xffff;
      if (delta === undefined) {
        if (!found.has(number)) found.set(number, undefined);
      } else {
        units += delta;
        found.set(number, units / 4);
      }
    }
  }
  return found;
}

test('nothing came: nothing is told', () => {
  const record = new ArrivalRecord();
  assert.equal(record.feedback(1, 2), undefined);
  record.take(7, 10);
  assert.ok(record.feedback(1, 2) !== undefined);
  assert.equal(record.feedback(1, 2), undefined);
});

test('what came and what did not, across the wrap', () => {
  const record = new ArrivalRecord();
  record.take(0xfffe, 100);
  record.take(0, 110.25);
  record.take(1, 110);
  assert.deepEqual(tell(record), [
    { type: 'twcc', sender: 1, media: 2, base: 0xfffe, reference: 1, number: 0, deltas: [144, undefined, 41, -1] },
  ]);
  record.take(4, 200);
  assert.deepEqual(tell(record), [
    { type: 'twcc', sender: 1, media: 2, base: 2, reference: 3, number: 1, deltas: [undefined, undefined, 32] },
  ]);
});

test('what comes late is told in the next feedback', () => {
  const record = new ArrivalRecord();
  record.take(10, 0);
  record.take(12, 20);
  tell(record);
  record.take(11, 30);
  assert.deepEqual(arrivals(tell(record)).get(11), 30);
});

test('what comes twice keeps its first time', () => {
  const record = new ArrivalRecord();
  record.take(10, 0);
  record.take(10, 30);
  assert.equal(arrivals(tell(record)).get(10), 0);
  record.take(10, 60);
  assert.equal(record.feedback(1, 2), undefined);
});

test('a pause longer than a delta can say begins a new feedback', () => {
  const record = new ArrivalRecord();
  record.take(10, 0);
  record.take(11, 20_000);
  const told = tell(record);
  assert.equal(told.length, 2);
  assert.deepEqual(
    [...arrivals(told)],
    [
      [10, 0],
      [11, 20_000],
    ],
  );
});

test('a jump of the numbers forgets what was before', () => {
  const record = new ArrivalRecord();
  record.take(10, 0);
  record.take(30_000, 5);
  const [told] = tell(record);
  assert.deepEqual([told?.base, told?.deltas.length], [30_000, 1]);
});

test('the reference goes round after some days', () => {
  const record = new ArrivalRecord();
  record.take(10, 64 * 2 ** 23);
  assert.equal(record.feedback(1, 2)?.reference, -(2 ** 23));
});

test('law: each packet is told once it came, with its time to 250 µs', () => {
  const packet = fc.record({ ahead: fc.integer({ min: -80, max: 100 }), pass: fc.nat(3_000), tell: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1, maxLength: 300 }), fc.nat(0xffff), (packets, start) => {
      const record = new ArrivalRecord();
      const came = new Map<number, number>();
      const told: TransportFeedback[] = [];
      let now = 0;
      let latest = start + 0x10000;
      for (const [index, { ahead, pass, tell: pause }] of packets.entries()) {
        now += pass / 10;
        const number = index === 0 ? latest : latest + ahead;
        latest = Math.max(latest, number);
        if (!came.has(number & 0xffff)) came.set(number & 0xffff, now);
        record.take(number & 0xffff, now);
        if (pause === 0) told.push(...tell(record));
      }
      told.push(...tell(record));
      const found = arrivals(told);
      for (const [number, at] of came) assert.ok(Math.abs(found.get(number)! - at) <= 0.125, `${number}`);
      for (const [number, at] of found) if (at !== undefined) assert.ok(came.has(number));
      assert.ok(told.every(({ number }, index) => number === (index & 255)));
    }),
  );
});
