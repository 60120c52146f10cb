/**
 * An address between the ports, which receive from it, and the sessions, of which it may be one's.
 */
import type { Millis } from '../base/clock.ts';
import type { Path } from './path.ts';

/** Whose address it is. */
export interface RemoteOwner {
  /** What is no STUN. Kept only until it returns. */
  datagram(bytes: Buffer, from: Remote): void;
  /** The connection behind the address has gone. */
  gone(remote: Remote): void;
  /** Another client is there now. */
  yield(remote: Remote): void;
  /** A fault of ours: the session ends. */
  lose(): void;
}

/** The engine keeps those that pass a check. */
export interface Remote extends Path {
  /** The session that it belongs to; the engine's to set. */
  owner: RemoteOwner | undefined;
  /** When the last valid check came from it; the engine's to set. */
  checkedAt: Millis;
  /** It belongs to a session from now on. */
  keep(): void;
  /** It belongs to nobody any more. */
  forget(): void;
}

/** Takes one datagram, or one frame of a connection; whatever is in it, nothing is thrown. */
export type Receive = (bytes: Buffer, from: Remote) => void;

/** Why a datagram led to nothing. */
export type DropReason =
  // received: no protocol of ours, an address without a valid check, STUN that cannot be read, that asks for nothing
  | 'noise'
  | 'stranger'
  | 'malformed'
  | 'not-a-request'
  // a check: for a session that is not there, by somebody without the password, sent again from elsewhere, from another's address
  | 'unknown-user'
  | 'integrity'
  | 'replayed'
  | 'address-in-use'
  // to be sent: too much waits, the system refused it
  | 'queue-full'
  | 'not-sent';

/** Plain numbers, read by whoever reports. */
export interface MediaPortCounts {
  /** Datagrams and frames, both transports together, and their bytes. */
  received: number;
  receivedBytes: number;
  sent: number;
  sentBytes: number;
  /** Checks answered with success, and with an error: role conflicts, unknown attributes. */
  checks: number;
  refused: number;
  /** TCP connections open now, and cut by us before their time. */
  connections: number;
  cut: number;
  readonly dropped: Map<DropReason, number>;
}

export function newMediaPortCounts(): MediaPortCounts {
  return {
    ...{ received: 0, receivedBytes: 0, sent: 0, sentBytes: 0, checks: 0, refused: 0, connections: 0, cut: 0 },
    dropped: new Map(),
  };
}

export function countDropped({ dropped }: MediaPortCounts, reason: DropReason): void {
  dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
}
