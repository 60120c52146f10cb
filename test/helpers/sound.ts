/**
 * Sound for tests: made, encoded and decoded by ffmpeg, and looked at: how alike, which tone, where a click is.
 */
import { spawn } from 'node:child_process';
import type { Codec, Frame, FrameRole, Micros } from '../../src/media/frame.ts';

/** Sources of ffmpeg, two channels each. */
export const SOURCES = {
  tone: "aevalsrc='0.5*sin(2*PI*997*t)|0.4*sin(2*PI*1499*t)'",
  noise: "aevalsrc='0.5*(random(0)-0.5)|0.3*(random(1)-0.5)+0.2*(random(0)-0.5)'",
  speech:
    "aevalsrc='0.4*sin(2*PI*140*t+3*sin(5*t))*(0.5+0.5*sin(9*t))+0.1*sin(2*PI*2300*t)*sin(30*t)" +
    "|0.3*sin(2*PI*233*t)*(0.5+0.5*sin(7*t))+0.05*(random(0)-0.5)'",
  clicks:
    "aevalsrc='0.9*lt(mod(t,0.25),0.002)*sin(2*PI*3000*t)+0.01*sin(2*PI*300*t)" +
    "|0.8*lt(mod(t,0.31),0.001)+0.02*sin(2*PI*500*t)'",
} as const;

/** Runs ffmpeg with `input` at its standard input; what it writes there. */
export function ffmpeg(args: readonly string[], input?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', ['-v', 'error', ...args]);
    const out: Buffer[] = [];
    let complaint = '';
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (text: Buffer) => {
      complaint += text;
    });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(complaint))));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** A source as AAC in ADTS, by ffmpeg's encoder with `options`. */
export function encodeAdts(
  source: string,
  rate: number,
  channels: number,
  options: readonly string[] = [],
  seconds = 0.6,
): Promise<Buffer> {
  const input = ['-f', 'lavfi', '-i', source, '-t', String(seconds), '-ar', String(rate), '-ac', String(channels)];
  const bitrate = String(Math.min(64_000, rate * 1.5) * channels);
  return ffmpeg([...input, '-c:a', 'aac', '-b:a', bitrate, ...options, '-f', 'adts', '-']);
}

/** The raw units of an ADTS stream. */
export function adtsUnits(adts: Buffer): Buffer[] {
  const units: Buffer[] = [];
  for (let at = 0; at + 7 <= adts.length; ) {
    const size = ((adts[at + 3]! & 3) << 11) | (adts[at + 4]! << 3) | (adts[at + 5]! >> 5);
    units.push(adts.subarray(at + ((adts[at + 1]! & 1) === 1 ? 7 : 9), at + size));
    at += size;
  }
  return units;
}

const ADTS_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000];

/** Raw AAC-LC units as an ADTS stream. */
export function writeAdts(units: readonly Uint8Array[], rate: number, channels: number): Buffer {
  const index = ADTS_RATES.indexOf(rate);
  return Buffer.concat(
    units.flatMap((unit) => {
      const size = unit.length + 7;
      const tail = [(channels << 6) | (size >> 11), (size >> 3) & 255, ((size & 7) << 5) | 31, 0xfc];
      return [Buffer.of(0xff, 0xf1, (1 << 6) | (index << 2), ...tail), unit];
    }),
  );
}

/** An ADTS stream to samples by ffmpeg, by channel. */
export async function decodeAdts(
  adts: Buffer,
  channels: number,
  filter: readonly string[] = [],
): Promise<Float32Array[]> {
  return planesOf(await ffmpeg(['-f', 'aac', '-i', '-', ...filter, '-f', 'f32le', '-'], adts), channels);
}

/** A source as samples, by channel. */
export async function sourceSamples(
  source: string,
  rate: number,
  channels: number,
  seconds = 0.6,
): Promise<Float32Array[]> {
  const input = ['-f', 'lavfi', '-i', source, '-t', String(seconds), '-ar', String(rate), '-ac', String(channels)];
  return planesOf(await ffmpeg([...input, '-f', 'f32le', '-']), channels);
}

function planesOf(bytes: Buffer, channels: number): Float32Array[] {
  const count = Math.floor(bytes.length / 4 / channels);
  return Array.from({ length: channels }, (_, channel) => {
    return Float32Array.from({ length: count }, (_, i) => bytes.readFloatLE(4 * (i * channels + channel)));
  });
}

/** Decibels by which `wanted` stands above its difference to `got`, which begins `shift` samples later; the rims are left out. */
export function likeness(wanted: Float32Array, got: Float32Array, shift = 0, rim = 0): number {
  let signal = 0;
  let difference = 0;
  for (let i = rim; i < wanted.length - rim && i + shift < got.length; i++) {
    signal += wanted[i]! ** 2;
    difference += (wanted[i]! - got[i + shift]!) ** 2;
  }
  return 10 * Math.log10(signal / difference);
}

/** The amplitude of a tone of `hertz` in samples (Goertzel, with a Hann window). */
export function toneAmplitude(samples: Float32Array, rate: number, hertz: number): number {
  let re = 0;
  let im = 0;
  for (let i = 0; i < samples.length; i++) {
    const weight = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / samples.length);
    re += weight * samples[i]! * Math.cos((2 * Math.PI * hertz * i) / rate);
    im += weight * samples[i]! * Math.sin((2 * Math.PI * hertz * i) / rate);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}

/** The strongest frequency, in steps of `step` hertz. */
export function strongestTone(samples: Float32Array, rate: number, step = 10): number {
  let best = 0;
  let most = -1;
  for (let hertz = step; hertz < Math.min(8000, rate / 2); hertz += step) {
    const amplitude = toneAmplitude(samples, rate, hertz);
    if (amplitude > most) [best, most] = [hertz, amplitude];
  }
  return best;
}

/** Where a click begins: the first sample of at least half the largest magnitude. */
export function clickAt(samples: Float32Array): number {
  const largest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return samples.findIndex((value) => Math.abs(value) >= largest / 2);
}

/** A frame of sound as a stream has it. */
export function soundFrame(codec: Codec, role: FrameRole, time: Micros, data: Uint8Array): Frame {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  return { kind: 'audio', role, codec, dts: time, pts: time, size: bytes.length, data: bytes, track: 0 };
}
