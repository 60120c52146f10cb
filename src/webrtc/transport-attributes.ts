/**
 * What a description says of its one transport: ICE credentials, certificate fingerprints, and who begins DTLS (RFC 8839, RFC 8122,
 * RFC 8842).
 */
import type { DtlsRole, Fingerprint } from './dtls.ts';
import type { IceCredentials } from './path.ts';
import { type Attribute, firstValue, firstWord, isVisibleText, refuseSdp } from './sdp-lines.ts';

/** Of one m-section, with what it takes over from the session. */
export interface TransportAttributes {
  readonly ufrag: string | undefined;
  readonly password: string | undefined;
  /** As they stand behind `a=fingerprint:`. */
  readonly fingerprints: readonly string[];
  readonly setup: string | undefined;
}

/** RFC 8839 section 5.4. Fewer characters can be guessed. */
const MIN_UFRAG = 4;
const MIN_PASSWORD = 22;
const MAX_CREDENTIAL = 256;

/** Bytes of a digest. SHA-1 can be forged, so a fingerprint made with it proves nothing. */
const HASHES: ReadonlyMap<string, number> = new Map([
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
]);
const MAX_FINGERPRINTS = 8;

export function readTransport(own: readonly Attribute[], session: readonly Attribute[]): TransportAttributes {
  const inherited = (name: string) => firstValue(own, name) ?? firstValue(session, name);
  const fingerprints = (of: readonly Attribute[]) => of.filter(({ name }) => name === 'fingerprint');
  const mine = fingerprints(own);
  return {
    ufrag: inherited('ice-ufrag'),
    password: inherited('ice-pwd'),
    fingerprints: (mine.length > 0 ? mine : fingerprints(session)).map(({ value }) => value),
    setup: inherited('setup'),
  };
}

/** Throws `RefusedError` when there are none, or they are too short to be secret. */
export function credentialsOf(ufrag: string | undefined, password: string | undefined): IceCredentials {
  if (ufrag === undefined || password === undefined) {
    throw refuseSdp('lacks a=ice-ufrag or a=ice-pwd; send it as the browser made it.');
  }
  if (!isVisibleText(ufrag, MAX_CREDENTIAL) || ufrag.length < MIN_UFRAG || ufrag.includes(':')) {
    throw refuseSdp(`has an a=ice-ufrag that is not ${MIN_UFRAG} to ${MAX_CREDENTIAL} ICE characters.`);
  }
  if (!isVisibleText(password, MAX_CREDENTIAL) || password.length < MIN_PASSWORD) {
    throw refuseSdp(`has an a=ice-pwd that is not ${MIN_PASSWORD} to ${MAX_CREDENTIAL} ICE characters.`);
  }
  return { ufrag, password };
}

/** Those that prove something. Throws `RefusedError` when there is none. */
export function fingerprintsOf(lines: readonly string[]): readonly Fingerprint[] {
  const usable: Fingerprint[] = [];
  for (const line of lines.slice(0, MAX_FINGERPRINTS)) {
    const [name, text] = firstWord(line);
    const hash = name.toLowerCase();
    const digest = readDigest(text, HASHES.get(hash) ?? 0);
    if (digest !== undefined) usable.push({ hash, digest });
  }
  if (usable.length > 0) return usable;
  if (lines.length === 0) throw refuseSdp('has no a=fingerprint: WebRTC needs DTLS-SRTP, plain RTP is not taken.');
  throw refuseSdp('has no whole a=fingerprint of sha-256, sha-384 or sha-512; other hashes prove nothing.');
}

/** Our part in DTLS with a client that offered `setup`; without one it is `active` (RFC 4145 section 4.1). */
export function roleOf(setup: string | undefined): DtlsRole {
  if (setup === 'passive') return 'client';
  if (setup === undefined || setup === 'active' || setup === 'actpass') return 'server';
  if (setup === 'holdconn') throw refuseSdp('has a=setup:holdconn, which asks for no connection; send actpass.');
  throw refuseSdp('has an unknown a=setup; send actpass, active or passive.');
}

/** `AB:CD:…`, `length` bytes of it. */
function readDigest(text: string, length: number): Buffer | undefined {
  if (length === 0 || text.length !== 3 * length - 1) return undefined;
  const pairs = text.split(':');
  const digest = Buffer.from(pairs.join(''), 'hex');
  // reading stops at the first character that is no digit
  return digest.length === length && pairs.every((pair) => pair.length === 2) ? digest : undefined;
}
