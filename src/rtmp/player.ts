/**
 * One RTMP viewer of one stream, as its audience sees it: where the shared bytes go, and whether video may pass now.
 */
import type { Clock, Millis } from '../base/clock.ts';
import { Valve, type ValveLimits } from '../relay/valve.ts';
import type { Transport } from './transport.ts';

export interface PlayerEvents {
  /** The publisher came, or was there when the player joined. */
  began(): void;
  /** The publisher left. */
  ended(): void;
  /** Takes too little for too long; the owner closes it. */
  tooSlow(): void;
}

export class Player {
  readonly transport: Transport;
  readonly events: PlayerEvents;
  readonly valve = new Valve();
  readonly #limits: ValveLimits;
  /** Bytes of the opening burst that may wait besides: they are the cache's own, and the player asked for them. */
  #burst = 0;
  #stalledAt: Millis | undefined;
  #stalledBytes = 0;

  constructor(transport: Transport, limits: ValveLimits, events: PlayerEvents) {
    this.transport = transport;
    this.#limits = limits;
    this.events = events;
  }

  /** Bytes waiting that count against the limits. */
  get lateBytes(): number {
    const queued = this.transport.queuedBytes;
    if (queued <= this.#limits.lowBytes) this.#burst = 0;
    return Math.max(0, queued - this.#burst);
  }

  /** The opening: what is in the cache, unlimited by the valve. `decodable`: it starts at a key frame, or there is no video. */
  open(pieces: readonly Buffer[], decodable: boolean): void {
    for (const piece of pieces) {
      this.#burst += piece.length;
      this.transport.write(piece);
    }
    if (decodable) this.valve.admits(true, 0, this.#limits);
    else this.valve.shut();
  }

  /** May a unit pass; `key`: it starts a decodable run. */
  admits(key: boolean): boolean {
    // the common case: nothing waits, the valve is open
    if (this.valve.open && this.transport.queuedBytes <= this.#limits.highBytes) return true;
    return this.valve.admits(key, this.lateBytes, this.#limits);
  }

  /** Called about once a second: tells when the queue passed the hard limit, or made no progress for too long. */
  check(clock: Clock): void {
    const waiting = this.transport.queuedBytes;
    if (waiting === 0) {
      this.#stalledAt = undefined;
      return;
    }
    const taken = this.transport.bytesWritten - waiting;
    if (this.#stalledAt === undefined || taken !== this.#stalledBytes) {
      this.#stalledAt = clock.now();
      this.#stalledBytes = taken;
    }
    const stalled = clock.now() - this.#stalledAt > this.#limits.stallMillis;
    if (stalled || this.lateBytes > this.#limits.hardBytes) this.events.tooSlow();
  }
}
