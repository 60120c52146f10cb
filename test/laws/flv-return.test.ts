/**
 * Return: reading a frame that was written gives the frame, and what was read is written as it came.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AudioCodec, Codec, Frame, FrameKind, FrameRole, VideoCodec } from '../../src/media/frame.ts';
import { SOUND_CODECS } from '../../src/media/sound.ts';
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((data) => Buffer.from(data));
const track = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
const millis = fc.integer({ min: 0, max: 2 ** 40 });

interface Parts {
  readonly kind: FrameKind;
  readonly role: FrameRole;
  readonly codec: Codec;
  readonly millis: number;
  readonly cts: number;
  readonly data: Buffer;
  readonly track: number;
  readonly config: Frame | undefined;
}

const reordered: ReadonlySet<Codec> = new Set<Codec>(['h264', 'hevc', 'vvc']);

const video = fc
  .record({
    kind: fc.constant<FrameKind>('video'),
    role: fc.constantFrom<FrameRole>('config', 'key', 'delta'),
    codec: fc.constantFrom<VideoCodec>('h264', 'hevc', 'av1', 'vp8', 'vp9', 'vvc'),
    millis,
    cts: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
    data: bytes,
    track,
    config: fc.constant(undefined),
  })
  .map((parts) => (parts.role !== 'config' && reordered.has(parts.codec) ? parts : { ...parts, cts: 0 }));

const audio = fc.record({
  kind: fc.constant<FrameKind>('audio'),
  role: fc.constantFrom<FrameRole>('config', 'delta'),
  codec: fc.constantFrom<AudioCodec>('aac', 'opus', 'flac', 'ac3', 'eac3'),
  millis,
  cts: fc.constant(0),
  data: bytes,
  track,
  config: fc.constant(undefined),
});

/** Audio whose configuration is a sound byte. */
const sound = fc
  .record({ byte: fc.integer({ min: 0, max: 255 }), millis, data: bytes })
  .map(({ byte, millis: at, data }): Parts | undefined => {
    const codec = SOUND_CODECS[byte >> 4];
    if (codec === undefined || codec === 'opus') return undefined;
    const byteOnly = { size: 1, data: Buffer.of(byte) };
    const config: Frame = { kind: 'audio', role: 'config', codec, dts: 0, pts: 0, ...byteOnly, track: 0 };
    return { kind: 'audio', role: 'delta', codec, millis: at, cts: 0, data, track: 0, config };
  })
  .filter((parts) => parts !== undefined);

const sorenson = fc
  .record({ role: fc.constantFrom<FrameRole>('key', 'delta'), millis, data: bytes })
  .map((parts): Parts => ({ ...parts, kind: 'video', codec: 'flv1', cts: 0, track: 0, config: undefined }));

test('return: a frame from elsewhere comes back from its message', () => {
  fc.assert(
    fc.property(fc.oneof<fc.Arbitrary<Parts>[]>(video, audio, sound, sorenson), (parts) => {
      const { kind, role, codec, data, config } = parts;
      const dts = parts.millis * 1000;
      const { track } = parts;
      const frame: Frame = {
        kind,
        role,
        codec,
        dts,
        pts: dts + parts.cts * 1000,
        size: data.length,
        data,
        track,
        config,
      };
      const message = flvFromFrame(frame);
      assert.ok(message);
      const read = new FlvReader().frameFromFlv(message.typeId, message.millis, message.body);
      assert.ok(read);
      assert.deepEqual(
        { ...frame, config: config?.data },
        {
          ...{ kind: read.kind, role: read.role, codec: read.codec, dts: read.dts, pts: read.pts },
          ...{ size: read.size, data: read.data, track: read.track, config: read.config?.data },
        },
      );
    }),
    { numRuns: 2000 },
  );
});

test('return: times between milliseconds come back to the nearest one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 0, max: 10 ** 6 }), (dts, cts) => {
      const data = Buffer.of(1);
      const frame: Frame = {
        kind: 'video',
        role: 'delta',
        codec: 'h264',
        dts,
        pts: dts + cts,
        size: 1,
        data,
        track: 0,
      };
      const message = flvFromFrame(frame);
      assert.ok(message);
      const read = new FlvReader().frameFromFlv(message.typeId, message.millis, message.body);
      assert.ok(read);
      assert.ok(Math.abs(read.dts - dts) <= 500);
      assert.ok(Math.abs(read.pts - (dts + cts)) <= 500);
    }),
  );
});
