/**
 * The bytes of one access unit while its packets come in.
 */

/** More is no picture of a live stream. */
export const MAX_UNIT_BYTES = 8 << 20;

const INITIAL_BYTES = 64 << 10;
/** What is kept for the next unit; a rare larger one does not stay in memory. */
const MAX_KEPT_BYTES = 1 << 20;

/** Memory that grows with the largest unit, up to `MAX_UNIT_BYTES`, and is used again for the next. */
export class UnitBytes {
  #memory = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What has been appended; a view until the next change. */
  view(start = 0, end = this.#length): Buffer {
    return this.#memory.subarray(start, end);
  }

  /** Appends `bytes` from `start` to `end`. False when the unit would become too large. */
  append(bytes: Buffer, start = 0, end = bytes.length): boolean {
    if (!this.#grow(end - start)) return false;
    this.#length += bytes.copy(this.#memory, this.#length, start, end);
    return true;
  }

  /** Appends `count` bytes that are set later or now to `value`; false when the unit would become too large. */
  appendNumber(value: number, count: number): boolean {
    if (!this.#grow(count)) return false;
    this.#length = this.#memory.writeUIntBE(value, this.#length, count);
    return true;
  }

  setU32(value: number, at: number): void {
    this.#memory.writeUInt32BE(value, at);
  }

  /** Takes back what was appended behind `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A copy of what has been appended. */
  copy(): Buffer {
    return Buffer.from(this.view());
  }

  clear(): void {
    this.#length = 0;
    if (this.#memory.length > MAX_KEPT_BYTES) this.#memory = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  #grow(count: number): boolean {
    const needed = this.#length + count;
    if (needed > MAX_UNIT_BYTES) return false;
    if (needed > this.#memory.length) {
      const memory = Buffer.allocUnsafeSlow(Math.min(MAX_UNIT_BYTES, Math.max(needed, 2 * this.#memory.length)));
      this.#memory.copy(memory, 0, 0, this.#length);
      this.#memory = memory;
    }
    return true;
  }
}
