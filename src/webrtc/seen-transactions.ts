/**
 * The transactions of the checks that a session has taken, so that one that was recorded and is sent from elsewhere moves nothing.
 */

/** A browser checks its path each 2.5 s: three quarters of an hour. */
const REMEMBERED = 1_024;

export class SeenTransactions {
  /** Four bytes of each, the oldest written over: a client's next check makes up for the one in millions that is mistaken. */
  readonly #marks = new Uint32Array(REMEMBERED);
  #count = 0;

  /** `transaction`: 96 bits (RFC 8489 section 5). */
  has(transaction: Buffer): boolean {
    const at = this.#marks.indexOf(markOf(transaction));
    // what was never written is zero, too
    return at >= 0 && at < this.#count;
  }

  add(transaction: Buffer): void {
    this.#marks[this.#count % REMEMBERED] = markOf(transaction);
    this.#count += 1;
  }
}

/** Of all its bytes: not all clients make all of them random. */
function markOf(transaction: Buffer): number {
  return (transaction.readUInt32BE(0) ^ transaction.readUInt32BE(4) ^ transaction.readUInt32BE(8)) >>> 0;
}
