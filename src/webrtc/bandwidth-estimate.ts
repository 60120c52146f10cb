/**
 * What a publisher should send, when only a receiver's word counts (REMB): as much as it may, until packets are lost. Its thresholds
 * are those of draft-ietf-rmcat-gcc-02 section 6: browsers follow the same.
 */

/** Bits a second; below this nothing can be seen or heard. */
const MIN_BITRATE = 100_000;
const MUCH_LOSS = 0.1;
const LITTLE_LOSS = 0.02;
/** Each round without loss. */
const RISE = 1.08;
/** A way that loses packets carries what came, and hardly more. */
const HEADROOM = 1.5;
/** Fewer packets say nothing about loss. */
const MIN_EXPECTED = 20;

export class BandwidthEstimate {
  readonly #max: number;
  #bitrate: number;

  /** Starts at `max`, so that the publisher's own probing decides. */
  constructor(max: number) {
    this.#max = max;
    this.#bitrate = max;
  }

  /** Bits a second. */
  get bitrate(): number {
    return this.#bitrate;
  }

  /** What became of the packets of the last round, about a second, and the bits a second that came. */
  update(expected: number, lost: number, received: number): void {
    if (expected < MIN_EXPECTED) return;
    const share = Math.max(0, lost) / expected;
    if (share < LITTLE_LOSS) {
      this.#bitrate = Math.min(this.#max, this.#bitrate * RISE);
    } else if (share > MUCH_LOSS) {
      const cut = Math.min(this.#bitrate * (1 - 0.5 * Math.min(1, share)), received * HEADROOM);
      this.#bitrate = Math.min(this.#max, Math.max(MIN_BITRATE, cut));
    }
  }
}
