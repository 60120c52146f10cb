/**
 * Session keys from a master key (RFC 3711 section 4.3, RFC 7714 section 11), with a key derivation rate of zero.
 */
import { createCipheriv } from 'node:crypto';
import type { SrtpMaster, SrtpProfile } from './srtp-keys.ts';

export type SrtpKind = 'rtp' | 'rtcp';

/** Of one direction and kind, for the life of the session. */
export interface SrtpSessionKeys {
  /** AES-128: 16 bytes. */
  readonly cipher: Buffer;
  /** HMAC-SHA1: 20 bytes; empty with GCM. */
  readonly auth: Buffer;
  /** 14 bytes; 12 with GCM. */
  readonly salt: Buffer;
}

/** RFC 3711 section 4.3.2. */
const LABELS = {
  rtp: { cipher: 0, auth: 1, salt: 2 },
  rtcp: { cipher: 3, auth: 4, salt: 5 },
} as const;

const CIPHER_BYTES = 16;
const AUTH_BYTES = { 'aes128-cm-sha1-80': 20, 'aead-aes-128-gcm': 0 } as const;
export const SALT_BYTES = { 'aes128-cm-sha1-80': 14, 'aead-aes-128-gcm': 12 } as const;

const BLOCK_BYTES = 16;
/** The label is the byte above a 48-bit index in a 112-bit number. */
const LABEL_AT = 7;

export function deriveSrtpKeys(profile: SrtpProfile, master: SrtpMaster, kind: SrtpKind): SrtpSessionKeys {
  const labels = LABELS[kind];
  return {
    cipher: derive(master, labels.cipher, CIPHER_BYTES),
    auth: derive(master, labels.auth, AUTH_BYTES[profile]),
    salt: derive(master, labels.salt, SALT_BYTES[profile]),
  };
}

/** `count` bytes of AES-CM keystream behind the salt with the label in it; the shorter salt of GCM is filled up with zeros. */
function derive(master: SrtpMaster, label: number, count: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  master.salt.copy(block);
  block[LABEL_AT]! ^= label;
  return createCipheriv('aes-128-ctr', master.key, block).update(Buffer.alloc(count));
}
