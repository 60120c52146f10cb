/**
 * Answers the NACKs of one viewer for one track from the ring (RFC 4585 section 6.2.1): under numbers of their own when RTX was agreed
 * (RFC 4588), else by the same packets, byte by byte.
 */
import type { Millis } from '../base/clock.ts';
import type { Path } from './path.ts';
import type { RtpTrack } from './rtp-track.ts';
import type { Recipient, SrtpBatch, ViewerKeys } from './srtp-batch.ts';
import { BATCH_PACKETS } from './srtp-kernel-code.ts';
import type { TrackCursor } from './track-cursor.ts';

export interface RtxForm {
  readonly ssrc: number;
  readonly payloadType: number;
  /** Of the first packet; below 32,768. */
  readonly firstIndex: number;
}

/** Bytes a second that retransmissions may take, as a share of what the viewer gets, and at least. */
const SHARE = 0.5;
const MIN_RATE = 128_000;
/** So much at once: seconds of that rate. */
const BURST_SECONDS = 0.5;
/** A packet is not sent again before the last one can have arrived. */
const MIN_INTERVAL: Millis = 10;
/** Of a round trip. */
const INTERVAL_SHARE = 0.8;
/** Packets whose last retransmission is remembered, by position; two that fall together may be sent once more. */
const REMEMBERED = 256;
/** RFC 4588 section 4: the original sequence number. */
const OSN_BYTES = 2;

export class Retransmission implements Recipient {
  readonly keys: ViewerKeys;
  readonly payloadType: number;
  /** Packets sent again. */
  packets = 0;
  wireBytes = 0;
  /** Of the next batch. */
  index: number;
  readonly #batch: SrtpBatch;
  readonly #track: RtpTrack;
  readonly #cursor: TrackCursor;
  readonly #rtx: RtxForm | undefined;
  readonly #recipients: readonly Recipient[];
  readonly #scratch: Buffer;
  /** Since when nothing was asked: these exist for viewers who lose packets. */
  #positions: Float64Array | undefined;
  #times: Float64Array | undefined;
  #credit = MIN_RATE * BURST_SECONDS;
  #creditAt: Millis = 0;

  constructor(batch: SrtpBatch, track: RtpTrack, cursor: TrackCursor, rtx: RtxForm | undefined, scratch: Buffer) {
    this.keys = cursor.keys;
    this.payloadType = rtx?.payloadType ?? cursor.payloadType;
    this.index = rtx?.firstIndex ?? 0;
    this.#batch = batch;
    this.#track = track;
    this.#cursor = cursor;
    this.#rtx = rtx;
    this.#recipients = [this];
    this.#scratch = scratch;
  }

  get path(): Path | undefined {
    return this.#cursor.path;
  }

  /** `rate`: bytes a second that the viewer gets. `roundTrip`: 0 while it is unknown. */
  answer(lost: readonly number[], now: Millis, rate: number, roundTrip: Millis): void {
    const allowed = Math.max(MIN_RATE, rate * SHARE);
    this.#credit = Math.min(allowed * BURST_SECONDS, this.#credit + ((now - this.#creditAt) * allowed) / 1000);
    this.#creditAt = now;
    const interval = Math.max(MIN_INTERVAL, roundTrip * INTERVAL_SHARE);
    const { ring } = this.#track;
    let open = false;
    for (const sequence of lost) {
      const position = this.#cursor.positionOf(sequence);
      if (position < 0 || !ring.has(position) || this.#credit < ring.sizeOf(position)) continue;
      if (!this.#isDue(position, now, interval)) continue;
      this.#credit -= ring.sizeOf(position);
      if (this.#rtx === undefined) {
        this.#again(position);
        continue;
      }
      if (!open) this.#batch.begin(this.#rtx.ssrc);
      open = true;
      this.#putRtx(this.#rtx, position);
      if (this.#batch.count < BATCH_PACKETS) continue;
      this.#send();
      open = false;
    }
    if (open) this.#send();
  }

  #isDue(position: number, now: Millis, interval: Millis): boolean {
    this.#positions ??= new Float64Array(REMEMBERED).fill(-1);
    this.#times ??= new Float64Array(REMEMBERED);
    const at = position % REMEMBERED;
    if (this.#positions[at] === position && now - this.#times[at]! < interval) return false;
    this.#positions[at] = position;
    this.#times[at] = now;
    return true;
  }

  #again(position: number): void {
    const { ring, ssrc } = this.#track;
    this.#batch.begin(ssrc);
    this.#batch.put(ring.bytes, ring.offsetOf(position), ring.sizeOf(position), ring.headerOf(position));
    this.index = this.#cursor.indexOf(position);
    this.#send();
  }

  /** The packet with another source, and its number in front of the payload. */
  #putRtx({ ssrc }: RtxForm, position: number): void {
    const { ring } = this.#track;
    const scratch = this.#scratch;
    const at = ring.offsetOf(position);
    const header = ring.headerOf(position);
    const size = ring.sizeOf(position);
    ring.bytes.copy(scratch, 0, at, at + header);
    scratch.writeUInt32BE(ssrc, 8);
    scratch.writeUInt16BE(this.#cursor.indexOf(position) & 0xffff, header);
    ring.bytes.copy(scratch, header + OSN_BYTES, at + header, at + size);
    this.#batch.put(scratch, 0, size + OSN_BYTES, header);
  }

  #send(): void {
    const batch = this.#batch;
    batch.send(this.#recipients);
    this.index += batch.count;
    this.packets += batch.count;
    this.wireBytes += batch.wireBytesFor(this.keys);
  }
}
