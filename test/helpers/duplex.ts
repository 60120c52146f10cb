/**
 * A connection without a network: what is written waits, trickles or arrives as the test says.
 */
import type { Transport, TransportEvents } from '../../src/rtmp/transport.ts';

export class FakeTransport implements Transport {
  queuedBytes = 0;
  bytesRead = 0;
  bytesWritten = 0;
  paused = true;
  /** Nothing more may be written. */
  ended = false;
  destroyed = false;
  /** Writes wait while this is true, until `drain`. */
  stalled = false;
  /** Calls of `write` that were accepted. */
  writes = 0;
  readonly #queue: Buffer[] = [];
  readonly #deliver: (bytes: Buffer) => void;
  readonly #events: TransportEvents | undefined;

  /** What the kernel takes goes to `deliver`. */
  constructor(deliver: (bytes: Buffer) => void, events?: TransportEvents) {
    this.#deliver = deliver;
    this.#events = events;
  }

  write(bytes: Buffer): void {
    if (this.ended || this.destroyed) return;
    this.writes += 1;
    this.bytesWritten += bytes.length;
    this.queuedBytes += bytes.length;
    this.#queue.push(bytes);
    if (!this.stalled) this.drain();
  }

  /** Lets at most so many waiting bytes go. */
  drain(bytes = Number.POSITIVE_INFINITY): void {
    let left = bytes;
    while (left > 0) {
      const first = this.#queue[0];
      if (first === undefined) break;
      const part = first.subarray(0, left);
      if (part.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(part.length);
      left -= part.length;
      this.queuedBytes -= part.length;
      this.#deliver(part);
    }
  }

  /** The other side has sent `bytes`. Answers false when nobody reads them now. */
  receive(bytes: Buffer): boolean {
    if (this.paused || this.destroyed) return false;
    this.bytesRead += bytes.length;
    // as in a real transport: the buffer is used again
    const lent = Buffer.from(bytes);
    this.#events?.received(lent);
    lent.fill(0xee);
    return true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.#queue.length = 0;
    this.queuedBytes = 0;
  }
}
