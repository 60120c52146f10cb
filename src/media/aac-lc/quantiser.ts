/**
 * One channel of one frame, from lines in coding order to bits: scale factors after the noise that each band may carry, code books, and
 * individual_channel_stream (ISO/IEC 14496-3, 4.4.2.7).
 */
import { FRAME, MAX_BANDS, SHORT_WINDOWS } from './bands.ts';
import type { BitWriter } from './bit-writer.ts';
import { type CodeBook, ESCAPE, ESCAPE_BOOK, SCALE_FACTORS, SPECTRAL_BOOKS } from './code-book.ts';
import type { CodingBands } from './coding-bands.ts';
import { EIGHT_SHORT } from './filter-bank.ts';

const BANDS = SHORT_WINDOWS * MAX_BANDS;
const MAX_SCALE = 255;
/** The farthest that two scale factors in a row may be apart. */
const MAX_STEP = 60;
const MAX_LINE = 8191;
/** Rounding for lines whose magnitude was raised to 3/4. */
const ROUND = 0.4054;
/** Bits of a section's head in long windows, and of all that is neither sections, scale factors nor lines. */
const SECTION_BITS = 9;
const HEAD_BITS = 40;
/** The smallest book for a largest magnitude; the one behind it holds as much. */
const BOOK_FOR = Uint8Array.of(0, 1, 3, 5, 5, 7, 7, 7, 9, 9, 9, 9, 9);

export class Quantiser {
  /** Lines in coding order. */
  readonly lines = new Float32Array(FRAME);
  readonly energies = new Float64Array(BANDS);
  readonly bearable = new Float64Array(BANDS);
  /** Magnitudes to the power of 3/4. */
  readonly #powers = new Float32Array(FRAME);
  readonly #quantised = new Int16Array(FRAME);
  /** Scale factors for just bearable noise, and the lowest that are possible. */
  readonly #wanted = new Int16Array(BANDS);
  readonly #lowest = new Int16Array(BANDS);
  readonly #scales = new Int16Array(BANDS);
  readonly #books = new Uint8Array(BANDS);
  /** What the last choice of a book costs for its band. */
  #chosenBits = 0;

  /** Once for a frame, when `lines` and `bearable` stand. */
  prepare(layout: CodingBands): void {
    const { edges, total } = layout;
    for (let band = 0; band < total; band++) {
      let roots = 1e-9;
      let largest = 0;
      for (let line = edges[band]!; line < edges[band + 1]!; line++) {
        const magnitude = Math.abs(this.lines[line]!);
        const root = Math.sqrt(magnitude);
        this.#powers[line] = root * Math.sqrt(root);
        roots += root;
        if (magnitude > largest) largest = magnitude;
      }
      // a step of g in the domain of 3/4 makes noise of 4/27 g^1.5 times the sum of the roots
      this.#wanted[band] = Math.round(100 + (8 / 3) * Math.log2((6.75 * this.bearable[band]!) / roots));
      this.#lowest[band] = Math.ceil(100 + 4 * Math.log2((largest + 1e-9) / MAX_LINE ** (4 / 3)));
    }
  }

  /** Quantises with scale factors raised by `offset`; the bits that it takes. */
  run(layout: CodingBands, offset: number): number {
    const { edges, total } = layout;
    let bits = HEAD_BITS;
    let before = -1;
    let last = -1;
    for (let band = 0; band < total; band++) {
      let scale = Math.min(MAX_SCALE, Math.max(0, this.#lowest[band]!, this.#wanted[band]! + offset));
      if (last >= 0) scale = Math.max(Math.min(scale, last + MAX_STEP), last - MAX_STEP);
      const largest = this.#quantise(edges[band]!, edges[band + 1]!, scale);
      let book = 0;
      if (largest > 0) {
        book = this.#choose(largest, edges[band]!, edges[band + 1]!, before);
        if (last >= 0) bits += SCALE_FACTORS.lengths[scale - last + 60]!;
        last = scale;
        bits += this.#chosenBits;
      }
      if (book !== before || band % layout.bandCount === 0) bits += SECTION_BITS;
      before = book;
      this.#books[band] = book;
      this.#scales[band] = scale;
    }
    return bits;
  }

  #quantise(start: number, end: number, scale: number): number {
    const step = 2 ** ((-3 / 16) * (scale - 100));
    let largest = 0;
    for (let line = start; line < end; line++) {
      const value = Math.min(MAX_LINE, Math.floor(this.#powers[line]! * step + ROUND));
      if (value > largest) largest = value;
      this.#quantised[line] = this.lines[line]! < 0 ? -value : value;
    }
    return largest;
  }

  /** The better of two books; the one before it, if changing costs more than it saves. */
  #choose(largest: number, start: number, end: number, before: number): number {
    const first = largest < BOOK_FOR.length ? BOOK_FOR[largest]! : ESCAPE_BOOK;
    const bits = this.#count(first, start, end);
    this.#chosenBits = bits;
    if (first === ESCAPE_BOOK) return first;
    const other = this.#count(first + 1, start, end);
    const change = before === first ? SECTION_BITS : before === first + 1 ? -SECTION_BITS : 0;
    if (other + change >= bits) return first;
    this.#chosenBits = other;
    return first + 1;
  }

  #count(number: number, start: number, end: number): number {
    const book = SPECTRAL_BOOKS[number]!;
    const { lengths, lines, signsApart } = book;
    let bits = 0;
    for (let line = start; line < end; line += lines) {
      bits += lengths[this.#symbol(book, line)]!;
      if (!signsApart) continue;
      for (let i = line; i < line + lines; i++) {
        const value = this.#quantised[i]!;
        if (value === 0) continue;
        bits += value >= ESCAPE || value <= -ESCAPE ? 1 + escapeBits(Math.abs(value)) : 1;
      }
    }
    return bits;
  }

  /** The lines from `line` on as one number of the book. */
  #symbol({ lines, largest, signsApart }: CodeBook, line: number): number {
    const base = signsApart ? largest + 1 : 2 * largest + 1;
    let symbol = 0;
    for (let i = line; i < line + lines; i++) {
      const value = this.#quantised[i]!;
      symbol = symbol * base + (signsApart ? Math.min(Math.abs(value), largest) : value + largest);
    }
    return symbol;
  }

  /** individual_channel_stream as it was last run; `info` is written behind the gain of a channel that shares none. */
  write(layout: CodingBands, out: BitWriter, info?: () => void): void {
    const { bandCount, total } = layout;
    let first = 0;
    while (first < total - 1 && this.#books[first] === 0) first++;
    let scale = this.#scales[first] ?? 0;
    out.write(scale, 8);
    info?.();
    const lengthBits = layout.sequence === EIGHT_SHORT ? 3 : 5;
    const all = (1 << lengthBits) - 1;
    for (let band = 0; band < total; ) {
      const end = (Math.floor(band / bandCount) + 1) * bandCount;
      const book = this.#books[band]!;
      let length = 0;
      for (; band < end && this.#books[band] === book; band++) length++;
      out.write(book, 4);
      for (; length >= all; length -= all) out.write(all, lengthBits);
      out.write(length, lengthBits);
    }
    for (let band = 0; band < total; band++) {
      if (this.#books[band] === 0) continue;
      const symbol = this.#scales[band]! - scale + 60;
      scale = this.#scales[band]!;
      out.write(SCALE_FACTORS.words[symbol]!, SCALE_FACTORS.lengths[symbol]!);
    }
    // no pulses, no noise shaping, no gain control
    out.write(0, 3);
    for (let band = 0; band < total; band++) {
      if (this.#books[band] !== 0)
        this.#writeLines(layout.edges[band]!, layout.edges[band + 1]!, this.#books[band]!, out);
    }
  }

  #writeLines(start: number, end: number, number: number, out: BitWriter): void {
    const book = SPECTRAL_BOOKS[number]!;
    for (let line = start; line < end; line += book.lines) {
      const symbol = this.#symbol(book, line);
      out.write(book.words[symbol]!, book.lengths[symbol]!);
      if (!book.signsApart) continue;
      for (let i = line; i < line + book.lines; i++) {
        if (this.#quantised[i] !== 0) out.write(this.#quantised[i]! < 0 ? 1 : 0, 1);
      }
      if (number === ESCAPE_BOOK) {
        for (let i = line; i < line + book.lines; i++) writeEscape(Math.abs(this.#quantised[i]!), out);
      }
    }
  }
}

/** Of a magnitude from 16 on: ones, a zero, and four bits more than there were ones. */
function escapeBits(magnitude: number): number {
  return 2 * (31 - Math.clz32(magnitude)) - 3;
}

function writeEscape(magnitude: number, out: BitWriter): void {
  if (magnitude < ESCAPE) return;
  const width = 31 - Math.clz32(magnitude);
  out.write((1 << (width - 3)) - 2, width - 3);
  out.write(magnitude - (1 << width), width);
}
