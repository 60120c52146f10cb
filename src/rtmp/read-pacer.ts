/**
 * Reading in rhythm.
 */
import type { Clock, Timer } from '../base/clock.ts';

/** A transport that can be looked at again later. */
interface Paced {
  look(): void;
}

/**
 * Reads many publishers in rhythm: after each read a connection is left alone until the next beat, so that the many small segments
 * of one picture cost one wake-up instead of one each. With few publishers the pacer stays out of the way.
 */
export class ReadPacer {
  readonly #clock: Clock;
  readonly #period: number;
  readonly #from: number;
  #parked: Paced[] = [];
  #members = 0;
  #beat: Timer | undefined;

  /** Beats every `period` ms once `from` connections have joined; period 0: never. */
  constructor(clock: Clock, period: number, from: number) {
    this.#clock = clock;
    this.#period = period;
    this.#from = from;
  }

  join(): void {
    this.#members += 1;
    if (this.#period > 0 && this.#members >= this.#from && this.#beat === undefined) {
      this.#beat = this.#clock.every(this.#period, () => this.#release());
    }
  }

  leave(): void {
    this.#members -= 1;
    if (this.#members >= this.#from || this.#beat === undefined) return;
    this.#beat.cancel();
    this.#beat = undefined;
    this.#release();
  }

  /** Notes that `paced` has read; false: go on reading. */
  park(paced: Paced): boolean {
    if (this.#beat === undefined) return false;
    this.#parked.push(paced);
    return true;
  }

  #release(): void {
    const parked = this.#parked;
    this.#parked = [];
    for (let i = 0; i < parked.length; i++) parked[i]!.look();
  }
}
