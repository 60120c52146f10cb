/**
 * One TCP connection on virtual time: it takes its time, cuts bytes where it likes, jams, breaks, or goes silent.
 */
import type { Clock, Millis } from '../../src/base/clock.ts';
import type { Transport, TransportEvents } from '../../src/rtmp/transport.ts';
import type { Dice } from './dice.ts';

export interface LinkQuality {
  /** Each way. */
  readonly latency: Millis;
  /** Bytes a millisecond towards the client. */
  readonly rate: number;
  /** Bytes that the network holds each way before a sender has to wait. */
  readonly window: number;
  /** Hand over in random pieces. */
  readonly cut: boolean;
}

/** The client's end, as the client sees it. */
export interface ClientEvents {
  /** `bytes` is valid until this returns. */
  received(bytes: Buffer): void;
  /** Nothing more will come: the server has closed, or the connection broke. Called once at most. */
  ended(): void;
}

const LARGEST_PIECE = 16 << 10;
/** What TCP cannot deliver for so long breaks the connection: Linux's own 15 retries. */
export const TCP_GIVES_UP: Millis = 924_000;

interface Receiver {
  received(bytes: Buffer): void;
  finished(): void;
}

/** One way. Holds on to the sender's memory until it is handed over, so that a change to it shows. */
class Pipe {
  /** Accepted, but not yet in the network. */
  waiting = 0;
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #quality: LinkQuality;
  readonly #to: Receiver;
  readonly #queue: Buffer[] = [];
  readonly #arrived: Buffer[] = [];
  readonly #holds = new Set<string>();
  #inNetwork = 0;
  #last: Millis = 0;
  #ending = false;
  #finArrived = false;
  #finished = false;
  #dead = false;

  constructor(clock: Clock, dice: Dice, quality: LinkQuality, to: Receiver) {
    this.#clock = clock;
    this.#dice = dice;
    this.#quality = quality;
    this.#to = to;
  }

  get sent(): boolean {
    return this.#ending && this.waiting === 0;
  }

  write(bytes: Buffer): void {
    if (this.#dead || this.#ending || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.waiting += bytes.length;
    this.#pump();
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#pump();
  }

  /** Nothing is handed over while anybody holds it; for the receiver, its network, or both. */
  hold(why: string, held: boolean): void {
    if (held) this.#holds.add(why);
    else if (this.#holds.delete(why)) this.#clock.soon(() => this.#handOver());
  }

  /** For ever silent. */
  kill(): void {
    this.#dead = true;
    this.#queue.length = 0;
    this.#arrived.length = 0;
    this.waiting = 0;
  }

  #pump(): void {
    while (this.#inNetwork < this.#quality.window) {
      const first = this.#queue[0];
      if (first === undefined) break;
      const part = first.subarray(0, Math.min(LARGEST_PIECE, this.#quality.window - this.#inNetwork));
      if (part.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(part.length);
      this.waiting -= part.length;
      this.#inNetwork += part.length;
      this.#travel(part.length / this.#quality.rate, () => this.#arrived.push(part));
    }
    if (this.#queue.length > 0 || !this.#ending || this.#finArrived) return;
    this.#finArrived = true;
    this.#travel(0, () => {
      this.#finished = true;
    });
  }

  #travel(duration: Millis, arrive: () => void): void {
    const { latency, cut } = this.#quality;
    const jitter = cut ? this.#dice.between(0, 10) : 0;
    this.#last = Math.max(this.#last, this.#clock.now() + latency) + duration + jitter;
    this.#clock.after(this.#last - this.#clock.now(), () => {
      arrive();
      this.#handOver();
    });
  }

  #handOver(): void {
    while (!this.#dead && this.#holds.size === 0) {
      const first = this.#arrived.shift();
      if (first === undefined) break;
      const size = this.#quality.cut ? this.#dice.between(1, first.length) : first.length;
      if (size < first.length) this.#arrived.unshift(first.subarray(size));
      // as in a real read: the buffer is used again
      const lent = Buffer.from(first.subarray(0, size));
      this.#to.received(lent);
      lent.fill(0xee);
      this.#inNetwork -= size;
      this.#pump();
    }
    if (this.#dead || this.#holds.size > 0 || !this.#finished || this.#arrived.length > 0) return;
    this.#dead = true;
    this.#to.finished();
  }
}

export class Link implements Transport {
  bytesRead = 0;
  bytesWritten = 0;
  /** Called by the network's side when the server's end is gone. */
  readonly #clock: Clock;
  readonly #up: Pipe;
  readonly #down: Pipe;
  readonly #client: ClientEvents;
  readonly #latency: Millis;
  #events: TransportEvents | undefined;
  #clientEnded = false;
  #heardEnd = false;
  #saidEnd = false;
  #closed = false;
  /** The other side is out of reach: nothing more is heard from it. */
  #silent = false;

  /** `clock` is the world's, not the server's: bytes travel on when a server dies. */
  constructor(clock: Clock, dice: Dice, quality: LinkQuality, client: ClientEvents) {
    this.#clock = clock;
    this.#client = client;
    this.#latency = quality.latency;
    const { cut, latency } = quality;
    this.#up = new Pipe(
      clock,
      dice.fork(),
      { cut, latency, rate: 10_000, window: 1 << 20 },
      {
        received: (bytes) => this.#read(bytes),
        finished: () => this.#finished(),
      },
    );
    this.#down = new Pipe(clock, dice.fork(), quality, {
      received: (bytes) => {
        if (!this.#clientEnded) client.received(bytes);
      },
      finished: () => this.#endClient(),
    });
    this.#up.hold('paused', true);
  }

  /** The server takes its end. */
  open(events: TransportEvents): this {
    this.#events = events;
    return this;
  }

  // the server's end

  get queuedBytes(): number {
    return this.#down.waiting;
  }

  write(bytes: Buffer): void {
    if (this.#saidEnd || this.#closed) return;
    this.bytesWritten += bytes.length;
    this.#down.write(bytes);
    if (this.#silent) this.#gone(TCP_GIVES_UP);
  }

  pause(): void {
    this.#up.hold('paused', true);
  }

  resume(): void {
    this.#up.hold('paused', false);
  }

  end(): void {
    if (this.#saidEnd || this.#closed) return;
    this.#saidEnd = true;
    this.#down.end();
    this.#maybeClose();
  }

  destroy(): void {
    this.#gone(0);
    this.#endClientSoon();
  }

  // the client's end

  send(bytes: Buffer): void {
    // the engine may use its memory again
    this.#up.write(Buffer.from(bytes));
  }

  /** The client has said all it wanted to say. */
  finish(): void {
    this.#up.end();
  }

  /** The client's process is killed. */
  reset(): void {
    this.#clientEnded = true;
    this.#up.kill();
    this.#gone(this.#latency);
  }

  /** Somebody pulls the cable: neither side hears of it. */
  vanish(): void {
    this.#silent = true;
    this.#clientEnded = true;
    this.#up.kill();
    // what the server sends fills the network, then waits
    this.#down.hold('cable', true);
  }

  jam(jammed: boolean): void {
    this.#up.hold('jam', jammed);
    this.#down.hold('jam', jammed);
  }

  /** The client stops reading, or reads on. */
  deaf(deaf: boolean): void {
    this.#down.hold('deaf', deaf);
  }

  /** The server's process is killed: its end says nothing to anybody in it. */
  serverDied(): void {
    this.#closed = true;
    this.#up.kill();
    this.#down.kill();
    this.#endClientSoon();
  }

  #read(bytes: Buffer): void {
    if (this.#closed) return;
    this.bytesRead += bytes.length;
    this.#events!.received(bytes);
  }

  #finished(): void {
    if (this.#closed) return;
    this.#heardEnd = true;
    // the socket answers the other side's end with its own
    this.#events!.finished();
    this.end();
    this.#maybeClose();
  }

  /** A server's socket closes when both have said their end and what it had to say is in the network. */
  #maybeClose(): void {
    if (this.#closed || !this.#heardEnd || !this.#saidEnd) return;
    if (this.#down.sent) this.#gone(0);
    else this.#clock.after(5, () => this.#maybeClose());
  }

  #gone(delay: Millis): void {
    if (this.#closed) return;
    if (delay === 0) this.#closed = true;
    this.#clock.after(delay, () => {
      if (this.#closed && delay > 0) return;
      this.#closed = true;
      if (!this.#heardEnd || !this.#saidEnd) this.#down.kill();
      this.#up.kill();
      this.#events?.closed();
    });
  }

  #endClientSoon(): void {
    this.#clock.after(this.#latency, () => this.#endClient());
  }

  #endClient(): void {
    if (this.#clientEnded || this.#silent) return;
    this.#clientEnded = true;
    this.#client.ended();
  }
}
