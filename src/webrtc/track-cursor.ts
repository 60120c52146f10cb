/**
 * One viewer's place in one track, and the sequence numbers it has been given there.
 *
 * Every viewer has sequence numbers of its own: they begin low, so that no roll-over comes before the receiver has seen a packet
 * (RFC 3711 section 3.3.1 lets it guess the first counter as 0), and they go on without a gap when packets are left out.
 */
import type { Millis } from '../base/clock.ts';
import type { PacketRing } from './packet-ring.ts';
import { PATH_QUEUE_MARK, type Path } from './path.ts';
import { extendSequence } from './sequence.ts';
import type { Recipient, ViewerKeys } from './srtp-batch.ts';

/** A viewer gets so many packets at once: less than what fits into the receive buffer of a plain socket, as the kernel counts. */
const BURST_PACKETS = 64;
/** And so many more each millisecond: 38 Mbit/s of full packets. */
const PACKETS_PER_MILLI = 4;

/** What cursors of one viewer share. */
export interface CursorOwner {
  readonly keys: ViewerKeys;
  readonly path: Path | undefined;
  /** Its first packets have been sent. */
  started(cursor: TrackCursor): void;
}

export class TrackCursor implements Recipient {
  readonly keys: ViewerKeys;
  readonly payloadType: number;
  /** The next packet to send; -1: waits for a key frame. */
  position = -1;
  packets = 0;
  /** Payload bytes, as sender reports have them. */
  bytes = 0;
  /** With headers and tags. */
  wireBytes = 0;
  readonly #owner: CursorOwner;
  /** From positions to indexes, since `#start`. */
  #shift: number;
  /** The first position that was sent under this shift. */
  #start = 0;
  #nextIndex: number;
  #credit = BURST_PACKETS;
  #creditAt: Millis = 0;

  /** `payloadType`: as the viewer calls the track's codec. `firstIndex`: of the first packet; below 32,768. */
  constructor(owner: CursorOwner, payloadType: number, firstIndex: number) {
    this.keys = owner.keys;
    this.payloadType = payloadType;
    this.#owner = owner;
    this.#nextIndex = firstIndex;
    this.#shift = firstIndex;
  }

  get path(): Path | undefined {
    return this.#owner.path;
  }

  /** Index of the packet at `position`. */
  get index(): number {
    return this.position + this.#shift;
  }

  /** Goes on at `position`, wherever it was before: with the next number, so that no number ever means two packets. */
  moveTo(position: number): void {
    if (position === this.position) return;
    this.position = position;
    this.#start = position;
    this.#shift = this.#nextIndex - position;
  }

  /** For a key frame. */
  get waits(): boolean {
    return this.position < 0;
  }

  wait(): void {
    this.position = -1;
  }

  /** Is served by itself, packet by packet. */
  get alone(): boolean {
    return 'sender' in this.keys;
  }

  /** There are packets that it has not been sent, and a way to send them. */
  wants(ring: PacketRing): boolean {
    return this.position >= 0 && this.position < ring.end && this.#owner.path !== undefined;
  }

  /** Its path takes no more for now. */
  get blocked(): boolean {
    const path = this.#owner.path;
    return path !== undefined && path.queuedBytes > PATH_QUEUE_MARK;
  }

  /** How many packets may be sent now, `most` at most. */
  allowed(ring: PacketRing, now: Millis, most: number): number {
    if (!this.wants(ring) || this.blocked) return 0;
    this.#credit = Math.min(BURST_PACKETS, this.#credit + (now - this.#creditAt) * PACKETS_PER_MILLI);
    this.#creditAt = now;
    return Math.min(most, ring.end - this.position, Math.floor(this.#credit));
  }

  /** `count` packets have been sent. */
  sent(count: number, payloadBytes: number, wireBytes: number): void {
    const first = this.packets === 0;
    this.position += count;
    this.#nextIndex = this.position + this.#shift;
    this.#credit -= count;
    this.packets += count;
    this.bytes += payloadBytes;
    this.wireBytes += wireBytes;
    if (first) this.#owner.started(this);
  }

  /** Position of the packet that was sent with `sequence`; -1 when that was not since the last move. */
  positionOf(sequence: number): number {
    const position = extendSequence(sequence, this.#nextIndex - 1) - this.#shift;
    return position >= this.#start && position < this.#nextIndex - this.#shift ? position : -1;
  }

  indexOf(position: number): number {
    return position + this.#shift;
  }
}
