/**
 * The other side of connectivity checks, made with Node's own HMAC and CRC, so that our writer and reader are not judged by themselves.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { IceCredentials } from '../../src/webrtc/path.ts';

export interface CheckOptions {
  /** `local:remote` as the server sees it; undefined: left out. */
  readonly username?: string | undefined;
  /** Undefined: no MESSAGE-INTEGRITY. */
  readonly password?: string | undefined;
  readonly nominate?: boolean;
  readonly role?: 'controlling' | 'controlled';
  readonly transaction?: Buffer;
  /** Put before MESSAGE-INTEGRITY. */
  readonly extra?: readonly (readonly [type: number, value: Buffer])[];
  readonly fingerprint?: boolean;
  readonly type?: number;
}

export const CLIENT: IceCredentials = { ufrag: 'clnt', password: 'a-client-password-of-32-letters!' };

/** What a client sends to a session with these credentials. */
export function checkOf(session: IceCredentials, options: Partial<CheckOptions> = {}): Buffer {
  return stunCheck({ username: `${session.ufrag}:${CLIENT.ufrag}`, password: session.password, ...options });
}

export function stunCheck(options: CheckOptions): Buffer {
  const { username, password, nominate = false, role = 'controlling', extra = [] } = options;
  const parts: Buffer[] = [];
  const add = (type: number, value: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(value.length, 2);
    parts.push(head, value, Buffer.alloc((4 - (value.length % 4)) % 4));
  };
  const head = Buffer.concat([
    Buffer.from([(options.type ?? 1) >> 8, (options.type ?? 1) & 0xff, 0, 0, 0x21, 0x12, 0xa4, 0x42]),
    options.transaction ?? randomBytes(12),
  ]);
  /** The message so far, its length field counting `more` bytes too. */
  const soFar = (more: number) => {
    const body = Buffer.concat(parts);
    head.writeUInt16BE(body.length + more, 2);
    return Buffer.concat([head, body]);
  };
  if (username !== undefined) add(0x0006, Buffer.from(username));
  add(0x0024, Buffer.from('6e0001ff', 'hex'));
  add(role === 'controlling' ? 0x802a : 0x8029, Buffer.alloc(8, 7));
  if (nominate) add(0x0025, Buffer.alloc(0));
  for (const [type, value] of extra) add(type, value);
  if (password !== undefined) add(0x0008, createHmac('sha1', password).update(soFar(24)).digest());
  if (options.fingerprint !== false) {
    const value = Buffer.alloc(4);
    value.writeUInt32BE((crc32(soFar(8)) ^ 0x5354554e) >>> 0);
    add(0x8028, value);
  }
  return soFar(0);
}

export interface Answer {
  readonly type: number;
  readonly transaction: string;
  /** Of errors. */
  readonly code?: number | undefined;
  readonly mapped?: string | undefined;
  readonly unknown?: readonly number[] | undefined;
}

/** Reads an answer; throws when it is malformed, or not signed with `password`. */
export function readAnswer(bytes: Buffer, password: string): Answer {
  if (bytes.length !== 20 + bytes.readUInt16BE(2)) throw new Error('the length is wrong');
  const values = new Map<number, Buffer>();
  let signed = false;
  for (let at = 20; at < bytes.length; ) {
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    const value = bytes.subarray(at + 4, at + 4 + length);
    const before = Buffer.from(bytes.subarray(0, at));
    if (type === 0x0008) {
      before.writeUInt16BE(at + 4, 2);
      signed = createHmac('sha1', password).update(before).digest().equals(value);
    } else if (type === 0x8028) {
      before.writeUInt16BE(at - 12, 2);
      if ((crc32(before) ^ 0x5354554e) >>> 0 !== value.readUInt32BE()) throw new Error('the fingerprint is wrong');
    } else values.set(type, value);
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  if (!signed) throw new Error('the integrity is wrong');
  const error = values.get(0x0009);
  const unknown = values.get(0x000a);
  return {
    type: bytes.readUInt16BE(0),
    transaction: bytes.toString('hex', 8, 20),
    code: error && error[2]! * 100 + error[3]!,
    mapped: mappedOf(values.get(0x0020), bytes),
    unknown: unknown && Array.from({ length: unknown.length / 2 }, (_, index) => unknown.readUInt16BE(2 * index)),
  };
}

function mappedOf(value: Buffer | undefined, message: Buffer): string | undefined {
  if (value === undefined) return undefined;
  const port = value.readUInt16BE(2) ^ 0x2112;
  const plain = Buffer.from(value.subarray(4).map((byte, at) => byte ^ message[4 + at]!));
  if (value[1] === 1) return `${plain.join('.')} ${port}`;
  return `${plain.toString('hex').match(/..../g)!.join(':')} ${port}`;
}
