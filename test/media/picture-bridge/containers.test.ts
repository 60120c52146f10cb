/**
 * What goes to ffmpeg, read by ffmpeg; what comes from it, in pieces of any size.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { type EncodedPicture, FlvTags } from '../../../src/media/picture-bridge/flv-tags.ts';
import { carriedByMatroska, matroskaFrameHead, matroskaHead } from '../../../src/media/picture-bridge/matroska.ts';
import { film } from '../../helpers/film.ts';

const FILM = film('h264', 1);
const [FIRST] = FILM;

test('a demuxer finds each frame in the Matroska stream, its time to the microsecond', () => {
  const record = FIRST!.config!.data;
  const track = { codec: 'h264', record, width: 320, height: 180, interval: 40_000 } as const;
  const odd = FILM.map((frame, at) => ({ ...frame, pts: frame.pts + at + 1 }));
  const parts = odd.flatMap(({ pts, role, data }) => [matroskaFrameHead(pts, role === 'key', data.length), data]);
  const show = '-v error -show_entries stream=codec_name,width,time_base,r_frame_rate:packet=pts,size,flags -of json -';
  const input = Buffer.concat([matroskaHead(track), ...parts]);
  const seen = JSON.parse(execFileSync('ffprobe', show.split(' '), { input }).toString());
  const [stream] = seen.streams;
  assert.deepEqual(
    [stream.codec_name, stream.width, stream.time_base, stream.r_frame_rate],
    ['h264', 320, '1/1000000', '25/1'],
  );
  assert.deepEqual(
    seen.packets.map(({ pts, size, flags }: Record<string, unknown>) => [
      pts,
      Number(size),
      String(flags).startsWith('K'),
    ]),
    odd.map(({ pts, size, role }) => [pts, size, role === 'key']),
  );
  assert.ok(['hevc', 'av1', 'vp9', 'vp8'].every((codec) => carriedByMatroska(codec as 'hevc')));
  assert.ok(!carriedByMatroska('flv1'));
});

function tag(type: number, millis: number, body: Buffer): Buffer {
  const head = Buffer.alloc(11);
  head[0] = type;
  head.writeUIntBE(body.length, 1, 3);
  head.writeUIntBE(millis & 0xffffff, 4, 3);
  head[7] = millis / 0x100_0000;
  return Buffer.concat([head, body, Buffer.alloc(4)]);
}

const FILE_HEADER = Buffer.from('464c5601010000000900000000', 'hex');
const READ = Buffer.concat([
  FILE_HEADER,
  tag(18, 0, Buffer.from('script')),
  tag(9, 0, Buffer.of(0x17, 0, 0, 0, 0, 1, 2, 3)),
  tag(9, 0x123_4567, Buffer.of(0x17, 1, 0, 0, 40, 4, 5)),
  tag(8, 0, Buffer.of(0xaf, 1, 9)),
  tag(9, 80, Buffer.of(0x27, 1, 0, 0, 0, 6)),
  tag(9, 90, Buffer.of(0x17, 2, 0, 0, 0, 0)),
]);
const PICTURES: readonly EncodedPicture[] = [
  { config: true, key: true, time: 0, data: Buffer.of(1, 2, 3) },
  { config: false, key: true, time: (0x123_4567 + 40) * 1_000, data: Buffer.of(4, 5) },
  { config: false, key: false, time: 80_000, data: Buffer.of(6) },
];

test('however FLV is cut, the same pictures come out of it', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(READ.length), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.sort((one, other) => one - other), READ.length];
      const tags = new FlvTags();
      const pictures = at.slice(1).flatMap((end, index) => [...tags.push(READ.subarray(at[index], end))]);
      assert.deepEqual(pictures, PICTURES);
    }),
  );
});

test('what is no FLV, or has no end, is refused', () => {
  const refused = { name: 'PeerError', code: 'media/encoder' };
  assert.throws(() => [...new FlvTags().push(Buffer.from('y\n'.repeat(20)))], refused);
  const endless = Buffer.concat([FILE_HEADER, Buffer.of(9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0)]);
  assert.throws(() => [...new FlvTags().push(endless)], refused);
});
