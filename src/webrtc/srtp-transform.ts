/**
 * The cryptographic transforms of SRTP and SRTCP, packet by packet: AES-CM with HMAC-SHA1 (RFC 3711 section 4), AES-GCM (RFC 7714).
 * All work in place. Nothing is remembered between packets: indices and replays are the caller's.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { deriveSrtpKeys, type SrtpKind, type SrtpSessionKeys } from './srtp-derivation.ts';
import type { SrtpMaster, SrtpProfile } from './srtp-keys.ts';

export interface SrtpTransform {
  /** Bytes that RTP grows by. */
  readonly rtpTrailer: number;
  /** Bytes that RTCP grows by. */
  readonly rtcpTrailer: number;
  /** Where the word of E and index stands in an SRTCP packet of `length` bytes. */
  rtcpIndexAt(length: number): number;
  /** `bytes` holds a packet with a header of `header` bytes and room for the trailer behind it. `index`: 48 bits, roll-overs and sequence. */
  sealRtp(bytes: Buffer, header: number, index: number): void;
  /** Is the tag right? Then the payload has been decrypted; otherwise `bytes` are as they were. */
  openRtp(bytes: Buffer, header: number, index: number): boolean;
  /** `bytes` holds a compound packet and room for the trailer. `index`: 31 bits. */
  sealRtcp(bytes: Buffer, index: number): void;
  /** As `openRtp`, by the index in the packet. At least 8 bytes and the trailer. */
  openRtcp(bytes: Buffer): boolean;
}

/** Header and sender's SSRC: never encrypted (RFC 3711 section 3.4). */
export const RTCP_CLEAR_BYTES = 8;

const RTCP_INDEX_BYTES = 4;
const ENCRYPTED = 0x8000_0000;
const RTP_SSRC_AT = 8;
const RTCP_SSRC_AT = 4;

export function makeSrtpTransform(profile: SrtpProfile, master: SrtpMaster, kind: SrtpKind): SrtpTransform {
  const keys = deriveSrtpKeys(profile, master, kind);
  return profile === 'aead-aes-128-gcm' ? new GcmTransform(keys) : new CounterTransform(keys);
}

const HMAC_TAG_BYTES = 10;

/** AES_CM_128_HMAC_SHA1_80. */
export class CounterTransform implements SrtpTransform {
  readonly rtpTrailer = HMAC_TAG_BYTES;
  readonly rtcpTrailer = RTCP_INDEX_BYTES + HMAC_TAG_BYTES;
  readonly #key: KeyObject;
  readonly #auth: KeyObject;
  readonly #salt: Buffer;
  readonly #iv = Buffer.alloc(16);
  readonly #rollOvers = Buffer.alloc(4);

  constructor(keys: SrtpSessionKeys) {
    this.#key = createSecretKey(keys.cipher);
    this.#auth = createSecretKey(keys.auth);
    this.#salt = keys.salt;
  }

  rtcpIndexAt(length: number): number {
    return length - this.rtcpTrailer;
  }

  sealRtp(bytes: Buffer, header: number, index: number): void {
    const end = bytes.length - HMAC_TAG_BYTES;
    this.#crypt(bytes, header, end, bytes.readUInt32BE(RTP_SSRC_AT), index);
    this.#rtpTag(bytes, end, index).copy(bytes, end, 0, HMAC_TAG_BYTES);
  }

  openRtp(bytes: Buffer, header: number, index: number): boolean {
    const end = bytes.length - HMAC_TAG_BYTES;
    if (!sameTag(this.#rtpTag(bytes, end, index), bytes, end)) return false;
    this.#crypt(bytes, header, end, bytes.readUInt32BE(RTP_SSRC_AT), index);
    return true;
  }

  sealRtcp(bytes: Buffer, index: number): void {
    const end = bytes.length - this.rtcpTrailer;
    this.#crypt(bytes, RTCP_CLEAR_BYTES, end, bytes.readUInt32BE(RTCP_SSRC_AT), index);
    bytes.writeUInt32BE(ENCRYPTED + index, end);
    this.#rtcpTag(bytes).copy(bytes, end + RTCP_INDEX_BYTES, 0, HMAC_TAG_BYTES);
  }

  openRtcp(bytes: Buffer): boolean {
    const end = bytes.length - this.rtcpTrailer;
    if (!sameTag(this.#rtcpTag(bytes), bytes, end + RTCP_INDEX_BYTES)) return false;
    const word = bytes.readUInt32BE(end);
    if (word >= ENCRYPTED) {
      this.#crypt(bytes, RTCP_CLEAR_BYTES, end, bytes.readUInt32BE(RTCP_SSRC_AT), word - ENCRYPTED);
    }
    return true;
  }

  /** RFC 3711 section 4.1.1: salt, SSRC and index, each in its place, over a block counter of 16 bits. */
  #crypt(bytes: Buffer, from: number, to: number, ssrc: number, index: number): void {
    const iv = this.#iv;
    this.#salt.copy(iv);
    iv.writeUInt32BE((iv.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    xorIndex(iv, 8, index);
    createCipheriv('aes-128-ctr', this.#key, iv).update(bytes.subarray(from, to)).copy(bytes, from);
  }

  #rtpTag(bytes: Buffer, end: number, index: number): Buffer {
    this.#rollOvers.writeUInt32BE(Math.floor(index / 0x1_0000));
    return createHmac('sha1', this.#auth).update(bytes.subarray(0, end)).update(this.#rollOvers).digest();
  }

  #rtcpTag(bytes: Buffer): Buffer {
    return createHmac('sha1', this.#auth)
      .update(bytes.subarray(0, bytes.length - HMAC_TAG_BYTES))
      .digest();
  }
}

const GCM_TAG_BYTES = 16;
const GCM = { authTagLength: GCM_TAG_BYTES };

/** AEAD_AES_128_GCM. The tag stands before the index of SRTCP, not behind. */
export class GcmTransform implements SrtpTransform {
  readonly rtpTrailer = GCM_TAG_BYTES;
  readonly rtcpTrailer = GCM_TAG_BYTES + RTCP_INDEX_BYTES;
  readonly #key: KeyObject;
  readonly #salt: Buffer;
  readonly #iv = Buffer.alloc(12);

  constructor(keys: SrtpSessionKeys) {
    this.#key = createSecretKey(keys.cipher);
    this.#salt = keys.salt;
  }

  rtcpIndexAt(length: number): number {
    return length - RTCP_INDEX_BYTES;
  }

  sealRtp(bytes: Buffer, header: number, index: number): void {
    const iv = this.#ivOf(bytes.readUInt32BE(RTP_SSRC_AT), index);
    this.#seal(bytes, header, bytes.length - GCM_TAG_BYTES, iv, bytes.subarray(0, header));
  }

  openRtp(bytes: Buffer, header: number, index: number): boolean {
    const iv = this.#ivOf(bytes.readUInt32BE(RTP_SSRC_AT), index);
    return this.#open(bytes, header, bytes.length - GCM_TAG_BYTES, iv, bytes.subarray(0, header));
  }

  sealRtcp(bytes: Buffer, index: number): void {
    const wordAt = bytes.length - RTCP_INDEX_BYTES;
    bytes.writeUInt32BE(ENCRYPTED + index, wordAt);
    const iv = this.#ivOf(bytes.readUInt32BE(RTCP_SSRC_AT), index);
    this.#seal(bytes, RTCP_CLEAR_BYTES, wordAt - GCM_TAG_BYTES, iv, rtcpData(bytes, RTCP_CLEAR_BYTES));
  }

  openRtcp(bytes: Buffer): boolean {
    const wordAt = bytes.length - RTCP_INDEX_BYTES;
    const word = bytes.readUInt32BE(wordAt);
    const end = wordAt - GCM_TAG_BYTES;
    const iv = this.#ivOf(bytes.readUInt32BE(RTCP_SSRC_AT), word % ENCRYPTED);
    const clear = word >= ENCRYPTED ? RTCP_CLEAR_BYTES : end;
    return this.#open(bytes, clear, end, iv, rtcpData(bytes, clear));
  }

  /** RFC 7714 sections 8.1 and 9.1: two zeros, SSRC and an index of six bytes, over the salt. */
  #ivOf(ssrc: number, index: number): Buffer {
    const iv = this.#iv;
    this.#salt.copy(iv);
    iv.writeUInt32BE((iv.readUInt32BE(2) ^ ssrc) >>> 0, 2);
    xorIndex(iv, 6, index);
    return iv;
  }

  #seal(bytes: Buffer, from: number, end: number, iv: Buffer, clear: Buffer): void {
    const cipher = createCipheriv('aes-128-gcm', this.#key, iv, GCM).setAAD(clear);
    cipher.update(bytes.subarray(from, end)).copy(bytes, from);
    cipher.final();
    cipher.getAuthTag().copy(bytes, end);
  }

  #open(bytes: Buffer, from: number, end: number, iv: Buffer, clear: Buffer): boolean {
    const decipher = createDecipheriv('aes-128-gcm', this.#key, iv, GCM)
      .setAAD(clear)
      .setAuthTag(bytes.subarray(end, end + GCM_TAG_BYTES));
    const plain = decipher.update(bytes.subarray(from, end));
    try {
      decipher.final();
    } catch {
      // a wrong tag is told by throwing only
      return false;
    }
    plain.copy(bytes, from);
    return true;
  }
}

/** What GCM protects without encrypting: the clear bytes and the word of E and index. */
function rtcpData(bytes: Buffer, clear: number): Buffer {
  return Buffer.concat([bytes.subarray(0, clear), bytes.subarray(bytes.length - RTCP_INDEX_BYTES)]);
}

function sameTag(digest: Buffer, bytes: Buffer, at: number): boolean {
  return timingSafeEqual(digest.subarray(0, HMAC_TAG_BYTES), bytes.subarray(at, at + HMAC_TAG_BYTES));
}

/** Six bytes at `at`. */
function xorIndex(iv: Buffer, at: number, index: number): void {
  iv.writeUInt16BE(iv.readUInt16BE(at) ^ Math.floor(index / 2 ** 32), at);
  iv.writeUInt32BE((iv.readUInt32BE(at + 2) ^ (index % 2 ** 32)) >>> 0, at + 2);
}
