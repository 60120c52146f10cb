/**
 * What does the bridge between AAC and Opus cost, and how long does it hold sound back? First the parts by themselves, in multiples of
 * real time; then everything, through the worker, as a share of a core for one stream. Needs ffmpeg, which makes the AAC.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { quiet } from '../../src/base/log.ts';
import { writeAacConfig } from '../../src/media/aac.ts';
import { AacDecoder } from '../../src/media/aac-lc/decoder.ts';
import { AacEncoder } from '../../src/media/aac-lc/encoder.ts';
import { AacToOpus } from '../../src/media/audio-bridge/aac-to-opus.ts';
import type { Sound } from '../../src/media/audio-bridge/bridge.ts';
import { makeOpusDecoder, makeOpusEncoder } from '../../src/media/audio-bridge/libopus.ts';
import { OpusToAac } from '../../src/media/audio-bridge/opus-to-aac.ts';
import { makeTranscoders } from '../../src/media/audio-bridge/transcoders.ts';
import type { Frame } from '../../src/media/frame.ts';
import { Resampler } from '../../src/media/resampler.ts';
import type { BridgedCodec } from '../../src/media/transcoder.ts';
import { adtsUnits, encodeAdts, SOURCES, soundFrame, sourceSamples } from '../../test/helpers/sound.ts';
import { print, secondsPerRound } from './measure.ts';

const SECONDS = 10;
const RATE = 44_100;
/** At a time, through the worker. */
const STREAMS = 8;
const NAMES = { opus: 'AAC to Opus', aac: 'Opus to AAC' } as const;

const source = `${SOURCES.speech},volume=0.8`;
const adts = await encodeAdts(source, RATE, 2, ['-b:a', '128k'], SECONDS);
const units = adtsUnits(adts);
const planes = await sourceSamples(source, 48_000, 2, SECONDS);

function part(name: string, round: () => void): void {
  print({ name, value: SECONDS / secondsPerRound(round), unit: 'x' });
}

part('AAC decoded', () => {
  const decoder = new AacDecoder(RATE, 2);
  for (const unit of units) decoder.decode(unit);
});
part('44.1 to 48 kHz', () => {
  const resampler = new Resampler(RATE, 48_000, 2, 1024);
  for (let i = 0; i < units.length; i++)
    resampler.run([planes[0]!.subarray(0, 1024), planes[1]!.subarray(0, 1024)], 1024);
});
const opusEncoder = await makeOpusEncoder(2);
const opusDecoder = await makeOpusDecoder(2);
const mixed = Float32Array.from({ length: 2 * planes[0]!.length }, (_, i) => planes[i & 1]![i >> 1]!);
const packets: Uint8Array[] = [];
part('Opus encoded', () => {
  packets.length = 0;
  for (let at = 0; at + 1920 <= mixed.length; at += 1920)
    packets.push(opusEncoder.encodeFloat(mixed.subarray(at, at + 1920)));
});
part('Opus decoded', () => {
  for (const packet of packets) opusDecoder.decodeFloat(packet);
});
part('AAC encoded', () => {
  const encoder = new AacEncoder(48_000, 2, 144_000);
  for (let at = 0; at + 1024 <= planes[0]!.length; at += 1024) {
    encoder.encode(planes.map((plane) => plane.subarray(at, at + 1024)));
  }
});

const aac = [
  soundFrame('aac', 'config', 0, writeAacConfig(2, RATE, 2)),
  ...units.map((unit, i) => soundFrame('aac', 'delta', (i * 1024e6) / RATE, unit)),
];
const opus = packets.map((packet, i) => soundFrame('opus', 'delta', i * 20_000, packet));

/** All streams at once, as fast as the worker goes; what one costs, main thread included. */
async function cost(to: BridgedCodec, frames: readonly Frame[]): Promise<void> {
  const bridge = makeTranscoders({ clock: systemClock, log: quiet });
  const streams = Array.from({ length: STREAMS }, () => {
    return bridge.start(to, {
      frame() {},
      failed: (code, text) => {
        throw new Error(`${code}: ${text}`);
      },
    });
  });
  let cpu = process.cpuUsage();
  // the first tenth loads and warms up
  const warm = Math.floor(frames.length / 10);
  for (const [index, frame] of frames.entries()) {
    if (index === warm) cpu = process.cpuUsage();
    for (const stream of streams) stream.write(frame);
    while (index % 8 === 7 && bridge.counts.answered < bridge.counts.unitsIn) await sleep(1);
  }
  const { user, system } = process.cpuUsage(cpu);
  const share = (user + system) / 1e6 / (SECONDS * (1 - warm / frames.length)) / STREAMS;
  print({ name: `${NAMES[to]}, all in`, value: share * 100, unit: '% of a core' });
  print({ name: `memory of the process with ${STREAMS} streams`, value: process.memoryUsage.rss() / 1e6, unit: 'MB' });
  if (bridge.counts.dropped > 0) throw new Error('units were dropped');
  await bridge.close();
}

/**
 * How much later a sound is out than it was in, when units come in time: a unit is there when all of it has sounded, and what comes out
 * is there with the unit that completed it.
 */
async function delay(to: BridgedCodec, frames: readonly Frame[], unitTime: number): Promise<void> {
  const waits: number[] = [];
  let now = 0;
  const events = {
    sound({ config, time }: Sound) {
      if (!config && time > 0) waits.push(now - (Math.floor(time / unitTime + 1e-6) + 1) * unitTime);
    },
    failed() {},
  };
  const bridge = to === 'opus' ? new AacToOpus('ffmpeg', events) : new OpusToAac(events);
  for (const { role, pts, data } of frames) {
    now = pts + unitTime;
    await bridge.write({ config: role === 'config', time: pts, data: new Uint8Array(data) });
  }
  bridge.close();
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  print({ name: `${NAMES[to]}, held back`, value: mean / 1000, unit: 'ms' });
  print({ name: `${NAMES[to]}, held back at most`, value: Math.max(...waits) / 1000, unit: 'ms' });
}

await cost('opus', aac);
await cost('aac', opus);
await delay('opus', aac, 1024e6 / RATE);
await delay('aac', opus, 20_000);
