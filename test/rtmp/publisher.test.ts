import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError, RefusedError } from '../../src/base/errors.ts';
import type { Frame } from '../../src/media/frame.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { Stream } from '../../src/relay/stream.ts';
import { MESSAGE } from '../../src/rtmp/messages.ts';
import { RtmpPublisher } from '../../src/rtmp/publisher.ts';
import { Slab } from '../../src/rtmp/slab.ts';
import { wireForm } from '../../src/rtmp/wire-form.ts';
import { aacBody, avcBody, metadataBody } from '../helpers/frames.ts';

const CHUNK_SIZE = 4_096;

class Studio {
  readonly stream = new Stream('live', 'a', GOP_DEFAULTS, () => {});
  readonly frames: Frame[] = [];
  readonly reasons: string[] = [];
  readonly publisher: RtmpPublisher;

  constructor() {
    this.publisher = this.another();
    this.stream.subscribe({ viewers: 1, write: (frame) => this.frames.push(frame), began() {}, ended() {} });
  }

  another(takeover?: string): RtmpPublisher {
    const events = {
      evicted: (reason: string) => this.reasons.push(reason),
      reordered: () => this.reasons.push('reordered'),
    };
    return new RtmpPublisher(this.stream, CHUNK_SIZE, events, takeover);
  }

  /** As the engine does: into its room when there is one. */
  send(typeId: number, timestamp: number, bytes: Buffer): void {
    const body = this.publisher.room(typeId, timestamp, bytes.length) ?? Buffer.alloc(bytes.length);
    bytes.copy(body);
    this.publisher.write({ typeId, streamId: 3, timestamp, chunkStreamId: 4, body });
  }
}

test('what fits into a chunk is relayed from where it was read to; nothing is written again', () => {
  const studio = new Studio();
  const body = studio.publisher.room(MESSAGE.Video, 40, 69)!;
  avcBody('key').copy(body);
  studio.publisher.write({ typeId: MESSAGE.Video, streamId: 3, timestamp: 40, chunkStreamId: 4, body });
  const wire = wireForm(studio.frames[0]!, new Slab(CHUNK_SIZE));
  assert.equal(wire.block.buffer, body.buffer);
  assert.equal(wire.end - wire.start, 12 + body.length);
});

test('there is room for sound and pictures, and for nothing else', () => {
  const { publisher } = new Studio();
  assert.equal(publisher.room(MESSAGE.Audio, 0, 10)?.length, 10);
  for (const typeId of [MESSAGE.DataAmf0, MESSAGE.CommandAmf0, MESSAGE.Aggregate, 99]) {
    assert.equal(publisher.room(typeId, 0, 10), undefined);
  }
});

test('configurations and metadata keep nothing of the memory around them alive', () => {
  const studio = new Studio();
  studio.send(MESSAGE.DataAmf0, 0, metadataBody());
  studio.send(MESSAGE.Video, 0, avcBody('config'));
  studio.send(MESSAGE.Audio, 0, aacBody('config'));
  const slab = new Slab(CHUNK_SIZE);
  for (const frame of studio.frames) {
    assert.equal(frame.role, 'config');
    assert.ok(frame.data.buffer.byteLength < 1_000, `${frame.codec} keeps ${frame.data.buffer.byteLength} bytes`);
    const { buffer } = wireForm(frame, slab).block;
    assert.ok(buffer.byteLength < 1_000, `the wire form of ${frame.codec} keeps ${buffer.byteLength} bytes`);
  }
});

test('times go on across the wrap', () => {
  const studio = new Studio();
  for (const timestamp of [2 ** 32 - 40, 0, 40]) studio.send(MESSAGE.Audio, timestamp, aacBody('delta'));
  assert.deepEqual(
    studio.frames.map(({ dts }) => dts / 1000 - 2 ** 32),
    [-40, 0, 40],
  );
  // on the wire they are as they came
  const wires = studio.frames.map((frame) => wireForm(frame, new Slab(CHUNK_SIZE)));
  assert.equal(wires[1]!.block.readUIntBE(wires[1]!.start + 1, 3), 0);
});

test('what it has sent is known: pictures, sound', () => {
  const studio = new Studio();
  assert.deepEqual([studio.publisher.hasVideo, studio.publisher.hasAudio], [false, false]);
  studio.send(MESSAGE.Audio, 0, aacBody('delta'));
  assert.deepEqual([studio.publisher.hasVideo, studio.publisher.hasAudio], [false, true]);
  studio.send(MESSAGE.Video, 0, avcBody('key'));
  assert.deepEqual([studio.publisher.hasVideo, studio.publisher.hasAudio], [true, true]);
});

test('messages of nothing are dropped, cut ones are a fault', () => {
  const studio = new Studio();
  studio.send(MESSAGE.Video, 0, Buffer.alloc(0));
  assert.deepEqual(studio.frames, []);
  assert.throws(
    () => studio.send(MESSAGE.Video, 0, Buffer.of(0x17)),
    (error) => error instanceof PeerError && error.code === 'rtmp/flv',
  );
});

test('a name has one publisher; who is evicted reads why, and relays nothing any more', () => {
  const studio = new Studio();
  assert.throws(() => studio.another(), RefusedError);
  studio.another('somebody else came');
  assert.deepEqual(studio.reasons, ['somebody else came']);
  studio.send(MESSAGE.Video, 0, avcBody('key'));
  studio.publisher.close();
  assert.deepEqual(studio.frames, []);
  assert.equal(studio.stream.live, true);
});

test('reordered pictures are told of once, as soon as they are known', () => {
  const studio = new Studio();
  studio.send(MESSAGE.Video, 0, avcBody('config'));
  studio.send(MESSAGE.Video, 0, avcBody('key'));
  assert.deepEqual(studio.reasons, []);
  studio.send(MESSAGE.Video, 40, avcBody('delta', 64, 80));
  studio.send(MESSAGE.Video, 80, avcBody('delta', 64, 0));
  assert.deepEqual(studio.reasons, ['reordered']);
});
