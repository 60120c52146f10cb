/**
 * Who the other end is: the owner of the key of the certificate whose fingerprint was signalled (RFC 8122, RFC 5763 section 5).
 */
import { createHash, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import { PeerError } from '../base/errors.ts';
import type { Fingerprint } from './dtls.ts';
import { ECDSA_SHA256, RSA_SHA256, type Signed } from './dtls-messages.ts';

/** By their names in SDP. SHA-1 can be forged. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['sha-256', 'sha256'],
  ['sha-384', 'sha384'],
  ['sha-512', 'sha512'],
]);

const KEY_TYPES: ReadonlyMap<number, string> = new Map([
  [ECDSA_SHA256, 'ec'],
  [RSA_SHA256, 'rsa'],
]);

/** Throws `PeerError` `webrtc/dtls-fingerprint` unless one of the fingerprints is that of the certificate (DER). */
export function checkFingerprint(certificate: Buffer, fingerprints: readonly Fingerprint[]): void {
  if (certificate.length === 0) throw new PeerError('webrtc/dtls-fingerprint', 'the peer shows no certificate');
  const fits = fingerprints.some(({ hash, digest }) => {
    const algorithm = HASHES.get(hash);
    if (algorithm === undefined) return false;
    const own = createHash(algorithm).update(certificate).digest();
    return own.length === digest.length && timingSafeEqual(own, digest);
  });
  if (!fits) {
    const hashes = fingerprints.map(({ hash }) => hash).join(', ');
    throw new PeerError(
      'webrtc/dtls-fingerprint',
      `the certificate has none of the fingerprints signalled (${hashes})`,
    );
  }
}

/** Throws `PeerError` `webrtc/dtls-signature` unless the key of the certificate has signed `parts`, one behind the other. */
export function checkSignature(
  certificate: Buffer,
  parts: readonly Buffer[],
  { algorithm, signature }: Omit<Signed, 'content'>,
): void {
  let genuine: boolean;
  try {
    const { publicKey } = new X509Certificate(certificate);
    const rightKey = publicKey.asymmetricKeyType === KEY_TYPES.get(algorithm);
    genuine = rightKey && verify('sha256', Buffer.concat(parts), publicKey, signature);
  } catch {
    // no certificate, or a key that OpenSSL refuses
    genuine = false;
  }
  if (!genuine) throw new PeerError('webrtc/dtls-signature', 'the peer does not hold the key of its certificate');
}
