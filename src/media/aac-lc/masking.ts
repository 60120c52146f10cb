/**
 * How much noise each band may carry unheard: a share of its energy and of what its neighbours cover, more for noise than for tones,
 * and never less than what the ear hears in silence.
 */
import type { CodingBands } from './coding-bands.ts';
import { EIGHT_SHORT } from './filter-bank.ts';

/** Decibels a bark by which masking falls off towards higher and lower tones. */
const FALL_UP = 15;
const FALL_DOWN = 27;
/** Decibels of noise below its masker: for noise, and how much more for a tone. */
const BELOW_NOISE = 6;
const BELOW_TONE = 12;
/** Flatness in decibels of lines that are noise, and how far below a tone is. */
const NOISE_FLATNESS = -5;
const TONE_RANGE = 15;
/** Sound pressure of full scale, in decibels. */
const FULL_SCALE = 96;
/** Energy of the lines of a tone of amplitude 1 in a long window, and how much less it is in a short one. */
const TONE_ENERGY = 2 ** 20;
const SHORT_SHARE = 1 / 64;

interface Ear {
  /** By band: what remains of the masking of the band below, and above. */
  readonly up: Float64Array;
  readonly down: Float64Array;
  /** By band: energy that is heard in silence. */
  readonly quiet: Float64Array;
}

/** What is the same for all frames at one sampling rate. */
export class Masking {
  readonly #long: Ear;
  readonly #short: Ear;

  constructor(rate: number, long: Uint16Array, short: Uint16Array) {
    this.#long = makeEar(rate, long, 1);
    this.#short = makeEar(rate, short, SHORT_SHARE);
  }

  /** Energies and bearable noise by band, of lines in coding order. */
  run(layout: CodingBands, lines: Float32Array, energies: Float64Array, bearable: Float64Array): void {
    const ear = layout.sequence === EIGHT_SHORT ? this.#short : this.#long;
    const { bandCount, edges } = layout;
    for (let group = 0; group < layout.groups; group++) {
      const first = group * bandCount;
      for (let at = first; at < first + bandCount; at++) {
        bearable[at] = measure(lines, edges[at]!, edges[at + 1]!, energies, at);
      }
      for (let band = 1; band < bandCount; band++) {
        bearable[first + band] = Math.max(bearable[first + band]!, bearable[first + band - 1]! * ear.up[band]!);
      }
      for (let band = bandCount - 2; band >= 0; band--) {
        bearable[first + band] = Math.max(bearable[first + band]!, bearable[first + band + 1]! * ear.down[band]!);
      }
      for (let band = 0; band < bandCount; band++) {
        const quiet = ear.quiet[band]! * layout.groupLengths[group]!;
        bearable[first + band] = Math.max(bearable[first + band]!, quiet);
      }
    }
  }
}

/** Notes the energy of a band, and answers the noise that it covers by itself. */
function measure(lines: Float32Array, start: number, end: number, energies: Float64Array, at: number): number {
  let sum = 0;
  let logs = 0;
  for (let line = start; line < end; line++) {
    const energy = lines[line]! ** 2;
    sum += energy;
    logs += Math.log2(energy + 1);
  }
  energies[at] = sum;
  const count = end - start;
  const flatness = 10 * Math.LOG10E * Math.LN2 * (logs / count - Math.log2(sum / count + 1));
  const tone = Math.min(1, Math.max(0, (NOISE_FLATNESS - flatness) / TONE_RANGE));
  return sum * 10 ** (-(BELOW_NOISE + BELOW_TONE * tone) / 10);
}

function makeEar(rate: number, offsets: Uint16Array, share: number): Ear {
  const count = offsets.length - 1;
  const size = offsets[count]!;
  const centre = (band: number) => ((offsets[band]! + offsets[band + 1]!) / 4 / size) * rate;
  const up = new Float64Array(count);
  const down = new Float64Array(count);
  const quiet = new Float64Array(count);
  for (let band = 0; band < count; band++) {
    if (band > 0) up[band] = 10 ** ((-FALL_UP * (bark(centre(band)) - bark(centre(band - 1)))) / 10);
    if (band < count - 1) down[band] = 10 ** ((-FALL_DOWN * (bark(centre(band + 1)) - bark(centre(band)))) / 10);
    quiet[band] = 10 ** ((hearingLimit(centre(band)) - FULL_SCALE) / 10) * 32_768 ** 2 * TONE_ENERGY * share;
  }
  return { up, down, quiet };
}

/** Critical bands, after Zwicker. */
function bark(hertz: number): number {
  return 13 * Math.atan(0.00076 * hertz) + 3.5 * Math.atan((hertz / 7500) ** 2);
}

/** Decibels that are heard in silence, after Terhardt; not below 0. */
function hearingLimit(hertz: number): number {
  const k = Math.max(0.02, hertz / 1000);
  return Math.max(0, 3.64 * k ** -0.8 - 6.5 * Math.exp(-0.6 * (k - 3.3) ** 2) + 0.001 * k ** 4);
}
