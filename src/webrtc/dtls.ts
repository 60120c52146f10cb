/**
 * DTLS 1.2 as the media transport needs it: a handshake that ends in SRTP keys, and an alert at the end (RFC 6347, RFC 5764).
 */
import type { Clock } from '../base/clock.ts';
import type { SrtpKeys } from './srtp-keys.ts';

/** `client` begins the handshake: for peers that insist on `setup:passive`. */
export type DtlsRole = 'server' | 'client';

/** Ours, one for the life of the process. */
export interface DtlsCertificate {
  /** DER. */
  readonly certificate: Buffer;
  /** PKCS #8 PEM; ECDSA on P-256. */
  readonly privateKey: string;
  /** Upper-case hexadecimal with colons, SHA-256 of `certificate`. */
  readonly fingerprint: string;
}

/** `a=fingerprint` of the other side. */
export interface Fingerprint {
  /** Lower case, as in SDP: `sha-256`. */
  readonly hash: string;
  /** The digest. */
  readonly digest: Buffer;
}

export interface DtlsEvents {
  /** To be sent as one datagram. */
  send(datagram: Buffer): void;
  /** The peer has proved that it holds the key of the certificate whose fingerprint was signalled. Once. */
  connected(keys: SrtpKeys): void;
  /** Over: failed (a code of base/errors.ts) or closed by the peer (`undefined`). Once; nothing follows. */
  closed(fault: { readonly code: string; readonly text: string } | undefined): void;
}

export interface DtlsSetup {
  readonly role: DtlsRole;
  readonly own: DtlsCertificate;
  /** Any one of these must fit the peer's certificate. */
  readonly fingerprints: readonly Fingerprint[];
  readonly clock: Clock;
  /** Random bytes. */
  readonly random: (count: number) => Buffer;
}

export interface Dtls {
  /** A client's first flight. */
  start(): void;
  /** One datagram from the peer; whatever is in it, nothing is thrown. */
  receive(datagram: Buffer): void;
  /** Tells the peer by `close_notify`; no event follows. Idempotent. */
  close(): void;
}

export type MakeDtls = (setup: DtlsSetup, events: DtlsEvents) => Dtls;
