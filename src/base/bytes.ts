/**
 * Reading bytes: a cursor over one buffer.
 */
import { PeerError } from './errors.ts';

/** A cursor over one buffer. Big endian, as RTMP and RTP are. Every read past the end throws `PeerError` with `code`. */
export class ByteReader {
  readonly buffer: Buffer;
  /** Where the next read starts. */
  offset: number;
  readonly end: number;
  readonly #code: string;

  /** Reads `buffer` from `offset` to `end`; a short read is reported under `code`. */
  constructor(buffer: Buffer, code: string, offset = 0, end = buffer.length) {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
    this.#code = code;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Takes `count` bytes and answers where they start. */
  take(count: number): number {
    const start = this.offset;
    if (count < 0 || count > this.end - start) {
      throw new PeerError(this.#code, `needs ${count} bytes at ${start}, has ${this.end - start}`);
    }
    this.offset = start + count;
    return start;
  }

  u8(): number {
    return this.buffer[this.take(1)]!;
  }

  u16(): number {
    return this.buffer.readUInt16BE(this.take(2));
  }

  u24(): number {
    return this.buffer.readUIntBE(this.take(3), 3);
  }

  /** Signed 24 bits, as composition times are. */
  i24(): number {
    return this.buffer.readIntBE(this.take(3), 3);
  }

  u32(): number {
    return this.buffer.readUInt32BE(this.take(4));
  }

  f64(): number {
    return this.buffer.readDoubleBE(this.take(8));
  }

  /** A view of the next `count` bytes; no copy. */
  bytes(count: number): Buffer {
    const start = this.take(count);
    return this.buffer.subarray(start, start + count);
  }

  /** The next `count` bytes as UTF-8; malformed sequences become U+FFFD. */
  utf8(count: number): string {
    const start = this.take(count);
    return this.buffer.toString('utf8', start, start + count);
  }

  /** A view of everything left. */
  rest(): Buffer {
    return this.bytes(this.remaining);
  }
}
