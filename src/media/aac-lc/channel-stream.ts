/**
 * One channel of one frame as it is coded: individual_channel_stream (ISO/IEC 14496-3, 4.4.2.7), down to its spectral lines.
 */
import { PeerError } from '../../base/errors.ts';
import { type Bands, FRAME, MAX_BANDS, SHORT, SHORT_WINDOWS } from './bands.ts';
import type { BitCursor } from './bit-cursor.ts';
import { type CodeBook, ESCAPE, ESCAPE_BOOK, SCALE_FACTORS, SPECTRAL_BOOKS } from './code-book.ts';
import { EIGHT_SHORT, ONLY_LONG, type WindowSequence, type WindowShape } from './filter-bank.ts';
import type { Noise } from './noise.ts';
import { NoiseShaping } from './noise-shaping.ts';

/** Code of everything in a unit that breaks the rules. */
export const MALFORMED = 'media/aac';

/** Books without lines of their own. */
export const ZERO_BOOK = 0;
const RESERVED_BOOK = 12;
export const NOISE_BOOK = 13;
/** Intensity stereo, out of phase and in phase. */
export const OPPOSITE_BOOK = 14;
export const INTENSITY_BOOK = 15;

const MAX_SCALE = 255;
const NOISE_OFFSET = 90;
const FIRST_NOISE_BITS = 9;
const MAX_PULSES = 4;
/** The longest prefix of an escape. */
const MAX_ESCAPE = 8;

/** |q| to the power of 4/3, with room for what pulses add. */
const POWERS = Float32Array.from({ length: 8192 + 64 }, (_, q) => q ** (4 / 3));
/** 2 to the power of (scale - 100) / 4. */
const GAINS = Float32Array.from({ length: MAX_SCALE + 1 }, (_, scale) => 2 ** ((scale - 100) / 4));

export class ChannelStream {
  readonly #bands: Bands;
  readonly #noise: Noise;
  sequence: WindowSequence = ONLY_LONG;
  shape: WindowShape = 0;
  /** Bands that are coded, of each window. */
  bandCount = 0;
  /** Groups of short windows that share scale factors; one of one for a long window. */
  groups = 1;
  readonly groupLengths = new Uint8Array(SHORT_WINDOWS).fill(1);
  /** By group and band, `MAX_BANDS` a group. */
  readonly books = new Uint8Array(SHORT_WINDOWS * MAX_BANDS);
  /** Scale factor, intensity position or noise energy, whichever the book asks for. */
  readonly scales = new Int16Array(SHORT_WINDOWS * MAX_BANDS);
  readonly spectrum = new Float32Array(FRAME);
  readonly #quantised = new Int16Array(FRAME);
  readonly #shaping = new NoiseShaping();
  #shaped = false;

  constructor(bands: Bands, noise: Noise) {
    this.#bands = bands;
    this.#noise = noise;
  }

  /** Where bands begin within a window. */
  get offsets(): Uint16Array {
    return this.sequence === EIGHT_SHORT ? this.#bands.short : this.#bands.long;
  }

  /** ics_info (4.4.2.6). */
  readInfo(bits: BitCursor): void {
    bits.skip(1);
    this.sequence = bits.bits(2) as WindowSequence;
    this.shape = bits.bits(1) as WindowShape;
    this.groups = 1;
    this.groupLengths[0] = 1;
    if (this.sequence === EIGHT_SHORT) {
      this.bandCount = bits.bits(4);
      for (let window = 1; window < SHORT_WINDOWS; window++) {
        if (bits.flag()) this.groupLengths[this.groups - 1]!++;
        else this.groupLengths[this.groups++] = 1;
      }
    } else {
      this.bandCount = bits.bits(6);
      if (bits.flag()) throw new PeerError(MALFORMED, 'prediction, which AAC-LC has not');
    }
    const most = this.offsets.length - 1;
    if (this.bandCount > most) throw new PeerError(MALFORMED, `${this.bandCount} bands of ${most}`);
  }

  /** Both channels of a pair share it. */
  copyInfo(other: ChannelStream): void {
    this.sequence = other.sequence;
    this.shape = other.shape;
    this.bandCount = other.bandCount;
    this.groups = other.groups;
    this.groupLengths.set(other.groupLengths);
  }

  /** Everything behind ics_info, or all of it for a channel with one of its own. */
  read(bits: BitCursor, infoShared: boolean): void {
    const globalGain = bits.bits(8);
    if (!infoShared) this.readInfo(bits);
    this.#readSections(bits);
    this.#readScales(bits, globalGain);
    const pulses = bits.flag() ? this.#readPulses(bits) : undefined;
    const short = this.sequence === EIGHT_SHORT;
    this.#shaped = bits.flag();
    if (this.#shaped) this.#shaping.read(bits, short);
    if (bits.flag()) throw new PeerError(MALFORMED, 'gain control, which AAC-LC has not');
    this.#readLines(bits);
    if (bits.overrun) throw new PeerError(MALFORMED, 'ends too early');
    if (pulses !== undefined) this.#addPulses(pulses);
    this.#scale();
  }

  /** Temporal noise shaping, once stereo is undone. */
  reshape(): void {
    if (!this.#shaped) return;
    const short = this.sequence === EIGHT_SHORT;
    const reach = Math.min(this.bandCount, short ? this.#bands.shapedShort : this.#bands.shapedLong);
    this.#shaping.run(this.spectrum, this.offsets, reach, short);
  }

  #readSections(bits: BitCursor): void {
    const lengthBits = this.sequence === EIGHT_SHORT ? 3 : 5;
    const all = (1 << lengthBits) - 1;
    for (let group = 0; group < this.groups; group++) {
      let band = group * MAX_BANDS;
      const end = band + this.bandCount;
      while (band < end) {
        const book = bits.bits(4);
        if (book === RESERVED_BOOK) throw new PeerError(MALFORMED, 'a reserved code book');
        let until = band;
        let length: number;
        do {
          length = bits.bits(lengthBits);
          until += length;
        } while (length === all && until <= end);
        // behind the end sections have no bands, and there would be no end of them
        if (until > end || bits.overrun) throw new PeerError(MALFORMED, 'sections of too many bands');
        this.books.fill(book, band, until);
        band = until;
      }
    }
  }

  #readScales(bits: BitCursor, globalGain: number): void {
    let scale = globalGain;
    let position = 0;
    let noise = globalGain - NOISE_OFFSET;
    let firstNoise = true;
    for (let group = 0; group < this.groups; group++) {
      const end = group * MAX_BANDS + this.bandCount;
      for (let at = group * MAX_BANDS; at < end; at++) {
        const book = this.books[at]!;
        if (book === ZERO_BOOK) this.scales[at] = 0;
        else if (book >= OPPOSITE_BOOK) {
          position += SCALE_FACTORS.read(bits) - 60;
          this.scales[at] = position;
        } else if (book === NOISE_BOOK) {
          noise += firstNoise ? bits.bits(FIRST_NOISE_BITS) - 256 : SCALE_FACTORS.read(bits) - 60;
          firstNoise = false;
          this.scales[at] = noise;
        } else {
          scale += SCALE_FACTORS.read(bits) - 60;
          if (scale < 0 || scale > MAX_SCALE) throw new PeerError(MALFORMED, `a scale factor of ${scale}`);
          this.scales[at] = scale;
        }
      }
    }
  }

  /** Pairs of line and amplitude. */
  #readPulses(bits: BitCursor): readonly number[] {
    if (this.sequence === EIGHT_SHORT) throw new PeerError(MALFORMED, 'pulses in short windows');
    const count = bits.bits(2) + 1;
    const start = bits.bits(6);
    if (start >= this.offsets.length - 1) throw new PeerError(MALFORMED, 'pulses beyond the last band');
    const pulses: number[] = [];
    let line = this.offsets[start]!;
    for (let i = 0; i < count && i < MAX_PULSES; i++) {
      line += bits.bits(5);
      if (line >= FRAME) throw new PeerError(MALFORMED, 'pulses beyond the last line');
      pulses.push(line, bits.bits(4));
    }
    return pulses;
  }

  #addPulses(pulses: readonly number[]): void {
    for (let i = 0; i < pulses.length; i += 2) {
      const line = pulses[i]!;
      const value = this.#quantised[line]!;
      this.#quantised[line] = value > 0 ? value + pulses[i + 1]! : value - pulses[i + 1]!;
    }
  }

  #readLines(bits: BitCursor): void {
    const offsets = this.offsets;
    this.#quantised.fill(0);
    let first = 0;
    for (let group = 0; group < this.groups; group++) {
      const windows = this.groupLengths[group]!;
      for (let band = 0; band < this.bandCount; band++) {
        const number = this.books[group * MAX_BANDS + band]!;
        if (number === ZERO_BOOK || number >= NOISE_BOOK) continue;
        const book = SPECTRAL_BOOKS[number]!;
        for (let window = 0; window < windows; window++) {
          const base = (first + window) * SHORT;
          readBand(
            bits,
            book,
            number === ESCAPE_BOOK,
            this.#quantised,
            base + offsets[band]!,
            base + offsets[band + 1]!,
          );
        }
      }
      first += windows;
    }
  }

  #scale(): void {
    const offsets = this.offsets;
    const quantised = this.#quantised;
    const spectrum = this.spectrum;
    spectrum.fill(0);
    let first = 0;
    for (let group = 0; group < this.groups; group++) {
      const windows = this.groupLengths[group]!;
      for (let band = 0; band < this.bandCount; band++) {
        const at = group * MAX_BANDS + band;
        const book = this.books[at]!;
        if (book === ZERO_BOOK || book >= OPPOSITE_BOOK) continue;
        const gain = book === NOISE_BOOK ? 0 : GAINS[this.scales[at]!]!;
        for (let window = first; window < first + windows; window++) {
          const start = window * SHORT + offsets[band]!;
          const end = window * SHORT + offsets[band + 1]!;
          if (book === NOISE_BOOK) {
            this.#fillWithNoise(start, end, this.scales[at]!);
            continue;
          }
          for (let line = start; line < end; line++) {
            const value = quantised[line]!;
            if (value > 0) spectrum[line] = POWERS[value]! * gain;
            else if (value < 0) spectrum[line] = -POWERS[-value]! * gain;
          }
        }
      }
      first += windows;
    }
  }

  /** Perceptual noise substitution (4.6.13): only the energy of a band was sent. */
  #fillWithNoise(start: number, end: number, energy: number): void {
    const spectrum = this.spectrum;
    let sum = 0;
    for (let line = start; line < end; line++) {
      const value = this.#noise.next();
      spectrum[line] = value;
      sum += value * value;
    }
    const gain = 2 ** (energy / 4) / Math.sqrt(sum);
    for (let line = start; line < end; line++) spectrum[line]! *= gain;
  }
}

/** The lines of one band of one window. */
function readBand(
  bits: BitCursor,
  book: CodeBook,
  escapes: boolean,
  out: Int16Array,
  start: number,
  end: number,
): void {
  const { lines, values, signsApart } = book;
  for (let line = start; line < end; line += lines) {
    const symbol = book.read(bits) * lines;
    for (let i = 0; i < lines; i++) {
      const value = values[symbol + i]!;
      if (value !== 0) out[line + i] = signsApart && bits.bits(1) === 1 ? -value : value;
    }
    if (escapes) {
      for (let i = line; i < line + lines; i++) {
        if (out[i] === ESCAPE) out[i] = readEscape(bits);
        else if (out[i] === -ESCAPE) out[i] = -readEscape(bits);
      }
    }
  }
}

/** Ones, a zero, and then four bits more than there were ones (4.6.3.3). */
function readEscape(bits: BitCursor): number {
  let ones = 0;
  while (bits.bits(1) === 1) {
    if (++ones > MAX_ESCAPE) throw new PeerError(MALFORMED, 'a line beyond 8191');
  }
  return (1 << (ones + 4)) + bits.bits(ones + 4);
}
