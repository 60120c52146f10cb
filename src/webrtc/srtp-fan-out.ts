/**
 * Sends what is in the rings to all viewers: four at a time, a few packets each, round after round, and never for longer than a few
 * milliseconds before whatever else the process has to do has its turn.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import type { RtpTrack } from './rtp-track.ts';
import { SrtpBatch } from './srtp-batch.ts';
import { BATCH_PACKETS, LANES } from './srtp-kernel-code.ts';
import type { TrackCursor } from './track-cursor.ts';

/** Work without a break. */
const SLICE: Millis = 4;
/** Viewers who may get no more for now are looked at again after this. */
const PAUSE: Millis = 4;
/** And those whose path takes no more, which may last: after this. */
const BLOCKED_PAUSE: Millis = 20;

/** `blocked`: there is more for nobody but those whose path is full. */
type Outcome = 'done' | 'more' | 'later' | 'blocked';

export class SrtpFanOut {
  readonly batch: SrtpBatch;
  readonly #clock: Clock;
  readonly #queue: RtpTrack[] = [];
  readonly #later: Rest;
  readonly #blocked: Rest;
  #soon: Timer | undefined;
  readonly #group: TrackCursor[] = [];
  /** What the batch holds, as long as its serial is this. */
  #loaded: RtpTrack | undefined;
  #loadedAt = 0;
  #serial = -1;

  constructor(clock: Clock, batch = new SrtpBatch()) {
    this.#clock = clock;
    this.batch = batch;
    const wake = (track: RtpTrack): void => this.wake(track);
    this.#later = new Rest(clock, PAUSE, wake);
    this.#blocked = new Rest(clock, BLOCKED_PAUSE, wake);
  }

  /** There may be something to send. */
  wake(track: RtpTrack): void {
    if (!track.queued) {
      track.queued = true;
      this.#queue.push(track);
    }
    this.#soon ??= this.#clock.soon(() => this.#work());
  }

  #work(): void {
    this.#soon = undefined;
    const deadline = this.#clock.now() + SLICE;
    // those that are queued now; who wants more comes after them
    for (let waiting = this.#queue.length; waiting > 0; waiting--) {
      const track = this.#queue.shift()!;
      const outcome = this.#serve(track, deadline);
      if (outcome === 'more') {
        this.#queue.push(track);
        break;
      }
      track.queued = false;
      if (outcome === 'later') this.#later.add(track);
      if (outcome === 'blocked') this.#blocked.add(track);
      if (this.#clock.now() >= deadline) break;
    }
    if (this.#queue.length > 0) this.#soon ??= this.#clock.soon(() => this.#work());
  }

  /** Round after round, until nobody may get any more or the time is up. */
  #serve(track: RtpTrack, deadline: Millis): Outcome {
    let now = this.#clock.now();
    for (;;) {
      // a round that was broken off says nothing about those in front
      let idle = track.turn === 0;
      while (track.turn < track.cursors.length) {
        const count = this.#gather(track, now);
        if (count > 0) {
          this.#send(track, count);
          idle = false;
        }
        now = this.#clock.now();
        if (now >= deadline) return 'more';
      }
      track.turn = 0;
      if (idle) return outlook(track);
    }
  }

  /** The next viewers who are at the same place, as many as there are lanes. Answers how many packets they may get. */
  #gather(track: RtpTrack, now: Millis): number {
    const { cursors, ring } = track;
    const group = this.#group;
    group.length = 0;
    let count = 0;
    for (; track.turn < cursors.length && group.length < LANES; track.turn++) {
      const cursor = cursors[track.turn]!;
      // the ring went on without it
      if (cursor.position >= 0 && cursor.position < ring.first) track.start(cursor);
      const allowed = cursor.allowed(ring, now, BATCH_PACKETS);
      if (allowed === 0) continue;
      const lead = group[0];
      if (lead === undefined) count = allowed;
      else if (cursor.position !== lead.position || allowed < count || cursor.alone) break;
      group.push(cursor);
      if (cursor.alone) {
        track.turn += 1;
        break;
      }
    }
    return count;
  }

  #send(track: RtpTrack, count: number): void {
    const { batch } = this;
    const position = this.#group[0]!.position;
    this.#load(track, position, count);
    batch.send(this.#group);
    for (const cursor of this.#group) cursor.sent(count, batch.payloadBytes, batch.wireBytesFor(cursor.keys));
  }

  #load(track: RtpTrack, position: number, count: number): void {
    const { batch } = this;
    const held = this.#loaded === track && this.#loadedAt === position && batch.count === count;
    if (held && this.#serial === batch.serial) return;
    batch.begin(track.ssrc);
    const { ring } = track;
    for (let at = position; at < position + count; at++) {
      batch.put(ring.bytes, ring.offsetOf(at), ring.sizeOf(at), ring.headerOf(at));
    }
    this.#loaded = track;
    this.#loadedAt = position;
    this.#serial = batch.serial;
  }
}

/** Nobody may get anything now: who may soon? */
function outlook({ cursors, ring }: RtpTrack): Outcome {
  let outcome: Outcome = 'done';
  for (const cursor of cursors) {
    if (!cursor.wants(ring)) continue;
    if (!cursor.blocked) return 'later';
    outcome = 'blocked';
  }
  return outcome;
}

/** Tracks that are looked at again after a pause, all together. */
class Rest {
  readonly #clock: Clock;
  readonly #pause: Millis;
  readonly #wake: (track: RtpTrack) => void;
  readonly #tracks = new Set<RtpTrack>();
  #timer: Timer | undefined;

  constructor(clock: Clock, pause: Millis, wake: (track: RtpTrack) => void) {
    this.#clock = clock;
    this.#pause = pause;
    this.#wake = wake;
  }

  add(track: RtpTrack): void {
    this.#tracks.add(track);
    this.#timer ??= this.#clock.after(this.#pause, () => {
      this.#timer = undefined;
      for (const rested of this.#tracks) this.#wake(rested);
      this.#tracks.clear();
    });
  }
}
