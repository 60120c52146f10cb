/**
 * The question every front door asks before anything may happen, and its answer. `control/` answers with the web site's word;
 * `OpenGate` lets everybody in.
 */
import type { Role, Session, SessionStream, Transport } from './session.ts';

/** What a door knows of somebody who wants in. */
export interface Admission {
  readonly transport: Transport;
  readonly app: string;
  readonly ip: string;
  /**
   * What followed `?` in the connect address, split at `&`, decoded, in order, trailing marker removed. Empty: no query. WebRTC
   * clients have no such address; session/stream-admission.ts puts what they bring in the same order.
   */
  readonly params: readonly string[];
  /** WebRTC clients say what they want before they are let in; all others afterwards. */
  readonly stream?: SessionStream | undefined;
  /** The first extra connect argument, when it is text (Flash clients). */
  readonly argument?: string | undefined;
}

export type Verdict =
  | {
      readonly allow: true;
      /** The session name the web server knows. */
      readonly name: string;
      readonly room: string;
      readonly role: Role;
      readonly canKick: boolean;
      /** An accepted webLogin stands behind it, to be ended by one webLogout; opaque to the door. */
      readonly login?: object | undefined;
    }
  | {
      readonly allow: false;
      /** From base/errors.ts. */
      readonly code: string;
      /** For the client to read; names no secret. */
      readonly reason: string;
    };

/** How a second publisher of a live name is treated: refused, let in with the same key and user, or always let in. */
export type Takeover = 'refuse' | 'same-key' | 'always';

export interface Gate {
  /** Never rejects: every failure is a refusal in words. */
  admit(request: Admission): Promise<Verdict>;
  /** The client went before it was opened: gives back what `admit` granted. */
  abandon(verdict: Verdict): void;
  /** The session is in the registry now, under this verdict. */
  opened(session: Session, verdict: Verdict): void;
  /** The session has ended; called exactly once for each `opened`. */
  farewell(session: Session): void;
  /** A session began or stopped publishing: the next report should not wait. */
  published(session: Session): void;
  /** May `session` take a name that `holder` is publishing? */
  mayTakeOver(session: Session, holder: Session): boolean;
}

/** Everybody may come in, as a broadcaster unless he says that he only watches. The gate of a plain media server, and of tests. */
export class OpenGate implements Gate {
  async admit(request: Admission): Promise<Verdict> {
    const name = request.params[0] || request.argument || 'anonymous';
    const role = request.stream?.doing === 'play' ? 'watcher' : 'broadcaster';
    return { allow: true, name, room: request.params[1] ?? '', role, canKick: false };
  }
  abandon(): void {}
  opened(): void {}
  farewell(): void {}
  published(): void {}
  mayTakeOver(): boolean {
    return false;
  }
}
