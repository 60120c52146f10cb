/**
 * Pictures that ffmpeg has made, as frames, and frames as pictures again.
 */
import { execFileSync } from 'node:child_process';
import type { Frame } from '../../src/media/frame.ts';
import { readAvcConfig } from '../../src/media/h264.ts';
import { hevcConfigOf } from '../../src/media/hevc-record.ts';
import { nalUnits } from '../../src/media/nal-units.ts';
import { FlvReader } from '../../src/rtmp/flv.ts';
import { flvTags } from './frames.ts';
import { joinNalUnits } from './nal-units.ts';

const RATE = 25;
/** A frame of `greyPictures`, pixels. */
const GREY = { width: 32, height: 18 } as const;
const START_CODE = Buffer.of(0, 0, 0, 1);
const CODING = {
  h264: '-c:v libx264 -preset veryfast -bf 2 -g 25 -pix_fmt yuv420p -f flv',
  hevc: '-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=0:keyint=25:aud=1 -pix_fmt yuv420p -f hevc',
  vp9: '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -pix_fmt yuv420p -f ivf',
} as const;

/** Video frames of a moving test picture, a key frame each second; H.264 has B-frames. The configuration is at each frame. */
export function film(codec: keyof typeof CODING, seconds: number, filter = 'null'): readonly Frame[] {
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=${RATE}`, '-t', String(seconds), '-vf', filter];
  const bytes = ffmpeg([...source, ...CODING[codec].split(' '), '-']);
  if (codec === 'h264') return fromFlv(bytes);
  return codec === 'hevc' ? fromHevc(bytes) : fromIvf(bytes);
}

/** Each frame of an H.264 stream that decodes, small and grey. Fails when there is anything that does not. */
export function greyPictures(frames: readonly Frame[]): readonly Buffer[] {
  const record = readAvcConfig(frames[0]!.config!.data)!;
  const units = [...record.sps, ...record.pps, ...frames.flatMap(({ data }) => [...nalUnits(data, record.lengthSize)])];
  const input = Buffer.concat(units.flatMap((unit) => [START_CODE, unit]));
  const { width, height } = GREY;
  const raw = ['-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${width}x${height}`, '-'];
  const bytes = ffmpeg(['-xerror', '-f', 'h264', '-i', '-', ...raw], input);
  const count = bytes.length / (width * height);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * width * height, (at + 1) * width * height));
}

/** Mean difference of two grey pictures, of 255. */
export function difference(one: Buffer, other: Buffer): number {
  return one.reduce((sum, value, at) => sum + Math.abs(value - other[at]!), 0) / one.length;
}

function ffmpeg(words: readonly string[], input?: Buffer): Buffer {
  const options = { maxBuffer: 64 << 20, ...(input === undefined ? {} : { input }) };
  return execFileSync('ffmpeg', ['-v', 'error', ...words], options);
}

function fromFlv(file: Buffer): readonly Frame[] {
  const reader = new FlvReader();
  const frames: Frame[] = [];
  for (const { typeId, millis, body } of flvTags(file)) {
    const frame = reader.frameFromFlv(typeId, millis, body);
    if (frame?.codec !== 'h264' || frame.role === 'config') continue;
    // plain objects, that a test may change in a copy
    const { kind, role, codec, dts, pts, size, data, track, config } = frame;
    frames.push({ kind, role, codec, dts, pts, size, data, track, config });
  }
  return frames;
}

function fromHevc(file: Buffer): readonly Frame[] {
  const [VPS, PPS, DELIMITER] = [32, 34, 35];
  const pictures: Buffer[][] = [];
  const sets: Buffer[][] = [[], [], []];
  for (const unit of startCodeUnits(file)) {
    const type = (unit[0]! >> 1) & 63;
    if (type === DELIMITER) pictures.push([]);
    else if (type >= VPS && type <= PPS) sets[type - VPS] = [unit];
    else pictures.at(-1)!.push(unit);
  }
  const record = hevcConfigOf(sets[0]!, sets[1]!, sets[2]!)!;
  const isKey = (unit: Buffer) => ((unit[0]! >> 1) & 63) >= 16 && ((unit[0]! >> 1) & 63) <= 21;
  return pictures.map((units, at) => inOrder('hevc', units.some(isKey), at, joinNalUnits(units), record));
}

function fromIvf(file: Buffer): readonly Frame[] {
  const frames: Frame[] = [];
  for (let at = 32; at < file.length; ) {
    const size = file.readUInt32LE(at);
    const data = file.subarray(at + 12, at + 12 + size);
    // frame_type of the uncompressed header, behind marker, profile and show_existing_frame
    frames.push(inOrder('vp9', (data[0]! & 4) === 0, frames.length, data));
    at += 12 + size;
  }
  return frames;
}

function inOrder(codec: Frame['codec'], key: boolean, at: number, data: Buffer, record?: Buffer): Frame {
  const time = (at * 1e6) / RATE;
  const facts = { kind: 'video', codec, dts: time, pts: time, track: 0 } as const;
  const config: Frame | undefined = record && { ...facts, role: 'config', data: record, size: record.length };
  return { ...facts, role: key ? 'key' : 'delta', data, size: data.length, config };
}

function* startCodeUnits(file: Buffer): Generator<Buffer> {
  const code = Buffer.of(0, 0, 1);
  for (let at = file.indexOf(code); at >= 0; ) {
    const next = file.indexOf(code, at + 3);
    const end = next < 0 ? file.length : file[next - 1] === 0 ? next - 1 : next;
    yield file.subarray(at + 3, end);
    at = next;
  }
}
