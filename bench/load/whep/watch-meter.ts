/**
 * What arrives at one viewer, by the RTP header, which SRTP leaves readable (RFC 3711 section 3.1). A sampled viewer also decrypts and
 * checks every packet, and reads the publisher's mark of the time at the end of each picture.
 */
import { AVC_NAL } from '../../../src/media/h264.ts';
import type { ReportBlock } from '../../../src/webrtc/rtcp.ts';
import { rtpHeaderSize } from '../../../src/webrtc/rtp-header.ts';
import type { SrtpKeys } from '../../../src/webrtc/srtp-keys.ts';
import { SrtpReceiver } from '../../../src/webrtc/srtp-receiver.ts';
import { markOf, micros } from '../wire.ts';

const STAP_A = 24;
const HALF_ROUND = 0x8000;

/** One picture on its way to all viewers. */
export interface Picture {
  /** Arrival of its last packet at the first and at the last viewer, microseconds. */
  readonly first: number;
  last: number;
  /** Who has it. */
  viewers: number;
  /** As the viewer with the most counted. */
  packets: number;
}

/** Pictures by RTP timestamp; of all viewers, while the window of measurement is open. */
export type Pictures = Map<number, Picture>;

export class SequenceMeter {
  /** Of the first packet. */
  ssrc = 0;
  /** Never came. One that came late is taken back. */
  lost = 0;
  late = 0;
  #next = -1;

  take(sequence: number): void {
    const step = (sequence - this.#next) & 0xffff;
    if (this.#next < 0 || step === 0) this.#next = (this.#next < 0 ? sequence : this.#next) + 1;
    else if (step < HALF_ROUND) {
      this.lost += step;
      this.#next += step + 1;
    } else {
      this.late += 1;
      this.lost = Math.max(0, this.lost - 1);
    }
  }

  get block(): ReportBlock | undefined {
    if (this.#next < 0) return undefined;
    const { ssrc, lost } = this;
    return { ssrc, lost, highest: this.#next - 1, fractionLost: 0, jitter: 0, lastReport: 0, sinceLastReport: 0 };
  }
}

export class WatchMeter {
  packets = 0;
  bytes = 0;
  readonly video = new SequenceMeter();
  readonly audio = new SequenceMeter();
  /** Microseconds; 0: not yet. */
  firstAt = 0;
  keyFrameAt = 0;
  /** Packets that were no SRTP of the keys agreed, or came twice. */
  forged = 0;
  /** From the publisher's mark to the last packet of the picture, milliseconds. */
  readonly latencies: number[] = [];
  pictures: Pictures | null = null;
  onFirst: (() => void) | null = null;
  onKeyFrame: (() => void) | null = null;
  readonly #types: { readonly video: number; readonly audio: number };
  readonly #receiver: SrtpReceiver | null;
  #pictureBegan = 0;
  #key = false;

  constructor(types: { readonly video: number; readonly audio: number }, keys: SrtpKeys, sampled: boolean) {
    this.#types = types;
    this.#receiver = sampled ? new SrtpReceiver(keys.profile, keys.remote) : null;
  }

  /** RTP. */
  take(packet: Buffer): void {
    this.packets += 1;
    this.bytes += packet.length;
    if (this.firstAt === 0) {
      this.firstAt = micros();
      this.onFirst?.();
    }
    const second = packet[1]!;
    const type = second & 127;
    if (type === this.#types.video) {
      note(this.video, packet);
      if (second >= 128) this.#pictureEnds(packet);
    } else if (type === this.#types.audio) note(this.audio, packet);
    if (this.#receiver !== null) this.#look(packet, type === this.#types.video, this.#receiver);
  }

  #pictureEnds(packet: Buffer): void {
    const packets = this.packets - this.#pictureBegan;
    this.#pictureBegan = this.packets;
    if (this.pictures === null) return;
    const now = micros();
    const timestamp = packet.readUInt32BE(4);
    const picture = this.pictures.get(timestamp);
    if (picture === undefined) this.pictures.set(timestamp, { first: now, last: now, viewers: 1, packets });
    else {
      picture.last = now;
      picture.viewers += 1;
      if (packets > picture.packets) picture.packets = packets;
    }
  }

  #look(packet: Buffer, video: boolean, receiver: SrtpReceiver): void {
    const plain = receiver.unprotect(packet);
    if (plain === undefined) {
      this.forged += 1;
      return;
    }
    if (!video) return;
    this.#key ||= beginsKey(plain, rtpHeaderSize(plain)!);
    if (plain[1]! < 128) return;
    if (this.#key && this.keyFrameAt === 0) {
      this.keyFrameAt = micros();
      this.onKeyFrame?.();
    }
    this.#key = false;
    const sent = markOf(plain, plain.length);
    if (sent > 0 && this.pictures !== null) this.latencies.push((micros() - sent) / 1000);
  }
}

function note(meter: SequenceMeter, packet: Buffer): void {
  if (meter.ssrc === 0) meter.ssrc = packet.readUInt32BE(8);
  meter.take((packet[2]! << 8) | packet[3]!);
}

/** Does a payload hold the parameter sets that stand before a key picture (RFC 6184)? */
function beginsKey(packet: Buffer, at: number): boolean {
  const type = packet[at]! & 31;
  return (type === STAP_A ? packet[at + 3]! & 31 : type) === AVC_NAL.sps;
}
