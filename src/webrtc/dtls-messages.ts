/**
 * What peers say in a handshake of DTLS 1.2, as far as it decides anything (RFC 5246 section 7.4, RFC 6347, RFC 8422, RFC 5764).
 */
import { ByteReader } from '../base/bytes.ts';
import { PeerError } from '../base/errors.ts';
import { DTLS_1_2 } from './dtls-record.ts';
import type { DtlsEnd } from './dtls-secrets.ts';
import type { SrtpProfile } from './srtp-keys.ts';

export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

/** What may come behind a message, by who says it. */
export const FOLLOWS: Readonly<Record<DtlsEnd, ReadonlyMap<number, readonly number[]>>> = {
  client: new Map([
    [HANDSHAKE.clientHello, [HANDSHAKE.certificate]],
    [HANDSHAKE.certificate, [HANDSHAKE.clientKeyExchange]],
    [HANDSHAKE.clientKeyExchange, [HANDSHAKE.certificateVerify]],
    [HANDSHAKE.certificateVerify, [HANDSHAKE.finished]],
  ]),
  server: new Map<number, readonly number[]>([
    [HANDSHAKE.helloVerifyRequest, [HANDSHAKE.serverHello]],
    [HANDSHAKE.serverHello, [HANDSHAKE.certificate]],
    [HANDSHAKE.certificate, [HANDSHAKE.serverKeyExchange]],
    [HANDSHAKE.serverKeyExchange, [HANDSHAKE.certificateRequest, HANDSHAKE.serverHelloDone]],
    [HANDSHAKE.certificateRequest, [HANDSHAKE.serverHelloDone]],
    [HANDSHAKE.serverHelloDone, [HANDSHAKE.finished]],
  ]),
};
/** What may come first. */
export const FIRST: Readonly<Record<DtlsEnd, readonly number[]>> = {
  client: [HANDSHAKE.clientHello],
  server: [HANDSHAKE.helloVerifyRequest, HANDSHAKE.serverHello],
};

/** IANA's numbers of what we can, in the order of our liking. */
export const SRTP_PROFILES: ReadonlyMap<number, SrtpProfile> = new Map([
  [1, 'aes128-cm-sha1-80'],
  [7, 'aead-aes-128-gcm'],
]);
/** With AES-128-GCM and SHA-256. */
export const SUITES = { ecdheEcdsa: 0xc02b, ecdheRsa: 0xc02f } as const;
/** The first costs 80 us for both its keys, the second 110 us. */
export const GROUPS = { x25519: 29, p256: 23 } as const;
export type Group = (typeof GROUPS)[keyof typeof GROUPS];
export const ECDSA_SHA256 = 0x0403;
export const RSA_SHA256 = 0x0401;

export const EXTENSION = {
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  useSrtp: 14,
  extendedMasterSecret: 23,
  supportedVersions: 43,
  renegotiationInfo: 0xff01,
} as const;
export const RANDOM_BYTES = 32;
export const NO_COMPRESSION = 0;
export const NAMED_CURVE = 3;
const MALFORMED = 'webrtc/dtls-handshake';
const VERSION = 'webrtc/dtls-version';
const PARAMETERS = 'webrtc/dtls-parameters';

type Extensions = ReadonlyMap<number, Buffer>;

export interface ClientHello {
  readonly version: number;
  readonly random: Buffer;
  readonly cookie: Buffer;
  readonly suites: readonly number[];
  readonly compressions: Buffer;
  readonly extensions: Extensions;
  readonly groups: readonly number[];
  /** Of SRTP. */
  readonly profiles: readonly number[];
  /** RFC 7627. */
  readonly extendedMasterSecret: boolean;
}

/** Throws `PeerError` `webrtc/dtls-handshake`, as all readers here do. */
export function readClientHello(body: Buffer): ClientHello {
  const reader = new ByteReader(body, MALFORMED);
  const version = reader.u16();
  const random = reader.bytes(RANDOM_BYTES);
  reader.bytes(reader.u8());
  const cookie = reader.bytes(reader.u8());
  const suites = numbers(reader.bytes(reader.u16()));
  const compressions = reader.bytes(reader.u8());
  const extensions = readExtensions(reader);
  const groups = listOf(extensions.get(EXTENSION.supportedGroups), 2) ?? [];
  const profiles = srtpProfiles(extensions);
  const extendedMasterSecret = extensions.has(EXTENSION.extendedMasterSecret);
  return { version, random, cookie, suites, compressions, extensions, groups, profiles, extendedMasterSecret };
}

/** The same hello as it was before there was a cookie. */
export function withoutCookie(body: Buffer): Buffer {
  const reader = new ByteReader(body, MALFORMED);
  reader.bytes(2 + RANDOM_BYTES);
  reader.bytes(reader.u8());
  const before = body.subarray(0, reader.offset);
  reader.bytes(reader.u8());
  return Buffer.concat([before, Buffer.of(0), reader.rest()]);
}

/** Throws `PeerError` `webrtc/dtls-version` or `webrtc/dtls-parameters` when we have nothing in common. */
export function checkClientHello(hello: ClientHello): void {
  const { version, suites, compressions, extensions, groups, profiles } = hello;
  const versions = listOf(extensions.get(EXTENSION.supportedVersions), 1);
  if (version > DTLS_1_2 || (versions !== undefined && !versions.includes(DTLS_1_2))) {
    throw new PeerError(VERSION, `the client's highest version is ${version.toString(16)}, without DTLS 1.2`);
  }
  const signatures = listOf(extensions.get(EXTENSION.signatureAlgorithms), 2);
  const lacks = [
    [suites.includes(SUITES.ecdheEcdsa), 'the suite ECDHE-ECDSA-AES128-GCM-SHA256'],
    [compressions.includes(NO_COMPRESSION), 'uncompressed records'],
    [groups.includes(GROUPS.x25519) || groups.includes(GROUPS.p256), 'the groups X25519 and P-256'],
    [signatures?.includes(ECDSA_SHA256), 'signatures by ECDSA with SHA-256'],
    [profiles.some((profile) => SRTP_PROFILES.has(profile)), 'a profile of SRTP that we have'],
  ] as const;
  const lack = lacks.find(([has]) => has !== true);
  if (lack !== undefined) throw new PeerError(PARAMETERS, `the client does not offer ${lack[1]}`);
}

export interface ServerHello {
  readonly random: Buffer;
  readonly profile: SrtpProfile;
  /** RFC 7627. */
  readonly extendedMasterSecret: boolean;
}

/** What the server has chosen. Throws `PeerError` as `checkClientHello` does. */
export function readServerHello(body: Buffer): ServerHello {
  const reader = new ByteReader(body, MALFORMED);
  const version = reader.u16();
  if (version !== DTLS_1_2) throw new PeerError(VERSION, `the server chose version ${version.toString(16)}`);
  const random = reader.bytes(RANDOM_BYTES);
  reader.bytes(reader.u8());
  const suite = reader.u16();
  const compression = reader.u8();
  if ((suite !== SUITES.ecdheEcdsa && suite !== SUITES.ecdheRsa) || compression !== NO_COMPRESSION) {
    throw new PeerError(PARAMETERS, `the server chose suite ${suite.toString(16)}, compression ${compression}`);
  }
  const extensions = readExtensions(reader);
  const [chosen, ...more] = srtpProfiles(extensions);
  const profile = chosen === undefined || more.length > 0 ? undefined : SRTP_PROFILES.get(chosen);
  if (profile === undefined) throw new PeerError(PARAMETERS, 'the server chose no profile of SRTP that we have');
  return { random, profile, extendedMasterSecret: extensions.has(EXTENSION.extendedMasterSecret) };
}

/** The cookie that a server wants to see. */
export function readHelloVerifyRequest(body: Buffer): Buffer {
  const reader = new ByteReader(body, MALFORMED);
  reader.u16();
  const cookie = reader.bytes(reader.u8());
  nothingBehind(reader);
  return cookie;
}

/** The first certificate, DER; empty when there is none. Others behind it prove nothing here. */
export function readCertificate(body: Buffer): Buffer {
  const reader = new ByteReader(body, MALFORMED);
  const list = new ByteReader(reader.bytes(reader.u24()), MALFORMED);
  nothingBehind(reader);
  return list.remaining === 0 ? list.rest() : list.bytes(list.u24());
}

export interface Signed {
  /** What was signed, beside other things. */
  readonly content: Buffer;
  /** Hash and signature. */
  readonly algorithm: number;
  readonly signature: Buffer;
}

export interface ServerKeyExchange extends Signed {
  readonly group: Group;
  readonly publicKey: Buffer;
}

/** RFC 8422 section 5.4; `content`: group and public key. */
export function readServerKeyExchange(body: Buffer): ServerKeyExchange {
  const reader = new ByteReader(body, MALFORMED);
  const type = reader.u8();
  const group = reader.u16();
  if (type !== NAMED_CURVE || (group !== GROUPS.x25519 && group !== GROUPS.p256)) {
    throw new PeerError(PARAMETERS, `the server chose curve ${group} of type ${type}`);
  }
  const publicKey = reader.bytes(reader.u8());
  const content = body.subarray(0, reader.offset);
  return { group, publicKey, content, ...readSignature(reader) };
}

/** The client's public key (RFC 8422 section 5.7). */
export function readClientKeyExchange(body: Buffer): Buffer {
  const reader = new ByteReader(body, MALFORMED);
  const publicKey = reader.bytes(reader.u8());
  nothingBehind(reader);
  return publicKey;
}

export function readCertificateVerify(body: Buffer): Omit<Signed, 'content'> {
  return readSignature(new ByteReader(body, MALFORMED));
}

function readSignature(reader: ByteReader): Omit<Signed, 'content'> {
  const algorithm = reader.u16();
  const signature = reader.bytes(reader.u16());
  nothingBehind(reader);
  return { algorithm, signature };
}

function readExtensions(reader: ByteReader): Extensions {
  const extensions = new Map<number, Buffer>();
  if (reader.remaining === 0) return extensions;
  const list = new ByteReader(reader.bytes(reader.u16()), MALFORMED);
  nothingBehind(reader);
  while (list.remaining > 0) {
    const type = list.u16();
    if (extensions.has(type)) throw new PeerError(MALFORMED, `extension ${type} comes twice`);
    extensions.set(type, list.bytes(list.u16()));
  }
  return extensions;
}

/** RFC 5764 section 4.1.1; what follows the list, an MKI, is for the SRTP of others. */
function srtpProfiles(extensions: Extensions): readonly number[] {
  const data = extensions.get(EXTENSION.useSrtp);
  if (data === undefined) return [];
  const reader = new ByteReader(data, MALFORMED);
  return numbers(reader.bytes(reader.u16()));
}

/** Numbers of two bytes behind a length of `lengthBytes`. */
function listOf(data: Buffer | undefined, lengthBytes: 1 | 2): readonly number[] | undefined {
  if (data === undefined) return undefined;
  const reader = new ByteReader(data, MALFORMED);
  return numbers(reader.bytes(lengthBytes === 1 ? reader.u8() : reader.u16()));
}

function numbers(bytes: Buffer): readonly number[] {
  if (bytes.length % 2 !== 0) throw new PeerError(MALFORMED, 'a list is cut in the middle of a number');
  return Array.from({ length: bytes.length / 2 }, (_, nth) => bytes.readUInt16BE(2 * nth));
}

function nothingBehind(reader: ByteReader): void {
  if (reader.remaining > 0) throw new PeerError(MALFORMED, `${reader.remaining} bytes behind a message`);
}
