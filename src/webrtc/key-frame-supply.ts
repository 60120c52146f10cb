/**
 * Asking a publisher for key frames: not too often, and with an eye on whether it ever answers. Browsers make one on request and
 * hardly any otherwise; RTMP encoders cannot be asked and make them at their own pace.
 */
import type { Millis } from '../base/clock.ts';
import type { PacketRing } from './packet-ring.ts';

/** Between two requests. */
const INTERVAL: Millis = 500;
/** A publisher who can be asked has answered by then. */
const ANSWER_WITHIN: Millis = 700;
/**
 * A group of so many packets is long enough to try it out: a key frame that comes just then is hardly chance. If the publisher answers,
 * newcomers can wait for a key frame of their own, and memory is not filled with a group that has no end.
 */
const LONG_GROUP = 1_024;

export class KeyFrameSupply {
  readonly #request: () => void;
  #askedAt: Millis = Number.NEGATIVE_INFINITY;
  /** The first request that no key frame has followed. */
  #unanswered: Millis | undefined;
  /** One request was not answered in time. */
  #deaf = false;
  /** A request was made to see what comes of it. */
  #trying = false;

  constructor(request: () => void) {
    this.#request = request;
  }

  ask(now: Millis): void {
    if (now - this.#askedAt < INTERVAL) return;
    this.#askedAt = now;
    this.#unanswered ??= now;
    this.#request();
  }

  /** It is no use to wait for an answer. */
  inVain(now: Millis): boolean {
    return this.#deaf || (this.#unanswered !== undefined && now - this.#unanswered >= ANSWER_WITHIN);
  }

  /** A key frame has come, whether it was asked for or not. */
  answered(ring: PacketRing, now: Millis): void {
    if (this.#unanswered === undefined) return;
    this.#deaf = this.inVain(now);
    if (this.#deaf) ring.keepGroupsUpTo(ring.maxSlots);
    else if (this.#trying) ring.keepGroupsUpTo(LONG_GROUP);
    this.#unanswered = undefined;
    this.#trying = false;
  }

  /** Packets of a group were added to `ring`. */
  grown(ring: PacketRing, now: Millis): void {
    const known = this.#deaf || ring.groupSlots === LONG_GROUP;
    if (known || this.#trying || ring.keyAt < 0 || ring.end - ring.keyAt < LONG_GROUP) return;
    this.#trying = true;
    this.ask(now);
  }

  /** Another publisher, of whom nothing is known. */
  forget(ring: PacketRing): void {
    ring.keepGroupsUpTo(ring.maxSlots);
    this.#deaf = false;
    this.#trying = false;
    this.#unanswered = undefined;
  }
}
