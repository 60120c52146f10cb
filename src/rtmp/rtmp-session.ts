/**
 * An RTMP client's presence in the registry.
 */
import type { Millis } from '../base/clock.ts';
import type { Admission, Verdict } from '../session/gate.ts';
import type { Transport as Door, Role, Session, SessionState, SessionStream, Traffic } from '../session/session.ts';
import type { Transport } from './transport.ts';

/** What the session needs of its connection. */
export interface SessionConnection {
  readonly transport: Transport;
  lastReadAt(): Millis;
  /** Tells the client `reason`, then closes. */
  dismiss(code: string, reason: string): void;
}

export class RtmpSession implements Session {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly transport: Door;
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
  readonly #connection: SessionConnection;

  constructor(
    identity: { readonly id: string; readonly number: number },
    admission: Admission,
    verdict: Verdict & { readonly allow: true },
    started: { readonly wall: Millis; readonly tick: Millis },
    connection: SessionConnection,
  ) {
    this.id = identity.id;
    this.number = identity.number;
    this.name = verdict.name;
    this.room = verdict.room;
    this.role = verdict.role;
    this.canKick = verdict.canKick;
    this.transport = admission.transport;
    this.app = admission.app;
    this.ip = admission.ip;
    this.params = admission.params;
    this.startedAt = started.wall;
    this.startedTick = started.tick;
    this.#connection = connection;
  }

  traffic(): Traffic {
    const { bytesRead, bytesWritten } = this.#connection.transport;
    return { received: bytesRead, sent: bytesWritten };
  }

  lastPingAt(): Millis {
    return this.#connection.lastReadAt();
  }

  disconnect(reason: string): void {
    this.#connection.dismiss('access/disconnected', reason);
  }
}
