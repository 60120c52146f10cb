/**
 * RTMP timestamps are 32 bits of milliseconds and start again after 49.7 days (RTMP 4: serial number arithmetic).
 */
import type { Millis } from '../base/clock.ts';

const WRAP = 2 ** 32;

/** One publisher's timestamps as numbers that go on rising across the wrap. Small steps back, as between audio and video, stay so. */
export class Timeline {
  #last: Millis | undefined;

  unwrap(timestamp: number): Millis {
    if (this.#last === undefined) {
      this.#last = timestamp;
      return timestamp;
    }
    // the difference as a signed 32-bit number: forward up to 24.8 days, else back
    const step = (timestamp - (this.#last % WRAP)) | 0;
    const next = this.#last + step;
    // a publisher may begin late in the cycle and jump back before its own beginning
    this.#last = next < 0 ? timestamp : next;
    return this.#last;
  }
}
