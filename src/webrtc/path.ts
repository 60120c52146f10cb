/**
 * Where a session's datagrams go: an address that has shown by a checked STUN request that it belongs to the client.
 */

/** Bytes. A path on which more waits is given no more media until that has left. */
export const PATH_QUEUE_MARK = 256 << 10;

export interface Path {
  /** As people write it; IPv4 mapped into IPv6 as IPv4. */
  readonly ip: string;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp';
  /** Sends `length` bytes from `offset`. The bytes may be written over as soon as this has returned. Dropped when the queue is full. */
  send(bytes: Uint8Array, offset: number, length: number): void;
  /** Bytes that wait in this process for the system to take them. */
  readonly queuedBytes: number;
}

/** What a client is told to connect to; one line of SDP each. */
export interface Candidate {
  readonly foundation: string;
  readonly protocol: 'udp' | 'tcp';
  readonly priority: number;
  readonly ip: string;
  readonly port: number;
}

export interface IceCredentials {
  /** ICE characters (RFC 8839 section 5.4). */
  readonly ufrag: string;
  readonly password: string;
}

export interface IceEvents {
  /** The client has nominated this path, first or anew. */
  path(path: Path): void;
  /** DTLS, RTP or RTCP, from an address that has passed a check. The memory is the receiver's to keep only until it returns. */
  datagram(bytes: Buffer, path: Path): void;
  /** No valid check for `consentTimeout`, or none within `connectTimeout`. Once. */
  lost(): void;
}

/** One session's part of the media port. */
export interface IceSession {
  readonly local: IceCredentials;
  /**
   * New local credentials, valid beside the old ones until the first check with the new (RFC 8445 section 9). While the client's are
   * unknown, this takes them from its answer, and ours stay as they are.
   */
  restart(remote: IceCredentials): IceCredentials;
  /** Idempotent; the address is forgotten and nothing is answered any more. */
  close(): void;
}

/** The sockets that all sessions share. */
export interface MediaPort {
  candidates(): readonly Candidate[];
  /** `remote`: what the client's offer or answer said; may come later by `restart` when we make the offer. */
  open(remote: IceCredentials | undefined, events: IceEvents): IceSession;
}
