/**
 * Reading bits, most significant first, as all codec headers are. Never throws: past the end everything is 0 and `exhausted` says so.
 */

export class BitReader {
  readonly #bytes: Buffer;
  /** Where the next read starts, in bits. */
  #at: number;
  #exhausted = false;

  /** Reads `bytes` from byte `start` on. */
  constructor(bytes: Buffer, start = 0) {
    this.#bytes = bytes;
    this.#at = start * 8;
  }

  /** A read went past the end; what was read since is worthless. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** Bits left. */
  get remaining(): number {
    return this.#bytes.length * 8 - this.#at;
  }

  /** The next `count` bits, 32 at most, as an unsigned number. */
  bits(count: number): number {
    if (count > this.remaining) {
      this.#exhausted = true;
      this.#at = this.#bytes.length * 8;
      return 0;
    }
    let value = 0;
    let left = count;
    while (left > 0) {
      const free = 8 - (this.#at & 7);
      const take = Math.min(free, left);
      const piece = (this.#bytes[this.#at >> 3]! >> (free - take)) & ((1 << take) - 1);
      value = value * (1 << take) + piece;
      this.#at += take;
      left -= take;
    }
    return value;
  }

  flag(): boolean {
    return this.bits(1) === 1;
  }

  skip(count: number): void {
    if (count > this.remaining) this.#exhausted = true;
    this.#at = Math.min(this.#at + count, this.#bytes.length * 8);
  }

  /** Goes on to the next whole byte, counted from the start of the buffer. */
  align(): void {
    this.#at = (this.#at + 7) & ~7;
  }

  /** Unsigned Exp-Golomb: ue(v) of H.264 section 9.1, uvlc() of AV1. */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (this.#exhausted || zeros > 32) {
        this.#exhausted = true;
        return 0;
      }
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Signed Exp-Golomb, se(v). */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}

/** A NAL unit's payload after `header` bytes, without emulation prevention bytes (H.264 7.4.1, HEVC 7.4.2). */
export function unescapeNal(nal: Buffer, header: number): Buffer {
  const out = Buffer.alloc(Math.max(0, nal.length - header));
  let length = 0;
  let zeros = 0;
  for (let at = header; at < nal.length; at++) {
    const byte = nal[at]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}
