/**
 * All WebRTC clients, by the name of their session in URLs, and for a while the last words to those who have gone.
 */
import type { Millis, Timer } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import { networkOf } from '../base/plain-ip.ts';
import type { Traffic } from '../session/session.ts';
import type { Claim } from './claim.ts';
import { type PeerParts, WebRtcPeer } from './peer.ts';
import type { LastWords } from './signalling.ts';
import type { WebRtcWorld } from './world.ts';

/** Each peer is checked about once a second, a share of them in each beat: thousands at once would hold all others up. */
const BEAT: Millis = 50;
const BEATS = 20;
/** Somebody who was thrown out can ask why for this long. */
const REMEMBER: Millis = 60_000;
const MAX_REMEMBERED = 5_000;

/** What is kept of somebody who has gone. */
export interface Departed {
  readonly claim: Claim;
  readonly number: number;
  readonly lastWords: LastWords;
  readonly at: Millis;
}

export class WebRtcPeers {
  readonly #world: WebRtcWorld;
  readonly #open = new Map<string, WebRtcPeer>();
  readonly #departed = new Map<string, Departed>();
  /** By what `networkOf` makes of the address. */
  readonly #perIp = new Map<string, number>();
  #timer: Timer | undefined;
  #beat = 0;
  #round: Iterator<WebRtcPeer> = this.#open.values();
  #share = 0;
  #closed = false;

  constructor(world: WebRtcWorld) {
    this.#world = world;
  }

  start(): void {
    this.#timer = this.#world.clock.every(BEAT, () => this.#check());
  }

  get size(): number {
    return this.#open.size;
  }

  /** Bytes since the start. */
  traffic(): Traffic {
    const { counts } = this.#world;
    const sum = { received: counts.bytesReceived, sent: counts.bytesSent };
    for (const peer of this.#open.values()) {
      const { received, sent } = peer.traffic();
      sum.received += received;
      sum.sent += sent;
    }
    return sum;
  }

  /** Throws `RefusedError` when there is no room for another, in all or from `ip`. */
  makeRoom(ip: string): void {
    const { maxSessions, maxSessionsPerIp } = this.#world.options;
    if (this.#closed)
      throw new RefusedError('access/shutdown', 'The server is shutting down; connect again in a moment.');
    if (this.#open.size >= maxSessions) throw new RefusedError('access/busy', 'Too many sessions; try again later.');
    if ((this.#perIp.get(networkOf(ip)) ?? 0) >= maxSessionsPerIp) {
      throw new RefusedError('access/busy', 'Too many sessions from this address; try again later.');
    }
  }

  add(parts: Omit<PeerParts, 'onEnded'>): WebRtcPeer {
    const { counts } = this.#world;
    const network = networkOf(parts.request.ip);
    const peer = new WebRtcPeer(this.#world, { ...parts, onEnded: (ended) => this.#ended(ended, network) });
    counts.accepted += 1;
    counts.open += 1;
    this.#open.set(peer.key, peer);
    this.#perIp.set(network, (this.#perIp.get(network) ?? 0) + 1);
    return peer;
  }

  find(key: string): WebRtcPeer | undefined {
    return this.#open.get(key);
  }

  /** One that ended within the last minute. */
  departed(key: string): Departed | undefined {
    return this.#departed.get(key);
  }

  /** Lets nobody in any more; those inside stay. */
  close(): void {
    this.#closed = true;
  }

  /** Tells everybody to go; publishers last, as the end of what they watch makes viewers leave before they know why. */
  dismiss(reason: string): void {
    const peers = [...this.#open.values()];
    for (const peer of peers) if (!peer.publishing) peer.dismiss('access/shutdown', reason);
    for (const peer of peers) if (peer.publishing) peer.dismiss('access/shutdown', reason);
  }

  /** Ends the checks; for the very end. */
  stop(): void {
    this.#timer?.cancel();
  }

  #ended(peer: WebRtcPeer, network: string): void {
    this.#world.counts.open -= 1;
    this.#open.delete(peer.key);
    const left = (this.#perIp.get(network) ?? 1) - 1;
    if (left > 0) this.#perIp.set(network, left);
    else this.#perIp.delete(network);
    const { claim, lastWords } = peer;
    this.#departed.set(peer.key, {
      claim,
      number: peer.session.number,
      lastWords: lastWords!,
      at: this.#world.clock.now(),
    });
    if (this.#departed.size > MAX_REMEMBERED) this.#departed.delete(this.#departed.keys().next().value!);
  }

  #check(): void {
    this.#beat = (this.#beat + 1) % BEATS;
    if (this.#beat === 0) {
      this.#forget();
      this.#round = this.#open.values();
      this.#share = Math.ceil(this.#open.size / BEATS);
    }
    for (let left = this.#share; left > 0; left--) {
      const next = this.#round.next();
      if (next.done === true) return;
      next.value.check();
    }
  }

  #forget(): void {
    const before = this.#world.clock.now() - REMEMBER;
    for (const [key, { at }] of this.#departed) {
      if (at > before) return;
      this.#departed.delete(key);
    }
  }
}
