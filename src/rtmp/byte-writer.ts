/**
 * Writing bytes when their number is not known beforehand: commands and metadata. Media never passes here.
 */

const FIRST_CAPACITY = 512;

/** A buffer that grows. Big endian, as RTMP is. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;

  u8(value: number): void {
    const at = this.#reserve(1); // First: it may replace the buffer.
    this.#buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  f64(value: number): void {
    const at = this.#reserve(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  bytes(bytes: Buffer): void {
    const at = this.#reserve(bytes.length);
    bytes.copy(this.#buffer, at);
  }

  /** `text` as UTF-8, which takes `byteLength` bytes. */
  utf8(text: string, byteLength: number): void {
    const at = this.#reserve(byteLength);
    this.#buffer.write(text, at, 'utf8');
  }

  /** What was written. The writer must not be used afterwards. */
  written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Makes room for `count` bytes and answers where they go. */
  #reserve(count: number): number {
    const at = this.#length;
    const length = at + count;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = length;
    return at;
  }
}
