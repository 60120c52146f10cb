/**
 * AES_CM_128_HMAC_SHA1_80 and AEAD_AES_128_GCM as RFC 3711 section 4 and RFC 7714 section 8 say them, by Node's own CTR, HMAC and GCM,
 * one packet at a time; and who reads packets and watches that no keystream is used for two texts.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Path } from '../../src/webrtc/path.ts';
import { deriveSrtpKeys } from '../../src/webrtc/srtp-derivation.ts';
import type { SrtpKeys, SrtpProfile } from '../../src/webrtc/srtp-keys.ts';

const SALT_BYTES = { 'aes128-cm-sha1-80': 14, 'aead-aes-128-gcm': 12 } as const;
export const TAG_BYTES = { 'aes128-cm-sha1-80': 10, 'aead-aes-128-gcm': 16 } as const;

export function srtpKeys(profile: SrtpProfile = 'aes128-cm-sha1-80'): SrtpKeys {
  const master = () => ({ key: randomBytes(16), salt: randomBytes(SALT_BYTES[profile]) });
  return { profile, local: master(), remote: master() };
}

/** The packet as `keys.local` protects it under `index`, which goes into its header, too. */
export function protectedBy({ profile, local }: SrtpKeys, packet: Buffer, index: number): Buffer {
  const { cipher, auth, salt } = deriveSrtpKeys(profile, local, 'rtp');
  const plain = Buffer.from(packet);
  plain.writeUInt16BE(index % 65_536, 2);
  const header = headerBytes(plain);
  const gcm = profile === 'aead-aes-128-gcm';
  const number = (BigInt(plain.readUInt32BE(8)) << 48n) | BigInt(index);
  const vector = BigInt(`0x${salt.toString('hex')}`) ^ number;
  const iv = Buffer.from(
    vector
      .toString(16)
      .padStart(2 * salt.length, '0')
      .padEnd(gcm ? 24 : 32, '0'),
    'hex',
  );
  if (gcm) {
    const aead = createCipheriv('aes-128-gcm', cipher, iv).setAAD(plain.subarray(0, header));
    const text = Buffer.concat([aead.update(plain.subarray(header)), aead.final()]);
    return Buffer.concat([plain.subarray(0, header), text, aead.getAuthTag()]);
  }
  const text = createCipheriv('aes-128-ctr', cipher, iv).update(plain.subarray(header));
  const body = Buffer.concat([plain.subarray(0, header), text]);
  const rollOver = Buffer.alloc(4);
  rollOver.writeUInt32BE(Math.floor(index / 65_536));
  const tag = createHmac('sha1', auth).update(body).update(rollOver).digest();
  return Buffer.concat([body, tag.subarray(0, TAG_BYTES[profile])]);
}

export function headerBytes(packet: Buffer): number {
  const fixed = 12 + 4 * (packet[0]! & 15);
  return (packet[0]! & 0x10) === 0 ? fixed : fixed + 4 + 4 * packet.readUInt16BE(fixed + 2);
}

/** A path that keeps what was sent. */
export class KeptPath implements Path {
  readonly ip = '192.0.2.1';
  readonly port = 5004;
  readonly protocol = 'udp';
  queuedBytes = 0;
  sent: Buffer[] = [];

  send(bytes: Uint8Array, offset: number, length: number): void {
    this.sent.push(Buffer.from(bytes.subarray(offset, offset + length)));
  }

  /** What was sent since the last time. */
  take(): Buffer[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }
}

interface SourceState {
  /** Highest index so far. */
  highest: number;
  readonly plain: Map<number, string>;
}

/**
 * A receiver of SRTP: roll-over counters from 0 as RFC 3711 section 3.3.1 has them. Every packet must be what the reference makes of
 * its plain text, and an index that comes again must bring the same text.
 */
export class SrtpListener {
  readonly #keys: SrtpKeys;
  readonly #sources = new Map<number, SourceState>();

  constructor(keys: SrtpKeys) {
    this.#keys = keys;
  }

  /** Answers the plain packet, tag removed. */
  receive(packet: Buffer): { readonly plain: Buffer; readonly index: number } {
    const ssrc = packet.readUInt32BE(8);
    let source = this.#sources.get(ssrc);
    if (source === undefined) {
      source = { highest: packet.readUInt16BE(2), plain: new Map() };
      this.#sources.set(ssrc, source);
    }
    const sequence = packet.readUInt16BE(2);
    const index = source.highest + (((sequence - source.highest) << 16) >> 16);
    assert.ok(index >= 0, 'no packet before the first roll-over');
    const plain = this.#decrypted(packet, index);
    assert.equal(packet.toString('hex'), protectedBy(this.#keys, plain, index).toString('hex'), `index ${index}`);
    const before = source.plain.get(index);
    const text = plain.toString('hex');
    assert.ok(before === undefined || before === text, `index ${index} carries another text`);
    source.plain.set(index, text);
    source.highest = Math.max(source.highest, index);
    return { plain, index };
  }

  /** Both profiles are a keystream over the text: what comes back from a text of zeros is the keystream. */
  #decrypted(packet: Buffer, index: number): Buffer {
    const plain = Buffer.from(packet.subarray(0, packet.length - TAG_BYTES[this.#keys.profile]));
    const header = headerBytes(plain);
    const zeros = Buffer.from(plain).fill(0, header);
    const stream = protectedBy(this.#keys, zeros, index);
    for (let at = header; at < plain.length; at++) plain[at]! ^= stream[at]!;
    return plain;
  }
}
