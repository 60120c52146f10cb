/**
 * ffmpeg as encoder, player and judge.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program, run, type Scope } from './program.ts';

/** One packet as ffmpeg's demuxer gives it, times in milliseconds. */
export interface Packet {
  readonly dts: number;
  readonly pts: number;
  readonly size: number;
  /** MD5 of the payload. */
  readonly hash: string;
}

/** What a file or a stream holds: decoder configuration and packets, each by stream in the order of the input. */
export interface Contents {
  /** `h264`, `aac` and the like. */
  readonly codecs: readonly string[];
  /** MD5 of each stream's configuration; undefined for codecs without. */
  readonly configs: readonly (string | undefined)[];
  readonly packets: readonly (readonly Packet[])[];
}

/** What can be made, by name: ffmpeg's arguments behind the inputs (0: picture, 1: sound). */
const RECIPES = {
  'h264-bframes-aac': '-map 0 -map 1 -c:v libx264 -preset veryfast -bf 2 -g 25 -pix_fmt yuv420p -c:a aac -b:a 64k',
  'h264-aac': '-map 0 -map 1 -c:v libx264 -preset veryfast -bf 0 -g 50 -pix_fmt yuv420p -c:a aac -b:a 64k',
  'h264-mp3': '-map 0 -map 1 -c:v libx264 -preset veryfast -bf 0 -g 25 -pix_fmt yuv420p -c:a libmp3lame -b:a 64k',
  'h264-alone': '-map 0 -c:v libx264 -preset veryfast -bf 2 -g 50 -pix_fmt yuv420p',
  'aac-alone': '-map 1 -c:a aac -b:a 64k',
  'mp3-alone': '-map 1 -c:a libmp3lame -b:a 64k',
  'hevc-aac':
    '-map 0 -map 1 -c:v libx265 -preset ultrafast -x265-params log-level=none -g 25 -pix_fmt yuv420p -c:a aac',
} as const;

export type Recipe = keyof typeof RECIPES;

/** Makes a file of `seconds` seconds; `suffix` names its container. */
export async function makeMedia(
  t: Scope,
  recipe: Recipe,
  { seconds = 3, suffix = 'flv' }: { seconds?: number; suffix?: string } = {},
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'castgate-media-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, `${recipe}.${suffix}`);
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'];
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
  const words = ['-v', 'error', ...picture, ...sound, '-t', String(seconds), ...RECIPES[recipe].split(' ')];
  await run(t, 'ffmpeg', [...words, '-ac', '2', file]);
  return file;
}

/** Takes a file, or what an address plays until it ends, apart. */
export function readMedia(t: Scope, input: string, ...inputOptions: string[]): Program {
  const open = ['-nostdin', '-v', 'error', ...inputOptions, '-copyts', '-i', input];
  return new Program(t, 'ffmpeg', [...open, '-map', '0', '-c', 'copy', '-f', 'framehash', '-hash', 'md5', '-']);
}

/** What `readMedia` has found. */
export async function contents(reading: Program): Promise<Contents> {
  const { stdout } = await reading.success();
  return contentsOf(stdout);
}

/** Reads ffmpeg's framehash. The order of the streams is that of their kinds: picture, then sound. */
export function contentsOf(text: string): Contents {
  const streams: { kind: string; codec: string; config: string | undefined; packets: Packet[] }[] = [];
  const stream = (index: number) => (streams[index] ??= { kind: '', codec: '', config: undefined, packets: [] });
  for (const line of text.split('\n')) {
    const fact = /^#(media_type|codec_id|extradata) (\d+)[:,]\s*(?:\d+,\s*)?(\S+)$/.exec(line);
    if (fact !== null) {
      const { 1: name, 2: index, 3: value } = fact;
      if (name === 'media_type') stream(Number(index)).kind = value!;
      else if (name === 'codec_id') stream(Number(index)).codec = value!;
      else stream(Number(index)).config = value;
    } else if (line !== '' && !line.startsWith('#')) {
      const [index, dts, pts, , size, hash] = line.split(/,\s*/);
      stream(Number(index)).packets.push({ dts: Number(dts), pts: Number(pts), size: Number(size), hash: hash! });
    }
  }
  streams.sort((a, b) => (a.kind < b.kind ? 1 : -1));
  return {
    codecs: streams.map(({ codec }) => codec),
    configs: streams.map(({ config }) => config),
    packets: streams.map(({ packets }) => packets),
  };
}

/** Publishes a file as it is; `inputOptions` may hold `-re` or `-stream_loop`. */
export function publish(t: Scope, file: string, url: string, ...inputOptions: string[]): Program {
  const open = ['-nostdin', '-v', 'info', '-nostats', ...inputOptions, '-copyts', '-i', file];
  return new Program(t, 'ffmpeg', [...open, '-map', '0', '-c', 'copy', '-f', 'flv', url]);
}

/** Plays to nowhere, whatever comes. */
export function play(t: Scope, url: string, ...inputOptions: string[]): Program {
  const open = ['-nostdin', '-v', 'info', '-nostats', ...inputOptions, '-i', url];
  return new Program(t, 'ffmpeg', [...open, '-c', 'copy', '-f', 'null', '-']);
}
