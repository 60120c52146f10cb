import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChunkMeter } from '../../bench/load/chunk-meter.ts';
import { micros, RAW_CHUNK, stamp, type Template, template } from '../../bench/load/wire.ts';

const VIDEO = 9;
const AUDIO = 8;
const payload = (first: number, length: number): Buffer =>
  Buffer.concat([Buffer.from([first, 1]), Buffer.alloc(length, 0xee)]);
const keyFrame = (chunk: number): Template => template(VIDEO, payload(0x17, 700), chunk, true);
const between = (chunk: number): Template => template(VIDEO, payload(0x27, 300), chunk, true);
const sound = (chunk: number): Template => template(AUDIO, payload(0xaf, 100), chunk, false);

/** A meter that has read `bytes` in pieces of `step`, its window open from the first byte. */
function metered(bytes: Buffer, chunk: number, step = bytes.length): ChunkMeter {
  const meter = new ChunkMeter(chunk);
  meter.measuring = true;
  for (let at = 0; at < bytes.length; at += step) meter.feed(bytes, at, Math.min(at + step, bytes.length));
  return meter;
}

function video(chunk: number, times: readonly number[]): Buffer {
  const parts = times.flatMap((time, i) => [
    stamp(i === 0 ? keyFrame(chunk) : between(chunk), time, micros()),
    stamp(sound(chunk), time, 0),
  ]);
  return Buffer.concat(parts);
}

describe('the chunk meter', () => {
  for (const chunk of [128, 333, RAW_CHUNK]) {
    for (const step of [1, 7, 100_000]) {
      it(`reads chunks of ${chunk} in pieces of ${step}`, () => {
        const meter = metered(video(chunk, [0, 33, 67, 100]), chunk, step);
        assert.ok(meter.keyFrameAt > 0);
        assert.equal(meter.videoMessages, 3);
        assert.equal(meter.gaps, 0);
        assert.equal(meter.latencies.length, 3);
        for (const latency of meter.latencies) assert.ok(latency >= 0 && latency < 60e6, `${latency} us`);
      });
    }
  }

  it('finds the age of a message', () => {
    const parts = [stamp(keyFrame(128), 0, micros()), stamp(between(128), 33, micros() - 5e6)];
    const [latency] = metered(Buffer.concat(parts), 128).latencies;
    assert.ok(latency! >= 5e6 && latency! < 65e6, `${latency} us`);
  });

  it('keeps the mark whole, wherever the chunks end', () => {
    for (let length = 100; length < 300; length++) {
      const marked = template(VIDEO, payload(0x27, length), 128, true);
      const meter = metered(Buffer.concat([stamp(keyFrame(128), 0, micros()), stamp(marked, 33, micros())]), 128);
      assert.equal(meter.latencies.length, 1, `length ${length}`);
    }
  });

  it('counts a lost frame and a step back as gaps', () => {
    assert.equal(metered(video(128, [0, 33, 100, 133]), 128).gaps, 1);
    assert.equal(metered(video(128, [0, 33, 20, 53]), 128).gaps, 1);
  });

  it('waits for the key frame', () => {
    const meter = metered(stamp(between(128), 0, micros()), 128);
    assert.equal(meter.keyFrameAt, 0);
    assert.equal(meter.videoMessages, 0);
  });

  it('follows delta headers, long times and a change of the chunk size', () => {
    const body = payload(0x17, 62);
    const long = Buffer.from([0, 0, 0, 0]);
    long.writeUInt32BE(0x1000000);
    const bytes = Buffer.concat([
      Buffer.from([0x02, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 32]),
      // Chunk stream 64, in two bytes; the extended time comes again on the type 3 header.
      ...[Buffer.from([0x00, 0, 0xff, 0xff, 0xff, 0, 0, 64, 9, 1, 0, 0, 0]), long, body.subarray(0, 32)],
      ...[Buffer.from([0xc0, 0]), long, body.subarray(32)],
      ...[Buffer.from([0x80, 0, 0, 0, 33]), body.subarray(0, 32), Buffer.from([0xc0, 0]), body.subarray(32)],
      ...[Buffer.from([0xc0, 0]), body.subarray(0, 32), Buffer.from([0xc0, 0]), body.subarray(32)],
      ...[Buffer.from([0x80, 0, 0, 0, 99]), body.subarray(0, 32), Buffer.from([0xc0, 0]), body.subarray(32)],
    ]);
    const meter = metered(bytes, 128, 3);
    assert.equal(meter.videoMessages, 3);
    assert.equal(meter.gaps, 1);
    assert.equal(meter.latencies.length, 0);
  });
});
