import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reception } from '../../src/webrtc/reception.ts';

const FIRST = 0x10000 + 100;

test('a report tells what was lost since the last one, and since the beginning', () => {
  const reception = new Reception(7, 90_000, FIRST, 0);
  for (const number of [0, 1, 2, 5, 6, 7, 8, 9]) reception.take(FIRST + number, 0, 1000, 0);
  assert.deepEqual(reception.block(0), {
    ssrc: 7,
    fractionLost: Math.floor((2 * 256) / 10),
    lost: 2,
    highest: 109,
    jitter: 0,
    lastReport: 0,
    sinceLastReport: 0,
  });
  for (const number of [10, 11, 3]) reception.take(FIRST + number, 0, 1000, 0);
  const second = reception.block(0);
  assert.deepEqual([second.fractionLost, second.lost, second.highest], [0, 1, 111]);
  assert.deepEqual([reception.packets, reception.bytes, reception.expected], [11, 11_000, 12]);
  const third = reception.block(0);
  assert.equal(third.fractionLost, 0, 'nothing came, nothing is lost');
});

test('the highest number counts its wraps; doubles make losses negative', () => {
  const reception = new Reception(7, 90_000, 0x1ffff, 0);
  for (const number of [0x1ffff, 0x20000, 0x20000, 0x20000]) reception.take(number, 0, 1, 0);
  const { highest, lost } = reception.block(0);
  assert.deepEqual([highest, lost], [0x10000, -2]);
});

test('jitter: the mean deviation of the ways, in timestamp units', () => {
  const reception = new Reception(7, 90_000, FIRST, 0);
  for (let packet = 0; packet < 400; packet++) {
    reception.take(FIRST + packet, (0xffff_f000 + packet * 1800) >>> 0, 1, packet * 20 + (packet % 2) * 10);
  }
  assert.ok(Math.abs(reception.jitter - 10) < 0.1, `${reception.jitter}`);
  assert.ok(Math.abs(reception.block(0).jitter - 900) <= 9);
  reception.take(FIRST + 400, 12345, 1, 8000);
  assert.ok(reception.jitter < 10.1, 'a jump of the timestamps is none of the path');
});

test('reports refer to the last one of the sender', () => {
  const reception = new Reception(7, 90_000, FIRST, 0);
  reception.reported({ seconds: 0xaaaa_1234, fraction: 0x5678_ffff }, 1000);
  const { lastReport, sinceLastReport } = reception.block(1500);
  assert.deepEqual([lastReport, sinceLastReport], [0x1234_5678, 0x8000]);
});

test('the bitrate is that of the last second', () => {
  const reception = new Reception(7, 90_000, FIRST, 0);
  for (let packet = 0; packet < 100; packet++) reception.take(FIRST + packet, 0, 1250, packet * 10);
  reception.check(999);
  assert.equal(reception.bitrate, 0);
  reception.check(1000);
  assert.equal(reception.bitrate, 1_000_000);
  reception.check(2000);
  assert.equal(reception.bitrate, 0);
});

test('a source that numbers anew begins anew, and keeps its totals', () => {
  const reception = new Reception(7, 90_000, FIRST, 0);
  for (let packet = 0; packet < 5; packet++) reception.take(FIRST + packet, 0, 10, 0);
  reception.restart(FIRST + 20_000);
  for (let packet = 0; packet < 4; packet += 2) reception.take(FIRST + 20_000 + packet, 0, 10, 0);
  const { lost, highest } = reception.block(0);
  assert.deepEqual([lost, highest], [1, 20_102]);
  assert.deepEqual([reception.packets, reception.expected], [7, 8]);
});
