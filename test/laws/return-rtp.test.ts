/**
 * Return: frames cut into packets come back from them, whatever the layout of the frames and the size of the packets. And when packets
 * are lost, what comes back is still a part of what was sent, with no picture whose reference is missing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { av1ConfigOf } from '../../src/media/av1-record.ts';
import type { Frame, VideoCodec } from '../../src/media/frame.ts';
import { readHevcConfig } from '../../src/media/hevc.ts';
import { leb128 } from '../../src/media/obu.ts';
import { vp8ConfigOf, vp9ConfigOf } from '../../src/media/vpx-record.ts';
import type { RtpPacket } from '../../src/webrtc/rtp.ts';
import { depacketizerOf, packetizerOf } from '../../src/webrtc/rtp-formats.ts';
import { AVC_CONFIG, frame } from '../helpers/frames.ts';
import { joinNalUnits } from '../helpers/nal-units.ts';
import { packets, pushAll, rtpCodec } from '../helpers/rtp.ts';
import { AV1_SEQUENCE, HEVC_CONFIG, VP8_KEY, VP9_KEY } from '../helpers/rtp-media.ts';

const size = fc.oneof(fc.integer({ min: 4, max: 60 }), fc.integer({ min: 4, max: 4000 }));
const fill = fc.integer({ min: 0, max: 255 });
const filled = fc.tuple(size, fill).map(([length, byte]) => Buffer.alloc(length, byte));

/** Small units before a picture's slices, and those. Second byte of a slice: it is the first one. */
function nalPicture(headers: { key: string; delta: string; message: string }) {
  return (key: boolean): fc.Arbitrary<Buffer> => {
    const unit = (header: string) => filled.map((rest) => Buffer.concat([Buffer.from(header, 'hex'), rest]));
    const messages = fc.array(unit(headers.message), { maxLength: 3 });
    const slices = fc.array(unit(key ? headers.key : headers.delta), { minLength: 1, maxLength: 4 });
    return fc.tuple(messages, slices).map((units) => joinNalUnits(units.flat()));
  };
}

function obu(type: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of((type << 3) | 2), leb128(payload.length), payload]);
}

/** A sequence header in front of key frames; metadata, then frames in one piece and in tile groups. */
function temporalUnit(key: boolean): fc.Arbitrary<Buffer> {
  const start = Buffer.of(key ? 0x10 : 0x30);
  const whole = filled.map((rest) => obu(6, Buffer.concat([start, rest])));
  const metadata = fc.array(
    filled.map((rest) => obu(5, rest)),
    { maxLength: 3 },
  );
  const tiles = fc.array(
    filled.map((rest) => obu(4, rest)),
    { maxLength: 6 },
  );
  const parts = fc.tuple(metadata, fc.array(whole, { minLength: 1, maxLength: 3 }), tiles);
  const sequence = key ? [obu(1, AV1_SEQUENCE)] : [];
  return parts.map((units) => Buffer.concat([...sequence, ...units.flat()]));
}

function vpxPicture(keyFrame: Buffer, delta: Buffer) {
  return (key: boolean) => filled.map((rest) => Buffer.concat([key ? keyFrame : delta, rest]));
}

interface Codec {
  readonly codec: VideoCodec;
  readonly config: Buffer;
  readonly picture: (key: boolean) => fc.Arbitrary<Buffer>;
}

const CODECS: readonly Codec[] = [
  { codec: 'h264', config: AVC_CONFIG, picture: nalPicture({ key: '6588', delta: '419a', message: '0605' }) },
  { codec: 'hevc', config: HEVC_CONFIG, picture: nalPicture({ key: '2601af', delta: '0201d0', message: '4e01' }) },
  { codec: 'av1', config: av1ConfigOf(AV1_SEQUENCE)!, picture: temporalUnit },
  { codec: 'vp8', config: vp8ConfigOf(VP8_KEY), picture: vpxPicture(VP8_KEY, Buffer.of(0x31, 0, 0)) },
  { codec: 'vp9', config: vp9ConfigOf(VP9_KEY)!, picture: vpxPicture(VP9_KEY, Buffer.of(0x86, 0, 0)) },
];

interface Sent {
  readonly frames: readonly Frame[];
  /** Of each frame. */
  readonly packets: readonly (readonly RtpPacket[])[];
}

const MAX_SIZE = fc.integer({ min: 100, max: 1400 });

function stream({ codec, config, picture }: Codec): fc.Arbitrary<Sent> {
  const configFrame = frame('video', 'config', 0, { codec, data: config });
  const pictures = fc.array(
    fc.boolean().chain((key) => picture(key).map((data) => ({ key, data }))),
    { maxLength: 8 },
  );
  return fc
    .tuple(picture(true), pictures, MAX_SIZE, fc.integer({ min: 0, max: 65_535 }))
    .map(([first, rest, max, start]) => {
      let sequence = start;
      const frames: Frame[] = [];
      const written: RtpPacket[][] = [];
      for (const { key, data } of [{ key: true, data: first }, ...rest]) {
        const next = frame('video', key ? 'key' : 'delta', 40 * frames.length, { codec, data, config: configFrame });
        frames.push(next);
        const cut = packets(packetizerOf(codec)!, next, max, frames.length * 3600, sequence);
        for (const { payload } of cut) assert.ok(payload.length <= max, `${payload.length} bytes of ${max}`);
        sequence = (sequence + cut.length) & 0xffff;
        written.push(cut);
      }
      return { frames, packets: written };
    });
}

for (const codec of CODECS) {
  test(`return: ${codec.codec}`, () => {
    fc.assert(
      fc.property(stream(codec), ({ frames, packets: sent }) => {
        const depacketizer = depacketizerOf(rtpCodec(codec.codec))!;
        const units = pushAll(depacketizer, sent.flat());
        assert.equal(depacketizer.broken, false);
        assert.deepEqual(
          units.map(({ timestamp, key, data }) => ({ timestamp, key, data })),
          frames.map(({ role, data }, index) => ({ timestamp: (index + 1) * 3600, key: role === 'key', data })),
        );
        // the record may say more about colour than ours
        const config = units[0]!.config!;
        if (codec.codec === 'hevc') assert.deepEqual(readHevcConfig(config), readHevcConfig(codec.config));
        else assert.deepEqual(config, codec.config);
        assert.ok(units.slice(1).every((unit) => unit.config === undefined));
      }),
      { numRuns: 200 },
    );
  });

  test(`after losses, no orphans: ${codec.codec}`, () => {
    fc.assert(
      fc.property(
        stream(codec),
        fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
        ({ frames, packets: sent }, chance) => {
          const whole = sent.map(() => true);
          const arrived = sent.flatMap((cut, index) =>
            cut.filter(() => {
              const lost = chance.next().value === 0;
              if (lost) whole[index] = false;
              return !lost;
            }),
          );
          const depacketizer = depacketizerOf(rtpCodec(codec.codec))!;
          const expected: number[] = [];
          let decodable = false;
          frames.forEach(({ role }, index) => {
            decodable = whole[index]! && (decodable || role === 'key');
            if (decodable) expected.push(index);
          });
          const units = pushAll(depacketizer, arrived);
          const answered = units.map(({ timestamp }) => timestamp / 3600 - 1);
          for (const [at, index] of answered.entries()) {
            assert.ok(expected.includes(index), `${index} of ${expected}`);
            assert.deepEqual(units[at]!.data, frames[index]!.data);
          }
          // whole pictures are given up only when nothing shows that they are
          assert.deepEqual(answered, expected);
        },
      ),
      { numRuns: 200 },
    );
  });
}
