/** A publisher of RTP on a path that loses, delays and doubles: pictures of VP8 and sounds of Opus that carry their number. */
import type { Clock, Millis } from '../../src/base/clock.ts';
import type { Frame } from '../../src/media/frame.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { Stream } from '../../src/relay/stream.ts';
import type { Negotiated, RtcpFeedback, RtpCodec, RtpMedia } from '../../src/webrtc/negotiated.ts';
import { type RtcpItem, readRtcp, writeRtcp } from '../../src/webrtc/rtcp.ts';
import { writeExtensions, writeRtpHeader } from '../../src/webrtc/rtp-header.ts';
import { RtpPublisher } from '../../src/webrtc/rtp-publisher.ts';
import { packetizeVp8 } from '../../src/webrtc/vp8-rtp.ts';
import type { Random } from '../fuzz/mutation.ts';
import { frame } from './frames.ts';
import { rtpCodec } from './rtp.ts';
import { VirtualClock } from './virtual-clock.ts';

export const FEEDBACK: RtcpFeedback = { nack: true, pli: true, fir: true, remb: true, transportCc: true };
export const EXTENSIONS = { mid: 1, rid: 2, repairedRid: 3, transportCc: 4 } as const;
export const TYPES = { vp8: 96, rtx: 97, opus: 111 } as const;

/** One m-section of video and one of audio, as a browser offers them. */
export function negotiated(
  video: Partial<RtpMedia> & { feedback?: Partial<RtcpFeedback>; rtx?: boolean } = {},
  audio: Partial<RtpMedia> = {},
): Negotiated & { readonly video: RtpMedia; readonly audio: RtpMedia } {
  const { feedback, rtx = true, ...media } = video;
  const vp8 = rtpCodec('vp8', {
    payloadType: TYPES.vp8,
    rtx: rtx ? TYPES.rtx : undefined,
    feedback: { ...FEEDBACK, ...feedback },
  });
  const none = { nack: false, pli: false, fir: false, remb: false, transportCc: feedback?.transportCc ?? true };
  const opus = rtpCodec('opus', { payloadType: TYPES.opus, clockRate: 48_000, channels: 2, feedback: none });
  return {
    audio: section('audio', '0', opus, audio),
    video: section('video', '1', vp8, media),
  };
}

function section(kind: 'audio' | 'video', mid: string, codec: RtpCodec, more: Partial<RtpMedia>): RtpMedia {
  return { kind, mid, codecs: [codec], extensions: EXTENSIONS, sources: [], rids: [], ...more };
}

/** A stream that somebody publishes by RTP; what is relayed, and what the publisher is told. */
export class RtpTown {
  readonly clock = new VirtualClock();
  readonly stream = new Stream('live', 'show', GOP_DEFAULTS, () => {});
  readonly frames: Frame[] = [];
  readonly told: RtcpItem[] = [];
  readonly publisher: RtpPublisher;
  /** Where what the publisher is told goes, besides `told`. */
  onRtcp: (compound: Buffer) => void = () => {};
  readonly media: string[] = [];
  evictedBy: string | undefined;

  constructor(settled: Negotiated = negotiated(), maxPublishBitrate = 5_000_000) {
    const write = (frame: Frame) => this.frames.push(frame);
    this.stream.subscribe({ write, began: () => {}, ended: () => {}, viewers: 1 });
    this.publisher = new RtpPublisher({
      stream: this.stream,
      negotiated: settled,
      options: { maxPublishBitrate },
      clock: this.clock,
      events: {
        rtcp: (compound) => {
          this.told.push(...readRtcp(compound));
          this.onRtcp(compound);
        },
        evicted: (reason) => {
          this.evictedBy = reason;
        },
        media: (kind) => this.media.push(kind),
      },
    });
  }

  of<T extends RtcpItem['type']>(type: T): Extract<RtcpItem, { type: T }>[] {
    return this.told.filter((item): item is Extract<RtcpItem, { type: T }> => item.type === type);
  }

  pictures(): Frame[] {
    return this.frames.filter(({ kind, role }) => kind === 'video' && role !== 'config');
  }

  sounds(): Frame[] {
    return this.frames.filter(({ kind, role }) => kind === 'audio' && role !== 'config');
  }
}

export interface PathOptions {
  /** Of 100. */
  readonly loss?: number;
  readonly doubles?: number;
  /** One way. */
  readonly delay?: Millis;
  /** Added at random, so that packets overtake one another. */
  readonly jitter?: Millis;
}

/** Calls `deliver` later, once, twice or never. Memory is lent: it is spoilt afterwards. */
export function lossyPath(clock: Clock, random: Random, options: PathOptions, deliver: (bytes: Buffer) => void) {
  const { loss = 0, doubles = 0, delay = 0, jitter = 0 } = options;
  const lend = (bytes: Buffer) => {
    const lent = Buffer.from(bytes);
    deliver(lent);
    lent.fill(0xee);
  };
  return (bytes: Buffer) => {
    if (random(100) < loss) return;
    const copies = random(100) < doubles ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      clock.after(delay + (jitter > 0 ? random(jitter + 1) : 0), () => lend(bytes));
    }
  };
}

export interface CameraOptions {
  readonly ssrc?: number;
  readonly rtxSsrc?: number;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly mid?: string;
  readonly rid?: string;
  /** Retransmissions as packets of their own (RFC 4588), as they were, or none. */
  readonly repeats?: 'rtx' | 'plain' | 'never';
  readonly answersPli?: boolean;
}

/** Packets kept for retransmission. */
const KEPT = 2000;

/** One video source. Pictures are numbered from 0. */
export class RtpCamera {
  readonly ssrc: number;
  readonly rtxSsrc: number;
  /** The pictures as they were sent, by number. */
  readonly sent: Buffer[] = [];
  readonly keys = new Set<number>();
  /** Numbers of the transport, shared by all sources of a session. */
  readonly transport: { next: number };
  wantsKey = true;
  sequence: number;
  timestamp: number;
  packets = 0;
  bytes = 0;
  #rtxSequence = 500;
  readonly #options: CameraOptions;
  readonly #send: (packet: Buffer) => void;
  readonly #kept = new Map<number, { header: Parameters<typeof writeRtpHeader>[2]; payload: Buffer }>();

  constructor(send: (packet: Buffer) => void, options: CameraOptions = {}, transport = { next: 65_000 }) {
    this.#send = send;
    this.#options = options;
    this.transport = transport;
    this.ssrc = options.ssrc ?? 1000;
    this.rtxSsrc = options.rtxSsrc ?? this.ssrc + 1;
    this.sequence = options.sequence ?? 65_500;
    this.timestamp = options.timestamp ?? 0xffff_ff00;
  }

  /** Sends one picture of `size` bytes and goes on by `millis`. */
  picture(size = 2500, millis: Millis = 40, width = 640): void {
    const number = this.sent.length;
    const key = this.wantsKey;
    this.wantsKey = false;
    if (key) this.keys.add(number);
    const data = pictureData(key, number, size, width);
    this.sent.push(data);
    for (const { parts, marker } of packetizeVp8(
      frame('video', key ? 'key' : 'delta', 0, { codec: 'vp8', data }),
      1100,
    )) {
      this.#packet(Buffer.concat(parts), marker);
    }
    this.advance(millis);
  }

  advance(millis: Millis): void {
    this.timestamp = (this.timestamp + millis * 90) >>> 0;
  }

  /** Hears what the publisher is told. */
  hear(compound: Buffer): void {
    for (const item of readRtcp(compound)) {
      if (item.type === 'nack' && item.media === this.ssrc) for (const sequence of item.lost) this.#repeat(sequence);
      const asked =
        item.type === 'pli' ? item.media === this.ssrc : item.type === 'fir' && item.requests[0]?.media === this.ssrc;
      if (asked && this.#options.answersPli !== false) this.wantsKey = true;
    }
  }

  /** A sender report: now is `ntpMicros`, and the timestamp of the next picture. */
  report(ntpMicros: number): Buffer {
    return senderReport(this.ssrc, ntpMicros, this.timestamp, this.packets, this.bytes);
  }

  #packet(payload: Buffer, marker: boolean): void {
    const { ssrc, timestamp } = this;
    const header = { marker, payloadType: TYPES.vp8, sequence: this.sequence, timestamp, ssrc };
    this.#kept.set(header.sequence, { header, payload });
    this.#kept.delete((header.sequence - KEPT) & 0xffff);
    this.sequence = (this.sequence + 1) & 0xffff;
    this.packets += 1;
    this.bytes += payload.length;
    this.#send(rtpPacket(header, payload, this.#extensions(EXTENSIONS.rid)));
  }

  #repeat(sequence: number): void {
    const kept = this.#kept.get(sequence);
    const { repeats = 'rtx' } = this.#options;
    if (kept === undefined || repeats === 'never') return;
    const { header, payload } = kept;
    if (repeats === 'plain') {
      this.#send(rtpPacket(header, payload, this.#extensions(EXTENSIONS.rid)));
      return;
    }
    const number = Buffer.of(sequence >> 8, sequence & 255);
    const rtx = { ...header, payloadType: TYPES.rtx, ssrc: this.rtxSsrc, sequence: this.#rtxSequence++ & 0xffff };
    this.#send(rtpPacket(rtx, Buffer.concat([number, payload]), this.#extensions(EXTENSIONS.repairedRid)));
  }

  #extensions(ridId: number): Buffer {
    const { mid, rid } = this.#options;
    const number = this.transport.next++ & 0xffff;
    return writeExtensions([
      { id: EXTENSIONS.transportCc, value: Buffer.of(number >> 8, number & 255) },
      ...(mid === undefined ? [] : [{ id: EXTENSIONS.mid, value: Buffer.from(mid) }]),
      ...(rid === undefined ? [] : [{ id: ridId, value: Buffer.from(rid) }]),
    ]);
  }
}

/** One audio source: 20 ms of Opus each time. */
export class RtpMicrophone {
  readonly ssrc: number;
  sequence = 65_530;
  timestamp: number;
  sent = 0;
  readonly #send: (packet: Buffer) => void;

  constructor(send: (packet: Buffer) => void, ssrc = 2000, timestamp = 0xffff_f000) {
    this.#send = send;
    this.ssrc = ssrc;
    this.timestamp = timestamp;
  }

  sound(millis: Millis = 20): void {
    const payload = Buffer.alloc(40, 0x11);
    // one frame of 20 ms, by its first byte
    payload[0] = 0xf8;
    payload.writeUInt32BE(this.sent, 4);
    const { ssrc, sequence, timestamp } = this;
    this.#send(rtpPacket({ marker: false, payloadType: TYPES.opus, sequence, timestamp, ssrc }, payload));
    this.sequence = (sequence + 1) & 0xffff;
    this.timestamp = (timestamp + millis * 48) >>> 0;
    this.sent += 1;
  }

  report(ntpMicros: number): Buffer {
    return senderReport(this.ssrc, ntpMicros, this.timestamp, this.sent, this.sent * 40);
  }
}

export function rtpPacket(header: Parameters<typeof writeRtpHeader>[2], payload: Buffer, extensions?: Buffer): Buffer {
  const packet = Buffer.alloc(12 + (extensions?.length ?? 0) + payload.length);
  payload.copy(packet, writeRtpHeader(packet, 0, header, extensions));
  return packet;
}

function senderReport(ssrc: number, ntpMicros: number, timestamp: number, packets: number, bytes: number): Buffer {
  const seconds = Math.floor(ntpMicros / 1e6);
  const fraction = Math.floor(((ntpMicros - seconds * 1e6) / 1e6) * 2 ** 32);
  return writeRtcp([{ type: 'sr', ssrc, ntp: { seconds, fraction }, timestamp, packets, bytes, blocks: [] }]);
}

/** A key frame names its width (RFC 6386 section 9.1). */
function pictureData(key: boolean, number: number, size: number, width: number): Buffer {
  const data = Buffer.alloc(Math.max(20, size), number & 255);
  data[0] = key ? 0x10 : 0x31;
  data.writeUIntBE(0x9d012a, 3, 3);
  data.writeUInt16LE(width, 6);
  data.writeUInt16LE(width >> 1, 8);
  data.writeUInt32BE(number, 12);
  return data;
}

/** The number of a picture that was relayed. */
export function pictureNumber({ data }: Frame): number {
  return data.readUInt32BE(12);
}

export function soundNumber({ data }: Frame): number {
  return data.readUInt32BE(4);
}
