/**
 * The streams under load: 20 s of 1280x720 H.264 at 30 frames/s with AAC, a key frame every 2 s. ffmpeg makes them once; they are kept
 * in the temporary folder. Read back as FLV tags (Adobe FLV specification 10.1, annex E).
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const CACHE_FOLDER = join(tmpdir(), 'castgate-bench');

/** One loop of the stream, in milliseconds. Tags beyond it are left out, so that loops join without a step back. */
export const LOOP_MS = 20_000;

const TAG_AUDIO = 8;
const TAG_VIDEO = 9;
const ENCODE_TIMEOUT_MS = 180_000;

/** What ffmpeg is told of the picture. Another recipe needs another name: what is there already is taken. */
export interface Recipe {
  readonly file: string;
  readonly kilobits: number;
  readonly options: readonly string[];
}

/** As encoders send to RTMP: about 2.5 Mbit/s with two B-frames. */
export const RTMP_STREAM: Recipe = {
  file: 'stream-720p30-2500k-v1.flv',
  kilobits: 2_400,
  options: ['-profile:v', 'high'],
};

/** What browsers can show: no B-frames, 2 Mbit/s of picture. */
export const WEBRTC_STREAM: Recipe = {
  file: 'stream-720p30-2000k-baseline-v1.flv',
  kilobits: 2_000,
  options: ['-profile:v', 'baseline'],
};

function encoding({ kilobits, options }: Recipe): readonly string[] {
  const rate = `${kilobits}k`;
  return [
    // Moving grain keeps the encoder at its rate; testsrc2 alone would stay far below it.
    ...['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100,aformat=channel_layouts=stereo'],
    ...['-t', '20', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'veryfast', ...options],
    ...['-b:v', rate, '-maxrate', rate, '-bufsize', rate, '-g', '60', '-keyint_min', '60', '-sc_threshold', '0'],
    ...['-c:a', 'aac', '-b:a', '128k', '-f', 'flv'],
  ];
}

/** A tag of the test stream: what RTMP calls a message. */
export interface Tag {
  /** RTMP message type: 8 audio, 9 video. */
  readonly type: number;
  /** Decoding time within the loop, milliseconds. */
  readonly time: number;
  readonly payload: Buffer;
  /** A sequence header: sent once, never repeated in the loop. */
  readonly config: boolean;
}

export interface TestStream {
  readonly configs: readonly Tag[];
  readonly tags: readonly Tag[];
}

/** The path of a test stream; made by ffmpeg when it is not there yet (some 20 s of CPU). */
export async function makeTestStream(recipe: Recipe): Promise<string> {
  const path = join(CACHE_FOLDER, recipe.file);
  if (existsSync(path)) return path;
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const half = `${path}.${process.pid}`;
  const args = ['-hide_banner', '-loglevel', 'error', '-y', ...encoding(recipe), half];
  await promisify(execFile)('ffmpeg', args, { timeout: ENCODE_TIMEOUT_MS });
  renameSync(half, path);
  return path;
}

/** Read an FLV file of H.264 and AAC. Script tags are left out. */
export function readTestStream(path: string): TestStream {
  const file = readFileSync(path);
  const configs: Tag[] = [];
  const tags: Tag[] = [];
  let at = file.readUInt32BE(5) + 4;
  while (at + 11 <= file.length) {
    const type = file[at]!;
    const size = file.readUIntBE(at + 1, 3);
    const time = file.readUIntBE(at + 4, 3) + file[at + 7]! * 0x1000000;
    const payload = file.subarray(at + 11, at + 11 + size);
    at += 11 + size + 4;
    if (type !== TAG_AUDIO && type !== TAG_VIDEO) continue;
    const config = payload[1] === 0;
    // AVC packet type 2 is the end of the sequence, which a loop must not send.
    if (type === TAG_VIDEO && payload[1] === 2) continue;
    if (config) configs.push({ type, time: 0, payload, config });
    else if (time < LOOP_MS) tags.push({ type, time, payload, config });
  }
  return { configs, tags };
}
