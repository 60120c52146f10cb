/**
 * Calm: whatever the bytes, the FLV reader yields a frame that lies within its message, nothing, or `PeerError`; and whatever the
 * frame, it can be described.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeerError } from '../../src/base/errors.ts';
import { describeStream } from '../../src/media/codec-description.ts';
import type { Codec, Frame, FrameKind, FrameRole } from '../../src/media/frame.ts';
import { nalUnits } from '../../src/media/nal-units.ts';
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';
import { type FlvMessage, MAX_CONFIG_BYTES, MAX_TRACKS } from '../../src/rtmp/flv-frame.ts';
import { describeMetadata } from '../../src/rtmp/metadata.ts';
import { AVC_CONFIG, aacBody, amfString, avcBody, flvTags, metadataBody } from '../helpers/frames.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

const HVC1 = '68766331';
const AV01 = '61763031';
const OPUS = '4f707573';

const enhancedVideo = [
  `90 ${HVC1} 01010160`,
  `91 ${HVC1} 000050 2601`,
  `97 02000001 03 ${HVC1} 0201`,
  `a7 ff00ff ${'07'.repeat(256)} 03 ${HVC1} 0201`,
  `96 10 ${HVC1} 00 000002 0101 03 000002 0202`,
  `a6 21 ${HVC1} 00 000005 000028 0201 ${AV01} 03 000002 0a0b`,
  `94 ${HVC1} 020009 636f6c6f72496e666f`,
];
const enhancedAudio = [
  `90 ${OPUS} 4f70`,
  `91 ${OPUS} fc00`,
  `95 01 ${OPUS} 02 fc00`,
  `97 02000001 94 ${OPUS} 010600003f`,
];

/** Messages of every shape, to be mutated. */
const seeds: FlvMessage[] = [
  ...readGolden('h264-bframes-aac'),
  ...readGolden('speex'),
  ...[avcBody('config'), avcBody('key'), avcBody('delta', 64, 80)].map((body) => ({ typeId: 9, millis: 0, body })),
  ...[aacBody('config'), aacBody('delta')].map((body) => ({ typeId: 8, millis: 0, body })),
  ...enhancedVideo.map((body) => ({ typeId: 9, millis: 0, body: hex(body) })),
  ...enhancedAudio.map((body) => ({ typeId: 8, millis: 0, body: hex(body) })),
  { typeId: 18, millis: 0, body: Buffer.concat([amfString('@setDataFrame'), metadataBody()]) },
];

function readGolden(name: string): FlvMessage[] {
  const file = readFileSync(new URL(`../golden/media/ffmpeg-5.1-${name}.flv`, import.meta.url));
  return [...flvTags(file)].slice(0, 12);
}

const mutation = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('set', 'cut', 'insert', 'repeat'),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
});

function mutate(body: Buffer, { at, kind, bytes }: { at: number; kind: string; bytes: Uint8Array }): Buffer {
  const from = body.length === 0 ? 0 : at % body.length;
  switch (kind) {
    case 'cut':
      return body.subarray(0, from);
    case 'insert':
      return Buffer.concat([body.subarray(0, from), bytes, body.subarray(from)]);
    case 'repeat':
      return Buffer.concat([body.subarray(0, from), body]);
    default:
      return Buffer.concat([body.subarray(0, from), bytes, body.subarray(from + bytes.length)]);
  }
}

const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(mutation, { maxLength: 4 }))
  .map(([seed, mutations]) => ({ ...seed, body: mutations.reduce(mutate, seed.body) }));

const random = fc.record({
  typeId: fc.constantFrom(8, 9, 15, 18),
  millis: fc.nat(),
  body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
});

test('calm: any messages yield frames within them, nothing, or PeerError', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: mutated }, random), { maxLength: 8 }), (messages) => {
      const reader = new FlvReader();
      const frames: Frame[] = [];
      for (const { typeId, millis, body } of messages) {
        try {
          const frame = reader.frameFromFlv(typeId, millis, body);
          if (frame === undefined) continue;
          frames.push(frame);
          check(frame, typeId, body);
        } catch (error) {
          if (!(error instanceof PeerError) || error.code !== 'rtmp/flv') throw error;
        }
      }
      const { others } = describeStream(frames);
      assert.ok(others.length <= frames.length * MAX_TRACKS);
    }),
    { numRuns: 3000 },
  );
});

function check(frame: NonNullable<ReturnType<FlvReader['frameFromFlv']>>, typeId: number, body: Buffer): void {
  assert.equal(flvFromFrame(frame), frame);
  if (typeId === 8 || typeId === 9) assert.deepEqual(frame.body, body);
  for (const { data, dts, pts, track } of [frame, ...(frame.others ?? [])]) {
    assert.ok(data.buffer === frame.body.buffer || data.length === 0);
    assert.ok(data.byteOffset >= frame.body.byteOffset);
    assert.ok(data.byteOffset + data.length <= frame.body.byteOffset + frame.body.length);
    assert.ok(Number.isFinite(dts) && Number.isFinite(pts));
    assert.ok(track >= 0 && track <= 255);
  }
  assert.ok((frame.others?.length ?? 0) < MAX_TRACKS);
  if (frame.role !== 'config') return;
  assert.ok(frame.body.length <= MAX_CONFIG_BYTES);
  assert.equal(frame.body.buffer.byteLength, frame.body.length);
}

const codecs: Record<'video' | 'audio', readonly Codec[]> = {
  video: ['h264', 'hevc', 'av1', 'vp8', 'vp9', 'vvc', 'flv1', 'other'],
  audio: ['aac', 'opus', 'mp3', 'flac', 'ac3', 'eac3', 'g711a', 'g711u', 'speex', 'pcm', 'other'],
};

/** First bytes that lead a reader on. */
const starts = ['', '01640028ffe1', '0101600000009000000000001ef000fcfdf8f800000f01', '81000c000a', '664c6143', '0b77']
  .concat(['4f70757348656164', 'f8', '824983420003f0', '1022009d012a', AVC_CONFIG.toString('hex')])
  .map(hex);

test('calm: any bytes under any codec are described', () => {
  const bytes = fc
    .tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 100 }))
    .map(([start, rest]) => Buffer.concat([start, rest]));
  const frame = fc
    .constantFrom<FrameKind>('video', 'audio')
    .chain((kind) =>
      fc.record({
        kind: fc.constant(kind),
        role: fc.constantFrom<FrameRole>('config', 'key', 'delta'),
        codec: fc.constantFrom(...codecs[kind as 'video' | 'audio']),
        data: bytes,
      }),
    )
    .map((parts): Frame => ({ ...parts, size: parts.data.length, dts: 0, pts: 0, track: 0 }));
  fc.assert(
    fc.property(frame, fc.option(bytes), (parts, config) => {
      const inForce: Frame | undefined =
        config === null ? undefined : { ...parts, role: 'config', size: config.length, data: config };
      const { video, audio } = describeStream([{ ...parts, config: inForce }]);
      const found = video ?? audio;
      assert.equal(found?.codec, parts.codec);
      for (const value of Object.values(found)) if (typeof value === 'number') assert.ok(value >= 0);
    }),
    { numRuns: 5000 },
  );
});

test('calm: metadata and NAL units of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(1, 2, 4), (raw, lengthSize) => {
      const bytes = Buffer.from(raw);
      describeMetadata(Buffer.concat([amfString('onMetaData'), bytes]));
      let covered = 0;
      for (const unit of nalUnits(bytes, lengthSize)) covered += lengthSize + unit.length;
      assert.ok(covered <= bytes.length);
    }),
    { numRuns: 2000 },
  );
});
