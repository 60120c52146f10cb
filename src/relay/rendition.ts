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
import type {
  BridgedCodec,
  PictureTranscoders,
  Transcoder,
  TranscoderEvents,
  Transcoders,
} from '../media/transcoder.ts';
import { GopCache, type GopLimits } from './gop-cache.ts';
import type { Source } from './source.ts';
import type { Stream, Subscriber, Subscription } from './stream.ts';

/** What a rendition can turn media into: sound, or pictures that every browser shows. */
export type RenditionCodec = BridgedCodec | 'h264';

/** What people are told of one. */
export interface RenditionState {
  readonly to: RenditionCodec;
  /** `idle`: nobody needs it. `waiting`: there is nothing to translate yet. `failed`: until another publisher comes. */
  readonly state: 'idle' | 'waiting' | 'running' | 'failed';
  readonly viewers: number;
  /** The last one, if there has been any. */
  readonly failure?: { readonly code: string; readonly reason: string } | undefined;
}

export interface RenditionEvents {
  /** What it translates goes on no more; everything else does. */
  failed(code: string, text: string): void;
  /** Somebody subscribes now, or nobody any more. */
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
const REST: Millis = 30_000;

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
  /** Its transcoder failed; the next publisher gets another chance. */
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
    const resting = this.#mute && this.#clock.now() - this.#failedAt < REST;
    return this.#translation.pictures && resting ? this.#failure : this.#source.failure;
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
    this.#cache.clear();
    for (const subscriber of this.#subscribers) subscriber.ended();
  }

  #start(): void {
    const { pictures } = this.#translation;
    const past = this.#source.replay();
    for (const frame of this.#passing(past)) this.#cache.push(frame);
    if (this.failure === undefined && pictures) this.#mute = false;
    // what has been said is over when a translation is ready
    for (const frame of pictures ? past : this.#source.configs()) if (this.#translates(frame)) this.#hear(frame);
    this.#subscription = this.#source.subscribe(this);
    this.#events.running(true);
  }

  #stop(): void {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#silence();
    this.#cache.clear();
    subscription?.close();
    this.#events.running(false);
  }

  #hear(frame: Frame): void {
    if (this.#mute) return;
    this.#transcoder ??= this.#transcode();
    this.#transcoder.write(frame);
  }

  #transcode(): Transcoder {
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

/** Who translates, and within which limits. */
export interface RenditionsSetup {
  readonly clock: Clock;
  readonly sound: Transcoders;
  readonly pictures: PictureTranscoders;
  readonly limits: (app: string) => GopLimits;
  /** Is told when the translation of one has ended. */
  readonly failed: (stream: Pick<Source, 'app' | 'name'>, to: RenditionCodec, code: string, text: string) => void;
}

/** The renditions of all streams; each is made when first asked for, and goes with its stream. */
export class Renditions {
  /** Of sound, running now. */
  running = 0;
  readonly #setup: RenditionsSetup;
  readonly #bySource = new WeakMap<Source, Map<RenditionCodec, Rendition>>();

  constructor(setup: RenditionsSetup) {
    this.#setup = setup;
  }

  /** `stream` with its pictures, its sound or both translated: one stands on the other, in this order. */
  of(stream: Stream, ...to: readonly RenditionCodec[]): Source {
    let source: Source = stream;
    for (const codec of to) source = this.#on(source, codec);
    return source;
  }

  /** Of those of `stream` that somebody has asked for. */
  states(stream: Source): readonly RenditionState[] {
    const renditions = [...(this.#bySource.get(stream)?.values() ?? [])];
    return renditions.flatMap((rendition) => [rendition.state, ...this.states(rendition)]);
  }

  #on(source: Source, to: RenditionCodec): Rendition {
    let renditions = this.#bySource.get(source);
    if (renditions === undefined) {
      renditions = new Map();
      this.#bySource.set(source, renditions);
    }
    let rendition = renditions.get(to);
    if (rendition === undefined) {
      const { clock, limits, failed } = this.#setup;
      rendition = new Rendition(source, this.#translation(to), clock, limits(source.app), {
        failed: (code, text) => failed(source, to, code, text),
        running: (runs) => {
          if (to !== 'h264') this.running += runs ? 1 : -1;
        },
      });
      renditions.set(to, rendition);
    }
    return rendition;
  }

  #translation(to: RenditionCodec): Translation {
    const { sound, pictures } = this.#setup;
    if (to === 'h264') {
      const takes = (frame: Frame) => pictures.takes(frame);
      return { to, pictures: true, takes, start: (events) => pictures.start(events) };
    }
    const from = to === 'aac' ? 'opus' : 'aac';
    return {
      to,
      pictures: false,
      takes: ({ kind, codec, track }) => kind === 'audio' && codec === from && track === 0,
      start: (events) => sound.start(to, events),
    };
  }
}
