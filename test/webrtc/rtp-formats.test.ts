import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  depacketizerOf,
  packetizerOf,
  RTP_FORMATS,
  rtpFormatNamed,
  rtpFormatOf,
  staticRtpFormat,
} from '../../src/webrtc/rtp-formats.ts';
import { rtpCodec } from '../helpers/rtp.ts';

test('each format is found by its codec, its name and its static type', () => {
  for (const format of RTP_FORMATS) {
    assert.equal(rtpFormatOf(format.codec), format);
    assert.equal(rtpFormatNamed(format.encoding.toLowerCase()), format);
    if (format.staticType !== undefined) assert.equal(staticRtpFormat(format.staticType), format);
    assert.equal(packetizerOf(format.codec), format.packetize);
    assert.equal(depacketizerOf(rtpCodec(format.codec, { channels: 2 }))?.broken, format.kind === 'video');
  }
});

test('names, clock rates and static types are those of the registry', () => {
  assert.deepEqual(
    RTP_FORMATS.map(({ codec, encoding, clockRate, channels, staticType = '' }) =>
      [codec, encoding, clockRate, channels, staticType].join(' ').trim(),
    ),
    [
      'h264 H264 90000 1',
      'vp8 VP8 90000 1',
      'vp9 VP9 90000 1',
      'av1 AV1 90000 1',
      'hevc H265 90000 1',
      'opus opus 48000 2',
      'g711u PCMU 8000 1 0',
      'g711a PCMA 8000 1 8',
    ],
  );
});

test('codecs without a format', () => {
  for (const codec of ['aac', 'flv1', 'vvc', 'mp3', 'metadata', 'other'] as const) {
    assert.equal(rtpFormatOf(codec), undefined);
    assert.equal(packetizerOf(codec), undefined);
    assert.equal(depacketizerOf(rtpCodec(codec)), undefined);
  }
  assert.equal(rtpFormatNamed('__proto__'), undefined);
  assert.equal(staticRtpFormat(9), undefined);
});
