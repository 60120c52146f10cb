import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeStream } from '../../src/media/codec-description.ts';
import { AVC_NAL, readAvcConfig } from '../../src/media/h264.ts';
import { nalUnits } from '../../src/media/nal-units.ts';
import { FlvReader } from '../../src/rtmp/flv.ts';
import type { FlvFrame } from '../../src/rtmp/flv-frame.ts';
import { describeMetadata } from '../../src/rtmp/metadata.ts';
import { flvTags } from '../helpers/frames.ts';

function read(name: string): FlvFrame[] {
  const file = readFileSync(new URL(`../golden/media/ffmpeg-5.1-${name}.flv`, import.meta.url));
  const reader = new FlvReader();
  const frames: FlvFrame[] = [];
  for (const { typeId, millis, body } of flvTags(file)) {
    const frame = reader.frameFromFlv(typeId, millis, body);
    assert.ok(frame);
    assert.deepEqual(frame.body, body);
    frames.push(frame);
  }
  return frames;
}

/** Kinds, roles and codecs in order of arrival, equal neighbours counted: `video delta h264 x3`. */
function summary(frames: readonly FlvFrame[]): string[] {
  const words: [string, number][] = [];
  for (const { kind, role, codec } of frames) {
    const last = words.at(-1);
    const word = `${kind} ${role} ${codec}`;
    if (last?.[0] === word) last[1] += 1;
    else words.push([word, 1]);
  }
  return words.map(([word, count]) => (count === 1 ? word : `${word} x${count}`));
}

const video = (frames: readonly FlvFrame[]) => frames.filter(({ kind }) => kind === 'video');
const millis = (frames: readonly FlvFrame[]) => frames.map(({ dts, pts }) => [dts / 1000, pts / 1000]);

test('ffmpeg: H.264 with B-frames, AAC', () => {
  const frames = read('h264-bframes-aac');
  const pictures = video(frames);
  const { video: picture, audio: sound } = describeStream(frames);
  assert.deepEqual(summary(pictures), [
    'video config h264',
    'video key h264',
    'video delta h264 x5',
    'video key h264',
    'video delta h264',
    'video delta other',
  ]);
  assert.deepEqual(millis(pictures.slice(1, 9)), [
    [0, 80],
    [40, 200],
    [80, 120],
    [120, 160],
    [160, 280],
    [200, 240],
    [240, 320],
    [280, 360],
  ]);
  assert.deepEqual(picture, {
    ...{ kind: 'video', track: 0, codec: 'h264', rfc6381: 'avc1.64000a', profile: 'High', level: '1.0' },
    ...{ width: 64, height: 36, fps: 25, bitDepth: 8, bFrames: true },
  });
  assert.deepEqual(sound, {
    ...{ kind: 'audio', track: 0, codec: 'aac', rfc6381: 'mp4a.40.2', profile: 'LC' },
    ...{ sampleRate: 44_100, channels: 2 },
  });
  assert.deepEqual(describeMetadata(frames[0]!.data), {
    ...{ width: 64, height: 36, framerate: 25, audiodatarate: 31.25, audiosamplerate: 44_100 },
  });
});

test('ffmpeg: every picture is whole NAL units, and its type says whether it is key', () => {
  for (const name of ['h264-bframes-aac', 'h264-baseline-mp3']) {
    for (const { role, codec, data, config } of video(read(name))) {
      if (codec !== 'h264' || role === 'config') continue;
      const lengthSize = readAvcConfig(config!.data)!.lengthSize;
      const units = [...nalUnits(data, lengthSize)];
      const length = units.reduce((sum, unit) => sum + lengthSize + unit.length, 0);
      assert.equal(length, data.length);
      assert.equal(
        units.some((unit) => (unit[0]! & 31) === AVC_NAL.idr),
        role === 'key',
      );
    }
  }
});

test('ffmpeg: H.264 without B-frames, MP3', () => {
  const frames = read('h264-baseline-mp3');
  const { video: picture, audio: sound } = describeStream(frames);
  assert.ok(frames.every(({ dts, pts }) => dts === pts));
  assert.equal(picture?.rfc6381, 'avc1.42c00a');
  assert.equal(picture?.bFrames, false);
  assert.deepEqual(sound, {
    ...{ kind: 'audio', track: 0, codec: 'mp3', rfc6381: 'mp3', sampleRate: 44_100, channels: 1 },
  });
  assert.equal(frames.filter(({ role }) => role === 'key').length, 2);
});

const soundBytes = [
  ['g711u', 'g711u', 8000, ['data config metadata', 'audio delta g711u']],
  ['speex', 'speex', 16_000, ['data config metadata', 'audio delta speex x5']],
  ['flv1-pcm', 'pcm', 22_050, ['data config metadata', 'video key flv1', 'audio delta pcm']],
] as const;

for (const [file, codec, sampleRate, expected] of soundBytes) {
  test(`ffmpeg: ${file}`, () => {
    const frames = read(file);
    assert.deepEqual(summary(frames), expected);
    const { video: picture, audio: sound } = describeStream(frames);
    assert.deepEqual(sound, { kind: 'audio', track: 0, codec, sampleRate, channels: 1 });
    if (file === 'flv1-pcm') assert.deepEqual([picture?.width, picture?.height], [64, 36]);
  });
}
