import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import { ECDSA_SHA256, RSA_SHA256 } from '../../src/webrtc/dtls-messages.ts';
import { checkFingerprint, checkSignature } from '../../src/webrtc/dtls-proof.ts';
import { certificate, fingerprintOf } from '../helpers/dtls-peers.ts';

const parts = [Buffer.from('what was '), Buffer.from('said')];
const text = Buffer.concat(parts);
const own = certificate();

function is(code: string) {
  return (error: unknown) => error instanceof PeerError && error.code === code;
}

test('a signature by the key of the certificate, over all that was said', () => {
  const signature = sign('sha256', text, own.privateKey);
  checkSignature(own.certificate, parts, { algorithm: ECDSA_SHA256, signature });
});

test('everything else is refused', () => {
  const signature = sign('sha256', text, own.privateKey);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const wrong = [
    { signature: sign('sha256', text, other) },
    { signature: sign('sha256', Buffer.from('what was sad'), own.privateKey) },
    { signature: sign('sha1', text, own.privateKey) },
    { signature: Buffer.alloc(0) },
    { signature: signature.subarray(0, -1) },
    { signature, parts: [...parts, Buffer.of(0)] },
    { signature, algorithm: RSA_SHA256 },
    { signature, algorithm: 0x0203 },
    { signature, algorithm: 0 },
    { signature, certificate: Buffer.from('no certificate') },
    { signature, certificate: Buffer.alloc(0) },
    { signature, certificate: certificate().certificate },
  ];
  for (const [nth, one] of wrong.entries()) {
    const { algorithm = ECDSA_SHA256, certificate: der = own.certificate } = one;
    assert.throws(
      () => checkSignature(der, one.parts ?? parts, { algorithm, signature: one.signature }),
      is('webrtc/dtls-signature'),
      `${nth}`,
    );
  }
});

test('no certificate has no fingerprint', () => {
  const nothing = Buffer.alloc(0);
  assert.throws(() => checkFingerprint(nothing, [fingerprintOf(nothing)]), is('webrtc/dtls-fingerprint'));
});

test('the fault names the hashes, not the digests', () => {
  assert.throws(
    () => checkFingerprint(own.certificate, [fingerprintOf(own.certificate, 'sha-1')]),
    /none of the fingerprints signalled \(sha-1\)$/,
  );
});
