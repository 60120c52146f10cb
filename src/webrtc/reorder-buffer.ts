/**
 * Packets of one source, put in order. What comes in order passes at once; what comes early waits, bounded in time, in number and
 * in bytes, for what is missing before it.
 *
 *   next ▼            ▼ highest
 *   ─────┬─┬─┬─┬─┬─┬─┬─┬────
 *   gone │ │5│ │7│8│ │a│        delivered: nothing until `next` comes or is given up; then 5
 */
import type { Millis } from '../base/clock.ts';
import type { RtpPacket } from './rtp.ts';

export interface ReorderLimits {
  /** From the first missing packet to the latest, at most. */
  readonly packets: number;
  /** Payload bytes that wait, at most. */
  readonly bytes: number;
}

/** `gap`: packets before it are lost for good. A payload is the caller's again after the call. */
export type Deliver = (packet: RtpPacket, gap: boolean) => void;

export class ReorderBuffer {
  /** How long a packet waits for one before it. May change at any time. */
  wait: Millis;
  /** Given up, since the beginning. */
  lost = 0;
  readonly #limits: ReorderLimits;
  readonly #deliver: Deliver;
  /** By sequence number, modulo its length. */
  readonly #slots: (RtpPacket | undefined)[];
  /** When each number was first passed over, at the same place. */
  readonly #missedAt: Float64Array;
  #next: number;
  #highest: number;
  #held = 0;
  #bytes = 0;
  #gap = false;

  /** `first`: the number that is delivered first, extended (see sequence.ts). */
  constructor(first: number, wait: Millis, limits: ReorderLimits, deliver: Deliver) {
    this.wait = wait;
    this.#limits = limits;
    this.#deliver = deliver;
    this.#slots = new Array(limits.packets).fill(undefined);
    this.#missedAt = new Float64Array(limits.packets);
    this.#next = first;
    this.#highest = first - 1;
  }

  /** Whatever lies before it has been delivered or given up. */
  get next(): number {
    return this.#next;
  }

  /** Packets that wait. */
  get held(): number {
    return this.#held;
  }

  /** Payload bytes that wait. */
  get heldBytes(): number {
    return this.#bytes;
  }

  /** Takes packet number `extended`; false when it came twice or too late. */
  push(extended: number, packet: RtpPacket, now: Millis): boolean {
    if (extended < this.#next) return false;
    if (extended === this.#next && this.#held === 0) {
      this.#next += 1;
      this.#highest = Math.max(this.#highest, extended);
      this.#pass(packet);
      return true;
    }
    const { packets, bytes } = this.#limits;
    if (extended - this.#next >= packets) this.#advance(extended - packets + 1);
    const at = this.#at(extended);
    if (this.#slots[at] !== undefined) return false;
    this.#miss(extended, now);
    this.#slots[at] = { ...packet, payload: Buffer.from(packet.payload) };
    this.#held += 1;
    this.#bytes += packet.payload.length;
    this.#drain();
    while (this.#bytes > bytes) this.#skip();
    this.check(now);
    return true;
  }

  /** Delivers what has waited long enough. */
  check(now: Millis): void {
    while (this.#held > 0 && now - this.#missedAt[this.#at(this.#next)]! >= this.wait) this.#skip();
  }

  /** Delivers all that waits; what is missing before it is given up. */
  giveUp(): void {
    this.#advance(this.#highest + 1);
  }

  #at(extended: number): number {
    // numbers before the first are never looked up
    return extended % this.#slots.length;
  }

  #miss(extended: number, now: Millis): void {
    for (let number = Math.max(this.#highest + 1, this.#next); number < extended; number++) {
      this.#missedAt[this.#at(number)] = now;
    }
    this.#highest = Math.max(this.#highest, extended);
  }

  #drain(): void {
    for (;;) {
      const packet = this.#take();
      if (packet === undefined) return;
      this.#next += 1;
      this.#pass(packet);
    }
  }

  /** Gives up what is missing now. */
  #skip(): void {
    if (this.#held === 0) return;
    while (this.#slots[this.#at(this.#next)] === undefined) this.#lose(1);
    this.#drain();
  }

  /** Makes `next` the next one to deliver. */
  #advance(next: number): void {
    while (this.#next < next && this.#held > 0) {
      const packet = this.#take();
      if (packet === undefined) {
        this.#lose(1);
      } else {
        this.#next += 1;
        this.#pass(packet);
      }
    }
    if (this.#next < next) this.#lose(next - this.#next);
    this.#highest = Math.max(this.#highest, this.#next - 1);
  }

  #lose(count: number): void {
    this.#next += count;
    this.lost += count;
    this.#gap = true;
  }

  /** Takes the packet at `next` out. */
  #take(): RtpPacket | undefined {
    const at = this.#at(this.#next);
    const packet = this.#slots[at];
    if (packet === undefined) return undefined;
    this.#slots[at] = undefined;
    this.#held -= 1;
    this.#bytes -= packet.payload.length;
    return packet;
  }

  #pass(packet: RtpPacket): void {
    const gap = this.#gap;
    this.#gap = false;
    this.#deliver(packet, gap);
  }
}
