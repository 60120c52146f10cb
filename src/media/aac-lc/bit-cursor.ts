/**
 * Reads the bits of one AAC unit, fast: the unit is copied into a padded array, so that no read looks for its end. Past the end
 * everything is 0, and `overrun` says so.
 */

/** Bytes of one unit: eight channels of 6,144 bits, and room for fill elements. */
export const MAX_UNIT = 8192;
const PADDING = 8;

export class BitCursor {
  readonly #bytes = new Uint8Array(MAX_UNIT + PADDING);
  #end = 0;
  /** Where the next read starts, in bits. */
  #at = 0;

  /** Starts over with `unit`, at most `MAX_UNIT` bytes. */
  load(unit: Uint8Array): void {
    this.#bytes.set(unit);
    this.#bytes.fill(0, unit.length, Math.max(unit.length, this.#end >> 3) + PADDING);
    this.#end = unit.length * 8;
    this.#at = 0;
  }

  /** More was read than there is; what came last is worthless. */
  get overrun(): boolean {
    return this.#at > this.#end;
  }

  /** The next `count` bits, 1 to 25, without taking them. */
  peek(count: number): number {
    const bytes = this.#bytes;
    // a read past the end stays inside the padding
    const at = Math.min(this.#at, this.#end);
    const byte = at >> 3;
    const word = (bytes[byte]! << 24) | (bytes[byte + 1]! << 16) | (bytes[byte + 2]! << 8) | bytes[byte + 3]!;
    return (word << (at & 7)) >>> (32 - count);
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** The next `count` bits, 0 to 25. */
  bits(count: number): number {
    if (count === 0) return 0;
    const value = this.peek(count);
    this.#at += count;
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** Goes on to the next whole byte. */
  align(): void {
    this.#at = (this.#at + 7) & ~7;
  }
}
