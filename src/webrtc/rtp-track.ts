/**
 * One kind of media of an audience: frames become packets once, whoever they are for. SSRC, timestamps and extensions are the same
 * for all viewers, as each has keys of its own; only payload type and sequence number are set for each while it is encrypted.
 */
import type { Codec, Frame, Micros } from '../media/frame.ts';
import { PacketRing, type RingLimits } from './packet-ring.ts';
import type { Packetize, RtpPayload } from './rtp.ts';
import type { RtpClock } from './rtp-clock.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from './rtp-header.ts';
import type { TrackCursor } from './track-cursor.ts';

export type TrackKind = 'video' | 'audio';

export interface TrackForm {
  readonly kind: TrackKind;
  readonly codec: Codec;
  readonly ssrc: number;
  readonly clock: RtpClock;
  readonly packetize: Packetize;
  /** Header extensions of key frames, as `writeExtensions` made them. */
  readonly keyExtensions: Buffer | undefined;
}

/** Who lags further behind when a key frame comes goes on with that. */
const LATE: Micros = 300_000;

export class RtpTrack {
  readonly kind: TrackKind;
  readonly codec: Codec;
  readonly ssrc: number;
  readonly clock: RtpClock;
  readonly ring: PacketRing;
  readonly cursors: TrackCursor[] = [];
  /** Where the round of the fan-out goes on. */
  turn = 0;
  /** In the fan-out's queue. */
  queued = false;
  readonly #form: TrackForm;
  readonly #maxPayload: number;
  #time: Micros = 0;

  constructor(form: TrackForm, limits: RingLimits) {
    this.kind = form.kind;
    this.codec = form.codec;
    this.ssrc = form.ssrc;
    this.clock = form.clock;
    this.#form = form;
    this.#maxPayload = limits.packetBytes - RTP_HEADER_BYTES - (form.keyExtensions?.length ?? 0);
    this.ring = new PacketRing(limits);
  }

  /** Puts `frame`, whose times are moved by `shift`, into the ring. False when it has no form as RTP. */
  write(frame: Frame, shift: Micros): boolean {
    const payloads = this.#form.packetize(frame, this.#maxPayload);
    if (payloads.length === 0) return false;
    const key = this.kind === 'video' && frame.role === 'key';
    const timestamp = this.clock.timestamp(frame.pts + shift);
    this.#time = Math.max(this.#time, frame.dts + shift);
    if (key) this.ring.keyAt = this.ring.end;
    for (const payload of payloads) this.#push(payload, timestamp, key ? this.#form.keyExtensions : undefined);
    if (key) this.#takeAlong();
    return true;
  }

  /** The publisher has gone: nobody starts at what it left. */
  forget(): void {
    this.ring.keyAt = -1;
  }

  /**
   * Lets `cursor` start: at the key frame, or waiting for one; with sound, at the next packet. Answers whether there is a picture to
   * start with.
   */
  start(cursor: TrackCursor): boolean {
    if (this.kind === 'audio') {
      cursor.moveTo(this.ring.end);
    } else if (this.ring.keyAt < 0) {
      cursor.wait();
      return false;
    } else {
      cursor.moveTo(this.ring.keyAt);
    }
    return true;
  }

  /** How far `cursor` is behind the newest packet. */
  lag(cursor: TrackCursor): Micros {
    if (!this.ring.has(cursor.position)) return 0;
    return this.ring.timeOf(this.ring.end - 1) - this.ring.timeOf(cursor.position);
  }

  #push({ parts, size, marker }: RtpPayload, timestamp: number, extensions: Buffer | undefined): void {
    const at = this.ring.room();
    const { bytes } = this.ring;
    const { ssrc } = this.#form;
    // payload type and number are set for each viewer
    const payloadAt = writeRtpHeader(bytes, at, { marker, payloadType: 0, sequence: 0, timestamp, ssrc }, extensions);
    let end = payloadAt;
    for (const part of parts) end += part.copy(bytes, end);
    this.ring.push(payloadAt - at + size, payloadAt - at, this.#time);
  }

  /** A key frame has come: who waits for one, or is late, goes on from here. */
  #takeAlong(): void {
    const { keyAt } = this.ring;
    if (keyAt < 0) return;
    for (const cursor of this.cursors) {
      if (cursor.position < 0 || (cursor.position < keyAt && this.lag(cursor) > LATE)) cursor.moveTo(keyAt);
    }
  }
}
