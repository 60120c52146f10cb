/**
 * Which of several layers of one medium viewers get (RFC 8853): the largest that is alive. It changes at key pictures only.
 */
import type { Millis } from '../base/clock.ts';
import type { AccessUnit } from './rtp.ts';
import type { RtpReceiver } from './rtp-receiver.ts';
import type { Layer } from './rtp-sources.ts';

/** A layer that brings nothing for so long has been switched off. */
const ALIVE: Millis = 2_000;
/** A layer must have been better for so long: browsers try layers and drop them again. */
const STEADY: Millis = 2_000;
/** Where sizes are not known, so much more must come. */
const CLEARLY_MORE = 1.3;

export class LayerChoice {
  readonly #layers: readonly Layer[];
  #active: RtpReceiver | undefined;
  /** Takes over with its next key picture. */
  #next: RtpReceiver | undefined;
  #better: { readonly receiver: RtpReceiver; readonly since: Millis } | undefined;

  /** `layers`: of one medium. */
  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  /** The one that viewers get. */
  get active(): RtpReceiver | undefined {
    return this.#active;
  }

  /** The one that shall take over, and needs a key picture for it. */
  get next(): RtpReceiver | undefined {
    return this.#next;
  }

  /** Is this unit for viewers? */
  passes(receiver: RtpReceiver, unit: AccessUnit): boolean {
    if (receiver === this.#active) return true;
    const starts = unit.key || receiver.media.kind === 'audio';
    if (!starts || (this.#active !== undefined && receiver !== this.#next)) return false;
    this.#active = receiver;
    this.#next = undefined;
    this.#better = undefined;
    return true;
  }

  left(receiver: RtpReceiver): void {
    if (receiver === this.#active) this.#active = undefined;
    if (receiver === this.#next) this.#next = undefined;
    if (receiver === this.#better?.receiver) this.#better = undefined;
  }

  /** Looks who is alive and largest; layers that nobody needs are only counted. */
  check(now: Millis): void {
    if (this.#layers.length < 2) return;
    const receivers = this.#layers.flatMap(({ receiver }) => receiver ?? []);
    const alive = receivers.filter((receiver) => receiver.silentFor(now) < ALIVE);
    const best = largest(alive);
    this.#next = best === undefined || best === this.#active ? undefined : this.#successor(best, alive, now);
    if (best === this.#active) this.#better = undefined;
    for (const receiver of receivers) {
      const unknown = receiver.media.kind === 'video' && receiver.size === undefined;
      receiver.listening =
        this.#active === undefined || receiver === this.#active || receiver === this.#next || unknown;
    }
  }

  /** `best`, if it is to take over now. */
  #successor(best: RtpReceiver, alive: readonly RtpReceiver[], now: Millis): RtpReceiver | undefined {
    const active = this.#active;
    if (best === this.#next || active === undefined || !alive.includes(active)) return best;
    if (!isLarger(best, active, CLEARLY_MORE)) {
      this.#better = undefined;
      return undefined;
    }
    if (this.#better?.receiver !== best) this.#better = { receiver: best, since: now };
    return now - this.#better.since >= STEADY ? best : undefined;
  }
}

function largest(receivers: readonly RtpReceiver[]): RtpReceiver | undefined {
  return receivers.reduce<RtpReceiver | undefined>(
    (best, receiver) => (best === undefined || isLarger(receiver, best, 1) ? receiver : best),
    undefined,
  );
}

/** By pixels where both are known, else by what comes. */
function isLarger(a: RtpReceiver, b: RtpReceiver, margin: number): boolean {
  const pixels = pixelsOf(a) - pixelsOf(b);
  if (!Number.isNaN(pixels) && pixels !== 0) return pixels > 0;
  return (a.reception?.bitrate ?? 0) > margin * (b.reception?.bitrate ?? 0);
}

function pixelsOf({ size }: RtpReceiver): number {
  return size === undefined ? Number.NaN : size.width * size.height;
}
