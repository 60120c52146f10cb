/**
 * The newest packets of one track, in plain text: what viewers are sent from and what lost packets are found in. Positions count
 * packets since the track began and never come again; memory is one slot for each, all of one size.
 *
 *    first ......... keyAt ............... end
 *      │ for NACK       │ where newcomers   │ the next packet
 *                         start
 */
import type { Micros } from '../media/frame.ts';

export interface RingLimits {
  /** Bytes of one packet, at most. */
  readonly packetBytes: number;
  /** Slots at the beginning and at most; powers of two. */
  readonly minSlots: number;
  readonly maxSlots: number;
  /** What is younger than this is kept while there are slots to be had. */
  readonly keep: Micros;
}

const SLOT_ALIGNMENT = 16;

export class PacketRing {
  /** The memory of all slots; another one after the ring has grown. */
  bytes: Buffer;
  /** The oldest packet that is held. */
  first = 0;
  /** One past the newest. */
  end = 0;
  /** The first packet of the newest key frame, while it is held whole with all behind it; -1 otherwise. */
  keyAt = -1;
  readonly #limits: RingLimits;
  readonly #slotBytes: number;
  #slots: number;
  #groupSlots: number;
  #sizes: Uint16Array;
  #headers: Uint8Array;
  #times: Float64Array;

  constructor(limits: RingLimits) {
    this.#limits = limits;
    this.#slotBytes = Math.ceil(limits.packetBytes / SLOT_ALIGNMENT) * SLOT_ALIGNMENT;
    this.#slots = limits.minSlots;
    this.#groupSlots = limits.maxSlots;
    this.bytes = Buffer.allocUnsafeSlow(this.#slots * this.#slotBytes);
    this.#sizes = new Uint16Array(this.#slots);
    this.#headers = new Uint8Array(this.#slots);
    this.#times = new Float64Array(this.#slots);
  }

  get slots(): number {
    return this.#slots;
  }

  get maxSlots(): number {
    return this.#limits.maxSlots;
  }

  /** A group of pictures that needs more slots than this is not kept whole. */
  get groupSlots(): number {
    return this.#groupSlots;
  }

  keepGroupsUpTo(slots: number): void {
    this.#groupSlots = slots;
  }

  /** Where the next packet has to be written, `packetBytes` at most. It counts as soon as `push` is called. */
  room(): number {
    if (this.end - this.first === this.#slots && !this.#grow()) {
      this.first += 1;
      if (this.keyAt < this.first) this.keyAt = -1;
    }
    return this.offsetOf(this.end);
  }

  /** The packet that was written to `room` is complete: `size` bytes, of which the first `header` stay readable. `time`: never falls. */
  push(size: number, header: number, time: Micros): void {
    const slot = this.end & (this.#slots - 1);
    this.#sizes[slot] = size;
    this.#headers[slot] = header;
    this.#times[slot] = time;
    this.end += 1;
  }

  has(position: number): boolean {
    return position >= this.first && position < this.end;
  }

  // of a packet that is held

  offsetOf(position: number): number {
    return (position & (this.#slots - 1)) * this.#slotBytes;
  }

  sizeOf(position: number): number {
    return this.#sizes[position & (this.#slots - 1)]!;
  }

  headerOf(position: number): number {
    return this.#headers[position & (this.#slots - 1)]!;
  }

  timeOf(position: number): Micros {
    return this.#times[position & (this.#slots - 1)]!;
  }

  /** Twice as large, if the oldest packet is still wanted and there may be more slots. */
  #grow(): boolean {
    const { maxSlots, keep } = this.#limits;
    const young = this.timeOf(this.end - 1) - this.timeOf(this.first) < keep;
    const whole = this.keyAt >= 0 && this.keyAt <= this.first && this.#slots < this.#groupSlots;
    if (!(young || whole) || this.#slots === maxSlots) return false;
    const old = {
      slots: this.#slots,
      bytes: this.bytes,
      sizes: this.#sizes,
      headers: this.#headers,
      times: this.#times,
    };
    this.#slots = 2 * old.slots;
    this.bytes = Buffer.allocUnsafeSlow(this.#slots * this.#slotBytes);
    this.#sizes = new Uint16Array(this.#slots);
    this.#headers = new Uint8Array(this.#slots);
    this.#times = new Float64Array(this.#slots);
    for (let position = this.first; position < this.end; position++) {
      const from = position & (old.slots - 1);
      const to = position & (this.#slots - 1);
      old.bytes.copy(this.bytes, to * this.#slotBytes, from * this.#slotBytes, (from + 1) * this.#slotBytes);
      this.#sizes[to] = old.sizes[from]!;
      this.#headers[to] = old.headers[from]!;
      this.#times[to] = old.times[from]!;
    }
    return true;
  }
}
