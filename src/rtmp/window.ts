/**
 * Messages that leave together. Neighbours in memory become one view; usually a whole window is one.
 */
import type { Wire } from './slab.ts';

export class Window {
  /** Bytes collected. */
  bytes = 0;
  #views: Buffer[] = [];
  #block: Buffer | undefined;
  #start = 0;
  #end = 0;

  add(wire: Wire): void {
    if (wire.end === wire.start) return;
    this.bytes += wire.end - wire.start;
    if (wire.block === this.#block && wire.start === this.#end) {
      this.#end = wire.end;
      return;
    }
    this.#close();
    this.#block = wire.block;
    this.#start = wire.start;
    this.#end = wire.end;
  }

  /** The views collected, in order; the window is empty afterwards. */
  take(): readonly Buffer[] {
    this.#close();
    const views = this.#views;
    this.#views = [];
    this.bytes = 0;
    return views;
  }

  #close(): void {
    if (this.#block === undefined) return;
    this.#views.push(this.#block.subarray(this.#start, this.#end));
    this.#block = undefined;
  }
}
