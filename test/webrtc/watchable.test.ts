import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Codec, Frame } from '../../src/media/frame.ts';
import { Hub } from '../../src/relay/hub.ts';
import { watchable } from '../../src/webrtc/watchable.ts';

function frame(codec: Codec, pts = 0, role: Frame['role'] = 'key'): Frame {
  const kind = ['aac', 'mp3', 'opus', 'speex'].includes(codec) ? 'audio' : 'video';
  return { kind, role: kind === 'audio' ? 'delta' : role, codec, dts: 0, pts, size: 1, data: Buffer.of(0), track: 0 };
}

function of(...frames: Frame[]) {
  return reach(false, frames);
}

function reach(reencodes: boolean, frames: readonly Frame[]) {
  const stream = new Hub().stream('live', 'show');
  const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
  for (const each of frames) publication.write(each);
  const { watchable: yes, lack } = watchable(stream, reencodes);
  return [yes, lack?.code, lack?.reason] as const;
}

test('what RTP carries can be watched, AAC with it, as it is translated', () => {
  assert.deepEqual(of(frame('h264'), frame('aac')), [true, undefined, undefined]);
  assert.deepEqual(of(frame('vp8'), frame('opus')), [true, undefined, undefined]);
  assert.deepEqual(of(frame('aac')), [true, undefined, undefined]);
  assert.deepEqual(of(frame('hevc')), [true, undefined, undefined]);
});

test('sound that cannot be carried is lacking, the picture is there', () => {
  const [yes, code, reason] = of(frame('h264'), frame('mp3'));
  assert.deepEqual([yes, code], [true, 'webrtc/codecs']);
  assert.match(reason!, /mp3/);
  assert.equal(of(frame('speex'))[0], false);
});

test('pictures that cannot be carried, or come out of order, cannot be watched', () => {
  assert.deepEqual(of(frame('flv1'), frame('aac')).slice(0, 2), [false, 'webrtc/codecs']);
  const shuffled = [frame('h264'), frame('h264', 80_000, 'delta'), frame('h264', 40_000, 'delta')];
  const [yes, code, reason] = of(...shuffled, frame('mp3'));
  assert.deepEqual([yes, code], [false, 'stream/b-frames']);
  assert.match(reason!, /-bf 0/);
  assert.deepEqual(reach(true, shuffled), [true, undefined, undefined], 'unless they are re-encoded');
});

test('a stream that has shown nothing has nothing to watch', () => {
  assert.deepEqual(of(), [false, undefined, undefined]);
});
