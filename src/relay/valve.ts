/**
 * What may still pass to a viewer who is late. Governs video only, in whole decodable runs: once shut it opens at a key frame, and
 * only when the jam has drained. Audio, metadata and configurations always pass. Starts shut, so nobody begins in mid-run.
 */
import type { Millis } from '../base/clock.ts';

export interface ValveLimits {
  /** Shut when more than this waits in the viewer's queue. */
  readonly highBytes: number;
  /** Open again, at a key frame, when no more than this waits. */
  readonly lowBytes: number;
  /** Give the viewer up when more than this waits. */
  readonly hardBytes: number;
  /** Give the viewer up when its queue made no progress for this long. */
  readonly stallMillis: Millis;
}

export class Valve {
  #open = false;

  get open(): boolean {
    return this.#open;
  }

  /** May this video unit pass? `key`: it starts a decodable run. `queuedBytes`: what waits in the viewer's queue now. */
  admits(key: boolean, queuedBytes: number, limits: ValveLimits): boolean {
    if (this.#open) {
      if (queuedBytes <= limits.highBytes) return true;
      this.#open = false;
    }
    if (key && queuedBytes <= limits.lowBytes) {
      this.#open = true;
      return true;
    }
    return false;
  }

  /** The run is interrupted: the next video to pass must be a key frame. */
  shut(): void {
    this.#open = false;
  }
}
