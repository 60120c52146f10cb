import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RtpClock } from '../../src/webrtc/rtp-clock.ts';

test('time 0 has the timestamp that was given', () => {
  const clock = new RtpClock(90_000, 0xffff_fff0);
  assert.equal(clock.timestamp(0), 0xffff_fff0);
  assert.equal(clock.micros(0xffff_fff0), 0);
});

test('timestamps wrap', () => {
  const clock = new RtpClock(90_000, 0xffff_fff0);
  assert.equal(clock.timestamp(1_000_000), 90_000 - 16);
  assert.equal(clock.micros(90_000 - 16), 1_000_000);
});

test('small steps back, also over the wrap', () => {
  const clock = new RtpClock(48_000, 10);
  assert.equal(clock.micros(10 + 4800), 100_000);
  assert.equal(clock.micros(10 + 2400), 50_000);
  assert.equal(clock.micros(0xffff_ffff), (-11 * 1e6) / 48_000);
  assert.equal(clock.micros(10), 0);
});

test('half a tick is rounded', () => {
  const clock = new RtpClock(90_000, 0);
  assert.deepEqual(
    [5, 6, 11, 17].map((micros) => clock.timestamp(micros)),
    [0, 1, 1, 2],
  );
});

test('law: what is sent comes back, over days, wraps and steps back', () => {
  const steps = fc.array(fc.integer({ min: -900_000, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 200 });
  const rates = fc.constantFrom(8000, 48_000, 90_000);
  fc.assert(
    fc.property(rates, fc.integer({ min: 0, max: 2 ** 32 - 1 }), steps, (rate, offset, ticks) => {
      const sender = new RtpClock(rate, offset);
      const receiver = new RtpClock(rate, offset);
      let total = 0;
      for (const step of ticks) {
        total += step;
        const micros = (total * 1e6) / rate;
        const timestamp = sender.timestamp(micros);
        assert.ok(Number.isInteger(timestamp) && timestamp >= 0 && timestamp < 2 ** 32);
        assert.equal(receiver.micros(timestamp), micros);
      }
    }),
    { numRuns: 500 },
  );
});
