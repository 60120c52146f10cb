import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Codec } from '../../src/media/frame.ts';
import { bestFor, receivable } from '../../src/webrtc/codec-choice.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import type { RemoteSection } from '../../src/webrtc/remote-section.ts';
import { recorded, sdp } from '../helpers/sdp.ts';

/** A video section with these formats, the payload types counting from 96: `H264 profile-level-id=42e01f`. */
function video(...formats: readonly string[]): RemoteSection {
  const types = formats.map((_, at) => 96 + at);
  const lines = formats.flatMap((format, at) => {
    const [encoding, parameters = ''] = format.split(' ');
    return [`a=rtpmap:${96 + at} ${encoding}/90000`, `a=fmtp:${96 + at} ${parameters}`];
  });
  return readDescription(sdp('v=0', `m=video 9 RTP/SAVPF ${types.join(' ')}`, lines)).sections[0]!;
}

const CB1 = 'H264 packetization-mode=1;profile-level-id=42e01f';
const CB0 = 'H264 packetization-mode=0;profile-level-id=42e01f';
const BASE1 = 'H264 packetization-mode=1;profile-level-id=42001f';
const MAIN1 = 'H264 packetization-mode=1;profile-level-id=4d001f';
const HIGH1 = 'H264 packetization-mode=1;profile-level-id=640c1f';
const HIGH0 = 'H264 packetization-mode=0;profile-level-id=640c1f';
const HIGH444 = 'H264 packetization-mode=1;profile-level-id=f4001f';

/** The stream, its profile, what is offered, and which of that is taken; undefined: none. */
const CHOICES: readonly (readonly [Codec, string | undefined, readonly string[], number | undefined])[] = [
  ['h264', '42e01f', [BASE1, CB1, MAIN1], 1],
  ['h264', '42c01f', [BASE1, CB0, CB1], 2],
  ['h264', '42001f', [CB1, BASE1], 1],
  ['h264', '4d0028', [BASE1, CB1, MAIN1], 2],
  ['h264', '640028', [BASE1, CB1, MAIN1, HIGH1], 3],
  ['h264', '640028', [BASE1, CB1, MAIN1, HIGH444], 1],
  ['h264', '640028', [BASE1, MAIN1, HIGH444], 0],
  ['h264', '640028', [HIGH0, MAIN1], 1],
  // one unit a packet is no way to send pictures larger than a packet
  ['h264', '640028', [HIGH0], undefined],
  ['h264', '640028', ['H264 '], 0],
  ['h264', '640028', ['H264 ', HIGH0, MAIN1], 2],
  ['h264', '640028', ['H264 packetization-mode=2;profile-level-id=640c1f'], undefined],
  ['h264', undefined, [BASE1, CB1], 1],
  ['h264', undefined, [CB1, CB1], 0],
  ['h264', '42e01f', ['VP8', 'VP9', 'AV1', 'H265'], undefined],
  ['vp8', undefined, ['VP9', 'vp8', 'VP8'], 1],
  ['vp9', undefined, ['VP9 profile-id=2', 'VP9 profile-id=0'], 1],
  ['vp9', '0', ['VP9 profile-id=2', 'VP9 '], 1],
  ['vp9', '2', ['VP9 profile-id=0', 'VP9 profile-id=2'], 1],
  ['vp9', '2', ['VP9 profile-id=0'], undefined],
  ['av1', undefined, ['AV1 profile=1', 'AV1 '], 1],
  ['av1', '0', ['AV1 profile=1'], 0],
  ['av1', '1', ['AV1 profile=0'], undefined],
  ['hevc', '2', ['H265 ', 'H265 profile-id=2'], 1],
  ['hevc', '2', ['H265 '], 0],
  ['opus', undefined, ['opus'], undefined],
  ['flv1', undefined, [CB1], undefined],
];

test('the format that suits a stream best', () => {
  for (const [codec, profile, formats, taken] of CHOICES) {
    const best = bestFor({ codec, profile }, video(...formats));
    assert.equal(best && best.payloadType - 96, taken, `${codec} ${profile}: ${formats.join(', ')}`);
    if (best !== undefined) assert.equal(best.codec, codec);
  }
});

test('what can be received, in the order of the client', () => {
  const [audio, picture] = readDescription(recorded('chromium-156-publish')).sections;
  const list = (section: RemoteSection) =>
    receivable(section).map(
      ({ codec, payloadType, rtx }) => `${codec} ${payloadType}${rtx === undefined ? '' : `+${rtx}`}`,
    );
  assert.deepEqual(list(audio!), ['opus 111', 'g711u 0', 'g711a 8']);
  assert.deepEqual(list(picture!), [
    ...['vp8 96+97', 'h264 102+103', 'h264 104+107', 'h264 108+109', 'h264 114+115', 'h264 116+117', 'h264 39+40'],
    ...['av1 45+46', 'vp9 98+99', 'vp9 100+101'],
  ]);
  const [opus] = receivable(audio!);
  assert.deepEqual([opus?.clockRate, opus?.channels], [48_000, 2]);
});

test('rtx: of the format it names, and no other', () => {
  const rtx = (...formats: readonly string[]) => receivable(video(...formats)).map((codec) => codec.rtx);
  assert.deepEqual(rtx('VP8', 'rtx apt=96'), [97]);
  assert.deepEqual(rtx('rtx apt=97', 'VP8', 'rtx apt=97'), [96]);
  assert.deepEqual(rtx('VP8', 'rtx apt=97'), [undefined]);
  assert.deepEqual(rtx('rtx apt=97', 'rtx apt=96', 'VP8'), [undefined]);
  assert.deepEqual(rtx('VP8', 'rtx apt=0096', 'rtx apt=', 'rtx apt=-96', 'rtx apt=x'), [undefined]);
});

test('payload types that would look like RTCP are not taken', () => {
  const lines = ['m=video 9 RTP/SAVPF 63 64 95 96 72', 'a=rtpmap:72 rtx/90000', 'a=fmtp:72 apt=96'];
  const maps = [63, 64, 95, 96].map((type) => `a=rtpmap:${type} VP8/90000`);
  const [section] = readDescription(sdp('v=0', lines, maps)).sections;
  assert.deepEqual(
    receivable(section!).map(({ payloadType, rtx }) => [payloadType, rtx]),
    [
      [63, undefined],
      [96, undefined],
    ],
  );
});

test('a name alone does not make a format: kind and clock rate have to fit', () => {
  const [audio, picture] = readDescription(
    sdp(
      'v=0',
      'm=audio 9 RTP/SAVPF 96 97 98',
      'a=rtpmap:96 opus/16000',
      'a=rtpmap:97 VP8/90000',
      'a=rtpmap:98 opus/48000',
      'm=video 9 RTP/SAVPF 96 97',
      'a=rtpmap:96 H264/48000',
      'a=rtpmap:97 opus/48000/2',
    ),
  ).sections;
  assert.deepEqual(
    receivable(audio!).map(({ payloadType }) => payloadType),
    [98],
  );
  assert.deepEqual(receivable(picture!), []);
});
