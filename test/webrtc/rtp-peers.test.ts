/** Our packets read by werift, and werift's read by us: two readings of the same specifications. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AV1RtpPayload,
  Av1Packetizer,
  H264Packetizer,
  H264RtpPayload,
  H265Packetizer,
  H265RtpPayload,
  OpusRtpPayload,
  type Packetizer,
  Vp8Packetizer,
  Vp8RtpPayload,
  Vp9Packetizer,
  Vp9RtpPayload,
} from 'werift';
import type { Frame, VideoCodec } from '../../src/media/frame.ts';
import { readAvcConfig } from '../../src/media/h264.ts';
import { readHevcConfig } from '../../src/media/hevc.ts';
import { nalUnits } from '../../src/media/nal-units.ts';
import { obus } from '../../src/media/obu.ts';
import type { RtpPacket } from '../../src/webrtc/rtp.ts';
import { depacketizerOf, packetizerOf } from '../../src/webrtc/rtp-formats.ts';
import { AVC_CONFIG, frame } from '../helpers/frames.ts';
import { hex, packet, payloads, pushAll, rtpCodec } from '../helpers/rtp.ts';
import { AV1_CONFIG, AV1_SEQUENCE, HEVC_CONFIG, VP8_KEY, VP9_CONFIG, VP9_KEY } from '../helpers/rtp-media.ts';

const MAX = 200;
const noise = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 31) & 255));

function sized(length: number): string {
  return length.toString(16).padStart(8, '0');
}

const H264_KEY = hex(`00000004 06058011 ${sized(1001)} 65${'88'.repeat(1000)} 00000003 658a01`);
const HEVC_KEY = hex(`00000004 4e018011 ${sized(1002)} 2601${'af'.repeat(1000)}`);
const AV1_KEY = hex(`0a0a${AV1_SEQUENCE.toString('hex')} 2a03010203 32e90710${'11'.repeat(1000)}`);
const AVC = readAvcConfig(AVC_CONFIG)!;
const SETS = {
  h264: [...AVC.sps, ...AVC.pps],
  hevc: readHevcConfig(HEVC_CONFIG)!.parameterSets.flatMap(({ units }) => units),
};
const VIDEO: Readonly<Record<string, readonly [key: Buffer, config: Buffer]>> = {
  h264: [H264_KEY, AVC_CONFIG],
  hevc: [HEVC_KEY, HEVC_CONFIG],
  av1: [AV1_KEY, AV1_CONFIG],
  vp8: [Buffer.concat([VP8_KEY, noise(1000)]), VP9_CONFIG.with(1, 0) as Buffer],
  vp9: [Buffer.concat([VP9_KEY, noise(1000)]), VP9_CONFIG],
};

function keyFrame(codec: VideoCodec): Frame {
  const [data, config] = VIDEO[codec]!;
  return frame('video', 'key', 0, { codec, data, config: frame('video', 'config', 0, { codec, data: config }) });
}

function sent(codec: VideoCodec): Buffer[] {
  const written = payloads(packetizerOf(codec)!, keyFrame(codec), MAX);
  assert.ok(written.length > 5);
  return written;
}

for (const [codec, reader] of [
  ['h264', H264RtpPayload],
  ['hevc', H265RtpPayload],
] as const) {
  test(`werift reads our ${codec}`, () => {
    let fragment: Buffer | undefined;
    const stream = sent(codec).map((payload) => {
      const read = reader.deSerialize(payload, fragment);
      fragment = read.fragment;
      return read.payload ?? Buffer.alloc(0);
    });
    const [key] = VIDEO[codec]!;
    const units = [...SETS[codec], ...nalUnits(key, 4)];
    assert.deepEqual(Buffer.concat(stream), Buffer.concat(units.flatMap((unit) => [hex('00000001'), unit])));
  });
}

test('werift reads our VP8', () => {
  const read = sent('vp8').map((payload) => Vp8RtpPayload.deSerialize(payload));
  assert.deepEqual(Buffer.concat(read.map(({ payload }) => payload)), VIDEO['vp8']![0]);
  assert.deepEqual(
    read.map(({ isPartitionHead }) => isPartitionHead),
    read.map((_, index) => index === 0),
  );
  assert.equal(read[0]!.isKeyframe, true);
});

test('werift reads our VP9', () => {
  const read = sent('vp9').map((payload) => Vp9RtpPayload.deSerialize(payload));
  assert.deepEqual(Buffer.concat(read.map(({ payload }) => payload)), VIDEO['vp9']![0]);
  const [first] = read;
  assert.deepEqual([first!.isKeyframe, first!.width, first!.height], [true, [64], [48]]);
  assert.deepEqual([first!.bBit, first!.eBit, read.at(-1)!.bBit, read.at(-1)!.eBit], [1, 0, 0, 1]);
});

test('werift reads our AV1', () => {
  const read = sent('av1').map((payload) => AV1RtpPayload.deSerialize(payload));
  assert.equal(read[0]!.isKeyframe, true);
  const units = (data: Buffer) => [...obus(data)].map(({ type, payload }) => [type, payload]);
  assert.deepEqual(units(AV1RtpPayload.getFrame(read)), units(AV1_KEY));
});

test('werift reads our Opus', () => {
  const [payload] = payloads(
    packetizerOf('opus')!,
    frame('audio', 'delta', 0, { codec: 'opus', data: noise(80) }),
    MAX,
  );
  assert.deepEqual(OpusRtpPayload.deSerialize(payload!).payload, noise(80));
});

const options = { maxPayloadSize: MAX, sequenceNumber: 65_530 };
const WRITERS: Readonly<Record<string, () => Packetizer>> = {
  h264: () => new H264Packetizer({ ...options, inputFormat: 'length-prefixed', parameterSets: SETS.h264 }),
  hevc: () => new H265Packetizer({ ...options, inputFormat: 'length-prefixed', parameterSets: SETS.hevc }),
  av1: () => new Av1Packetizer({ ...options, isKeyframe: true }),
  vp8: () => new Vp8Packetizer(options),
  vp9: () => new Vp9Packetizer({ ...options, isKeyframe: true }),
};

for (const [codec, writer] of Object.entries(WRITERS)) {
  test(`we read werift's ${codec}`, () => {
    const written = writer().packetize(VIDEO[codec]![0], 1234);
    const packets = written.map(({ header, payload }): RtpPacket => {
      const { marker, sequenceNumber: sequence, timestamp } = header;
      return packet(payload, { marker, sequence, timestamp });
    });
    const depacketizer = depacketizerOf(rtpCodec(codec as VideoCodec))!;
    const [unit, ...more] = pushAll(depacketizer, packets);
    assert.deepEqual(
      { ...unit, config: undefined },
      { timestamp: 1234, key: true, data: VIDEO[codec]![0], config: undefined },
    );
    assert.deepEqual(Buffer.from(unit!.config!), Buffer.from(VIDEO[codec]![1]));
    assert.deepEqual(more, []);
  });
}
