/**
 * The keys of one session's media, as the DTLS handshake gives them (RFC 5764 section 4.2).
 */

/** RFC 5764 section 4.1.2 and RFC 7714 section 14.2. */
export type SrtpProfile = 'aes128-cm-sha1-80' | 'aead-aes-128-gcm';

/** One direction's master key and salt: 16 bytes; 14 bytes, 12 for GCM. */
export interface SrtpMaster {
  readonly key: Buffer;
  readonly salt: Buffer;
}

export interface SrtpKeys {
  readonly profile: SrtpProfile;
  /** For what we send. */
  readonly local: SrtpMaster;
  /** For what the client sends. */
  readonly remote: SrtpMaster;
}
