/**
 * Samples to AAC-LC, one frame at a time: raw_data_block (ISO/IEC 14496-3, 4.4.2.1) with one or two channels, long and short windows,
 * middle/side stereo by band, at an average bitrate.
 */
import { AttackFinder } from './attack-finder.ts';
import { bandsAt, FRAME, MAX_BANDS, SHORT, SHORT_WINDOWS } from './bands.ts';
import { BitWriter } from './bit-writer.ts';
import { CodingBands } from './coding-bands.ts';
import { Analysis, EIGHT_SHORT, LONG_START, LONG_STOP, ONLY_LONG, type WindowSequence } from './filter-bank.ts';
import { Masking } from './masking.ts';
import { Quantiser } from './quantiser.ts';

/** Samples to look ahead: an attack is known before the last long window that would smear it. */
const AHEAD = (FRAME + SHORT) / 2;
/** Of a frame, for one channel (4.5.3.1). */
const MAX_BITS = 6144;
/** Scale factors may be this much finer than what is just not heard; more is wasted. */
const FINEST = -20;
const COARSEST = 120;
/** Bits that a frame may take from what others have saved, in frames. */
const SAVINGS = 3;
/** Of what was saved, a frame may take this share. */
const SHARE = 0.4;
const SINGLE = 0;
const PAIR = 1;
const END = 7;

export class AacEncoder {
  /** Samples from the input of a sound to its place in what a decoder gives. */
  readonly delay = FRAME + AHEAD;
  readonly #channels: 1 | 2;
  readonly #layout: CodingBands;
  readonly #masking: Masking;
  /** The frame to be coded, and what lies ahead. */
  readonly #samples: readonly Float32Array[];
  readonly #finders: readonly AttackFinder[];
  readonly #analyses: readonly Analysis[];
  readonly #spectra: readonly Float32Array[];
  readonly #quantisers: readonly Quantiser[];
  readonly #middleSide = new Uint8Array(SHORT_WINDOWS * MAX_BANDS);
  readonly #out: BitWriter;
  #sequence: WindowSequence = ONLY_LONG;
  /** Scale factors of the last frame were raised by this. */
  #offset = 0;
  readonly #frameBits: number;
  #saved = 0;

  /** `rate` in hertz, `bitrate` in bits a second. */
  constructor(rate: number, channels: 1 | 2, bitrate: number) {
    const bands = bandsAt(rate);
    this.#channels = channels;
    // from what the bits suffice for: 16 kHz at 64 kbit/s a channel
    const cutOff = Math.min(rate / 2, 18_000, 12_000 + bitrate / channels / 16);
    this.#layout = new CodingBands(bands, rate, cutOff);
    this.#masking = new Masking(rate, bands.long, bands.short);
    const each = <T>(make: () => T) => Array.from({ length: channels }, make);
    this.#samples = each(() => new Float32Array(FRAME + AHEAD));
    this.#finders = each(() => new AttackFinder());
    this.#analyses = each(() => new Analysis());
    this.#spectra = each(() => new Float32Array(FRAME));
    this.#quantisers = each(() => new Quantiser());
    this.#out = new BitWriter((2 * MAX_BITS * channels) / 8);
    this.#frameBits = (bitrate * FRAME) / rate;
  }

  /** Takes `FRAME` samples by channel, from -1 to 1. */
  encode(planes: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
    let attack = false;
    for (let channel = 0; channel < this.#channels; channel++) {
      const samples = this.#samples[channel]!;
      samples.copyWithin(0, FRAME);
      samples.set(planes[channel]!.subarray(0, FRAME), AHEAD);
      attack = this.#finders[channel]!.run(samples, AHEAD) || attack;
    }
    this.#sequence = next(this.#sequence, attack);
    for (const [channel, analysis] of this.#analyses.entries()) {
      analysis.run(this.#samples[channel]!.subarray(0, FRAME), this.#sequence, this.#spectra[channel]!);
    }
    this.#layout.set(this.#sequence, this.#spectra);
    for (const [channel, quantiser] of this.#quantisers.entries()) {
      this.#layout.sort(this.#spectra[channel]!, quantiser.lines);
      this.#masking.run(this.#layout, quantiser.lines, quantiser.energies, quantiser.bearable);
    }
    if (this.#channels === 2) this.#turn(this.#quantisers[0]!, this.#quantisers[1]!);
    for (const quantiser of this.#quantisers) quantiser.prepare(this.#layout);
    this.#fit();
    return this.#write();
  }

  /** Middle and side instead of left and right, in the bands where that needs fewer bits. */
  #turn(left: Quantiser, right: Quantiser): void {
    const { edges, total } = this.#layout;
    for (let band = 0; band < total; band++) {
      let middle = 0;
      let side = 0;
      for (let line = edges[band]!; line < edges[band + 1]!; line++) {
        middle += ((left.lines[line]! + right.lines[line]!) / 2) ** 2;
        side += ((left.lines[line]! - right.lines[line]!) / 2) ** 2;
      }
      // both carry their noise to both sides
      const bearable = Math.min(left.bearable[band]!, right.bearable[band]!) / 2;
      const apart =
        (1 + left.energies[band]! / left.bearable[band]!) * (1 + right.energies[band]! / right.bearable[band]!);
      const turned = (1 + middle / bearable) * (1 + side / bearable) < apart;
      this.#middleSide[band] = turned ? 1 : 0;
      if (!turned) continue;
      for (let line = edges[band]!; line < edges[band + 1]!; line++) {
        const a = left.lines[line]!;
        const b = right.lines[line]!;
        left.lines[line] = (a + b) / 2;
        right.lines[line] = (a - b) / 2;
      }
      left.bearable[band] = bearable;
      right.bearable[band] = bearable;
    }
  }

  /** Finds the finest scale factors that the bits at hand suffice for. */
  #fit(): void {
    const most = MAX_BITS * this.#channels;
    const budget = Math.min(most, this.#frameBits + Math.min(this.#saved * SHARE, this.#saved));
    let offset = Math.max(this.#offset, FINEST);
    let bits = this.#run(offset);
    if (bits > budget) {
      while (bits > budget && offset < COARSEST) bits = this.#run(++offset);
    } else {
      while (offset > FINEST) {
        const finer = this.#run(offset - 1);
        if (finer > budget) {
          bits = this.#run(offset);
          break;
        }
        bits = finer;
        offset--;
      }
    }
    this.#offset = offset;
    this.#saved = Math.min(this.#saved + this.#frameBits - bits, SAVINGS * this.#frameBits);
  }

  #run(offset: number): number {
    let bits = 0;
    for (const quantiser of this.#quantisers) bits += quantiser.run(this.#layout, offset);
    return bits;
  }

  #write(): Uint8Array<ArrayBuffer> {
    const out = this.#out;
    out.clear();
    if (this.#channels === 1) {
      out.write(SINGLE, 3);
      out.write(0, 4);
      this.#quantisers[0]!.write(this.#layout, out, () => this.#writeInfo());
    } else {
      out.write(PAIR, 3);
      out.write(0, 4);
      // one ics_info for both
      out.write(1, 1);
      this.#writeInfo();
      this.#writeMask();
      for (const quantiser of this.#quantisers) quantiser.write(this.#layout, out);
    }
    out.write(END, 3);
    return out.take();
  }

  /** ics_info. */
  #writeInfo(): void {
    const { sequence, bandCount, groups, groupLengths } = this.#layout;
    const out = this.#out;
    out.write(0, 1);
    out.write(sequence, 2);
    // sine windows
    out.write(0, 1);
    if (sequence !== EIGHT_SHORT) {
      out.write(bandCount, 6);
      // no prediction
      out.write(0, 1);
      return;
    }
    out.write(bandCount, 4);
    for (let group = 0; group < groups; group++) {
      for (let i = 1; i < groupLengths[group]!; i++) out.write(1, 1);
      if (group < groups - 1) out.write(0, 1);
    }
  }

  #writeMask(): void {
    const mask = this.#middleSide.subarray(0, this.#layout.total);
    const some = mask.includes(1);
    const all = some && !mask.includes(0);
    this.#out.write(all ? 2 : some ? 1 : 0, 2);
    if (some && !all) for (const used of mask) this.#out.write(used, 1);
  }
}

/** Short windows stand between a start and a stop. */
function next(before: WindowSequence, attack: boolean): WindowSequence {
  if (before === LONG_START) return EIGHT_SHORT;
  if (before === EIGHT_SHORT) return attack ? EIGHT_SHORT : LONG_STOP;
  return attack ? LONG_START : ONLY_LONG;
}
