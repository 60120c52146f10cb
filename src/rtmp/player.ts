/**
 * One RTMP viewer of one stream, as its audience sees it: where the shared bytes go, and whether video may pass now.
 */
import type { Clock, Millis } from '../base/clock.ts';
import { Valve, type ValveLimits } from '../relay/valve.ts';
import type { Transport } from './transport.ts';

export interface PlayerEvents {
  /** The publisher came, or was there when the player joined. */
  began(): void;
  /** The publisher left, or was not there when the player joined. */
  ended(): void;
  /** Takes too little for too long; the owner closes it. */
  tooSlow(): void;
}

/**
 * An opening is excused from the limits for so long: it spans seconds, and whoever has not taken it by then takes little at a time to
 * make the server keep it.
 */
const OPENING_MILLIS: Millis = 60_000;

export class Player {
  readonly transport: Transport;
  readonly events: PlayerEvents;
  readonly valve = new Valve();
  readonly #limits: ValveLimits;
  /** The opening: how long it was, where in all bytes written it ends, and when it was first seen waiting. */
  #opening = 0;
  #openingEnd = 0;
  #openingSince: Millis | undefined;
  #stalledAt: Millis | undefined;
  #stalledBytes = 0;

  constructor(transport: Transport, limits: ValveLimits, events: PlayerEvents) {
    this.transport = transport;
    this.#limits = limits;
    this.events = events;
  }

  /** Bytes waiting that count against the limits: all but the opening, which is the cache's own and was asked for. */
  get lateBytes(): number {
    return this.transport.queuedBytes - this.#openingLeft;
  }

  get #openingLeft(): number {
    const { queuedBytes, bytesWritten } = this.transport;
    const taken = bytesWritten - queuedBytes;
    return Math.max(0, Math.min(this.#opening, this.#openingEnd - taken));
  }

  /** So much waits already that an opening would only make it worse. */
  get late(): boolean {
    return this.transport.queuedBytes > this.#limits.highBytes;
  }

  /** So much waits that it is to be given up. */
  get hopeless(): boolean {
    return this.lateBytes > this.#limits.hardBytes;
  }

  /** The opening: what is in the cache, unlimited by the valve. `decodable`: it starts at a key frame, or there is no video. */
  open(pieces: readonly Buffer[], decodable: boolean): void {
    // one that is still on the way stays excused; nothing is added to it for who is late already
    const { late } = this;
    let opening = this.#openingLeft;
    for (const piece of pieces) {
      opening += piece.length;
      this.transport.write(piece);
    }
    if (!late) {
      this.#opening = opening;
      this.#openingEnd = this.transport.bytesWritten;
      this.#openingSince = undefined;
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
    this.#openingSince ??= clock.now();
    if (clock.now() - this.#openingSince > OPENING_MILLIS) this.#opening = 0;
    const taken = this.transport.bytesWritten - waiting;
    if (this.#stalledAt === undefined || taken !== this.#stalledBytes) {
      this.#stalledAt = clock.now();
      this.#stalledBytes = taken;
    }
    const stalled = clock.now() - this.#stalledAt > this.#limits.stallMillis;
    if (stalled || this.hopeless) this.events.tooSlow();
  }
}
