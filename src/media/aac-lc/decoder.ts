/**
 * AAC-LC to samples, one unit at a time: raw_data_block (ISO/IEC 14496-3, 4.4.2.1). More than two channels are mixed down to two. Of
 * HE-AAC it gives the core, without the upper octave.
 */
import { PeerError } from '../../base/errors.ts';
import { type Bands, bandsAt, FRAME } from './bands.ts';
import { BitCursor, MAX_UNIT } from './bit-cursor.ts';
import { ChannelPair } from './channel-pair.ts';
import { ChannelStream, MALFORMED } from './channel-stream.ts';
import { Synthesis } from './filter-bank.ts';
import { Noise } from './noise.ts';

const SINGLE = 0;
const PAIR = 1;
const COUPLING = 2;
const LOW_FREQUENCY = 3;
const DATA = 4;
const PROGRAM = 5;
const FILL = 6;
const END = 7;

const SBR_DATA = 13;
const SBR_DATA_WITH_SUM = 14;

/** Single, pair and low frequency elements of one unit; 7.1 has five. */
const MAX_ELEMENTS = 8;
/** Share of a centre or rear channel on either side. */
const BESIDE = Math.SQRT1_2;
/** No sample is this far out: beyond is damage that a filter has blown up. */
const LOUDEST = 64;

/** A channel or two, with their way to samples. */
class Element {
  readonly kind: number;
  readonly #single: ChannelStream | undefined;
  readonly #pair: ChannelPair | undefined;
  readonly #streams: readonly ChannelStream[];
  readonly #syntheses: readonly Synthesis[];
  readonly samples: readonly Float32Array[];

  constructor(kind: number, bands: Bands, noise: Noise) {
    const pair = kind === PAIR;
    this.kind = kind;
    this.#single = pair ? undefined : new ChannelStream(bands, noise);
    this.#pair = pair ? new ChannelPair(bands, noise) : undefined;
    this.#streams = this.#pair === undefined ? [this.#single!] : [this.#pair.left, this.#pair.right];
    this.#syntheses = this.#streams.map(() => new Synthesis());
    this.samples = this.#streams.map(() => new Float32Array(FRAME));
  }

  read(bits: BitCursor): void {
    this.#pair?.read(bits);
    this.#single?.read(bits, false);
    this.#single?.reshape();
  }

  /** False when the result is not sound; then it is silence. */
  synthesise(): boolean {
    let sound = true;
    for (const [channel, { spectrum, sequence, shape }] of this.#streams.entries()) {
      const samples = this.samples[channel]!;
      this.#syntheses[channel]!.run(spectrum, sequence, shape, samples);
      for (let i = 0; i < FRAME; i++) {
        // the way it is put, NaN is caught as well
        if (!(Math.abs(samples[i]!) <= LOUDEST)) {
          samples[i] = 0;
          sound = false;
        }
      }
    }
    return sound;
  }

  /** No lines: the last frame fades out. */
  clear(): void {
    for (const { spectrum } of this.#streams) spectrum.fill(0);
  }
}

export class AacDecoder {
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  readonly #bands: Bands;
  readonly #bits = new BitCursor();
  readonly #noise = new Noise();
  /** Of the last good unit, by kind and instance tag, in order. */
  #elements: ReadonlyMap<number, Element> = new Map();
  readonly #mixed: readonly Float32Array[];
  #sbr = false;

  /** `sampleRate` of the core, Hz; `channels` of the output. */
  constructor(sampleRate: number, channels: 1 | 2) {
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.#bands = bandsAt(sampleRate);
    this.#mixed = Array.from({ length: channels }, () => new Float32Array(FRAME));
  }

  /** Spectral band replication came along: this is HE-AAC, whatever the configuration says. */
  get sbr(): boolean {
    return this.#sbr;
  }

  /**
   * `FRAME` samples by channel, from -1 to 1, valid until the next call. Throws PeerError `media/aac` for a damaged unit and
   * `media/aac-profile` for one that is not AAC-LC; then `conceal` gives samples in its place.
   */
  decode(unit: Uint8Array): readonly Float32Array[] {
    if (unit.length > MAX_UNIT) throw new PeerError(MALFORMED, `a unit of ${unit.length} bytes`);
    this.#bits.load(unit);
    this.#elements = this.#read();
    return this.#output();
  }

  /** What fades out in place of a unit that is lost or damaged. */
  conceal(): readonly Float32Array[] {
    for (const element of this.#elements.values()) element.clear();
    return this.#output();
  }

  #read(): ReadonlyMap<number, Element> {
    const bits = this.#bits;
    const elements = new Map<number, Element>();
    for (let kind = bits.bits(3); kind !== END; kind = bits.bits(3)) {
      switch (kind) {
        case SINGLE:
        case PAIR:
        case LOW_FREQUENCY: {
          const key = kind * 16 + bits.bits(4);
          if (elements.has(key) || elements.size >= MAX_ELEMENTS) {
            throw new PeerError(MALFORMED, 'more channels than there can be');
          }
          const element = this.#elements.get(key) ?? new Element(kind, this.#bands, this.#noise);
          element.read(bits);
          elements.set(key, element);
          break;
        }
        case COUPLING:
          throw new PeerError('media/aac-profile', 'a coupling channel');
        case DATA: {
          bits.skip(4);
          const aligned = bits.flag();
          let size = bits.bits(8);
          if (size === 255) size += bits.bits(8);
          if (aligned) bits.align();
          bits.skip(8 * size);
          break;
        }
        case PROGRAM:
          skipProgram(bits);
          break;
        case FILL:
          this.#readFill();
          break;
      }
      if (bits.overrun) throw new PeerError(MALFORMED, 'ends too early');
    }
    if (bits.overrun || elements.size === 0) throw new PeerError(MALFORMED, 'has no sound in it');
    return elements;
  }

  #readFill(): void {
    const bits = this.#bits;
    let size = bits.bits(4);
    if (size === 15) size += bits.bits(8) - 1;
    if (size === 0) return;
    const type = bits.peek(4);
    if (type === SBR_DATA || type === SBR_DATA_WITH_SUM) this.#sbr = true;
    bits.skip(8 * size);
  }

  #output(): readonly Float32Array[] {
    let sound = true;
    const heard: Element[] = [];
    for (const element of this.#elements.values()) {
      sound = element.synthesise() && sound;
      if (element.kind !== LOW_FREQUENCY) heard.push(element);
    }
    const only = heard[0];
    // damaged in a way that only shows here: one frame is left out, and no filter remembers it
    if (!sound || only === undefined) for (const plane of this.#mixed) plane.fill(0);
    else if (heard.length === 1 && only.samples.length === this.channels) return only.samples;
    else mixDown(heard, this.#mixed);
    return this.#mixed;
  }
}

/** By order: the first pair is in front, further ones behind; single channels are in the middle. */
function mixDown(elements: readonly Element[], out: readonly Float32Array[]): void {
  let total = 0;
  let pairs = 0;
  for (const { kind } of elements) total += kind === PAIR && pairs++ === 0 ? 1 : BESIDE;
  const mono = out.length === 1;
  for (const plane of out) plane.fill(0);
  pairs = 0;
  for (const { kind, samples } of elements) {
    const pair = kind === PAIR;
    const share = (pair && pairs++ === 0 ? 1 : BESIDE) / total;
    for (const [side, plane] of out.entries()) {
      if (pair && mono) {
        add(samples[0]!, share / 2, plane);
        add(samples[1]!, share / 2, plane);
      } else add(samples[pair ? side : 0]!, share, plane);
    }
  }
}

function add(samples: Float32Array, share: number, plane: Float32Array): void {
  for (let i = 0; i < FRAME; i++) plane[i]! += samples[i]! * share;
}

/** program_config_element (4.4.1.1): where speakers stand, which the order of elements tells well enough. */
function skipProgram(bits: BitCursor): void {
  bits.skip(10);
  const placed = bits.bits(4) + bits.bits(4) + bits.bits(4);
  const lfe = bits.bits(2);
  const associated = bits.bits(3);
  const coupling = bits.bits(4);
  if (bits.flag()) bits.skip(4);
  if (bits.flag()) bits.skip(4);
  if (bits.flag()) bits.skip(3);
  bits.skip(5 * placed + 4 * lfe + 4 * associated + 5 * coupling);
  bits.align();
  bits.skip(8 * bits.bits(8));
}
