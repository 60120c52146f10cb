/**
 * One live stream: at most one publisher, any number of subscribers, and the cache that lets a newcomer start at once.
 * Knows frames; knows neither people nor wire formats.
 */
import { RefusedError } from '../base/errors.ts';
import type { Frame } from '../media/frame.ts';
import { PictureOrder } from '../media/picture-order.ts';
import { GopCache, type GopLimits } from './gop-cache.ts';

/** Receives frames. Neither throws nor waits; a slow one drops for itself (see `Valve`). */
export interface Subscriber {
  write(frame: Frame): void;
  /** The publisher came; frames follow. */
  began(): void;
  /** The publisher left; another may come. */
  ended(): void;
  /** How many viewers stand behind this one; asked when somebody counts, never per frame. */
  readonly viewers: number;
}

/** The source, as the stream sees it. */
export interface Publisher {
  /** A viewer needs a key frame; may be ignored where the protocol cannot ask. */
  requestKeyFrame(): void;
  /** Another publisher took the name; `reason` is for the one evicted. Nothing that it writes afterwards is relayed. */
  evicted(reason: string): void;
}

export interface Publication {
  /** Relays `frame` to every subscriber before it returns. Ignored after `close` and after an eviction. */
  write(frame: Frame): void;
  close(): void;
}

export interface Subscription {
  requestKeyFrame(): void;
  close(): void;
}

/** Plain numbers, read by whoever reports. */
export interface StreamCounts {
  videoFrames: number;
  audioFrames: number;
  keyFrames: number;
  bytes: number;
}

export class Stream {
  readonly app: string;
  readonly name: string;
  readonly counts: StreamCounts = { videoFrames: 0, audioFrames: 0, keyFrames: 0, bytes: 0 };
  /** `counts` as they were when the publication at hand began. */
  countsBefore: Readonly<StreamCounts> = { ...this.counts };
  /** In which order its pictures are shown. */
  readonly order = new PictureOrder();
  readonly #cache: GopCache;
  readonly #onIdle: (stream: Stream) => void;
  /** Replaced as a whole, so that who comes or goes during a write disturbs nobody else's. */
  #subscribers: readonly Subscriber[] = [];
  #publisher: Publisher | undefined;
  #publication: Publication | undefined;

  /** `onIdle` is called whenever nobody publishes and nobody subscribes. */
  constructor(app: string, name: string, limits: GopLimits, onIdle: (stream: Stream) => void) {
    this.app = app;
    this.name = name;
    this.#cache = new GopCache(limits);
    this.#onIdle = onIdle;
  }

  get live(): boolean {
    return this.#publisher !== undefined;
  }

  /** Viewers, those behind links and groups included. */
  get audience(): number {
    let sum = 0;
    for (const subscriber of this.#subscribers) sum += subscriber.viewers;
    return sum;
  }

  get idle(): boolean {
    return this.#publisher === undefined && this.#subscribers.length === 0;
  }

  /** What a decoder needs to start now, in order: metadata, configurations, then the frames since the last key frame. */
  replay(): readonly Frame[] {
    return this.#cache.replay();
  }

  /** Metadata and configurations in force: what this stream is. */
  configs(): readonly Frame[] {
    return this.#cache.configs();
  }

  /**
   * Takes the stream for `publisher`. Throws `RefusedError` when another has it, unless `takeover` says why that one must go.
   */
  publish(publisher: Publisher, takeover?: string): Publication {
    const previous = this.#publisher;
    if (previous !== undefined && takeover === undefined) {
      throw new RefusedError('access/duplicate', `${this.name} is already being published`);
    }
    const publication: Publication = {
      write: (frame) => {
        if (this.#publication === publication) this.#relay(frame);
      },
      close: () => {
        if (this.#publication !== publication) return;
        this.#publisher = undefined;
        this.#publication = undefined;
        this.#tellEnded();
        if (this.idle) this.#onIdle(this);
      },
    };
    this.#publisher = publisher;
    this.#publication = publication;
    this.countsBefore = { ...this.counts };
    // the new one is in place already: whatever is done about the end, the stream is not idle
    if (previous !== undefined) {
      this.#tellEnded();
      previous.evicted(takeover!);
    }
    for (const subscriber of this.#subscribers) subscriber.began();
    return publication;
  }

  /** Adds `subscriber` for the frames to come; what was before is `replay`, which is consistent with it in the same turn. */
  subscribe(subscriber: Subscriber): Subscription {
    this.#subscribers = [...this.#subscribers, subscriber];
    return {
      requestKeyFrame: () => this.#publisher?.requestKeyFrame(),
      close: () => {
        if (!this.#subscribers.includes(subscriber)) return;
        this.#subscribers = this.#subscribers.filter((other) => other !== subscriber);
        if (this.idle) this.#onIdle(this);
      },
    };
  }

  #relay(frame: Frame): void {
    const counts = this.counts;
    counts.bytes += frame.size;
    if (frame.kind === 'video') {
      counts.videoFrames += 1;
      if (frame.role === 'key') counts.keyFrames += 1;
      if (frame.track === 0) this.order.push(frame);
    } else if (frame.kind === 'audio') {
      counts.audioFrames += 1;
    }
    this.#cache.push(frame);
    const subscribers = this.#subscribers;
    const publication = this.#publication;
    for (let i = 0; i < subscribers.length; i++) {
      const subscriber = subscribers[i]!;
      // somebody who was written to before may have left, sent another away, or ended it all
      if (subscribers !== this.#subscribers && !this.#subscribers.includes(subscriber)) continue;
      if (publication !== this.#publication) return;
      subscriber.write(frame);
    }
  }

  #tellEnded(): void {
    this.#cache.clear();
    this.order.clear();
    for (const subscriber of this.#subscribers) subscriber.ended();
  }
}
