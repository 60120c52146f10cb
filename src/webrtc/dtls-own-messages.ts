/**
 * The bodies of our own handshake messages (RFC 5246 section 7.4, RFC 6347, RFC 8422, RFC 5764).
 */
import { type KeyObject, sign } from 'node:crypto';
import type { KeyShare } from './dtls-key-exchange.ts';
import {
  type ClientHello,
  ECDSA_SHA256,
  EXTENSION,
  GROUPS,
  NAMED_CURVE,
  NO_COMPRESSION,
  RSA_SHA256,
  SRTP_PROFILES,
  SUITES,
} from './dtls-messages.ts';
import { DTLS_1_2 } from './dtls-record.ts';
import type { DtlsRandoms } from './dtls-secrets.ts';

const UNCOMPRESSED_POINTS = 0;
/** RFC 5246 section 7.4.4, RFC 8422 section 5.5. */
const ECDSA_SIGN = 64;
const RSA_SIGN = 1;
/** RFC 5746 section 3.3: says in the list of suites that this is no renegotiation. */
const NO_RENEGOTIATION_SUITE = 0x00ff;

/** What we offer. `cookie`: empty at first. */
export function clientHello(random: Buffer, cookie: Buffer): Buffer {
  return Buffer.concat([
    ...[numbers(DTLS_1_2), random, vector(1), vector(1, cookie)],
    vector(2, numbers(SUITES.ecdheEcdsa, SUITES.ecdheRsa)),
    vector(1, Buffer.of(NO_COMPRESSION)),
    vector(
      2,
      extension(EXTENSION.renegotiationInfo, vector(1)),
      extension(EXTENSION.extendedMasterSecret),
      extension(EXTENSION.supportedGroups, vector(2, numbers(...Object.values(GROUPS)))),
      extension(EXTENSION.pointFormats, vector(1, Buffer.of(UNCOMPRESSED_POINTS))),
      extension(EXTENSION.signatureAlgorithms, vector(2, numbers(ECDSA_SHA256, RSA_SHA256))),
      extension(EXTENSION.useSrtp, vector(2, numbers(...SRTP_PROFILES.keys())), vector(1)),
    ),
  ]);
}

/** What we choose of what a client offers, who offers all we need. There are no sessions to resume. */
export function serverHello(random: Buffer, { suites, extensions, profiles }: ClientHello): Buffer {
  const noRenegotiation = extensions.has(EXTENSION.renegotiationInfo) || suites.includes(NO_RENEGOTIATION_SUITE);
  const profile = [...SRTP_PROFILES.keys()].find((one) => profiles.includes(one))!;
  const answers = [extension(EXTENSION.useSrtp, vector(2, numbers(profile)), vector(1))];
  if (noRenegotiation) answers.push(extension(EXTENSION.renegotiationInfo, vector(1)));
  if (extensions.has(EXTENSION.extendedMasterSecret)) answers.push(extension(EXTENSION.extendedMasterSecret));
  if (extensions.has(EXTENSION.pointFormats)) {
    answers.push(extension(EXTENSION.pointFormats, vector(1, Buffer.of(UNCOMPRESSED_POINTS))));
  }
  return Buffer.concat([
    ...[numbers(DTLS_1_2), random, vector(1), numbers(SUITES.ecdheEcdsa), Buffer.of(NO_COMPRESSION)],
    vector(2, ...answers),
  ]);
}

/** One certificate, DER. */
export function certificate(der: Buffer): Buffer {
  return vector(3, vector(3, der));
}

export function serverKeyExchange({ client, server }: DtlsRandoms, share: KeyShare, key: KeyObject): Buffer {
  const content = Buffer.concat([Buffer.of(NAMED_CURVE), numbers(share.group), vector(1, share.publicKey)]);
  return Buffer.concat([content, signature([client, server, content], key)]);
}

/** From anybody: the fingerprint says who. */
export function certificateRequest(): Buffer {
  return Buffer.concat([
    vector(1, Buffer.of(ECDSA_SIGN, RSA_SIGN)),
    vector(2, numbers(ECDSA_SHA256, RSA_SHA256)),
    vector(2),
  ]);
}

export function clientKeyExchange(share: KeyShare): Buffer {
  return vector(1, share.publicKey);
}

export function certificateVerify(transcript: readonly Buffer[], key: KeyObject): Buffer {
  return signature(transcript, key);
}

function signature(parts: readonly Buffer[], key: KeyObject): Buffer {
  return Buffer.concat([numbers(ECDSA_SHA256), vector(2, sign('sha256', Buffer.concat(parts), key))]);
}

function extension(type: number, ...data: readonly Buffer[]): Buffer {
  return Buffer.concat([numbers(type), vector(2, ...data)]);
}

/** `parts` behind their length in `lengthBytes`. */
function vector(lengthBytes: 1 | 2 | 3, ...parts: readonly Buffer[]): Buffer {
  const length = Buffer.allocUnsafe(lengthBytes);
  length.writeUIntBE(
    parts.reduce((sum, part) => sum + part.length, 0),
    0,
    lengthBytes,
  );
  return Buffer.concat([length, ...parts]);
}

/** Of two bytes each. */
function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(2 * values.length);
  for (const [nth, value] of values.entries()) bytes.writeUInt16BE(value, 2 * nth);
  return bytes;
}
