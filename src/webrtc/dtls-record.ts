/**
 * The records of DTLS 1.2 (RFC 6347 section 4.1), and their protection with AES-128-GCM (RFC 5288, RFC 6347 section 4.1.2.1).
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';

export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** On the wire, later versions have lower numbers. */
export const DTLS_1_2 = 0xfefd;

export interface DtlsRecord {
  readonly type: number;
  readonly epoch: number;
  /** 48 bits. */
  readonly sequence: number;
  /** What follows the header; a view. */
  readonly fragment: Buffer;
  /** With the header; a view. */
  readonly bytes: Buffer;
}

const HEADER_BYTES = 13;
const SEQUENCE_AT = 5;
const LENGTH_AT = 11;
/** RFC 6347 section 4.1: 2^14 of text, and what compression and protection may add. */
const MAX_FRAGMENT_BYTES = 2 ** 14 + 2048;
const DTLS_MAJOR = 0xfe;

/** The records of one datagram, up to the first that is none. */
export function* readRecords(datagram: Buffer): Generator<DtlsRecord, void> {
  let at = 0;
  while (at + HEADER_BYTES <= datagram.length) {
    const length = datagram.readUInt16BE(at + LENGTH_AT);
    const end = at + HEADER_BYTES + length;
    if (end > datagram.length || length > MAX_FRAGMENT_BYTES || datagram[at + 1] !== DTLS_MAJOR) return;
    yield {
      type: datagram[at]!,
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + SEQUENCE_AT, 6),
      fragment: datagram.subarray(at + HEADER_BYTES, end),
      bytes: datagram.subarray(at, end),
    };
    at = end;
  }
}

export function writeRecord(type: number, epoch: number, sequence: number, fragment: Buffer): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header[0] = type;
  header.writeUInt16BE(DTLS_1_2, 1);
  header.writeUInt16BE(epoch, 3);
  header.writeUIntBE(sequence, SEQUENCE_AT, 6);
  header.writeUInt16BE(fragment.length, LENGTH_AT);
  return Buffer.concat([header, fragment]);
}

export const IMPLICIT_BYTES = 4;
const EXPLICIT_BYTES = 8;
const TAG_BYTES = 16;
const GCM = { authTagLength: TAG_BYTES };

/** The keys of one direction, for epoch 1, of which a connection has no second. */
export class RecordProtection {
  readonly #key: KeyObject;
  /** The implicit part, then the explicit one of the record at hand. */
  readonly #nonce = Buffer.alloc(IMPLICIT_BYTES + EXPLICIT_BYTES);

  /** 16 and 4 bytes. */
  constructor(key: Buffer, implicit: Buffer) {
    this.#key = createSecretKey(key);
    implicit.copy(this.#nonce);
  }

  /** A record. No two may have the same sequence number. */
  seal(type: number, sequence: number, text: Buffer): Buffer {
    const record = writeRecord(type, 1, sequence, Buffer.alloc(EXPLICIT_BYTES + text.length + TAG_BYTES));
    epochAndSequence(record).copy(record, HEADER_BYTES);
    epochAndSequence(record).copy(this.#nonce, IMPLICIT_BYTES);
    const cipher = createCipheriv('aes-128-gcm', this.#key, this.#nonce, GCM).setAAD(additional(record, text.length));
    cipher.update(text).copy(record, HEADER_BYTES + EXPLICIT_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(record, record.length - TAG_BYTES);
    return record;
  }

  /** The text of a record; undefined when it is not genuine. */
  open({ bytes, epoch, fragment }: DtlsRecord): Buffer | undefined {
    const length = fragment.length - EXPLICIT_BYTES - TAG_BYTES;
    if (epoch !== 1 || length < 0) return undefined;
    fragment.copy(this.#nonce, IMPLICIT_BYTES, 0, EXPLICIT_BYTES);
    const decipher = createDecipheriv('aes-128-gcm', this.#key, this.#nonce, GCM)
      .setAAD(additional(bytes, length))
      .setAuthTag(fragment.subarray(EXPLICIT_BYTES + length));
    const text = decipher.update(fragment.subarray(EXPLICIT_BYTES, EXPLICIT_BYTES + length));
    try {
      decipher.final();
    } catch {
      // a wrong tag is told by throwing only
      return undefined;
    }
    return text;
  }
}

function epochAndSequence(record: Buffer): Buffer {
  return record.subarray(3, LENGTH_AT);
}

/** Epoch, sequence, type, version and the length of the text. */
function additional(record: Buffer, length: number): Buffer {
  const data = Buffer.concat([epochAndSequence(record), record.subarray(0, 3), Buffer.alloc(2)]);
  data.writeUInt16BE(length, LENGTH_AT);
  return data;
}
