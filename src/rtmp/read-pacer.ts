/**
 * Reading many publishers in rhythm. Each of their messages would wake the process for itself; with a short rest between two looks,
 * one wake-up finds dozens. That halves the cost of a server with hundreds of publishers, for a delay of one beat at the most.
 */
import { type Clock, type Millis, rest } from '../base/clock.ts';

/** A shorter rest is not worth its system call. */
const SHORTEST_REST: Millis = 0.2;

export class ReadPacer {
  readonly #clock: Clock;
  readonly #period: Millis;
  readonly #from: number;
  readonly #rest: (millis: Millis) => void;
  #members = 0;
  #beating = false;
  #lastBeat: Millis = 0;

  /** Beats every `period` ms while `from` publishers or more are here; period 0: never. `rest` holds the whole process up. */
  constructor(clock: Clock, period: Millis, from: number, restFor: (millis: Millis) => void = rest) {
    this.#clock = clock;
    this.#period = period;
    this.#from = from;
    this.#rest = restFor;
  }

  /** One publisher more. */
  join(): void {
    this.#members += 1;
    if (this.#period === 0 || this.#beating || this.#members < this.#from) return;
    this.#beating = true;
    this.#lastBeat = this.#clock.now();
    this.#clock.soon(() => this.#beat());
  }

  leave(): void {
    this.#members -= 1;
  }

  /** Between two looks at the sockets. A busy process has used its time up already, and goes on at once. */
  #beat(): void {
    if (this.#members < this.#from) {
      this.#beating = false;
      return;
    }
    const left = this.#lastBeat + this.#period - this.#clock.now();
    if (left > SHORTEST_REST) this.#rest(left);
    this.#lastBeat = this.#clock.now();
    this.#clock.soon(() => this.#beat());
  }
}
