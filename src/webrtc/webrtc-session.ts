/**
 * A WebRTC client's presence in the registry.
 */
import type { Millis } from '../base/clock.ts';
import type { Verdict } from '../session/gate.ts';
import type { SessionQuality } from '../session/quality.ts';
import type { Role, Session, SessionState, SessionStream, Traffic } from '../session/session.ts';

export interface SessionIdentity {
  readonly id: string;
  readonly number: number;
  readonly app: string;
  readonly ip: string;
  readonly params: readonly string[];
  readonly startedAt: Millis;
  readonly startedTick: Millis;
}

/** What the session needs of its peer. */
export interface SessionPeer {
  traffic(): Traffic;
  quality(): SessionQuality;
  lastHeardAt(): Millis;
  dismiss(code: string, reason: string): void;
}

export class WebRtcSession implements Session {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly transport = 'webrtc';
  readonly app: string;
  readonly ip: string;
  readonly params: readonly string[];
  readonly startedAt: Millis;
  readonly startedTick: Millis;
  readonly role: Role;
  readonly canKick: boolean;
  room: string;
  state: SessionState = 'connected';
  stream: SessionStream | undefined;
  hasVideo = false;
  hasAudio = false;
  readonly #peer: SessionPeer;

  constructor(
    identity: SessionIdentity,
    stream: SessionStream,
    verdict: Verdict & { readonly allow: true },
    peer: SessionPeer,
  ) {
    this.id = identity.id;
    this.number = identity.number;
    this.app = identity.app;
    this.ip = identity.ip;
    this.params = identity.params;
    this.startedAt = identity.startedAt;
    this.startedTick = identity.startedTick;
    this.name = verdict.name;
    this.room = verdict.room;
    this.role = verdict.role;
    this.canKick = verdict.canKick;
    this.stream = stream;
    this.#peer = peer;
  }

  traffic(): Traffic {
    return this.#peer.traffic();
  }

  quality(): SessionQuality {
    return this.#peer.quality();
  }

  lastPingAt(): Millis {
    return this.#peer.lastHeardAt();
  }

  disconnect(reason: string): void {
    this.#peer.dismiss('access/disconnected', reason);
  }
}
