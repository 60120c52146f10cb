/**
 * One TCP connection, as a protocol sees it.
 */
/** What the owner of a connection wants to know. None may throw. */
export interface TransportEvents {
  /** `bytes` is valid until this returns. */
  received(bytes: Buffer): void;
  /** The peer has sent its last byte. */
  finished(): void;
  /** The connection is gone; called exactly once, last of all. */
  closed(): void;
}

export interface Transport {
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly queuedBytes: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Sends `bytes`, which nobody may change afterwards: it may be shared by thousands. Never throws; after the end it does nothing. */
  write(bytes: Buffer): void;
  /** Stops reading until `resume`: the peer feels it through TCP. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then the end. */
  end(): void;
  /** Closes at once; what is queued is lost. */
  destroy(): void;
}
