import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { readOpusConfig } from '../../src/media/opus.ts';
import { writeRtcp } from '../../src/webrtc/rtcp.ts';
import { RtpPublisher } from '../../src/webrtc/rtp-publisher.ts';
import { rtpCodec } from '../helpers/rtp.ts';
import {
  type CameraOptions,
  negotiated,
  pictureNumber,
  RtpCamera,
  RtpMicrophone,
  RtpTown,
  rtpPacket,
  soundNumber,
  TYPES,
} from '../helpers/rtp-camera.ts';

/** A camera on a path that does nothing to packets, but for those that `drop` takes away. */
function studio(town = new RtpTown(), options: CameraOptions = {}) {
  const state = { drop: (_: Buffer) => false };
  const send = (packet: Buffer) => {
    if (!state.drop(packet)) town.publisher.rtp(packet);
  };
  const camera = new RtpCamera(send, options);
  const microphone = new RtpMicrophone(send);
  const film = (pictures: number) => {
    for (let picture = 0; picture < pictures; picture++) {
      camera.picture();
      microphone.sound();
      town.clock.advance(20);
      microphone.sound();
      town.clock.advance(20);
    }
  };
  return { town, camera, microphone, film, state, send };
}

const numbers = (town: RtpTown) => town.pictures().map(pictureNumber);

test('packets become frames: configuration first, then the key picture, linked to it', () => {
  const { town, film, camera } = studio();
  film(3);
  const [config, first, , second] = town.frames.filter(({ kind }) => kind === 'video').slice(0, 4);
  assert.deepEqual([config?.role, config?.codec, config?.track], ['config', 'vp8', 0]);
  assert.deepEqual([first?.role, first?.codec, first?.dts, first?.pts], ['key', 'vp8', 0, 0]);
  assert.equal(first?.config, config);
  assert.deepEqual(first?.data, camera.sent[0]);
  assert.deepEqual([second?.role, second?.dts], ['delta', 80_000]);
  assert.equal(town.frames.filter(({ role }) => role === 'config').length, 2, 'each configuration once');
});

test('sounds come with the header that Opus needs', () => {
  const { town, film } = studio();
  film(2);
  const [config, ...sounds] = town.frames.filter(({ kind }) => kind === 'audio');
  assert.deepEqual([config?.role, config?.codec], ['config', 'opus']);
  assert.equal(readOpusConfig(config!.data)?.channels, 2);
  assert.deepEqual(sounds.map(soundNumber), [0, 1, 2, 3]);
  assert.deepEqual(
    sounds.map(({ dts, role }) => [dts, role]),
    [0, 20_000, 40_000, 60_000].map((dts) => [dts, 'delta']),
  );
  assert.ok(sounds.every((sound) => sound.config === config));
});

test('what comes is told, frame by frame', () => {
  const { town, film } = studio();
  assert.deepEqual([town.publisher.hasVideo, town.publisher.hasAudio], [false, false]);
  film(3);
  assert.deepEqual([town.publisher.hasVideo, town.publisher.hasAudio], [true, true]);
  const relayed = town.frames.filter(({ role }) => role !== 'config').map(({ kind }) => kind);
  assert.deepEqual(town.media, relayed);
});

test('a lost packet is asked for, and its repetition fills the gap', () => {
  for (const repeats of ['rtx', 'plain'] as const) {
    const town = new RtpTown(negotiated({ rtx: repeats === 'rtx' }));
    const { camera, film, state } = studio(town, { repeats });
    film(3);
    const lost = (camera.sequence + 1) & 0xffff;
    state.drop = (packet) => packet.readUInt32BE(8) === camera.ssrc && packet.readUInt16BE(2) === lost;
    film(1);
    state.drop = () => false;
    camera.picture();
    town.clock.advance(20);
    assert.deepEqual(
      town.of('nack').map(({ media, lost: asked }) => [media, asked]),
      [[camera.ssrc, [lost]]],
    );
    assert.deepEqual(numbers(town), [0, 1, 2]);
    camera.hear(writeRtcp([town.of('nack')[0]!]));
    assert.deepEqual(numbers(town), [0, 1, 2, 3, 4]);
    const [stats] = town.publisher.stats().filter(({ kind }) => kind === 'video');
    assert.deepEqual([stats?.recovered, stats?.nacks, stats?.lost], [1, 1, 0], repeats);
    assert.equal(town.of('pli').length, 0);
  }
});

test('nothing is asked for that was only overtaken', () => {
  const { town, camera, film, state } = studio();
  film(2);
  const late: Buffer[] = [];
  const first = camera.sequence;
  state.drop = (packet) =>
    packet.readUInt32BE(8) === camera.ssrc && packet.readUInt16BE(2) === first && late.push(packet) > 0;
  camera.picture();
  state.drop = () => false;
  town.publisher.rtp(late[0]!);
  town.clock.advance(100);
  assert.equal(town.of('nack').length, 0);
  assert.deepEqual(numbers(town), [0, 1, 2]);
});

test('what stays lost: no picture until the next key picture, which is asked for', () => {
  const { town, camera, film, state } = studio(new RtpTown(), { repeats: 'never' });
  film(3);
  state.drop = (packet) => packet.readUInt32BE(8) === camera.ssrc && packet[1]! === TYPES.vp8;
  film(1);
  state.drop = () => false;
  film(20);
  assert.deepEqual(numbers(town), [0, 1, 2]);
  const plis = town.of('pli');
  assert.deepEqual([plis[0]?.sender, plis[0]?.media], [1, camera.ssrc]);
  camera.hear(writeRtcp([plis[0]!]));
  film(3);
  assert.deepEqual(numbers(town), [0, 1, 2, 24, 25, 26]);
  assert.equal(town.pictures()[3]!.role, 'key');
  assert.equal(town.publisher.stats().find(({ kind }) => kind === 'video')?.plis, plis.length);
});

test('a gap too large is not asked for: a key picture is, at once', () => {
  const { town, camera, film, state } = studio(new RtpTown(), { repeats: 'never' });
  film(10);
  state.drop = (packet) => packet.readUInt32BE(8) === camera.ssrc;
  for (let picture = 0; picture < 100; picture++) camera.picture();
  state.drop = () => false;
  camera.picture();
  town.clock.advance(20);
  assert.deepEqual([town.of('nack').length, town.of('pli').length], [0, 1]);
  camera.wantsKey = true;
  film(1);
  assert.deepEqual(numbers(town).slice(-2), [9, 111]);
});

test('too many small gaps are not asked for either', () => {
  const { town, camera, film, state } = studio(new RtpTown(), { repeats: 'never', answersPli: false });
  film(10);
  state.drop = (packet) => packet.readUInt32BE(8) === camera.ssrc && packet.readUInt16BE(2) % 2 === 0;
  for (let picture = 0; picture < 300; picture++) camera.picture();
  town.clock.advance(20);
  const asked = town.of('nack').flatMap(({ lost }) => lost).length;
  assert.ok(asked <= 256, `${asked}`);
});

test('key pictures are asked for at most twice a second, and more slowly when none comes', () => {
  const { town, film } = studio(new RtpTown(), { answersPli: false });
  film(1);
  const at: number[] = [];
  town.onRtcp = () => {
    if (town.of('pli').length > at.length) at.push(town.clock.now());
  };
  for (let round = 0; round < 500; round++) {
    town.publisher.requestKeyFrame();
    town.clock.advance(20);
  }
  const pauses = at.slice(1).map((time, index) => time - at[index]!);
  assert.ok(
    pauses.every((pause) => pause >= 500),
    pauses.join(),
  );
  assert.ok(at.length >= 4 && at.length <= 7, `${at.length} in ten seconds`);
});

test('a viewer who asks gets an answer at once, and the next one half a second later', () => {
  const { town, camera, film } = studio();
  town.onRtcp = (compound) => camera.hear(compound);
  film(20);
  town.publisher.requestKeyFrame();
  assert.equal(town.of('pli').length, 1);
  film(1);
  assert.equal(town.pictures().at(-1)!.role, 'key');
  town.publisher.requestKeyFrame();
  assert.equal(town.of('pli').length, 1, 'too soon');
  film(13);
  assert.equal(town.of('pli').length, 2);
  town.publisher.requestKeyFrame();
  film(13);
  assert.equal(town.of('pli').length, 3, 'whoever answers is asked no more slowly');
});

test('FIR, numbered, where only that was agreed upon; nothing where nothing was', () => {
  const fir = studio(new RtpTown(negotiated({ feedback: { pli: false } })));
  fir.film(5);
  fir.town.publisher.requestKeyFrame();
  assert.deepEqual(fir.town.of('fir'), [{ type: 'fir', sender: 1, requests: [{ media: 1000, number: 1 }] }]);
  const none = studio(new RtpTown(negotiated({ feedback: { pli: false, fir: false } })));
  none.film(5);
  none.town.publisher.requestKeyFrame();
  none.film(50);
  assert.deepEqual([none.town.of('fir').length, none.town.of('pli').length], [0, 0]);
});

test('a stream whose first key picture was lost asks for another', () => {
  const { town, camera, film } = studio();
  camera.wantsKey = false;
  town.onRtcp = (compound) => camera.hear(compound);
  film(10);
  assert.ok(town.of('pli').length === 1 && town.pictures().length > 0);
  assert.equal(town.pictures()[0]!.role, 'key');
});

test('arrival times are told about each 60 ms, for all that came', () => {
  const { town, film, camera } = studio();
  film(50);
  const told = town.of('twcc');
  assert.ok(told.length >= 25 && told.length <= 40, `${told.length} in two seconds`);
  assert.equal(told[0]!.base, 65_000);
  const packets = told.reduce((sum, { deltas }) => sum + deltas.filter((delta) => delta !== undefined).length, 0);
  assert.ok(camera.packets - packets <= 6, `${packets} of ${camera.packets}`);
});

test('with arrival times, the limit is what the operator allows; without, it follows the losses', () => {
  for (const transportCc of [true, false]) {
    const town = new RtpTown(negotiated({ feedback: { transportCc } }), 3_000_000);
    const { film, camera, microphone, state } = studio(town, { repeats: 'never', answersPli: false });
    film(30);
    assert.equal(town.of('twcc').length > 0, transportCc);
    const before = town.of('remb');
    assert.ok(before.length >= 2 && before.length <= 4);
    assert.ok(before.every(({ bitrate }) => bitrate > 2_999_900 && bitrate <= 3_000_000));
    assert.deepEqual(before.at(-1)!.media, [microphone.ssrc, camera.ssrc]);
    state.drop = (packet) => packet.readUInt16BE(2) % 3 === 0;
    film(80);
    const { bitrate } = town.of('remb').at(-1)!;
    assert.equal(bitrate > 2_999_900, transportCc, `${bitrate}`);
    assert.ok(transportCc || bitrate < 1_000_000);
  }
});

test('no limit is told where nobody would hear it', () => {
  const { town, film } = studio(new RtpTown(negotiated({ feedback: { remb: false } })));
  film(50);
  assert.equal(town.of('remb').length, 0);
});

test('receiver reports each second: losses, and what the last sender report was', () => {
  const { town, film, camera, microphone, state } = studio(new RtpTown(), { repeats: 'never' });
  film(10);
  town.publisher.rtcp(camera.report(3_900_000_000_500_000));
  state.drop = (packet) => packet.readUInt32BE(8) === microphone.ssrc && packet.readUInt16BE(2) % 4 === 0;
  film(20);
  const [report] = town.of('rr').filter(({ blocks }) => blocks.length > 0);
  assert.deepEqual(
    report!.blocks.map(({ ssrc }) => ssrc),
    [microphone.ssrc, camera.ssrc],
  );
  const [sound, picture] = report!.blocks;
  assert.ok(sound!.lost >= 5 && sound!.fractionLost > 20, 'sound was lost');
  assert.equal(picture!.lost, 0);
  assert.equal(picture!.lastReport, (((3_900_000_000 & 0xffff) << 16) | 0x8000) >>> 0);
  assert.ok(Math.abs(picture!.sinceLastReport / 65_536 - 0.62) < 0.1);
  assert.deepEqual(town.of('sdes')[0]?.sources, [{ ssrc: 1, cname: 'castgate' }]);
  assert.equal(town.told[0]?.type, 'rr', 'compounds begin with a report');
});

test('sender reports bring lips and voice together', () => {
  const { town, camera, microphone } = studio();
  const wall = 3_900_000_000_000_000;
  let picture = 0;
  for (let ms = 0; ms < 6000; ms += 20) {
    microphone.sound();
    // pictures take 200 ms longer than sounds
    if (ms >= 200 && ms % 40 === 0) {
      camera.picture();
      picture = ms - 200;
    }
    if (ms % 1000 === 0) {
      town.publisher.rtcp(microphone.report(wall + (ms + 20) * 1000));
      if (ms > 0) town.publisher.rtcp(camera.report(wall + (picture + 40) * 1000));
    }
    town.clock.advance(20);
  }
  const sound = town.sounds().at(-1)!;
  const last = town.pictures().at(-1)!;
  const soundCaptured = soundNumber(sound) * 20;
  const pictureCaptured = pictureNumber(last) * 40;
  const apart = sound.dts / 1000 - soundCaptured - (last.dts / 1000 - pictureCaptured);
  assert.ok(Math.abs(apart) <= 40, `${apart} ms`);
});

test('a source that leaves makes room', () => {
  const { town, camera, film, send } = studio();
  film(2);
  town.publisher.rtcp(writeRtcp([{ type: 'bye', sources: [camera.ssrc] }]));
  assert.deepEqual(
    town.publisher.stats().map(({ kind }) => kind),
    ['audio'],
  );
  const next = new RtpCamera(send, { ssrc: 3000, timestamp: 5, sequence: 9 });
  next.picture();
  next.picture();
  const last = town.pictures().slice(-2);
  assert.deepEqual(
    last.map(({ role }) => role),
    ['key', 'delta'],
  );
  assert.ok(last[0]!.dts > town.pictures().at(-3)!.dts);
});

test('a source that numbers its packets anew goes on with a key picture', () => {
  const { town, camera, film } = studio();
  film(5);
  camera.sequence = 20_000;
  camera.wantsKey = true;
  film(5);
  camera.wantsKey = true;
  film(5);
  assert.deepEqual(numbers(town), [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
});

test('numbers that begin anew a little back silence nobody for longer than the reorder limit', () => {
  for (const back of [66, 150, 1_100, 2_900, 3_100]) {
    const { town, microphone } = studio();
    const sound = (count: number) => {
      for (let at = 0; at < count; at++) {
        microphone.sound();
        town.clock.advance(20);
      }
    };
    sound(100);
    microphone.sequence = (microphone.sequence - back) & 0xffff;
    sound(10);
    const heard = town.sounds().map(soundNumber);
    // the first is a stray until the next follows
    assert.deepEqual(heard.slice(100), [101, 102, 103, 104, 105, 106, 107, 108, 109], `${back} back`);
  }
  for (const back of [1_026, 2_900]) {
    const { town, camera, film } = studio();
    film(5);
    camera.sequence = (camera.sequence - back) & 0xffff;
    film(1);
    camera.wantsKey = true;
    film(5);
    assert.deepEqual(numbers(town), [0, 1, 2, 3, 4, 6, 7, 8, 9, 10], `${back} back`);
  }
});

test('late packets that do not follow one another begin nothing anew', () => {
  const { town, microphone } = studio();
  const late = (back: number) => {
    const { sequence } = microphone;
    microphone.sequence = (sequence - back) & 0xffff;
    microphone.sound();
    microphone.sequence = sequence;
    town.clock.advance(20);
  };
  const sound = (count: number) => {
    for (let at = 0; at < count; at++) {
      microphone.sound();
      town.clock.advance(20);
    }
  };
  sound(200);
  late(100);
  sound(5);
  // the successor of the late one, if the five between did not count
  late(104);
  sound(5);
  assert.equal(town.sounds().length, 210);
  assert.equal(town.publisher.totals().lost, 0);
});

test('another clock rate on the same source: times, jitter and reports begin anew with it', () => {
  const pcmu = { payloadType: 0, clockRate: 8_000, channels: 1 } as const;
  const [opus] = negotiated().audio.codecs;
  const { town, microphone, send } = studio(
    new RtpTown(negotiated({}, { codecs: [opus!, rtpCodec('g711u', { ...pcmu, feedback: opus!.feedback })] })),
  );
  for (let at = 0; at < 50; at++) {
    microphone.sound();
    town.clock.advance(20);
  }
  const header = { marker: false, payloadType: pcmu.payloadType, ssrc: microphone.ssrc };
  for (let at = 0; at < 100; at++) {
    const numbers = { sequence: (microphone.sequence + at) & 0xffff, timestamp: 7_000 + at * 160 };
    send(rtpPacket({ ...header, ...numbers }, Buffer.alloc(160, 0xff)));
    town.clock.advance(20);
  }
  const sounds = town.sounds();
  assert.deepEqual([sounds.length, sounds.at(-1)?.codec], [150, 'g711u']);
  const steps = sounds.slice(1).map(({ dts }, at) => dts - sounds[at]!.dts);
  assert.deepEqual(new Set(steps), new Set([20_000]));
  const [stats] = town.publisher.stats();
  assert.deepEqual([stats?.codec, stats?.packets, stats?.active], ['g711u', 100, true]);
  assert.ok(stats!.jitter < 1, `${stats!.jitter} ms of jitter`);
  assert.equal(town.publisher.totals().packets, 150);
  assert.equal(town.publisher.totals().lost, 0);
});

test('a viewer who is waiting may ask for a key picture while the publisher is being let in', () => {
  const { stream, clock } = new RtpTown();
  const settled = negotiated();
  const parts = { stream, negotiated: settled, options: { maxPublishBitrate: 1 }, clock, takeover: 'moved' };
  let begun = 0;
  const viewer = stream.subscribe({
    write() {},
    began() {
      begun += 1;
      viewer?.requestKeyFrame();
    },
    ended() {},
    viewers: 1,
  });
  const before = begun;
  const publisher = new RtpPublisher({ ...parts, events: { rtcp: () => {}, evicted: () => {} } });
  assert.ok(begun > before, 'the viewer was told');
  publisher.close();
  assert.ok(!stream.live);
});

test('who is evicted is told, and its packets go nowhere', () => {
  const { town, film } = studio();
  film(2);
  const before = town.frames.length;
  const parts = { stream: town.stream, negotiated: negotiated(), options: { maxPublishBitrate: 1 }, clock: town.clock };
  const events = { rtcp: () => {}, evicted: () => {} };
  assert.throws(
    () => new RtpPublisher({ ...parts, events }),
    (error) => error instanceof RefusedError && error.code === 'access/duplicate',
  );
  const other = new RtpPublisher({ ...parts, events, takeover: 'moved' });
  assert.equal(town.evictedBy, 'moved');
  film(2);
  assert.equal(town.frames.length, before);
  town.publisher.close();
  assert.ok(town.stream.live, 'the other one has it');
  other.close();
  assert.ok(!town.stream.live);
});

test('after the end there is silence, and no timer', () => {
  const { town, film, camera } = studio();
  film(5);
  town.publisher.close();
  town.publisher.close();
  const { length } = town.told;
  camera.picture();
  town.publisher.rtcp(camera.report(3.9e15));
  town.publisher.requestKeyFrame();
  town.clock.advance(5000);
  assert.equal(town.told.length, length);
  assert.equal(town.clock.pending, 0);
});

test('whoever sends nothing costs nothing', () => {
  const town = new RtpTown();
  assert.equal(town.clock.pending, 0);
});

test('packets of no use are dropped: cut off, unknown, empty repetitions', () => {
  const { town, film } = studio();
  film(2);
  const before = town.frames.length;
  for (const size of [0, 1, 11, 12]) town.publisher.rtp(Buffer.alloc(size, 0x80));
  const header = { marker: true, payloadType: 50, sequence: 1, timestamp: 1, ssrc: 77 };
  town.publisher.rtp(rtpPacket(header, Buffer.alloc(20)));
  town.publisher.rtp(rtpPacket({ ...header, payloadType: TYPES.rtx }, Buffer.alloc(1)));
  assert.equal(town.frames.length, before);
  assert.equal(town.publisher.stats().length, 2);
});

test('figures of a source', () => {
  const { town, film, camera } = studio();
  film(60);
  const stats = town.publisher.stats().find(({ kind }) => kind === 'video')!;
  assert.deepEqual(
    [stats.ssrc, stats.codec, stats.active, stats.packets, stats.frames, stats.keyFrames, stats.width, stats.height],
    [camera.ssrc, 'vp8', true, camera.packets, 60, 1, 640, 320],
  );
  assert.ok(Math.abs(stats.bitrate - 2500 * 8 * 25) < 60_000, `${stats.bitrate}`);
});
