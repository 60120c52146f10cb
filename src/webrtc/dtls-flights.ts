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

/** What a record is made of. Each time it is sent it is another record, with a number of its own (RFC 6347 section 4.2.4). */
export interface FlightRecord {
  readonly type: number;
  readonly epoch: number;
  readonly text: Buffer;
}

export class DtlsFlights {
  readonly #clock: Clock;
  readonly #write: (record: FlightRecord) => Buffer;
  readonly #send: (datagram: Buffer) => void;
  /** To be launched. */
  #next: FlightRecord[] = [];
  /** Launched last. */
  #last: FlightRecord[] = [];
  #launches = 0;
  #lastLaunch: Millis = 0;
  #repeatIn: Millis = FIRST_REPEAT;
  #timer: Timer | undefined;

  constructor(clock: Clock, write: (record: FlightRecord) => Buffer, send: (datagram: Buffer) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#send = send;
  }

  /** Puts a record behind those that wait for `launch`. Answers whether it is the first. */
  add(record: FlightRecord): boolean {
    return this.#next.push(record) === 1;
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
    this.#last = this.#last.map((record) => ({ ...record, text: Buffer.from(new Uint8Array(record.text).buffer) }));
  }

  #go(wants: boolean): void {
    this.#timer?.cancel();
    if (this.#launches === MAX_LAUNCHES) return;
    this.#launches++;
    this.#lastLaunch = this.#clock.now();
    for (const datagram of datagramsOf(this.#last.map(this.#write))) this.#send(datagram);
    if (!wants) return;
    this.#timer = this.#clock.after(this.#repeatIn, () => this.#go(true));
    this.#repeatIn = Math.min(2 * this.#repeatIn, LONGEST_REPEAT);
  }
}

/** As many records to a datagram as fit. */
function* datagramsOf(flight: readonly Buffer[]): Generator<Buffer, void> {
  let parts: Buffer[] = [];
  let size = 0;
  for (const record of flight) {
    if (size > 0 && size + record.length > MAX_DATAGRAM) {
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
    parts.push(record);
    size += record.length;
  }
  if (size > 0) yield Buffer.concat(parts);
}
