/**
 * One source of a publisher: its packets, in order and asked for again where they lack, become access units.
 *
 *   packet ──▶ reception ──▶ losses ──▶ reorder buffer ──▶ depacketizer ──▶ unit
 *              (reports)     (NACK)                        └─▶ broken (PLI)
 */
import type { Millis } from '../base/clock.ts';
import type { Codec } from '../media/frame.ts';
import { describeVideo } from '../media/video-description.ts';
import { LossList } from './loss-list.ts';
import type { SourceClock } from './media-timeline.ts';
import type { RtpCodec, RtpMedia } from './negotiated.ts';
import { Reception } from './reception.ts';
import { ReorderBuffer, type ReorderLimits } from './reorder-buffer.ts';
import type { AccessUnit, Depacketizer, RtpPacket } from './rtp.ts';
import { depacketizerOf } from './rtp-formats.ts';
import { extendSequence } from './sequence.ts';

export interface ReceiverEvents {
  unit(receiver: RtpReceiver, unit: AccessUnit): void;
  /** Pictures cannot be decoded until the next key picture; told with each packet that comes meanwhile. */
  broken(receiver: RtpReceiver): void;
}

/** What a source is one form of. */
export interface ReceiverLayer {
  readonly media: RtpMedia;
  /** Undefined without simulcast. */
  readonly rid: string | undefined;
}

/** What people are told of one source. */
export interface SourceStats {
  readonly kind: 'audio' | 'video';
  readonly ssrc: number;
  /** Of its simulcast layer; undefined without. */
  readonly rid: string | undefined;
  /** Of its latest packets. */
  readonly codec: Codec;
  /** Is it the layer that viewers get? */
  readonly active: boolean;
  readonly packets: number;
  readonly bytes: number;
  /** Given up. */
  readonly lost: number;
  /** Came after we asked. */
  readonly recovered: number;
  /** Packets asked for, each time counted. */
  readonly nacks: number;
  /** Key pictures asked for. */
  readonly plis: number;
  readonly frames: number;
  readonly keyFrames: number;
  /** RFC 3550 section 6.4.1. */
  readonly jitter: Millis;
  /** Bits a second. */
  readonly bitrate: number;
  /** From asking for a packet to its coming, smoothed. */
  readonly rtt: Millis;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** What the sources of a publisher have counted together. */
export type SourceTotals = Record<'packets' | 'lost' | 'recovered' | 'nacks' | 'plis', number>;

const VIDEO_LIMITS: ReorderLimits = { packets: 1024, bytes: 4 << 20 };
const AUDIO_LIMITS: ReorderLimits = { packets: 64, bytes: 256 << 10 };
/** What only comes out of order needs no more. */
const REORDER_WAIT: Millis = 50;
const AUDIO_WAIT: Millis = 60;
/** A question, its repetition, and what the timers add. */
const ASKING_TRIPS = 2;
const ASKING_MARGIN: Millis = 120;
const MIN_ASKING_WAIT: Millis = 150;
const MAX_ASKING_WAIT: Millis = 500;
/** More are not asked for, packet by packet: a key picture comes sooner. */
const MAX_MISSING = 256;
/**
 * A number so far ahead of the others is a stray, unless the next one follows it (RFC 3550 appendix A.1); backwards, one that has no
 * place in the reorder buffer any more.
 */
const MAX_JUMP = 3000;

export class RtpReceiver {
  readonly media: RtpMedia;
  readonly ssrc: number;
  readonly rid: string | undefined;
  readonly clock: SourceClock;
  readonly losses = new LossList();
  recovered = 0;
  nacks = 0;
  frames = 0;
  keyFrames = 0;
  /** Of its last key picture, where somebody had to know; pixels. */
  size: { readonly width: number; readonly height: number } | undefined;
  /** The decoder configuration of its latest unit. */
  config: Buffer | undefined;
  readonly #events: ReceiverEvents;
  readonly #codecs: ReadonlyMap<number, RtpCodec>;
  readonly #limits: ReorderLimits;
  #listening = true;
  #reception: Reception | undefined;
  #buffer: ReorderBuffer | undefined;
  #lostBefore = 0;
  #highest = 0;
  #stray = -1;
  #codec: RtpCodec;
  #depacketizer: Depacketizer | undefined;
  #gap = false;

  /** `codec`: of its first packet. */
  constructor(layer: ReceiverLayer, ssrc: number, codec: RtpCodec, clock: SourceClock, events: ReceiverEvents) {
    this.media = layer.media;
    this.ssrc = ssrc;
    this.rid = layer.rid;
    this.clock = clock;
    this.#events = events;
    this.#codecs = new Map(layer.media.codecs.map((known) => [known.payloadType, known]));
    this.#limits = layer.media.kind === 'video' ? VIDEO_LIMITS : AUDIO_LIMITS;
    this.#codec = codec;
  }

  /** Of its latest packets. */
  get codec(): RtpCodec {
    return this.#codec;
  }

  get reception(): Reception | undefined {
    return this.#reception;
  }

  get lost(): number {
    return this.#lostBefore + (this.#buffer?.lost ?? 0);
  }

  /** Since its last packet; 0 before the first. */
  silentFor(now: Millis): Millis {
    return this.#reception === undefined ? 0 : now - this.#reception.lastPacketAt;
  }

  /** Are its packets made into units, or only counted? True at first. */
  get listening(): boolean {
    return this.#listening;
  }

  set listening(on: boolean) {
    if (on !== this.#listening) this.#forgetPackets();
    this.#listening = on;
  }

  /** Takes a packet of `bytes` in all. `repeated`: it came as a retransmission (RFC 4588), its original header restored. */
  take(packet: RtpPacket, bytes: number, now: Millis, repeated: boolean): void {
    const extended = this.#place(packet.sequence, repeated);
    if (extended === undefined) return;
    if (!repeated) {
      this.clock.begin(packet.timestamp, now);
      this.#reception ??= new Reception(this.ssrc, this.#codec.clockRate, extended, now);
      this.#reception.take(extended, packet.timestamp, bytes, now);
    }
    const { codec } = this;
    const first = this.#highest + 1;
    this.#highest = Math.max(this.#highest, extended);
    if (!this.#listening) return;
    this.#buffer ??= this.#newBuffer(extended);
    const buffer = this.#buffer;
    if (codec.feedback.nack) this.losses.add(first, extended);
    // without a format of its own, any packet that was asked for may be the answer
    if (this.losses.arrived(extended, now, repeated || codec.rtx === undefined)) this.recovered += 1;
    buffer.push(extended, packet, now);
    this.#forgetLosses(buffer);
  }

  /** Lets go what has waited long enough. */
  check(now: Millis): void {
    this.#reception?.check(now);
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    buffer.wait = this.#wait();
    buffer.check(now);
    this.#forgetLosses(buffer);
  }

  /** Sequence numbers to ask for now. */
  due(now: Millis): number[] {
    const numbers = this.losses.due(now);
    this.nacks += numbers.length;
    return numbers;
  }

  /** Notes the size of a key picture. */
  measure(unit: AccessUnit): void {
    const { codec } = this.#codec;
    const { data } = unit;
    const frame = { kind: 'video', codec, dts: 0, pts: 0, track: 0 } as const;
    const config = this.config && { ...frame, role: 'config' as const, size: this.config.length, data: this.config };
    const { width, height } = describeVideo({ ...frame, role: 'key', size: data.length, data, config });
    if (width !== undefined && height !== undefined) this.size = { width, height };
  }

  stats(active: boolean, plis: number): SourceStats {
    const { ssrc, rid, lost, recovered, nacks, frames, keyFrames, losses, size } = this;
    const { packets = 0, bytes = 0, jitter = 0, bitrate = 0 } = this.#reception ?? {};
    return {
      ...{ kind: this.media.kind, ssrc, rid, codec: this.#codec.codec, active },
      ...{ packets, bytes, lost, recovered, nacks, plis, frames, keyFrames },
      ...{ jitter, bitrate, rtt: losses.rtt, width: size?.width, height: size?.height },
    };
  }

  /** The extended number of a packet; undefined for one that belongs to nothing. */
  #place(sequence: number, repeated: boolean): number | undefined {
    if (this.#reception === undefined) {
      // one cycle up, so that packets before the first have numbers as well
      if (repeated) return undefined;
      this.#highest = sequence + 0xffff;
      return sequence + 0x10000;
    }
    const extended = extendSequence(sequence, this.#highest);
    const step = extended - this.#highest;
    const near = step <= MAX_JUMP && step > -this.#limits.packets;
    if (repeated) return near ? extended : undefined;
    if (near) {
      this.#stray = -1;
      return extended;
    }
    const follows = sequence === this.#stray;
    this.#stray = (sequence + 1) & 0xffff;
    if (!follows) return undefined;
    this.#restart(extended);
    return extended;
  }

  /** The source numbers its packets anew. */
  #restart(extended: number): void {
    this.#forgetPackets();
    this.#reception!.restart(extended);
    this.#highest = extended - 1;
  }

  /** Drops what waits; what comes next follows a gap. */
  #forgetPackets(): void {
    this.#lostBefore = this.lost;
    this.#buffer = undefined;
    this.losses.forget(Number.POSITIVE_INFINITY);
    this.#gap = true;
  }

  #newBuffer(first: number): ReorderBuffer {
    return new ReorderBuffer(first, this.#wait(), this.#limits, (packet, gap) => this.#deliver(packet, gap));
  }

  #forgetLosses(buffer: ReorderBuffer): void {
    if (this.losses.size > MAX_MISSING) buffer.giveUp();
    this.losses.forget(buffer.next);
  }

  #wait(): Millis {
    if (this.media.kind === 'audio') return AUDIO_WAIT;
    if (!this.#codec.feedback.nack) return REORDER_WAIT;
    const asking = ASKING_TRIPS * this.losses.rtt + ASKING_MARGIN;
    return Math.max(MIN_ASKING_WAIT, Math.min(MAX_ASKING_WAIT, asking));
  }

  #deliver(packet: RtpPacket, gap: boolean): void {
    this.#gap ||= gap;
    const codec = this.#codecs.get(packet.payloadType);
    // comfort noise, redundancy and padding share the numbers, and say nothing
    if (codec === undefined || packet.payload.length === 0) return;
    if (codec !== this.#codec || this.#depacketizer === undefined) {
      this.#codec = codec;
      this.#depacketizer = depacketizerOf(codec);
      this.config = undefined;
    }
    if (this.#depacketizer === undefined) return;
    const units = this.#depacketizer.push(packet, this.#gap);
    this.#gap = false;
    for (const unit of units) {
      this.frames += 1;
      if (unit.key) this.keyFrames += 1;
      if (unit.config !== undefined) this.config = unit.config;
      this.#events.unit(this, unit);
    }
    if (this.#depacketizer.broken) this.#events.broken(this);
  }
}
