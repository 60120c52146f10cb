/**
 * Our flights of DTLS on their way: in few datagrams, and again while nobody answers (RFC 6347 section 4.2.4).
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';

/** The RFC begins with a second, for networks that nobody has looked at; a path that ICE has checked answers sooner. */
const FIRST_REPEAT: Millis = 400;
const LONGEST_REPEAT: Millis = 3_200;
/** A peer that sends again gets our last flight again, no sooner than this. */
const REPEAT_PAUSE: Millis = 100;
/** Flights of one connection, repeats included. */
const MAX_LAUNCHES = 24;
/** Fits any path of 1,280 bytes. */
const MAX_DATAGRAM = 1_200;

export class DtlsFlights {
  readonly #clock: Clock;
  readonly #send: (datagram: Buffer) => void;
  /** Records to be launched. */
  #next: Buffer[] = [];
  /** Launched last. */
  #last: Buffer[] = [];
  #launches = 0;
  #lastLaunch: Millis = 0;
  #repeatIn: Millis = FIRST_REPEAT;
  #timer: Timer | undefined;

  constructor(clock: Clock, send: (datagram: Buffer) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Puts records behind those that wait for `launch`. Answers whether they are the first. */
  add(records: Buffer): boolean {
    return this.#next.push(records) === 1;
  }

  /** Sends what was added; when it `wants` an answer, again and again until the next launch or `stop`. */
  launch(wants: boolean): void {
    this.#last = this.#next;
    this.#next = [];
    this.#repeatIn = FIRST_REPEAT;
    this.#go(wants);
  }

  /** The peer says again what it has said: it has not heard our last flight. */
  peerRepeats(wants: boolean): void {
    if (this.#clock.now() - this.#lastLaunch >= REPEAT_PAUSE) this.#go(wants);
  }

  /** No more repeats by the clock. What the peer may still ask for is kept, without the pools of memory it is from. */
  stop(): void {
    this.#timer?.cancel();
    this.#last = this.#last.map((records) => Buffer.from(new Uint8Array(records).buffer));
  }

  #go(wants: boolean): void {
    this.#timer?.cancel();
    if (this.#launches === MAX_LAUNCHES) return;
    this.#launches++;
    this.#lastLaunch = this.#clock.now();
    for (const datagram of datagramsOf(this.#last)) this.#send(datagram);
    if (!wants) return;
    this.#timer = this.#clock.after(this.#repeatIn, () => this.#go(true));
    this.#repeatIn = Math.min(2 * this.#repeatIn, LONGEST_REPEAT);
  }
}

/** As many records to a datagram as fit. */
function* datagramsOf(flight: readonly Buffer[]): Generator<Buffer, void> {
  let parts: Buffer[] = [];
  let size = 0;
  for (const records of flight) {
    if (size > 0 && size + records.length > MAX_DATAGRAM) {
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
    parts.push(records);
    size += records.length;
  }
  if (size > 0) yield Buffer.concat(parts);
}
