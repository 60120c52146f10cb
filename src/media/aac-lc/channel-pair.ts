/**
 * Two channels coded together: channel_pair_element (ISO/IEC 14496-3, 4.4.2.3), with middle/side and intensity stereo (4.6.8).
 */
import { PeerError } from '../../base/errors.ts';
import { type Bands, MAX_BANDS, SHORT, SHORT_WINDOWS } from './bands.ts';
import type { BitCursor } from './bit-cursor.ts';
import { ChannelStream, INTENSITY_BOOK, MALFORMED, NOISE_BOOK, OPPOSITE_BOOK } from './channel-stream.ts';
import type { Noise } from './noise.ts';

const NO_MASK = 0;
const MASK_BY_BAND = 1;
const RESERVED_MASK = 3;

export class ChannelPair {
  readonly left: ChannelStream;
  readonly right: ChannelStream;
  #mask = NO_MASK;
  /** By group and band: middle and side were sent. */
  readonly #used = new Uint8Array(SHORT_WINDOWS * MAX_BANDS);

  constructor(bands: Bands, noise: Noise) {
    this.left = new ChannelStream(bands, noise);
    this.right = new ChannelStream(bands, noise);
  }

  read(bits: BitCursor): void {
    const shared = bits.flag();
    this.#mask = NO_MASK;
    if (shared) {
      this.left.readInfo(bits);
      this.right.copyInfo(this.left);
      this.#mask = bits.bits(2);
      if (this.#mask === RESERVED_MASK) throw new PeerError(MALFORMED, 'a reserved stereo mask');
      this.#readMask(bits);
    }
    this.left.read(bits, shared);
    this.right.read(bits, shared);
    if (shared) this.#unfold();
    this.left.reshape();
    this.right.reshape();
  }

  #readMask(bits: BitCursor): void {
    if (this.#mask !== MASK_BY_BAND) {
      this.#used.fill(this.#mask === NO_MASK ? 0 : 1);
      return;
    }
    for (let group = 0; group < this.left.groups; group++) {
      for (let band = 0; band < this.left.bandCount; band++) this.#used[group * MAX_BANDS + band] = bits.bits(1);
    }
  }

  #unfold(): void {
    const { offsets, groups, groupLengths, bandCount } = this.left;
    let first = 0;
    for (let group = 0; group < groups; group++) {
      const windows = groupLengths[group]!;
      for (let band = 0; band < bandCount; band++) {
        const at = group * MAX_BANDS + band;
        const book = this.right.books[at]!;
        const used = this.#used[at] === 1;
        if (!used && book < OPPOSITE_BOOK) continue;
        for (let window = first; window < first + windows; window++) {
          const start = window * SHORT + offsets[band]!;
          const end = window * SHORT + offsets[band + 1]!;
          if (book >= OPPOSITE_BOOK) this.#copy(start, end, this.#intensity(at));
          else if (book < NOISE_BOOK && this.left.books[at]! < NOISE_BOOK) this.#addUp(start, end);
          else if (book === NOISE_BOOK && this.left.books[at] === NOISE_BOOK) {
            // the same noise on both sides
            this.#copy(start, end, 2 ** ((this.right.scales[at]! - this.left.scales[at]!) / 4));
          }
        }
      }
      first += windows;
    }
  }

  /** What the right side is of the left one. */
  #intensity(at: number): number {
    const turned = (this.right.books[at] === INTENSITY_BOOK) === (this.#mask === MASK_BY_BAND && this.#used[at] === 1);
    return (turned ? -1 : 1) * 2 ** (-this.right.scales[at]! / 4);
  }

  #copy(start: number, end: number, gain: number): void {
    const left = this.left.spectrum;
    const right = this.right.spectrum;
    for (let line = start; line < end; line++) right[line] = left[line]! * gain;
  }

  #addUp(start: number, end: number): void {
    const left = this.left.spectrum;
    const right = this.right.spectrum;
    for (let line = start; line < end; line++) {
      const middle = left[line]!;
      const side = right[line]!;
      left[line] = middle + side;
      right[line] = middle - side;
    }
  }
}
