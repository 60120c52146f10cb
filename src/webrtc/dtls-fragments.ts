/**
 * Handshake messages put together from their fragments, in the order of their numbers (RFC 6347 section 4.2).
 */

/** One message, whole. */
export interface HandshakeMessage {
  readonly type: number;
  readonly number: number;
  readonly epoch: number;
  readonly body: Buffer;
  /** Header and body as if sent in one piece: what hashes and signatures are made of. */
  readonly whole: Buffer;
}

const HEADER_BYTES = 12;
const LENGTH_AT = 1;
const NUMBER_AT = 4;
const OFFSET_AT = 6;
const FRAGMENT_LENGTH_AT = 9;

/** Messages that may be begun at once: no flight has more. */
const MAX_AHEAD = 8;
/** Of all that are begun: a certificate of a large RSA key has 2 kB. */
const MAX_PENDING_BYTES = 32 << 10;

interface Pending {
  readonly type: number;
  readonly epoch: number;
  readonly whole: Buffer;
  /** A one for each byte that has come. */
  readonly come: Uint8Array;
  missing: number;
}

export class HandshakeFragments {
  /** The lowest number that is of interest. */
  #next = 0;
  readonly #pending = new Map<number, Pending>();
  #pendingBytes = 0;

  get next(): number {
    return this.#next;
  }

  /** Everything below is over. */
  advance(next: number): void {
    this.#next = next;
    for (const number of this.#pending.keys()) if (number < next) this.#drop(number);
  }

  /**
   * Takes the fragments of a record's text and copies what it keeps. Answers whether one of them belongs to a message that is over: the
   * peer sends again. What makes no sense, or leads too far ahead, is passed over.
   */
  add(text: Buffer, epoch: number): boolean {
    let again = false;
    for (let at = 0; at + HEADER_BYTES <= text.length; ) {
      const end = at + HEADER_BYTES + text.readUIntBE(at + FRAGMENT_LENGTH_AT, 3);
      if (end > text.length) break;
      const number = text.readUInt16BE(at + NUMBER_AT);
      if (number < this.#next) again = true;
      else if (number < this.#next + MAX_AHEAD) this.#put(number, text.subarray(at, end), epoch);
      at = end;
    }
    return again;
  }

  /** Message `number`, once it is whole. It is forgotten here. */
  take(number: number): HandshakeMessage | undefined {
    const pending = this.#pending.get(number);
    if (pending === undefined || pending.missing > 0) return undefined;
    this.#drop(number);
    const { type, epoch, whole } = pending;
    return { type, number, epoch, body: whole.subarray(HEADER_BYTES), whole };
  }

  #put(number: number, fragment: Buffer, epoch: number): void {
    const type = fragment[0]!;
    const length = fragment.readUIntBE(LENGTH_AT, 3);
    const offset = fragment.readUIntBE(OFFSET_AT, 3);
    const count = fragment.length - HEADER_BYTES;
    if (offset + count > length) return;
    let pending = this.#pending.get(number);
    // the first to come may have been anybody's; who sends another message begins anew
    if (pending?.type !== type || pending.epoch !== epoch || pending.come.length !== length) {
      if (pending !== undefined) this.#drop(number);
      if (this.#pendingBytes + length > MAX_PENDING_BYTES) return;
      pending = { type, epoch, whole: header(type, number, length), come: new Uint8Array(length), missing: length };
      this.#pending.set(number, pending);
      this.#pendingBytes += length;
    }
    fragment.copy(pending.whole, HEADER_BYTES + offset, HEADER_BYTES);
    for (let at = offset; at < offset + count; at++) pending.missing -= 1 - pending.come[at]!;
    pending.come.fill(1, offset, offset + count);
  }

  #drop(number: number): void {
    this.#pendingBytes -= this.#pending.get(number)!.come.length;
    this.#pending.delete(number);
  }
}

/** A message of our own, in one piece. */
export function handshakeMessage(type: number, number: number, body: Buffer): Buffer {
  const whole = header(type, number, body.length);
  body.copy(whole, HEADER_BYTES);
  return whole;
}

/** What a message in one piece says of itself. */
export function messageOf(whole: Buffer): Omit<HandshakeMessage, 'epoch'> {
  return { type: whole[0]!, number: whole.readUInt16BE(NUMBER_AT), body: whole.subarray(HEADER_BYTES), whole };
}

/** A message in one piece, with nothing behind its header yet. */
function header(type: number, number: number, length: number): Buffer {
  const whole = Buffer.alloc(HEADER_BYTES + length);
  whole[0] = type;
  whole.writeUIntBE(length, LENGTH_AT, 3);
  whole.writeUInt16BE(number, NUMBER_AT);
  whole.writeUIntBE(length, FRAGMENT_LENGTH_AT, 3);
  return whole;
}
