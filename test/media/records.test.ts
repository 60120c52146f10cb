/** Configuration records made from what is in the stream, against those that encoders and FFmpeg wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { av1ConfigOf } from '../../src/media/av1-record.ts';
import { readHevcConfig } from '../../src/media/hevc.ts';
import { hevcConfigOf, hevcSpsId } from '../../src/media/hevc-record.ts';
import { vp8ConfigOf, vp9ConfigOf } from '../../src/media/vpx-record.ts';
import { AV1_CONFIG, AV1_SEQUENCE, HEVC_CONFIG, VP8_KEY, VP9_CONFIG, VP9_KEY } from '../helpers/rtp-media.ts';

test('AV1: the record of libaom', () => {
  assert.deepEqual(av1ConfigOf(AV1_SEQUENCE), AV1_CONFIG);
  assert.equal(av1ConfigOf(AV1_SEQUENCE.subarray(0, 7)), undefined);
});

test('HEVC: the record of x265', () => {
  const [vps, sps, pps] = readHevcConfig(HEVC_CONFIG)!.parameterSets.map(({ units }) => units);
  assert.deepEqual(hevcConfigOf(vps!, sps!, pps!), HEVC_CONFIG);
  assert.equal(hevcConfigOf(vps!, [sps![0]!.subarray(0, 20)], pps!), undefined);
  assert.equal(hevcSpsId(sps![0]!), 0);
  assert.equal(hevcSpsId(sps![0]!.subarray(0, 10)), undefined);
});

test('VP9: the record of FFmpeg; none for other frames', () => {
  assert.deepEqual(vp9ConfigOf(VP9_KEY), VP9_CONFIG);
  assert.equal(vp9ConfigOf(Buffer.from('860000', 'hex')), undefined);
});

test('VP8: the version is the profile', () => {
  assert.deepEqual(vp8ConfigOf(VP8_KEY), Buffer.from(VP9_CONFIG.with(1, 0)));
  assert.equal(vp8ConfigOf(Buffer.of(0x16, 0, 0))[0], 3);
});
