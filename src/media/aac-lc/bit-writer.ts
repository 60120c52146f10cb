/**
 * Writes bits, most significant first, into room that is used again.
 */

export class BitWriter {
  readonly #bytes: Uint8Array;
  /** Where the next bit goes. */
  #at = 0;

  /** Room for `size` bytes. */
  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  clear(): void {
    this.#bytes.fill(0, 0, (this.#at + 7) >> 3);
    this.#at = 0;
  }

  /** The lowest `count` bits of `value`, 0 to 24. */
  write(value: number, count: number): void {
    for (let left = count; left > 0; ) {
      const free = 8 - (this.#at & 7);
      const take = Math.min(free, left);
      this.#bytes[this.#at >> 3]! |= ((value >> (left - take)) & ((1 << take) - 1)) << (free - take);
      this.#at += take;
      left -= take;
    }
  }

  /** A copy of what was written, filled up to a whole byte. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, (this.#at + 7) >> 3) as Uint8Array<ArrayBuffer>;
  }
}
