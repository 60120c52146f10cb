/**
 * Temporal noise shaping: an all-pole filter along the lines (ISO/IEC 14496-3, 4.4.2.7 and 4.6.9).
 */
import { PeerError } from '../../base/errors.ts';
import { SHORT, SHORT_WINDOWS } from './bands.ts';
import type { BitCursor } from './bit-cursor.ts';

const MAX_FILTERS = 3;
const MAX_ORDER_LONG = 12;
const MAX_ORDER_SHORT = 7;

/** The filters of one channel and frame. */
export class NoiseShaping {
  readonly #filters = new Uint8Array(SHORT_WINDOWS);
  /** By window and filter. */
  readonly #lengths = new Uint8Array(SHORT_WINDOWS * MAX_FILTERS);
  readonly #orders = new Uint8Array(SHORT_WINDOWS * MAX_FILTERS);
  readonly #downward = new Uint8Array(SHORT_WINDOWS * MAX_FILTERS);
  /** Reflection coefficients, `MAX_ORDER_LONG` a filter. */
  readonly #reflections = new Float64Array(SHORT_WINDOWS * MAX_FILTERS * MAX_ORDER_LONG);
  readonly #taps = new Float64Array(MAX_ORDER_LONG + 1);
  readonly #former = new Float64Array(MAX_ORDER_LONG + 1);

  /** tns_data. */
  read(bits: BitCursor, short: boolean): void {
    const maxOrder = short ? MAX_ORDER_SHORT : MAX_ORDER_LONG;
    for (let window = 0; window < (short ? SHORT_WINDOWS : 1); window++) {
      const count = bits.bits(short ? 1 : 2);
      this.#filters[window] = count;
      const resolution = count > 0 ? bits.bits(1) + 3 : 0;
      for (let filter = window * MAX_FILTERS; filter < window * MAX_FILTERS + count; filter++) {
        this.#lengths[filter] = bits.bits(short ? 4 : 6);
        const order = bits.bits(short ? 3 : 5);
        if (order > maxOrder) throw new PeerError('media/aac', `noise shaping of order ${order}`);
        this.#orders[filter] = order;
        if (order > 0) this.#readFilter(bits, filter, order, resolution);
      }
    }
  }

  #readFilter(bits: BitCursor, filter: number, order: number, resolution: number): void {
    this.#downward[filter] = bits.bits(1);
    const width = resolution - bits.bits(1);
    const steps = 1 << (resolution - 1);
    for (let i = 0; i < order; i++) {
      const raw = bits.bits(width);
      const value = raw < 1 << (width - 1) ? raw : raw - (1 << width);
      const quarter = value >= 0 ? steps - 0.5 : steps + 0.5;
      this.#reflections[filter * MAX_ORDER_LONG + i] = Math.sin((value * Math.PI) / 2 / quarter);
    }
  }

  /** Filters `spectrum`, below band `reach`. */
  run(spectrum: Float32Array, offsets: Uint16Array, reach: number, short: boolean): void {
    for (let window = 0; window < (short ? SHORT_WINDOWS : 1); window++) {
      let bottom = offsets.length - 1;
      for (let i = 0; i < this.#filters[window]!; i++) {
        const filter = window * MAX_FILTERS + i;
        const top = bottom;
        bottom = Math.max(top - this.#lengths[filter]!, 0);
        const start = offsets[Math.min(bottom, reach)]!;
        const end = offsets[Math.min(top, reach)]!;
        const order = this.#orders[filter]!;
        if (order === 0 || start >= end) continue;
        this.#setTaps(filter, order);
        const base = window * SHORT;
        if (this.#downward[filter] === 1) this.#filter(spectrum, base + end - 1, -1, end - start, order);
        else this.#filter(spectrum, base + start, 1, end - start, order);
      }
    }
  }

  /** From reflection coefficients to those of the filter. */
  #setTaps(filter: number, order: number): void {
    const taps = this.#taps;
    const former = this.#former;
    for (let m = 1; m <= order; m++) {
      const reflection = this.#reflections[filter * MAX_ORDER_LONG + m - 1]!;
      former.set(taps);
      for (let i = 1; i < m; i++) taps[i] = former[i]! + reflection * former[m - i]!;
      taps[m] = reflection;
    }
  }

  #filter(spectrum: Float32Array, start: number, step: number, count: number, order: number): void {
    const taps = this.#taps;
    for (let n = 0, line = start; n < count; n++, line += step) {
      let value = spectrum[line]!;
      const known = Math.min(n, order);
      for (let i = 1; i <= known; i++) value -= taps[i]! * spectrum[line - i * step]!;
      spectrum[line] = value;
    }
  }
}
