/**
 * The publisher's times on one timeline that never ends, for both tracks of an audience: microseconds of our monotonic clock, set
 * right by the first frame and followed as the publisher has it from then on. Only a jump, or another publisher, sets it anew.
 */
import type { Millis } from '../base/clock.ts';
import type { Frame, Micros } from '../media/frame.ts';

/** A step of one track that asks for a second look. */
const LEAP: Micros = 1_000_000;
/** A pause is no jump when the frames after it are as late as the clock says. */
const TOLERANCE: Micros = 2_000_000;
/** Between the last frame of one publisher and the first of the next, at least. */
const SEAM: Micros = 20_000;

interface TrackTime {
  /** From the publisher's time to the timeline; undefined before its first frame. */
  shift: Micros | undefined;
  /** Decode time of its last frame; undefined when the next may have any. */
  last: Micros | undefined;
}

export class SendingTimeline {
  readonly #tracks: { readonly video: TrackTime; readonly audio: TrackTime } = {
    video: { shift: undefined, last: undefined },
    audio: { shift: undefined, last: undefined },
  };
  /** The latest time given out. */
  #latest: Micros = Number.NEGATIVE_INFINITY;

  /** Another publisher: its times have nothing to do with those before. */
  began(): void {
    this.#tracks.video.shift = undefined;
    this.#tracks.audio.shift = undefined;
  }

  /** What `frame` and all frames before it were sent until `now`: a newcomer gets them from a cache. */
  anchor(frame: Frame, now: Millis): void {
    const shift = now * 1000 - frame.dts;
    this.#tracks.video.shift = shift;
    this.#tracks.audio.shift = shift;
    this.#tracks.video.last = undefined;
    this.#tracks.audio.last = undefined;
  }

  /** What has to be added to the times of `frame`, which came at `now`. */
  shiftOf(kind: 'video' | 'audio', frame: Frame, now: Millis): Micros {
    const own = this.#tracks[kind];
    const other = this.#tracks[kind === 'video' ? 'audio' : 'video'];
    const leap = own.last !== undefined && Math.abs(frame.dts - own.last) > LEAP;
    if (leap || own.shift === undefined) own.shift = this.#fitting(frame.dts, now, own.shift, other.shift);
    own.last = frame.dts;
    const shift = own.shift!;
    this.#latest = Math.max(this.#latest, frame.dts + shift);
    return shift;
  }

  /** Tracks of one publisher jump together: what the other has done already comes first. */
  #fitting(dts: Micros, now: Millis, own: Micros | undefined, other: Micros | undefined): Micros {
    const arrival = now * 1000;
    for (const shift of [other, own]) {
      if (shift !== undefined && Math.abs(dts + shift - arrival) <= TOLERANCE) return shift;
    }
    return Math.max(arrival, this.#latest + SEAM) - dts;
  }
}
