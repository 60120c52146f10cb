/**
 * Writes what `BitReader` reads: headers of codecs, made to measure.
 */

export class BitWriter {
  readonly #bits: number[] = [];

  /** Bits so far. */
  get length(): number {
    return this.#bits.length;
  }

  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  flag(value: boolean): this {
    return this.bits(value ? 1 : 0, 1);
  }

  ue(value: number): this {
    const length = Math.floor(Math.log2(value + 1));
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  /** What was written, a one and zeros up to the next byte behind it, as `rbsp_trailing_bits` are. */
  bytes(): Buffer {
    const bits = [...this.#bits, 1];
    while (bits.length % 8 !== 0) bits.push(0);
    const bytes = Buffer.alloc(bits.length / 8);
    for (const [at, bit] of bits.entries()) bytes[at >> 3]! |= bit << (7 - (at & 7));
    return bytes;
  }
}

/** `payload` behind `header`, with emulation prevention bytes. */
export function escapeNal(header: Buffer, payload: Buffer): Buffer {
  const out: number[] = [...header];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(out);
}
