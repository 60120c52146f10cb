/**
 * Whole ways through the worker: AAC of ffmpeg to Opus and back.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../src/base/clock.ts';
import { quiet } from '../../../src/base/log.ts';
import { writeAacConfig } from '../../../src/media/aac.ts';
import { makeOpusDecoder, makeOpusEncoder } from '../../../src/media/audio-bridge/libopus.ts';
import {
  type AudioBridge,
  makeTranscoders,
  type TranscoderOptions,
} from '../../../src/media/audio-bridge/transcoders.ts';
import type { Frame } from '../../../src/media/frame.ts';
import { readOpusConfig, writeOpusConfig } from '../../../src/media/opus.ts';
import type { BridgedCodec } from '../../../src/media/transcoder.ts';
import { opusDuration } from '../../helpers/opus.ts';
import {
  adtsUnits,
  clickAt,
  decodeAdts,
  encodeAdts,
  soundFrame,
  strongestTone,
  toneAmplitude,
  writeAdts,
} from '../../helpers/sound.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const PATIENCE = 20_000;

function open(t: TestContext, options: Partial<TranscoderOptions> = {}): AudioBridge {
  const bridge = makeTranscoders({ clock: systemClock, log: quiet, ...options });
  t.after(() => bridge.close());
  return bridge;
}

async function until(what: string, done: () => boolean): Promise<void> {
  for (const end = performance.now() + PATIENCE; !done(); await sleep(5)) {
    assert.ok(performance.now() < end, `waited for ${what}`);
  }
}

interface Passage {
  readonly frames: Frame[];
  failed: string | undefined;
  /** Writes, no faster than the worker answers. */
  write(frames: readonly Frame[]): Promise<void>;
  close(): void;
}

function start(bridge: AudioBridge, to: BridgedCodec): Passage {
  const frames: Frame[] = [];
  const transcoder = bridge.start(to, {
    frame: (frame) => frames.push(frame),
    failed: (code) => {
      assert.equal(passage.failed, undefined, 'failed once');
      passage.failed = code;
    },
  });
  const passage: Passage = {
    frames,
    failed: undefined,
    close: () => transcoder.close(),
    async write(list) {
      for (const [index, frame] of list.entries()) {
        transcoder.write(frame);
        if (index % 8 === 7) {
          await until(
            'an answer',
            () => bridge.counts.unitsIn === bridge.counts.answered || passage.failed !== undefined,
          );
        }
      }
      await until(
        'the last answer',
        () => bridge.counts.unitsIn === bridge.counts.answered || passage.failed !== undefined,
      );
    },
  };
  return passage;
}

/** Units of a source as a stream of frames, times rounded as RTMP has them. */
async function aacFrames(
  source: string,
  rate: number,
  channels: number,
  seconds = 1,
  options: string[] = [],
): Promise<Frame[]> {
  const units = adtsUnits(await encodeAdts(source, rate, channels, options, seconds));
  const frames = units.map((unit, i) => soundFrame('aac', 'delta', Math.round((i * 1024e3) / rate) * 1000, unit));
  return [soundFrame('aac', 'config', 0, writeAacConfig(2, rate, channels)), ...frames];
}

/** Samples of Opus frames by channel, laid out from the time of the first packet on, which is answered too. */
async function opusSamples(frames: readonly Frame[]): Promise<{ planes: Float32Array[]; start: number }> {
  const config = readOpusConfig(frames[0]!.data)!;
  const channels = config.channels as 1 | 2;
  const decoder = await makeOpusDecoder(channels);
  const planes: number[][] = Array.from({ length: channels }, () => []);
  for (const { data } of frames.slice(1)) {
    for (const [i, value] of decoder.decodeFloat(data).entries()) planes[i % channels]!.push(value);
  }
  decoder.free();
  return { planes: planes.map((plane) => Float32Array.from(plane)), start: frames[1]!.pts };
}

/** Frames of Opus, 20 ms each, of what `sample` says for both sides. */
async function opusFrames(sample: (i: number) => number, seconds: number): Promise<Frame[]> {
  const encoder = await makeOpusEncoder(2);
  const frames = [soundFrame('opus', 'config', 0, writeOpusConfig({ channels: 2, preSkip: 312, inputRate: 48_000 }))];
  for (let packet = 0; packet < seconds * 50; packet++) {
    const pcm = Float32Array.from({ length: 1920 }, (_, i) => sample(packet * 960 + (i >> 1)));
    frames.push(soundFrame('opus', 'delta', packet * 20_000, encoder.encodeFloat(pcm)));
  }
  encoder.free();
  return frames;
}

test('AAC of all rates becomes Opus in packets of 20 ms, with its tone', async (t) => {
  const bridge = open(t);
  for (const rate of [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 96_000]) {
    const channels = rate === 22_050 ? 1 : 2;
    const passage = start(bridge, 'opus');
    await passage.write(await aacFrames("aevalsrc='0.5*sin(2*PI*1000*t)|0.5*sin(2*PI*2500*t)'", rate, channels));
    passage.close();
    const [config, ...packets] = passage.frames;
    assert.equal(config!.role, 'config');
    assert.deepEqual(readOpusConfig(config!.data), { channels, preSkip: 120, inputRate: 48_000 });
    assert.ok(packets.length >= 48, `${packets.length} packets at ${rate} Hz`);
    for (const [i, packet] of packets.entries()) {
      assert.equal(opusDuration(packet.data), 20_000);
      assert.equal(packet.config, config);
      if (i > 0) assert.ok(Math.abs(packet.pts - packets[i - 1]!.pts - 20_000) < 1e-3);
    }
    const { planes } = await opusSamples(passage.frames);
    const middle = planes.map((plane) => plane.subarray(12_000, 16_800));
    if (channels === 2)
      assert.deepEqual(
        middle.map((plane) => strongestTone(plane, 48_000, 20)),
        [1000, 2500],
      );
    else assert.equal(strongestTone(middle[0]!, 48_000, 20), 1000);
  }
});

test('a click stays where it was on the timeline, AAC to Opus', async (t) => {
  const bridge = open(t);
  for (const rate of [48_000, 44_100, 32_000]) {
    const source = "aevalsrc='between(t,0.5,0.503)*sin(2*PI*2000*t)'";
    const frames = await aacFrames(source, rate, 1);
    const units = frames.slice(1).map(({ data }) => data);
    const [wanted] = await decodeAdts(writeAdts(units, rate, 1), 1);
    const passage = start(bridge, 'opus');
    await passage.write(frames);
    passage.close();
    const { planes, start: first } = await opusSamples(passage.frames);
    const shift = first + (clickAt(planes[0]!) * 1e6) / 48_000 - (clickAt(wanted!) * 1e6) / rate;
    assert.ok(Math.abs(shift) < 1000, `${rate} Hz: ${shift} us`);
  }
});

test('Opus becomes AAC-LC at 48 kHz, tone and click in their places', async (t) => {
  const bridge = open(t);
  const sample = (i: number) =>
    i < 24_000 ? 0.3 * Math.sin((2 * Math.PI * 1200 * i) / 48_000) : i >= 36_000 && i < 36_150 ? 0.9 * Math.sin(i) : 0;
  const input = await opusFrames(sample, 1.2);
  const passage = start(bridge, 'aac');
  await passage.write(input);
  passage.close();
  const [config, ...units] = passage.frames;
  assert.deepEqual(config!.data, writeAacConfig(2, 48_000, 2));
  for (const [i, unit] of units.entries()) {
    assert.equal(unit.codec, 'aac');
    if (i > 0) assert.ok(Math.abs(unit.pts - units[i - 1]!.pts - 1024e6 / 48_000) < 1e-3);
  }
  const heard = await decodeAdts(
    writeAdts(
      units.map(({ data }) => data),
      48_000,
      2,
    ),
    2,
  );
  const { planes } = await opusSamples(input);
  for (const side of [0, 1]) {
    assert.equal(strongestTone(heard[side]!.subarray(6000, 10_800), 48_000, 20), 1200);
    const late = (plane: Float32Array, from: number) => clickAt(plane.subarray(from)) + from;
    const shift =
      units[0]!.pts + (late(heard[side]!, 30_000) * 1e6) / 48_000 - (late(planes[side]!, 30_000) * 1e6) / 48_000;
    assert.ok(Math.abs(shift) < 1000, `${shift} us`);
  }
});

test('a tone through Opus, AAC and Opus again is the same tone', async (t) => {
  const bridge = open(t);
  const input = await opusFrames((i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 48_000), 1);
  const there = start(bridge, 'aac');
  await there.write(input);
  const back = start(bridge, 'opus');
  await back.write(there.frames);
  const { planes } = await opusSamples(back.frames);
  const middle = planes[0]!.subarray(12_000, 36_000);
  assert.equal(strongestTone(middle.subarray(0, 4800), 48_000, 20), 440);
  assert.ok(Math.abs(toneAmplitude(middle, 48_000, 440) - 0.5) < 0.05);
});

test('lost Opus packets are made up for; a long silence starts the count anew', async (t) => {
  const bridge = open(t);
  const input = await opusFrames((i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 48_000), 2);
  const lossy = input.filter((_, i) => i === 0 || i % 10 !== 5);
  const later = lossy.map((frame, i) => (i > 60 ? soundFrame('opus', frame.role, frame.pts + 5e6, frame.data) : frame));
  const passage = start(bridge, 'aac');
  await passage.write(later);
  const units = passage.frames.slice(1);
  const gaps = units.flatMap(({ pts }, i) =>
    i > 0 && Math.abs(pts - units[i - 1]!.pts - 1024e6 / 48_000) > 1 ? [i] : [],
  );
  assert.equal(gaps.length, 1);
  const heard = await decodeAdts(
    writeAdts(
      units.slice(0, gaps[0]).map(({ data }) => data),
      48_000,
      2,
    ),
    2,
  );
  // a hole of 20 ms would take a tenth of the tone away
  assert.ok(toneAmplitude(heard[0]!.subarray(6000, 45_000), 48_000, 440) > 0.46);
});

test('damaged units cost their own time only', async (t) => {
  const bridge = open(t);
  const frames = await aacFrames("aevalsrc='0.5*sin(2*PI*1000*t)'", 48_000, 1);
  const damaged = frames.map((frame, i) =>
    i % 9 === 5 ? soundFrame('aac', 'delta', frame.pts, Buffer.alloc(300, i)) : frame,
  );
  const passage = start(bridge, 'opus');
  await passage.write(damaged);
  assert.equal(passage.failed, undefined);
  assert.ok(passage.frames.length >= 48);
});

test('what is damaged for good fails, with its code, and nothing else does', async (t) => {
  const bridge = open(t);
  const good = start(bridge, 'opus');
  const frames = await aacFrames("aevalsrc='0.5*sin(2*PI*1000*t)'", 48_000, 1);
  await good.write(frames.slice(0, 20));
  const noise = Array.from({ length: 300 }, (_, i) => soundFrame('aac', 'delta', i * 20_000, Buffer.alloc(100, 0xff)));
  const bad = start(bridge, 'opus');
  await bad.write([frames[0]!, ...noise]);
  assert.equal(bad.failed, 'media/aac');
  const badOpus = start(bridge, 'aac');
  await badOpus.write(
    Array.from({ length: 300 }, (_, i) => soundFrame('opus', 'delta', i * 20_000, Buffer.of(0xff, 0xff))),
  );
  assert.equal(badOpus.failed, 'media/opus');
  await good.write(frames.slice(20));
  assert.equal(good.failed, undefined);
  assert.ok(good.frames.length >= 48);
  assert.deepEqual([bridge.counts.failed, bridge.counts.streams, bridge.counts.workers], [2, 1, 1]);
});

test('what our decoder has not goes to ffmpeg, and says what to do where there is none', async (t) => {
  const source = "aevalsrc='0.5*sin(2*PI*1000*t)|0.5*sin(2*PI*1000*t)'";
  const frames = await aacFrames(source, 44_100, 2, 2, ['-profile:a', 'aac_main']);
  const main = [soundFrame('aac', 'config', 0, writeAacConfig(1, 44_100, 2)), ...frames.slice(1)];
  const alone = start(open(t, { ffmpeg: '/nowhere/ffmpeg' }), 'opus');
  await alone.write(main);
  await until('the failure', () => alone.failed !== undefined);
  assert.equal(alone.failed, 'media/aac-profile');
  const passage = start(open(t), 'opus');
  await passage.write(main);
  await until('the sound of ffmpeg', () => passage.frames.length > 90);
  const { planes, start: first } = await opusSamples(passage.frames);
  assert.equal(strongestTone(planes[0]!.subarray(24_000, 28_800), 48_000, 20), 1000);
  assert.ok(Math.abs(first) < 5000, `begins at ${first} us`);
  const ended = start(open(t, { ffmpeg: 'false' }), 'opus');
  await ended.write(main);
  await until('the failure', () => ended.failed !== undefined);
  assert.equal(ended.failed, 'media/ffmpeg');
});

test('configurations that cannot be followed are refused by their code', async (t) => {
  const bridge = open(t);
  const refused: [config: string, code: string][] = [
    ['', 'media/aac'],
    ['12', 'media/aac'],
    // object type 39 (ELD), and AAC-LC in frames of 960
    ['f8e85000', 'media/aac-profile'],
    ['1194', 'media/aac-profile'],
  ];
  for (const [config, code] of refused) {
    const passage = start(bridge, 'opus');
    await passage.write([soundFrame('aac', 'config', 0, Buffer.from(config, 'hex'))]);
    assert.equal(passage.failed, code, config);
  }
  const opus = start(bridge, 'aac');
  await opus.write([
    soundFrame('opus', 'config', 0, writeOpusConfig({ channels: 6, preSkip: 312, inputRate: 48_000 })),
  ]);
  assert.equal(opus.failed, 'media/opus');
});

test('HE-AAC without ffmpeg: its lower half is heard', async (t) => {
  const frames = await aacFrames("aevalsrc='0.5*sin(2*PI*1000*t)'", 24_000, 1);
  // object type 5 over 24 kHz, extended to 48 kHz, core 2
  const config = soundFrame('aac', 'config', 0, Buffer.from('2b098800', 'hex'));
  const passage = start(open(t, { ffmpeg: '/nowhere/ffmpeg' }), 'opus');
  await passage.write([config]);
  await until('the refusal', () => passage.frames.length > 0);
  await sleep(200);
  await passage.write(frames.slice(1));
  const { planes } = await opusSamples(passage.frames);
  assert.equal(strongestTone(planes[0]!.subarray(12_000, 16_800), 48_000, 20), 1000);
});

test('a publisher who sends faster than the worker can is cut, oldest first', async (t) => {
  const bridge = open(t);
  const passage = start(bridge, 'opus');
  const frames = await aacFrames("aevalsrc='0.5*sin(2*PI*1000*t)'", 48_000, 1, 4);
  const transcoder = bridge.start('opus', {
    frame: (frame) => passage.frames.push(frame),
    failed: () => assert.fail(),
  });
  for (const frame of frames) transcoder.write(frame);
  assert.ok(bridge.counts.dropped > 100);
  await until('the newest', () => (passage.frames.at(-1)?.pts ?? 0) > 3_900_000);
  assert.equal(passage.frames[0]!.role, 'config');
});

/** A worker that runs `code`, with `port` at hand. */
function script(code: string): URL {
  return new URL(`data:text/javascript,import { parentPort as port } from 'node:worker_threads'; ${code}`);
}

test('a worker that fails takes the sound of its streams along, and the next stream gets a new one', async (t) => {
  const bridge = open(t, {
    script: script('port.on("message", () => { throw new Error("bad"); });'),
  });
  const first = start(bridge, 'opus');
  const second = start(bridge, 'aac');
  await until('both failures', () => first.failed !== undefined && second.failed !== undefined);
  assert.deepEqual([first.failed, second.failed], ['media/transcoder', 'media/transcoder']);
  assert.equal(bridge.counts.workers, 1);
  const third = start(bridge, 'opus');
  assert.equal(bridge.counts.workers, 1, 'not at once');
  await until('another worker', () => bridge.counts.workers === 2 && third.failed !== undefined);
});

test('a worker that answers nothing is given up', async (t) => {
  const clock = new VirtualClock();
  const bridge = open(t, { clock, script: script('port.on("message", () => {});') });
  const passage = start(bridge, 'opus');
  const other = bridge.start('opus', { frame: () => assert.fail(), failed: () => {} });
  for (let i = 0; i < 100; i++) other.write(soundFrame('aac', 'delta', i * 20_000, Buffer.alloc(10)));
  assert.equal(passage.failed, undefined);
  clock.advance(6000);
  other.write(soundFrame('aac', 'delta', 2_000_000, Buffer.alloc(10)));
  assert.equal(passage.failed, 'media/transcoder');
});

test('the worker goes a while after the last stream, and comes again for the next', async (t) => {
  const clock = new VirtualClock();
  const bridge = open(t, { clock });
  const frames = await aacFrames("aevalsrc='0.5*sin(2*PI*1000*t)'", 48_000, 1);
  for (const [wait, workers] of [
    [4000, 1],
    [6000, 1],
    [0, 2],
  ] as const) {
    const passage = start(bridge, 'opus');
    await passage.write(frames);
    assert.ok(passage.frames.length >= 48);
    assert.equal(bridge.counts.workers, workers);
    passage.close();
    clock.advance(wait);
  }
});

test('ffmpeg goes with its stream, and with the bridge', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'castgate-bridge-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'not ffmpeg; really');
  writeFileSync(program, `#!/bin/sh\necho $$ >> '${folder}/pids'\nexec sleep 60\n`, { mode: 0o755 });
  const bridge = open(t, { ffmpeg: program });
  const config = soundFrame('aac', 'config', 0, writeAacConfig(1, 44_100, 2));
  const one = start(bridge, 'opus');
  const two = start(bridge, 'opus');
  await one.write([config]);
  await two.write([config]);
  const pids = () => {
    try {
      return readFileSync(join(folder, 'pids'), 'latin1').trim().split('\n').map(Number);
    } catch {
      return [];
    }
  };
  const alive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await until('two processes', () => pids().length === 2);
  one.close();
  await until('the end of one', () => pids().filter(alive).length === 1);
  await bridge.close();
  await until('the end of both', () => pids().filter(alive).length === 0);
});

test('closed: nothing more comes, and the process may end', async (t) => {
  const bridge = open(t);
  const passage = start(bridge, 'opus');
  const frames = await aacFrames("aevalsrc='0.5*sin(2*PI*1000*t)'", 48_000, 1);
  await passage.write(frames.slice(0, 20));
  passage.close();
  passage.close();
  const before = passage.frames.length;
  await passage.write(frames.slice(20));
  await bridge.close();
  assert.equal(passage.frames.length, before);
  assert.equal(bridge.counts.streams, 0);
  bridge.start('opus', { frame: () => assert.fail(), failed: () => assert.fail() }).write(frames[0]!);
});
