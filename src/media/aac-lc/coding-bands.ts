/**
 * Spectral lines in the order they are coded in, and the bands in it. Short windows are grouped where they are alike; within a group the
 * lines of one band lie together, window by window (ISO/IEC 14496-3, 4.5.2.3.5).
 */
import { type Bands, FRAME, MAX_BANDS, SHORT, SHORT_WINDOWS } from './bands.ts';
import { EIGHT_SHORT, type WindowSequence } from './filter-bank.ts';

/** Windows whose energies differ by less are grouped. */
const ALIKE = 4;

/** The layout that all channels of a frame share. */
export class CodingBands {
  readonly #bands: Bands;
  /** Lines from here on are not coded, in hertz. */
  readonly #cutOff: number;
  readonly #rate: number;
  sequence: WindowSequence = 0;
  groups = 1;
  readonly groupLengths = new Uint8Array(SHORT_WINDOWS);
  /** Of each group. */
  bandCount = 0;
  /** Of all groups together. */
  total = 0;
  /** Where each band begins in coding order, and where the last one ends. */
  readonly edges = new Uint16Array(SHORT_WINDOWS * MAX_BANDS + 1);

  /** Rates in hertz. */
  constructor(bands: Bands, rate: number, cutOff: number) {
    this.#bands = bands;
    this.#rate = rate;
    this.#cutOff = cutOff;
  }

  /** Where bands begin within a window. */
  get offsets(): Uint16Array {
    return this.sequence === EIGHT_SHORT ? this.#bands.short : this.#bands.long;
  }

  /** Lays out a frame; `spectra` tell which short windows are alike. */
  set(sequence: WindowSequence, spectra: readonly Float32Array[]): void {
    this.sequence = sequence;
    this.groups = 1;
    this.groupLengths[0] = 1;
    if (sequence === EIGHT_SHORT) this.#group(spectra);
    const offsets = this.offsets;
    const size = sequence === EIGHT_SHORT ? SHORT : FRAME;
    const last = Math.min(size, Math.ceil((this.#cutOff * 2 * size) / this.#rate));
    let count = 0;
    while (count < offsets.length - 1 && offsets[count]! < last) count++;
    this.bandCount = count;
    this.total = 0;
    let edge = 0;
    for (let group = 0; group < this.groups; group++) {
      for (let band = 0; band < count; band++) {
        this.edges[this.total++] = edge;
        edge += (offsets[band + 1]! - offsets[band]!) * this.groupLengths[group]!;
      }
    }
    this.edges[this.total] = edge;
  }

  #group(spectra: readonly Float32Array[]): void {
    let mean = 0;
    for (let window = 0; window < SHORT_WINDOWS; window++) {
      let energy = 1;
      for (const spectrum of spectra) {
        for (let i = window * SHORT; i < (window + 1) * SHORT; i++) energy += spectrum[i]! ** 2;
      }
      if (window > 0 && energy < mean * ALIKE && mean < energy * ALIKE) this.groupLengths[this.groups - 1]!++;
      else if (window > 0) this.groupLengths[this.groups++] = 1;
      mean = energy;
    }
  }

  /** Puts lines into coding order. */
  sort(spectrum: Float32Array, sorted: Float32Array): void {
    const offsets = this.offsets;
    let at = 0;
    let first = 0;
    for (let group = 0; group < this.groups; group++) {
      const windows = this.groupLengths[group]!;
      for (let band = 0; band < this.bandCount; band++) {
        for (let window = first; window < first + windows; window++) {
          const end = window * SHORT + offsets[band + 1]!;
          for (let line = window * SHORT + offsets[band]!; line < end; line++) sorted[at++] = spectrum[line]!;
        }
      }
      first += windows;
    }
  }
}
