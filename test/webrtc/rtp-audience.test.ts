import assert from 'node:assert/strict';
import { test } from 'node:test';
import { h264Depacketizer } from '../../src/webrtc/h264-rtp.ts';
import { rtpCodec } from '../helpers/rtp.ts';
import {
  AUDIO_TYPE,
  audioFrame,
  broadcast,
  type Got,
  live,
  RTX_TYPE,
  VIDEO_TYPE,
  videoConfig,
  videoFrame,
} from '../helpers/viewer-town.ts';

/** Numbers of the pictures that a decoder gets out of the video packets, in their order. */
function pictures(got: readonly Got[]): number[] {
  const video = got.filter(({ payloadType }) => payloadType === VIDEO_TYPE);
  const depacketizer = h264Depacketizer(rtpCodec('h264'));
  let expected = video[0]?.index;
  return video
    .flatMap((packet) => {
      const units = depacketizer.push({ ...packet, sequence: packet.index & 0xffff }, packet.index !== expected);
      expected = packet.index + 1;
      return units;
    })
    .map(({ data }) => {
      // behind parameter sets, the picture is the last unit
      let at = 0;
      while (at + 4 + data.readUInt32BE(at) < data.length) at += 4 + data.readUInt32BE(at);
      return data.readUInt32BE(at + 6);
    });
}

function sounds(got: readonly Got[]): number[] {
  return got.filter(({ payloadType }) => payloadType === AUDIO_TYPE).map(({ payload }) => payload.readUInt32BE(0));
}

const upTo = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, index) => from + index);
const indexesOf = (got: readonly Got[], type: number): number[] =>
  got.filter(({ payloadType }) => payloadType === type).map(({ index }) => index);

function contiguous(indexes: readonly number[]): boolean {
  return indexes.every((index, at) => at === 0 || index === indexes[at - 1]! + 1);
}

test('a viewer from the beginning gets every picture and every sound, numbered without a gap', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 25);
  const got = watcher.take();
  assert.deepEqual(pictures(got), upTo(0, 25));
  assert.deepEqual(sounds(got), upTo(0, 50));
  for (const type of [VIDEO_TYPE, AUDIO_TYPE]) assert.ok(contiguous(indexesOf(got, type)));
  assert.deepEqual(
    new Set(got.map(({ ssrc }) => ssrc)),
    new Set([town.audiences.sources.video, town.audiences.sources.audio]),
  );
  assert.ok(
    got.every(({ bytes }) => bytes.length + 18 <= 1_200),
    'tag and RTX number would still fit',
  );
});

test('a newcomer in the middle gets the pictures since the key frame with their own timestamps, and the sound that comes', () => {
  const town = live();
  const first = town.watch();
  broadcast(town, 0, 17);
  const late = town.watch();
  town.clock.advance(40);
  const wanted = first.take().filter(({ payloadType }) => payloadType === VIDEO_TYPE);
  const got = late.take();
  assert.deepEqual(pictures(got), upTo(10, 17));
  assert.deepEqual(sounds(got), []);
  const stamps = (packets: readonly Got[]) => new Set(packets.map(({ timestamp }) => timestamp));
  const video = got.filter(({ payloadType }) => payloadType === VIDEO_TYPE);
  assert.deepEqual([...stamps(video)], [...stamps(wanted)].slice(10));
  broadcast(town, 17, 8);
  const more = late.take();
  assert.deepEqual(pictures([...got, ...more]), upTo(10, 25));
  assert.deepEqual(sounds(more), upTo(34, 50));
});

test('the first of all viewers starts from the cache of the stream', () => {
  const town = live();
  broadcast(town, 0, 17);
  const watcher = town.watch();
  town.clock.advance(40);
  const got = watcher.take();
  assert.deepEqual(pictures(got), upTo(10, 17));
  assert.deepEqual(sounds(got), []);
});

test('a long group in the cache is given to the first viewer whole, and another one asked for', () => {
  const town = live();
  for (let number = 0; number < 60; number++) {
    town.write(videoFrame(number === 0 ? 'key' : 'delta', number, number * 40, 23_000));
  }
  const watcher = town.watch({ audio: false });
  assert.equal(town.asked, 1);
  town.clock.advance(600);
  assert.deepEqual(pictures(watcher.take()), upTo(0, 60));
});

test('first sequence numbers are low, so that no receiver guesses the roll-over counter wrong', () => {
  for (let seed = 1; seed < 40; seed++) {
    const town = live(seed);
    const watcher = town.watch();
    broadcast(town, 0, 1);
    for (const { bytes } of watcher.take()) assert.ok(bytes.readUInt16BE(2) < 32_768 + 10);
  }
});

test('who has no path yet starts at the key frame of the moment when it has one', () => {
  const town = live();
  const watcher = town.watch();
  watcher.viewer.leave();
  const late = town.watch();
  late.viewer.path = undefined;
  broadcast(town, 0, 15);
  assert.deepEqual(late.take(), []);
  late.viewer.path = late.path;
  broadcast(town, 15, 1);
  assert.deepEqual(pictures(late.take()), upTo(10, 16));
});

test('a burst is spread: a plain receive buffer can take what comes at once', () => {
  const town = live();
  for (let number = 0; number < 9; number++)
    town.write(videoFrame(number === 0 ? 'key' : 'delta', number, number * 40, 40_000));
  const watcher = town.watch({ audio: false });
  town.clock.advance(0);
  const atOnce = watcher.take();
  assert.ok(atOnce.length > 0 && atOnce.length <= 64, `${atOnce.length} packets at once`);
  const more: Got[][] = [];
  for (let i = 0; i < 40; i++) {
    town.clock.advance(4);
    more.push(watcher.take());
  }
  assert.ok(more.every((packets) => packets.length <= 40));
  assert.deepEqual(pictures([...atOnce, ...more.flat()]), upTo(0, 9));
});

test('who is far behind when a key frame comes goes on with it, without a gap in the numbers', () => {
  const town = live();
  const watcher = town.watch({ audio: false });
  broadcast(town, 0, 12);
  watcher.path.queuedBytes = 1 << 20;
  broadcast(town, 12, 15);
  watcher.path.queuedBytes = 0;
  broadcast(town, 27, 3);
  const got = watcher.take();
  assert.deepEqual(pictures(got), [...upTo(0, 12), ...upTo(20, 30)]);
  assert.ok(contiguous(indexesOf(got, VIDEO_TYPE)));
  // the ring holds what was left out, and none of it has the numbers of what was sent before
  const before = got.filter(({ timestamp }) => timestamp === got[0]!.timestamp + 11 * 3_600);
  const lost = before.map(({ index }) => index & 0xffff);
  assert.ok(lost.length > 0);
  watcher.say({ type: 'nack', sender: 1, media: town.audiences.sources.video, lost });
  assert.deepEqual(watcher.take(), []);
});

test('a retransmission in between changes nothing for who comes next', () => {
  const town = live();
  const [first, second] = [town.watch({ audio: false }), town.watch({ audio: false })];
  broadcast(town, 0, 3);
  const earlier = first.take();
  second.take();
  second.path.queuedBytes = 1 << 20;
  town.write(videoFrame('delta', 3, 120, 100));
  town.clock.advance(8);
  first.take();
  const lost = [earlier.at(-2)!.index & 0xffff];
  first.say({ type: 'nack', sender: 1, media: town.audiences.sources.video, lost });
  assert.equal(first.take().length, 1);
  second.path.queuedBytes = 0;
  town.clock.advance(32);
  const [packet] = second.take();
  assert.deepEqual([packet?.payload.readUInt32BE(2), packet?.ssrc], [3, town.audiences.sources.video]);
});

test('without a key frame in reach, the publisher is asked and the viewer waits; sound comes at once', () => {
  const town = live();
  const watcher = town.watch();
  for (let number = 1; number < 20; number++) {
    town.write(videoFrame('delta', number, number * 40), audioFrame(number, number * 40));
    town.clock.advance(40);
  }
  const got = watcher.take();
  assert.deepEqual(pictures(got), []);
  assert.deepEqual(sounds(got), upTo(1, 20));
  assert.ok(town.asked >= 1 && town.asked <= 3, `asked ${town.asked} times in 760 ms`);
  town.write(videoFrame('key', 20, 800));
  town.clock.advance(40);
  assert.deepEqual(pictures(watcher.take()), [20]);
});

test('a group that outgrows the ring is given to nobody', () => {
  const town = live();
  const first = town.watch({ audio: false });
  town.write(videoFrame('key', 0, 0));
  for (let number = 1; number < 30; number++) {
    town.write(videoFrame('delta', number, number * 40, 400_000));
    town.clock.advance(400);
  }
  assert.equal(pictures(first.take()).length, 30, 'who was there gets all');
  const late = town.watch({ audio: false });
  town.clock.advance(1_000);
  assert.deepEqual(late.take(), []);
  town.write(videoFrame('key', 30, 1_200));
  town.clock.advance(40);
  assert.deepEqual(pictures(late.take()), [30]);
});

test('a publisher who makes key frames on request is asked for one in time, and no endless group is kept', () => {
  const town = live();
  const first = town.watch({ audio: false });
  let number = 0;
  let answered = 0;
  const film = (pictures: number): void => {
    for (const end = number + pictures; number < end; number++) {
      const key = number === 0 || town.asked > answered;
      if (key) answered = town.asked;
      town.write(videoFrame(key ? 'key' : 'delta', number, number * 40, 23_000));
      town.clock.advance(40);
    }
  };
  answered = town.asked;
  film(45);
  const before = town.asked;
  film(60);
  assert.equal(town.asked, before + 1, 'once, although nobody needed it');
  film(200);
  assert.equal(town.asked, before + 1);
  assert.equal(pictures(first.take()).length, 305);
  const late = town.watch({ audio: false });
  town.clock.advance(20);
  assert.deepEqual(late.take(), []);
  film(3);
  assert.deepEqual(pictures(late.take()), [305, 306, 307]);
});

test('lost packets are sent again: under numbers of their own with RTX, else byte by byte', () => {
  for (const rtx of [true, false]) {
    const town = live();
    const watcher = town.watch({ audio: false, rtx });
    const { video, videoRtx } = town.audiences.sources;
    broadcast(town, 0, 3);
    const got = watcher.take();
    const lost = got.slice(2, 6);
    watcher.say({ type: 'nack', sender: 1, media: video, lost: lost.map(({ index }) => index & 0xffff) });
    const again = watcher.take();
    assert.equal(again.length, lost.length);
    for (const [at, packet] of again.entries()) {
      const wanted = lost[at]!;
      assert.equal(packet.timestamp, wanted.timestamp);
      assert.equal(packet.marker, wanted.marker);
      if (rtx) {
        assert.deepEqual([packet.ssrc, packet.payloadType], [videoRtx, RTX_TYPE]);
        assert.equal(packet.payload.readUInt16BE(0), wanted.index & 0xffff);
        assert.deepEqual(packet.payload.subarray(2), wanted.payload);
        assert.equal(packet.index, again[0]!.index + at);
      } else {
        assert.deepEqual(packet, wanted);
      }
    }
    // again within the round trip: not before the first answer can have arrived
    watcher.say({ type: 'nack', sender: 1, media: video, lost: [lost[0]!.index & 0xffff] });
    assert.deepEqual(watcher.take(), []);
    town.clock.advance(40);
    watcher.say({ type: 'nack', sender: 1, media: video, lost: [lost[0]!.index & 0xffff] });
    assert.equal(watcher.take().length, 1);
    const { retransmitted, nack } = watcher.viewer.stats();
    assert.deepEqual([retransmitted, nack], [5, 6]);
  }
});

test('sound is sent again, too, as it was', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 3);
  const sound = watcher.take().filter(({ payloadType }) => payloadType === AUDIO_TYPE);
  watcher.say({ type: 'nack', sender: 1, media: town.audiences.sources.audio, lost: [sound[1]!.index & 0xffff] });
  assert.deepEqual(watcher.take(), [sound[1]]);
});

test('what was never sent, or is too old, is not sent again; nor more than a share of the bitrate', () => {
  const town = live();
  const watcher = town.watch({ audio: false });
  const media = town.audiences.sources.video;
  broadcast(town, 0, 100, 30_000);
  const got = watcher.take();
  const oldest = got[0]!.index;
  const newest = got.at(-1)!.index;
  watcher.say({
    type: 'nack',
    sender: 1,
    media,
    lost: [oldest & 0xffff, (newest + 1) & 0xffff, (newest + 9_000) & 0xffff],
  });
  assert.deepEqual(watcher.take(), []);
  watcher.say({ type: 'nack', sender: 1, media, lost: got.slice(-700).map(({ index }) => index & 0xffff) });
  const again = watcher.take();
  assert.ok(again.length > 20 && again.length < 350, `${again.length} at once`);
});

test('a picture loss goes to the publisher, not more than twice a second', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 5);
  const media = town.audiences.sources.video;
  town.clock.advance(500);
  const before = town.asked;
  for (let i = 0; i < 10; i++) {
    watcher.say({ type: 'pli', sender: 1, media }, { type: 'fir', sender: 1, requests: [{ media, number: i }] });
    town.clock.advance(50);
  }
  assert.equal(town.asked - before, 1);
  assert.equal(watcher.viewer.stats().pli, 20);
  watcher.say({ type: 'pli', sender: 1, media });
  assert.equal(town.asked - before, 2);
});

test('nobody is asked for a key frame that is on its way', () => {
  const town = live();
  const watcher = town.watch({ audio: false });
  broadcast(town, 0, 5);
  town.clock.advance(600);
  const before = town.asked;
  watcher.path.queuedBytes = 1 << 20;
  town.write(videoFrame('key', 5, 200));
  watcher.say({ type: 'pli', sender: 1, media: town.audiences.sources.video });
  assert.equal(town.asked, before);
});

test('where the publisher does not answer, the cached key frame comes again under new numbers', () => {
  const town = live();
  const watcher = town.watch({ audio: false });
  const media = town.audiences.sources.video;
  town.write(videoFrame('key', 0, 0));
  for (let number = 1; number < 50; number++) {
    town.write(videoFrame('delta', number, number * 40));
    town.clock.advance(40);
    if (number === 20 || number === 45) watcher.say({ type: 'pli', sender: 1, media });
  }
  const got = watcher.take();
  assert.deepEqual(pictures(got), [...upTo(0, 46), ...upTo(0, 50)]);
  assert.ok(contiguous(indexesOf(got, VIDEO_TYPE)));
  assert.equal(town.audiences.counts.restarts, 1);
  // a NACK for what was sent before the restart is not answered with other packets
  watcher.say({ type: 'nack', sender: 1, media, lost: [got[3]!.index & 0xffff] });
  assert.deepEqual(watcher.take(), []);
});

test('the publisher leaves and comes back: same source, numbers go on, timestamps go forward by the time that passed', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 12);
  town.unpublish();
  town.clock.advance(5_000);
  town.publish();
  town.write(videoConfig(0));
  for (let number = 0; number < 5; number++) {
    town.write(videoFrame(number === 1 ? 'key' : 'delta', 100 + number, number * 40), audioFrame(number, number * 40));
    town.clock.advance(40);
  }
  assert.deepEqual(watcher.told, ['ended', 'began']);
  const got = watcher.take();
  const video = got.filter(({ payloadType }) => payloadType === VIDEO_TYPE);
  assert.deepEqual(pictures(got), [...upTo(0, 12), ...upTo(101, 105)]);
  assert.ok(contiguous(video.map(({ index }) => index)));
  const resumed = video.findIndex(
    ({ payload }, at) => at > 30 && video[at]!.timestamp - video[at - 1]!.timestamp > 90_000 && payload,
  );
  const step = ((video[resumed]!.timestamp - video[resumed - 1]!.timestamp) | 0) / 90_000;
  assert.ok(Math.abs(step - 5.08) < 0.05, `${step} s`);
});

test('picture and sound share one timeline: sender reports say so', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 60);
  const reports = watcher.rtcp.filter((item) => item.type === 'sr');
  assert.ok(reports.length >= 4, 'one for each track at once and each second');
  const got = watcher.take();
  const times = new Map<number, number>();
  for (const { ssrc, timestamp, payloadType, payload } of got) {
    const report = reports.findLast((item) => item.ssrc === ssrc)!;
    const rate = payloadType === VIDEO_TYPE ? 90_000 : 48_000;
    const ntp = report.ntp.seconds + report.ntp.fraction / 2 ** 32;
    const time = ntp + ((timestamp - report.timestamp) | 0) / rate;
    if (payloadType === AUDIO_TYPE) times.set(payload.readUInt32BE(0), time);
  }
  const video = got.filter(({ payloadType, marker }) => payloadType === VIDEO_TYPE && marker);
  for (const [number, { timestamp }] of video.entries()) {
    const report = reports.findLast((item) => item.ssrc === town.audiences.sources.video)!;
    const ntp = report.ntp.seconds + report.ntp.fraction / 2 ** 32;
    const time = ntp + ((timestamp - report.timestamp) | 0) / 90_000;
    assert.ok(Math.abs(time - times.get(2 * number)!) < 0.001, `picture ${number}`);
    // and the wall clock is right
    assert.ok(Math.abs(time - 2_208_988_800 - 1_700_000_000 - number * 0.04) < 0.001);
  }
  const last = reports.findLast((item) => item.ssrc === town.audiences.sources.video)!;
  assert.ok(last.packets > 100 && last.bytes > 100_000);
  assert.ok(
    watcher.rtcp.some(
      (item) => item.type === 'sdes' && item.sources.every(({ cname }) => cname === town.audiences.sources.cname),
    ),
  );
});

test('a first viewer of an old stream whose cache has no frames is told the right moment all the same', () => {
  const town = live();
  // a cache that holds no picture, an hour after the configuration
  const hour = 3_600_000;
  town.clock.advance(hour);
  const watcher = town.watch();
  for (let number = 0; number < 30; number++) {
    town.write(videoFrame(number === 0 ? 'key' : 'delta', number, hour + number * 40));
    town.write(audioFrame(number, hour + number * 40));
    town.clock.advance(40);
  }
  const got = watcher.take();
  for (const [type, rate] of [
    [VIDEO_TYPE, 90_000],
    [AUDIO_TYPE, 48_000],
  ] as const) {
    const { ssrc, timestamp } = got.findLast(({ payloadType }) => payloadType === type)!;
    const report = watcher.rtcp.findLast((item) => item.type === 'sr' && item.ssrc === ssrc);
    assert.ok(report?.type === 'sr');
    const ahead = ((timestamp - report.timestamp) | 0) / rate;
    assert.ok(Math.abs(ahead) < 1.1, `${ahead} s ahead of the report`);
  }
});

test('reports of the client become figures', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 50);
  const { video } = town.audiences.sources;
  const report = watcher.rtcp.findLast((item) => item.type === 'sr' && item.ssrc === video);
  assert.ok(report?.type === 'sr');
  const lastReport = (((report.ntp.seconds & 0xffff) << 16) | (report.ntp.fraction >>> 16)) >>> 0;
  const before = town.clock.now();
  town.clock.advance(500);
  const sentAt = report.ntp.seconds + report.ntp.fraction / 2 ** 32 - 2_208_988_800;
  const passed = town.clock.wallTime() / 1000 - sentAt;
  assert.ok(before > 0);
  watcher.say(
    {
      type: 'rr',
      ssrc: 9,
      blocks: [
        {
          ssrc: video,
          fractionLost: 64,
          lost: 12,
          highest: 0,
          jitter: 900,
          lastReport,
          sinceLastReport: Math.round((passed - 0.08) * 65_536),
        },
      ],
    },
    { type: 'remb', sender: 9, bitrate: 2_500_000, media: [video] },
  );
  const stats = watcher.viewer.stats();
  assert.ok(Math.abs(stats.rttMillis - 80) < 1, `${stats.rttMillis} ms`);
  assert.deepEqual([stats.loss, stats.lost, stats.jitterMillis], [0.25, 12, 10]);
  assert.ok(Math.abs(stats.estimatedBitrate - 2_500_000) < 2_500_000 / 2 ** 16);
  assert.ok(stats.bitrate > 500_000 && stats.bitrate < 800_000, `${stats.bitrate}`);
  const wire = watcher.take().reduce((sum, { bytes }) => sum + bytes.length + 10, 0);
  assert.deepEqual([stats.bytes, watcher.viewer.bytesSent], [wire, wire]);
});

test('key frames carry the wish to be shown at once, when that was agreed', () => {
  const town = live();
  const watcher = town.watch({ playoutDelay: 5, audio: false });
  broadcast(town, 0, 2);
  const [key, delta] = Map.groupBy(watcher.take(), ({ timestamp }) => timestamp).values();
  for (const { bytes } of key!) {
    assert.equal(bytes[0]! & 0x10, 0x10);
    assert.equal(bytes.subarray(12, 20).toString('hex'), 'bede000152000000');
  }
  for (const { bytes } of delta!) assert.equal(bytes[0]! & 0x10, 0);
});

test('another codec is told once, and not sent', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 2);
  const before = watcher.take().length;
  assert.ok(before > 0);
  town.unpublish();
  town.publish();
  for (let number = 0; number < 3; number++) {
    town.write({ ...videoFrame('key', number, number * 40), codec: 'vp8' });
    town.clock.advance(40);
  }
  assert.deepEqual(watcher.told, ['ended', 'began', 'changed']);
  assert.deepEqual(watcher.take(), []);
});

test('nothing that a viewer says does harm', () => {
  const town = live();
  const watcher = town.watch();
  broadcast(town, 0, 3);
  for (let length = 0; length < 60; length++) watcher.viewer.rtcp(Buffer.alloc(length, 0x80 + length));
  watcher.say({ type: 'nack', sender: 1, media: 77, lost: [1, 2, 3] });
  watcher.say({
    type: 'rr',
    ssrc: 1,
    blocks: [
      { ssrc: 5, fractionLost: 255, lost: -5, highest: 1, jitter: 2 ** 31, lastReport: 3, sinceLastReport: 2 ** 31 },
    ],
  });
  const before = watcher.take();
  broadcast(town, 3, 2);
  assert.deepEqual(pictures([...before, ...watcher.take()]), upTo(0, 5));
});
