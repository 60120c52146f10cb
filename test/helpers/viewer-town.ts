/**
 * One stream with a publisher, and WebRTC viewers who check every packet they are sent.
 */
import assert from 'node:assert/strict';
import type { Millis } from '../../src/base/clock.ts';
import type { Frame, FrameRole } from '../../src/media/frame.ts';
import { Hub } from '../../src/relay/hub.ts';
import type { Source } from '../../src/relay/source.ts';
import type { Publication, Stream } from '../../src/relay/stream.ts';
import type { Negotiated, RtcpFeedback } from '../../src/webrtc/negotiated.ts';
import { type RtcpItem, readRtcp, writeRtcp } from '../../src/webrtc/rtcp.ts';
import { RtpAudiences } from '../../src/webrtc/rtp-audiences.ts';
import type { SrtpKeys } from '../../src/webrtc/srtp-keys.ts';
import type { Viewer } from '../../src/webrtc/viewer.ts';
import { seededRandom } from '../fuzz/mutation.ts';
import { AVC_CONFIG, avcUnit, OPUS_CONFIG } from './frames.ts';
import { headerBytes, KeptPath, SrtpListener, srtpKeys } from './srtp-reference.ts';
import { VirtualClock } from './virtual-clock.ts';

export const VIDEO_TYPE = 102;
export const RTX_TYPE = 103;
export const AUDIO_TYPE = 111;

const FEEDBACK: RtcpFeedback = { nack: true, pli: true, fir: true, remb: true, transportCc: false };

export interface Terms {
  readonly video?: boolean;
  readonly audio?: boolean;
  readonly rtx?: boolean;
  readonly playoutDelay?: number | undefined;
  readonly videoType?: number;
  readonly audioType?: number;
}

export function negotiated(terms: Terms = {}): Negotiated {
  const {
    video = true,
    audio = true,
    rtx = true,
    playoutDelay,
    videoType = VIDEO_TYPE,
    audioType = AUDIO_TYPE,
  } = terms;
  const common = { parameters: new Map(), feedback: FEEDBACK };
  const section = { extensions: {}, sources: [], rids: [] };
  return {
    video: video
      ? {
          ...{ kind: 'video', mid: '0', ...section, extensions: playoutDelay === undefined ? {} : { playoutDelay } },
          codecs: [
            {
              codec: 'h264',
              payloadType: videoType,
              clockRate: 90_000,
              channels: 1,
              rtx: rtx ? RTX_TYPE : undefined,
              ...common,
            },
          ],
        }
      : undefined,
    audio: audio
      ? {
          ...{ kind: 'audio', mid: '1', ...section },
          codecs: [{ codec: 'opus', payloadType: audioType, clockRate: 48_000, channels: 2, ...common }],
        }
      : undefined,
  };
}

/** A packet as a viewer got it. */
export interface Got {
  readonly ssrc: number;
  readonly index: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly timestamp: number;
  readonly payload: Buffer;
  readonly bytes: Buffer;
}

export class Watcher {
  readonly path = new KeptPath();
  readonly told: string[] = [];
  readonly rtcp: RtcpItem[] = [];
  readonly viewer: Viewer;
  readonly #listener: SrtpListener;

  constructor(town: ViewerTown, terms: Terms, keys: SrtpKeys) {
    this.#listener = new SrtpListener(keys);
    this.viewer = town.audiences.join(town.source, negotiated(terms), keys, {
      rtcp: (compound) => this.rtcp.push(...readRtcp(compound)),
      changed: () => this.told.push('changed'),
      began: () => this.told.push('began'),
      ended: () => this.told.push('ended'),
    });
  }

  /** What has come since the last time, each packet checked. */
  take(): Got[] {
    return this.path.take().map((packet) => {
      const { plain, index } = this.#listener.receive(packet);
      return {
        ...{ ssrc: plain.readUInt32BE(8), index, payloadType: plain[1]! & 127, marker: plain[1]! >= 128 },
        ...{ timestamp: plain.readUInt32BE(4), payload: plain.subarray(headerBytes(plain)), bytes: plain },
      };
    });
  }

  say(...items: RtcpItem[]): void {
    this.viewer.rtcp(writeRtcp(items));
  }
}

/** The picture's number, in front of its filling; NAL units are cut, their first bytes stay. */
export function videoFrame(role: FrameRole, number: number, millis: Millis, size = 64): Frame {
  const data = avcUnit(role, Math.max(size, 16));
  data.writeUInt32BE(number, 6);
  const config = videoConfig(millis);
  return {
    kind: 'video',
    role,
    codec: 'h264',
    dts: millis * 1000,
    pts: millis * 1000,
    size: data.length,
    data,
    track: 0,
    config,
  };
}

export function videoConfig(millis: Millis): Frame {
  const micros = millis * 1000;
  const data = AVC_CONFIG;
  return { kind: 'video', role: 'config', codec: 'h264', dts: micros, pts: micros, size: data.length, data, track: 0 };
}

export function audioFrame(number: number, millis: Millis, size = 40): Frame {
  const data = Buffer.alloc(size, 0x33);
  data.writeUInt32BE(number, 0);
  const micros = millis * 1000;
  const config: Frame = {
    kind: 'audio',
    role: 'config',
    codec: 'opus',
    dts: 0,
    pts: 0,
    size: 19,
    data: OPUS_CONFIG,
    track: 0,
  };
  return { kind: 'audio', role: 'delta', codec: 'opus', dts: micros, pts: micros, size, data, track: 0, config };
}

export class ViewerTown {
  readonly clock = new VirtualClock();
  readonly stream: Stream;
  /** What viewers are sent: the stream, unless a test says otherwise. */
  source: Source;
  readonly audiences: RtpAudiences;
  publication: Publication | undefined;
  /** Key frames that the publisher was asked for. */
  asked = 0;
  readonly #hub = new Hub();

  constructor(seed = 1) {
    const random = seededRandom(seed);
    this.stream = this.#hub.stream('live', 'room');
    this.source = this.stream;
    this.audiences = new RtpAudiences({
      clock: this.clock,
      random: (count) => Buffer.from(Array.from({ length: count }, () => random(256))),
      maxDatagram: 1_200,
    });
  }

  publish(): void {
    this.publication = this.stream.publish({ requestKeyFrame: () => this.asked++, evicted: () => {} });
  }

  unpublish(): void {
    this.publication?.close();
    this.publication = undefined;
  }

  write(...frames: Frame[]): void {
    assert.ok(this.publication !== undefined, 'somebody publishes');
    for (const frame of frames) this.publication.write(frame);
  }

  /** A viewer who can be reached at once. */
  watch(terms: Terms = {}, keys = srtpKeys()): Watcher {
    const watcher = new Watcher(this, terms, keys);
    watcher.viewer.path = watcher.path;
    return watcher;
  }
}

export function live(seed = 1): ViewerTown {
  const town = new ViewerTown(seed);
  town.publish();
  town.write(videoConfig(0));
  return town;
}

/** Pictures from key frame to key frame. */
const GOP = 10;

/** `pictures` at 25 a second from `from`, with two units of sound each; a key frame every ten. Time passes. */
export function broadcast(town: ViewerTown, from: number, pictures: number, size = 3_000): void {
  for (let number = from; number < from + pictures; number++) {
    const millis = number * 40;
    town.write(
      videoFrame(number % GOP === 0 ? 'key' : 'delta', number, millis, size),
      audioFrame(2 * number, millis),
      audioFrame(2 * number + 1, millis + 20),
    );
    town.clock.advance(40);
  }
}
