import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeStream } from '../../src/media/codec-description.ts';
import type { Codec, Frame, FrameKind, FrameRole } from '../../src/media/frame.ts';
import { soundFormatOf } from '../../src/media/sound.ts';
import { AAC_CONFIG, AVC_CONFIG, frame, OPUS_CONFIG } from '../helpers/frames.ts';

interface Case {
  readonly name: string;
  readonly codec: Codec;
  readonly role?: FrameRole;
  /** Hexadecimal, written by ffmpeg 5.1 where nothing else is said. */
  readonly data: string;
  readonly facts: object;
}

const video: Case[] = [
  {
    name: 'H.264',
    codec: 'h264',
    data: AVC_CONFIG.toString('hex'),
    facts: {
      ...{ rfc6381: 'avc1.64000a', profile: 'High', level: '1.0' },
      ...{ width: 64, height: 36, fps: 25, bitDepth: 8, bFrames: true },
    },
  },
  {
    name: 'H.264, Constrained Baseline',
    codec: 'h264',
    data: '0142c028ffe100226742c028da01e0089f97011000003e90000ea60626000f424001e84e4c20078c195001000468ce3c80',
    facts: {
      ...{ rfc6381: 'avc1.42c028', profile: 'Constrained Baseline', level: '4.0' },
      ...{ width: 1920, height: 1080, fps: 29.97, bitDepth: 8, bFrames: false },
    },
  },
  {
    name: 'H.264, the set cut off (by hand)',
    codec: 'h264',
    data: '0142f00bffe100226742c028',
    facts: { rfc6381: 'avc1.42f00b', profile: 'Constrained Baseline', level: '1b' },
  },
  {
    name: 'H.264, High, whose level 1.1 is no 1b (by hand)',
    codec: 'h264',
    data: '0164100bffe000',
    facts: { rfc6381: 'avc1.64100b', profile: 'High', level: '1.1' },
  },
  {
    name: 'HEVC with B-frames, without its information message',
    codec: 'hevc',
    data: '0101600000009000000000001ef000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003001e959409210001002a42010101600000030090000003000003001ea020831f3e595952930bc05a02000003000200000300321022000100064401c073c089',
    facts: {
      ...{ rfc6381: 'hvc1.1.6.L30.90', profile: 'Main', level: '1.0', fps: undefined },
      ...{ width: 64, height: 36, bitDepth: 8, bFrames: true },
    },
  },
  {
    name: 'HEVC, ten bits, no B-frames',
    codec: 'hevc',
    data: '0102200000009000000000001ef000fcfdfafa00000f03200001001840010c01ffff02200000030090000003000003001eba0240210001002a42010102200000030090000003000003001ea020831f3b65ba4a4c2f016808000003000800000300c84022000100064401c073c089',
    facts: {
      ...{ rfc6381: 'hvc1.2.4.L30.90', profile: 'Main 10', level: '1.0', fps: undefined },
      ...{ width: 64, height: 36, bitDepth: 10, bFrames: false },
    },
  },
  {
    name: 'HEVC, 4:4:4, twelve bits',
    codec: 'hevc',
    data: '0104080000009808000000001ef000fcfffcfc00000f03a00001001740010c01ffff040800000300980800000300001eba0240a100010029420101040800000300980800000300001e900410208a52dd25261780b4040000030004000003006420a2000100084401c07318300890',
    facts: {
      ...{ rfc6381: 'hvc1.4.10.L30.98.8', profile: 'Range Extensions', level: '1.0', fps: undefined },
      ...{ width: 64, height: 64, bitDepth: 12, bFrames: false },
    },
  },
  {
    name: 'HEVC, high tier and frame rate, no sets (by hand)',
    codec: 'hevc',
    data: '0161600000000000000000005df000fcfdf8f81e000f00',
    facts: { rfc6381: 'hvc1.A1.6.H93', profile: 'Main', level: '3.1', fps: 30, bitDepth: 8 },
  },
  {
    name: 'AV1',
    codec: 'av1',
    data: '81000c000a0a000000032c194daf9004',
    facts: {
      ...{ rfc6381: 'av01.0.00M.08', profile: 'Main', level: '2.0', bitDepth: 8 },
      ...{ width: 66, height: 38, fps: undefined },
    },
  },
  {
    name: 'AV1, ten bits, level 5.1, high tier, no sequence header (by hand)',
    codec: 'av1',
    data: '810dcc00',
    facts: { rfc6381: 'av01.0.13H.10', profile: 'Main', level: '5.1', bitDepth: 10 },
  },
  {
    name: 'VP9, with the version of the MP4 box',
    codec: 'vp9',
    data: '01000000000a820202020000',
    facts: { rfc6381: 'vp09.00.10.08', profile: 'Profile 0', level: '1.0', bitDepth: 8 },
  },
  {
    name: 'VP9, the bare record (by hand)',
    codec: 'vp9',
    data: '0229a20202020000',
    facts: { rfc6381: 'vp09.02.41.10', profile: 'Profile 2', level: '4.1', bitDepth: 10 },
  },
  {
    name: 'VP9, key frame',
    codec: 'vp9',
    role: 'key',
    data: '824983420003f002360238241c184a0003106fb1',
    facts: { rfc6381: undefined, profile: undefined, level: undefined, bitDepth: undefined, width: 64, height: 36 },
  },
  {
    name: 'VP8, key frame',
    codec: 'vp8',
    role: 'key',
    data: '1022009d012a4000240000470885858899848802',
    facts: { rfc6381: undefined, profile: undefined, level: undefined, bitDepth: undefined, width: 64, height: 36 },
  },
  {
    name: 'Sorenson H.263, size of its own',
    codec: 'flv1',
    role: 'key',
    data: '0000840020120000',
    facts: { width: 64, height: 36 },
  },
  {
    name: 'Sorenson H.263, large size of its own (by hand)',
    codec: 'flv1',
    role: 'key',
    data: '000080008280818180',
    facts: { width: 1281, height: 771 },
  },
  {
    name: 'Sorenson H.263, size by number (by hand)',
    codec: 'flv1',
    role: 'key',
    data: '0000800280',
    facts: { width: 320, height: 240 },
  },
  { name: 'VVC is known by name', codec: 'vvc', data: '00', facts: {} },
  { name: 'something unknown', codec: 'other', data: '0102', facts: {} },
];

const audio: Case[] = [
  {
    name: 'AAC',
    codec: 'aac',
    data: AAC_CONFIG.toString('hex'),
    facts: { rfc6381: 'mp4a.40.2', profile: 'LC', sampleRate: 44_100, channels: 2 },
  },
  {
    name: 'HE-AAC (by hand)',
    codec: 'aac',
    data: '2b118800',
    facts: { rfc6381: 'mp4a.40.5', profile: 'HE', sampleRate: 48_000, channels: 2 },
  },
  {
    name: 'HE-AAC v2 (by hand)',
    codec: 'aac',
    data: 'eb098800',
    facts: { rfc6381: 'mp4a.40.29', profile: 'HE v2', sampleRate: 48_000, channels: 2 },
  },
  {
    name: 'Opus',
    codec: 'opus',
    data: OPUS_CONFIG.toString('hex'),
    facts: { rfc6381: 'opus', sampleRate: 48_000, channels: 2 },
  },
  {
    name: 'Opus without a header',
    codec: 'opus',
    data: '',
    facts: { rfc6381: 'opus', sampleRate: 48_000, channels: undefined },
  },
  {
    name: 'FLAC',
    codec: 'flac',
    data: '664c614300000022120012000004d20004d20ac442f00000113aa7e129326b5bc5ac89a7bee277e87424',
    facts: { rfc6381: 'flac', sampleRate: 44_100, channels: 2 },
  },
  {
    name: 'FLAC, STREAMINFO behind its block header',
    codec: 'flac',
    data: '00000022120012000004d20004d20ac442f00000113aa7e129326b5bc5ac89a7bee277e87424',
    facts: { rfc6381: 'flac', sampleRate: 44_100, channels: 2 },
  },
  {
    name: 'FLAC, bare STREAMINFO',
    codec: 'flac',
    data: '120012000004d20004d20ac442f00000113aa7e129326b5bc5ac89a7bee277e87424',
    facts: { rfc6381: 'flac', sampleRate: 44_100, channels: 2 },
  },
  {
    name: 'AC-3, 5.1',
    codec: 'ac3',
    role: 'delta',
    data: '0b77b50b1e40ebf8403eff99ff0841fc',
    facts: { rfc6381: 'ac-3', sampleRate: 48_000, channels: 6 },
  },
  {
    name: 'E-AC-3',
    codec: 'eac3',
    role: 'delta',
    data: '0b77017f3487c0002084210838008c06',
    facts: { rfc6381: 'ec-3', sampleRate: 48_000, channels: 2 },
  },
  {
    name: 'E-AC-3 at half the rate, mono with low frequencies (by hand)',
    codec: 'eac3',
    role: 'delta',
    data: '0b77017fd387c000',
    facts: { rfc6381: 'ec-3', sampleRate: 22_050, channels: 2 },
  },
  {
    name: 'MP3',
    codec: 'mp3',
    role: 'delta',
    data: 'fffb10c4',
    facts: { rfc6381: 'mp3', sampleRate: 44_100, channels: 1 },
  },
  {
    name: 'MP3 at MPEG-2.5 rates (by hand)',
    codec: 'mp3',
    role: 'delta',
    data: 'ffe31804',
    facts: { rfc6381: 'mp3', sampleRate: 8000, channels: 2 },
  },
];

function told(kind: FrameKind, { codec, role = 'config', data }: Case): Frame {
  return frame(kind, role, 0, { codec, data: Buffer.from(data, 'hex') });
}

for (const each of video) {
  test(`description of video: ${each.name}`, () => {
    const { video: found, audio: none, others } = describeStream([told('video', each)]);
    assert.deepEqual(found, { kind: 'video', track: 0, codec: each.codec, ...each.facts });
    assert.equal(none, undefined);
    assert.deepEqual(others, []);
  });
}

for (const each of audio) {
  test(`description of audio: ${each.name}`, () => {
    const { video: none, audio: found } = describeStream([told('audio', each)]);
    assert.deepEqual(found, { kind: 'audio', track: 0, codec: each.codec, ...each.facts });
    assert.equal(none, undefined);
  });
}

test('every configuration cut off anywhere is described without an exception', () => {
  for (const each of [...video, ...audio]) {
    const data = Buffer.from(each.data, 'hex');
    for (let length = 0; length <= data.length; length++) {
      const cut = { ...each, data: data.subarray(0, length).toString('hex') };
      const kind = video.includes(each) ? 'video' : 'audio';
      const { video: picture, audio: sound } = describeStream([told(kind, cut)]);
      assert.equal((picture ?? sound)?.codec, each.codec);
    }
  }
});

test('codecs with a sound byte are described by it', () => {
  const rows = [
    ['g711a', soundFormatOf(7, 0, 16, 1), 8000, 1],
    ['speex', soundFormatOf(11, 0, 16, 1), 16_000, 1],
    ['pcm', soundFormatOf(3, 22_050, 16, 2), 22_050, 2],
    ['mp3', soundFormatOf(2, 11_025, 16, 2), 11_025, 2],
  ] as const;
  for (const [codec, sound, sampleRate, channels] of rows) {
    const config = frame('audio', 'config', 0, { codec, data: Buffer.of(sound) });
    const unit = frame('audio', 'delta', 0, { codec, config, data: Buffer.alloc(8) });
    const { audio: found } = describeStream([unit]);
    assert.equal(found?.sampleRate, sampleRate, codec);
    assert.equal(found?.channels, channels, codec);
  }
});

test('configurations count more than frames, the last one most, and metadata not at all', () => {
  const first = frame('video', 'config', 0, {
    codec: 'av1',
    data: Buffer.from('81000c000a0a000000032c194daf9004', 'hex'),
  });
  const last = frame('video', 'config', 0);
  const key = frame('video', 'key', 0, { codec: 'hevc', data: Buffer.alloc(9) });
  const colour = frame('video', 'config', 0, { codec: 'metadata' });
  assert.equal(describeStream([key, first, colour, last, key]).video?.codec, 'h264');
  assert.equal(describeStream([key, colour]).video?.codec, 'hevc');
  const unknown = frame('video', 'config', 0, { codec: 'other' });
  assert.equal(describeStream([unknown, key]).video?.codec, 'hevc');
  assert.deepEqual(describeStream([frame('data', 'config', 0)]), { video: undefined, audio: undefined, others: [] });
});

test('VP9 is described by configuration and key frame together', () => {
  const config = frame('video', 'config', 0, { codec: 'vp9', data: Buffer.from('0229a20202020000', 'hex') });
  const data = Buffer.from('824983420003f002360238241c184a0003106fb1', 'hex');
  const found = describeStream([config, frame('video', 'key', 0, { codec: 'vp9', data, config })]).video;
  assert.equal(found?.rfc6381, 'vp09.02.41.10');
  assert.equal(found?.width, 64);
});

test('all tracks are listed, also those that travel inside one message', () => {
  const inside = frame('video', 'config', 0, { track: 2 });
  const message: Frame = { ...frame('video', 'config', 0, { track: 1 }), others: [inside] };
  const frames = [frame('audio', 'config', 0, { track: 3 }), message, frame('audio', 'config', 0)];
  const { video: main, audio: sound, others } = describeStream(frames);
  assert.deepEqual([main?.track, sound?.track], [1, 0]);
  assert.deepEqual(
    others.map(({ kind, track }) => [kind, track]),
    [
      ['video', 2],
      ['audio', 3],
    ],
  );
});
