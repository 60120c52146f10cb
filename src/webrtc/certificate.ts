/**
 * Our certificate for DTLS: self-signed, ECDSA on P-256, since a peer trusts its fingerprint and nothing else (RFC 8827 section 6.5).
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { Millis } from '../base/clock.ts';
import type { RandomBytes } from '../base/random.ts';
import { bitString, integer, objectIdentifier, sequence, set, tagged, time, utf8String } from './der.ts';
import type { DtlsCertificate } from './dtls.ts';

const DAY: Millis = 24 * 3_600_000;
/** Clocks of peers may be behind. */
const VALID_BEFORE: Millis = DAY;
const VALID_AFTER: Millis = 30 * DAY;

const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const X509_V3 = 2;
const SERIAL_BYTES = 16;

/** A key of its own and a random serial number each time. `wallTime`: now. */
export function makeCertificate(wallTime: Millis, random: RandomBytes): DtlsCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const name = sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String('castgate'))));
  // RFC 5280 section 4.1
  const facts = sequence(
    tagged(0, integer(Buffer.of(X509_V3))),
    integer(positive(random(SERIAL_BYTES))),
    algorithm,
    name,
    sequence(time(wallTime - VALID_BEFORE), time(wallTime + VALID_AFTER)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const certificate = sequence(facts, algorithm, bitString(sign('sha256', facts, privateKey)));
  return {
    certificate,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    fingerprint: createHash('sha256').update(certificate).digest('hex').toUpperCase().match(/../g)!.join(':'),
  };
}

/** Neither negative nor with needless zeros in front. */
function positive(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = (copy[0]! & 0x7f) | 0x40;
  return copy;
}
