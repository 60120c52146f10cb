/**
 * A stream with its sound or its pictures in another codec, for viewers who cannot have the original. Everything else passes as it is,
 * and so does what needs no translation. It runs while somebody subscribes: one transcoder, whatever the audience. One may stand on
 * another.
 *
 *   source ──▶ all else ─────────────────▶ cache, subscribers
 *          └─▶ what it translates ──▶ transcoder ──▶
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Frame } from '../media/frame.ts';
import type { BridgedCodec, Transcoder, TranscoderEvents } from '../media/transcoder.ts';
import { GopCache, type GopLimits } from './gop-cache.ts';
import type { Source } from './source.ts';
import type { Subscriber, Subscription } from './stream.ts';

/** What a rendition can turn media into: sound, or pictures that every browser shows. */
export type RenditionCodec = BridgedCodec | 'h264';

/** What people are told of one. */
export interface RenditionState {
  readonly to: RenditionCodec;
  /**
   * `idle`: nobody needs it. `waiting`: there is nothing to translate. `failed`: until it is tried again: with the next publisher; sound after
   * a pause or with another configuration, too, pictures with the first viewer after one.
   */
  readonly state: 'idle' | 'waiting' | 'running' | 'failed';
  readonly viewers: number;
  /** The last one, if there has been any. */
  readonly failure?: { readonly code: string; readonly reason: string } | undefined;
}

export interface RenditionEvents {
  /** What it translates goes on no more; everything else does. */
  failed(code: string, text: string): void;
  /** Somebody subscribes to what has to be translated, or no more. */
  running(runs: boolean): void;
}

/** What one kind of rendition does. */
export interface Translation {
  readonly to: RenditionCodec;
  /** Pictures can be decoded from a key frame on only, so it begins with the past; sound begins with what comes now. */
  readonly pictures: boolean;
  takes(frame: Frame): boolean;
  start(events: TranscoderEvents): Transcoder;
}

/** Pictures that failed are not tried again before; viewers are turned away. */
const PICTURES_REST: Millis = 30_000;
/** Nor is sound, which viewers do without; a worker that failed is followed by the next earlier than that. */
const SOUND_REST: Millis = 10_000;

export class Rendition implements Source, Subscriber {
  readonly #source: Source;
  readonly #translation: Translation;
  readonly #clock: Clock;
  readonly #events: RenditionEvents;
  readonly #cache: GopCache;
  #subscribers: readonly Subscriber[] = [];
  #subscription: Subscription | undefined;
  #transcoder: Transcoder | undefined;
  /** Which transcoder is listened to. */
  #turn = 0;
  /** The latest of what it translates. */
  #config: Frame | undefined;
  /** There has been something to translate. */
  #used = false;
  #running = false;
  /** Its transcoder failed, and there is no other yet. */
  #mute = false;
  #failedAt: Millis = 0;
  #failure: RenditionState['failure'];

  constructor(source: Source, translation: Translation, clock: Clock, limits: GopLimits, events: RenditionEvents) {
    this.#source = source;
    this.#translation = translation;
    this.#clock = clock;
    this.#cache = new GopCache(limits);
    this.#events = events;
  }

  get app(): string {
    return this.#source.app;
  }

  get name(): string {
    return this.#source.name;
  }

  get live(): boolean {
    return this.#source.live;
  }

  get viewers(): number {
    let sum = 0;
    for (const subscriber of this.#subscribers) sum += subscriber.viewers;
    return sum;
  }

  /** There is, or was, something to translate. */
  get used(): boolean {
    return this.#used;
  }

  get state(): RenditionState {
    const heard = this.#subscription === undefined ? 'idle' : 'waiting';
    const state = this.#transcoder === undefined ? heard : 'running';
    return {
      to: this.#translation.to,
      state: this.#mute ? 'failed' : state,
      viewers: this.viewers,
      failure: this.#failure,
    };
  }

  get failure(): Source['failure'] {
    return this.#translation.pictures && this.#resting ? this.#failure : this.#source.failure;
  }

  replay(): readonly Frame[] {
    return this.#subscription === undefined ? this.#passing(this.#source.replay()) : this.#cache.replay();
  }

  configs(): readonly Frame[] {
    return this.#subscription === undefined ? this.#passing(this.#source.configs()) : this.#cache.configs();
  }

  subscribe(subscriber: Subscriber): Subscription {
    this.#subscribers = [...this.#subscribers, subscriber];
    if (this.#subscription === undefined) this.#start();
    return {
      requestKeyFrame: () => this.#subscription?.requestKeyFrame(),
      close: () => {
        if (!this.#subscribers.includes(subscriber)) return;
        this.#subscribers = this.#subscribers.filter((other) => other !== subscriber);
        if (this.#subscribers.length === 0) this.#stop();
      },
    };
  }

  write(frame: Frame): void {
    if (this.#translates(frame)) this.#hear(frame);
    else this.#relay(frame);
  }

  began(): void {
    for (const subscriber of this.#subscribers) subscriber.began();
  }

  ended(): void {
    this.#silence();
    this.#mute = false;
    this.#config = undefined;
    this.#run(false);
    this.#cache.clear();
    for (const subscriber of this.#subscribers) subscriber.ended();
  }

  #start(): void {
    const { pictures } = this.#translation;
    const past = this.#source.replay();
    for (const frame of this.#passing(past)) this.#cache.push(frame);
    if (pictures && !this.#resting) this.#mute = false;
    // what has been said is over when a translation is ready
    for (const frame of pictures ? past : this.#source.configs()) if (this.#translates(frame)) this.#hear(frame);
    this.#subscription = this.#source.subscribe(this);
  }

  #stop(): void {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#silence();
    this.#cache.clear();
    subscription?.close();
    this.#run(false);
  }

  #hear(frame: Frame): void {
    const isConfig = frame.role === 'config';
    const changed = isConfig && this.#config?.data.equals(frame.data) !== true;
    if (isConfig) this.#config = frame;
    if (this.#mute) {
      if (this.#translation.pictures || (this.#resting && !changed)) return;
      this.#mute = false;
    }
    if (this.#transcoder === undefined) {
      this.#transcoder = this.#transcode();
      // one that takes over from a failed one begins in the midst
      if (!isConfig && this.#config !== undefined) this.#transcoder.write(this.#config);
    }
    this.#transcoder.write(frame);
  }

  /** It failed a short while ago. */
  get #resting(): boolean {
    const rest = this.#translation.pictures ? PICTURES_REST : SOUND_REST;
    return this.#mute && this.#clock.now() - this.#failedAt < rest;
  }

  #run(runs: boolean): void {
    if (this.#running === runs) return;
    this.#running = runs;
    this.#events.running(runs);
  }

  #transcode(): Transcoder {
    this.#used = true;
    this.#run(true);
    this.#turn += 1;
    const turn = this.#turn;
    return this.#translation.start({
      // what an earlier one still sends is of a time that is over
      frame: (frame) => {
        if (this.#turn === turn) this.#relay(frame);
      },
      failed: (code, text) => {
        if (this.#turn !== turn) return;
        this.#silence();
        this.#mute = true;
        this.#failedAt = this.#clock.now();
        this.#failure = { code, reason: text };
        this.#events.failed(code, text);
      },
    });
  }

  #silence(): void {
    const transcoder = this.#transcoder;
    this.#transcoder = undefined;
    this.#turn += 1;
    transcoder?.close();
  }

  #relay(frame: Frame): void {
    this.#cache.push(frame);
    const subscribers = this.#subscribers;
    for (const subscriber of subscribers) {
      if (subscribers === this.#subscribers || this.#subscribers.includes(subscriber)) subscriber.write(frame);
    }
  }

  #translates(frame: Frame): boolean {
    return this.#translation.takes(frame);
  }

  #passing(frames: readonly Frame[]): readonly Frame[] {
    return frames.filter((frame) => !this.#translates(frame));
  }
}
