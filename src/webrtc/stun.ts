/**
 * STUN messages as ICE uses them (RFC 8489, RFC 8445 section 16): read, checked and written over bytes, nothing kept.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

/** Class and method, as they stand in front. */
export const STUN = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const;

export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  software: 0x8022,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** A check has about 100 bytes; a datagram that is not cut up on its way has no more. */
export const MAX_STUN_BYTES = 1_500;
const HEADER_BYTES = 20;
const TRANSACTION_AT = 8;
const MAGIC_COOKIE = 0x2112_a442;
const INTEGRITY_BYTES = 20;
const FINGERPRINT_BYTES = 4;
const FINGERPRINT_XOR = 0x5354_554e;
/** Whoever does not know an attribute below must not go on (RFC 8489 section 14). */
const FIRST_OPTIONAL = 0x8000;
/** Attributes that a request may hold; more than any client sends. */
const MAX_ATTRIBUTES = 32;
const IPV4 = 0x01;
const IPV6 = 0x02;

/** Where a value lies in its message. */
export interface StunPlace {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

export interface StunMessage {
  readonly bytes: Buffer;
  readonly type: number;
  /** 12 bytes; a view. */
  readonly transaction: Buffer;
  /** Those before MESSAGE-INTEGRITY, in their order: nobody vouches for what follows it. */
  readonly attributes: readonly StunPlace[];
  /** Where the MESSAGE-INTEGRITY attribute begins; 0: there is none. */
  readonly integrityAt: number;
}

/** May it be STUN? By its first byte (RFC 7983). */
export function looksLikeStun(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes[0]! < 4;
}

/** Undefined: no STUN message, or one whose FINGERPRINT is wrong. */
export function readStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_STUN_BYTES || bytes[0]! > 3) return undefined;
  if (bytes.readUInt16BE(2) !== bytes.length - HEADER_BYTES || bytes.readUInt32BE(4) !== MAGIC_COOKIE) return undefined;
  const attributes: StunPlace[] = [];
  let integrityAt = 0;
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const type = bytes.readUInt16BE(at);
    const start = at + 4;
    const end = start + bytes.readUInt16BE(at + 2);
    const next = (end + 3) & ~3;
    if (next > bytes.length) return undefined;
    if (type === ATTRIBUTE.fingerprint) {
      // the last one, by definition
      if (end - start !== FINGERPRINT_BYTES || next !== bytes.length) return undefined;
      if (fingerprint(bytes, at) !== bytes.readUInt32BE(start)) return undefined;
    } else if (integrityAt === 0) {
      if (type === ATTRIBUTE.messageIntegrity) {
        if (end - start !== INTEGRITY_BYTES) return undefined;
        integrityAt = at;
      } else if (attributes.push({ type, start, end }) > MAX_ATTRIBUTES) return undefined;
    }
    at = next;
  }
  const transaction = bytes.subarray(TRANSACTION_AT, HEADER_BYTES);
  return { bytes, type: bytes.readUInt16BE(0), transaction, attributes, integrityAt };
}

/** The first attribute of this type. */
export function findAttribute(message: StunMessage, type: number): StunPlace | undefined {
  for (const place of message.attributes) if (place.type === type) return place;
  return undefined;
}

/** What a request asks for and we must understand, and do not. */
export function unknownAttributes(message: StunMessage): number[] {
  const unknown: number[] = [];
  for (const { type } of message.attributes) {
    if (type < FIRST_OPTIONAL && !KNOWN.has(type)) unknown.push(type);
  }
  return unknown;
}

const KNOWN: ReadonlySet<number> = new Set<number>(Object.values(ATTRIBUTE));

/**
 * A password, ready for HMAC-SHA1 (RFC 2104). Two one-shot digests over prepared pads: half of what an HMAC object costs,
 * and a check costs two.
 */
export class StunKey {
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  constructor(password: string) {
    const bytes = Buffer.from(password);
    const key = bytes.length > SHA1_BLOCK ? hash('sha1', bytes, 'buffer') : bytes;
    this.#inner = pad(key, 0x36);
    this.#outer = pad(key, 0x5c);
  }

  /**
   * 20 bytes over the first `length` bytes of a message, its length field read as if MESSAGE-INTEGRITY came next and last. Good until
   * the next call.
   */
  integrity(message: Buffer, length: number): Buffer {
    this.#inner.copy(inner, 0);
    message.copy(inner, SHA1_BLOCK, 0, length);
    inner.writeUInt16BE(length - HEADER_BYTES + 4 + INTEGRITY_BYTES, SHA1_BLOCK + 2);
    this.#outer.copy(outer, 0);
    // digests as text of one byte a character: a third of what a new buffer costs
    outer.write(hash('sha1', inner.subarray(0, SHA1_BLOCK + length), 'latin1'), SHA1_BLOCK, 'latin1');
    digest.write(hash('sha1', outer, 'latin1'), 'latin1');
    return digest;
  }
}

const SHA1_BLOCK = 64;
/** One digest at a time is made here. */
const inner = Buffer.alloc(SHA1_BLOCK + MAX_STUN_BYTES);
const outer = Buffer.alloc(SHA1_BLOCK + INTEGRITY_BYTES);
const digest = Buffer.alloc(INTEGRITY_BYTES);

function pad(key: Buffer, byte: number): Buffer {
  const padded = Buffer.alloc(SHA1_BLOCK, byte);
  for (const [at, value] of key.entries()) padded[at] = value ^ byte;
  return padded;
}

/** Has somebody who knows the password written this? */
export function hasIntegrity({ bytes, integrityAt }: StunMessage, key: StunKey): boolean {
  if (integrityAt === 0) return false;
  const start = integrityAt + 4;
  return timingSafeEqual(key.integrity(bytes, integrityAt), bytes.subarray(start, start + INTEGRITY_BYTES));
}

/** Writes a message, with MESSAGE-INTEGRITY when there is a key, and FINGERPRINT. At most `MAX_STUN_BYTES`. */
export function writeStun(
  type: number,
  transaction: Buffer,
  attributes: readonly (readonly [type: number, value: Buffer])[],
  key?: StunKey,
): Buffer {
  let length = HEADER_BYTES + 4 + FINGERPRINT_BYTES + (key === undefined ? 0 : 4 + INTEGRITY_BYTES);
  for (const [, value] of attributes) length += 4 + ((value.length + 3) & ~3);
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(length - HEADER_BYTES, 2);
  bytes.writeUInt32BE(MAGIC_COOKIE, 4);
  transaction.copy(bytes, TRANSACTION_AT);
  let at = HEADER_BYTES;
  for (const [kind, value] of attributes) at = writeAttribute(bytes, at, kind, value);
  if (key !== undefined) at = writeAttribute(bytes, at, ATTRIBUTE.messageIntegrity, key.integrity(bytes, at));
  bytes.writeUInt16BE(ATTRIBUTE.fingerprint, at);
  bytes.writeUInt16BE(FINGERPRINT_BYTES, at + 2);
  bytes.writeUInt32BE(fingerprint(bytes, at), at + 4);
  return bytes;
}

function writeAttribute(bytes: Buffer, at: number, type: number, value: Buffer): number {
  bytes.writeUInt16BE(type, at);
  bytes.writeUInt16BE(value.length, at + 2);
  const end = at + 4 + value.copy(bytes, at + 4);
  const next = (end + 3) & ~3;
  bytes.fill(0, end, next);
  return next;
}

/** The value of ERROR-CODE (RFC 8489 section 14.8), without words: the answer is to stay small. */
export function errorCode(code: number): Buffer {
  return Buffer.of(0, 0, Math.floor(code / 100), code % 100);
}

/** The value of UNKNOWN-ATTRIBUTES. */
export function unknownValue(types: readonly number[]): Buffer {
  const value = Buffer.alloc(2 * types.length);
  for (const [index, type] of types.entries()) value.writeUInt16BE(type, 2 * index);
  return value;
}

/** The value of XOR-MAPPED-ADDRESS for the 4 or 16 bytes of an address (RFC 8489 section 14.2). */
export function xorAddress(address: Buffer, port: number, transaction: Buffer): Buffer {
  const value = Buffer.alloc(4 + address.length);
  value[1] = address.length === 4 ? IPV4 : IPV6;
  value.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
  value.writeUInt32BE((address.readUInt32BE(0) ^ MAGIC_COOKIE) >>> 0, 4);
  for (let at = 4; at < address.length; at++) value[4 + at] = address[at]! ^ transaction[at - 4]!;
  return value;
}

/** The 4 or 16 bytes of a written address, without zone; undefined: it is none. */
export function addressBytes(ip: string): Buffer | undefined {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  if (!isIPv6(ip) || ip.includes('%')) return undefined;
  const [head = '', tail] = ip.split('::');
  const front = groups(head);
  const back = groups(tail ?? '');
  return Buffer.from([...front, ...new Array<number>(16 - front.length - back.length).fill(0), ...back]);
}

/** Two bytes for each group; four for an IPv4 address at the end. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** Of the first `length` bytes (RFC 8489 section 14.7). */
function fingerprint(bytes: Buffer, length: number): number {
  let crc = 0xffff_ffff;
  for (let at = 0; at < length; at++) crc = CRC_TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff ^ FINGERPRINT_XOR) >>> 0;
}
