/**
 * Are pictures shown in another order than they are decoded in (B-frames)? Players over RTMP do not mind; browsers over WebRTC cannot
 * show such a stream at all.
 */
import type { Frame, Micros } from './frame.ts';
import { readAvcConfig, readAvcSps } from './h264.ts';

export class PictureOrder {
  #reordered = false;
  /** The parameter set allows it; a picture shown later than it is decoded then gives it away at once. */
  #allowed = false;
  /** The latest picture's times. */
  #shown: Micros = Number.NEGATIVE_INFINITY;
  #decoded: Micros = Number.NEGATIVE_INFINITY;

  /** Known for certain; stays so until `clear`. */
  get reordered(): boolean {
    return this.#reordered;
  }

  /** Looks at a video frame of the main track. */
  push(frame: Frame): void {
    if (this.#reordered) return;
    if (frame.role === 'config') {
      if (frame.codec === 'h264') this.#allowed = allowsReordering(frame.data);
    } else {
      // a key frame may begin another timeline, and a clock that steps back takes both times along
      const earlier = frame.pts < this.#shown && frame.dts >= this.#decoded;
      if (earlier && frame.role === 'delta') this.#reordered = true;
      else if (this.#allowed && frame.pts > frame.dts) this.#reordered = true;
      this.#shown = frame.pts;
      this.#decoded = frame.dts;
    }
  }

  clear(): void {
    this.#reordered = false;
    this.#allowed = false;
    this.#shown = Number.NEGATIVE_INFINITY;
    this.#decoded = Number.NEGATIVE_INFINITY;
  }
}

function allowsReordering(record: Buffer): boolean {
  const sps = readAvcConfig(record)?.sps[0];
  return sps !== undefined && readAvcSps(sps)?.bFrames === true;
}
