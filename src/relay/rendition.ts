/**
 * A stream with its sound in another codec, for viewers who cannot hear the original. Pictures and metadata pass as they are, and so
 * does sound that needs no translation. It runs while somebody subscribes: one transcoder, whatever the audience.
 *
 *   stream ──▶ pictures ─────────────────▶ cache, subscribers
 *          └─▶ sound ──▶ transcoder ──▶
 */
import type { Frame } from '../media/frame.ts';
import type { BridgedCodec, Transcoder, Transcoders } from '../media/transcoder.ts';
import { GopCache, type GopLimits } from './gop-cache.ts';
import type { Source } from './source.ts';
import type { Stream, Subscriber, Subscription } from './stream.ts';

/** What people are told of one. */
export interface RenditionState {
  readonly to: BridgedCodec;
  /** `idle`: nobody needs it. `waiting`: there is no sound to translate yet. `failed`: until another publisher comes. */
  readonly state: 'idle' | 'waiting' | 'running' | 'failed';
  readonly viewers: number;
  /** The last one, if there has been any. */
  readonly failure?: { readonly code: string; readonly reason: string } | undefined;
}

export interface RenditionEvents {
  /** The sound goes on no more; pictures do. */
  failed(code: string, text: string): void;
  /** Somebody subscribes now, or nobody any more. */
  running(runs: boolean): void;
}

export class Rendition implements Source, Subscriber {
  readonly #stream: Stream;
  readonly #to: BridgedCodec;
  readonly #from: BridgedCodec;
  readonly #transcoders: Transcoders;
  readonly #events: RenditionEvents;
  readonly #cache: GopCache;
  #subscribers: readonly Subscriber[] = [];
  #subscription: Subscription | undefined;
  #transcoder: Transcoder | undefined;
  /** Which transcoder is listened to. */
  #turn = 0;
  /** Its transcoder failed; the next publisher gets another chance. */
  #mute = false;
  #failure: RenditionState['failure'];

  constructor(stream: Stream, to: BridgedCodec, transcoders: Transcoders, limits: GopLimits, events: RenditionEvents) {
    this.#stream = stream;
    this.#to = to;
    this.#from = to === 'aac' ? 'opus' : 'aac';
    this.#transcoders = transcoders;
    this.#cache = new GopCache(limits);
    this.#events = events;
  }

  get app(): string {
    return this.#stream.app;
  }

  get name(): string {
    return this.#stream.name;
  }

  get live(): boolean {
    return this.#stream.live;
  }

  get viewers(): number {
    let sum = 0;
    for (const subscriber of this.#subscribers) sum += subscriber.viewers;
    return sum;
  }

  get state(): RenditionState {
    const heard = this.#subscription === undefined ? 'idle' : 'waiting';
    const state = this.#transcoder === undefined ? heard : 'running';
    return { to: this.#to, state: this.#mute ? 'failed' : state, viewers: this.viewers, failure: this.#failure };
  }

  replay(): readonly Frame[] {
    return this.#subscription === undefined ? this.#passing(this.#stream.replay()) : this.#cache.replay();
  }

  configs(): readonly Frame[] {
    return this.#subscription === undefined ? this.#passing(this.#stream.configs()) : this.#cache.configs();
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
    for (const frame of this.#passing(this.#stream.replay())) this.#cache.push(frame);
    // sound begins with what comes now: what has been is over when it is ready
    for (const config of this.#stream.configs()) if (this.#translates(config)) this.#hear(config);
    this.#subscription = this.#stream.subscribe(this);
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
    return this.#transcoders.start(this.#to, {
      // what an earlier one still sends is of a time that is over
      frame: (frame) => {
        if (this.#turn === turn) this.#relay(frame);
      },
      failed: (code, text) => {
        if (this.#turn !== turn) return;
        this.#silence();
        this.#mute = true;
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
    return frame.kind === 'audio' && frame.codec === this.#from && frame.track === 0;
  }

  #passing(frames: readonly Frame[]): readonly Frame[] {
    return frames.filter((frame) => !this.#translates(frame));
  }
}

/** The renditions of all streams; each is made when first asked for, and goes with its stream. */
export class Renditions {
  /** Running now. */
  running = 0;
  readonly #transcoders: Transcoders;
  readonly #limits: (app: string) => GopLimits;
  readonly #failed: (stream: Stream, to: BridgedCodec, code: string, text: string) => void;
  readonly #byStream = new WeakMap<Stream, Map<BridgedCodec, Rendition>>();

  /** `failed` is told when the sound of one has ended. */
  constructor(
    transcoders: Transcoders,
    limits: (app: string) => GopLimits,
    failed: (stream: Stream, to: BridgedCodec, code: string, text: string) => void,
  ) {
    this.#transcoders = transcoders;
    this.#limits = limits;
    this.#failed = failed;
  }

  /** `stream` with its sound as `to`. */
  of(stream: Stream, to: BridgedCodec): Source {
    let renditions = this.#byStream.get(stream);
    if (renditions === undefined) {
      renditions = new Map();
      this.#byStream.set(stream, renditions);
    }
    let rendition = renditions.get(to);
    if (rendition === undefined) {
      rendition = new Rendition(stream, to, this.#transcoders, this.#limits(stream.app), {
        failed: (code, text) => this.#failed(stream, to, code, text),
        running: (runs) => {
          this.running += runs ? 1 : -1;
        },
      });
      renditions.set(to, rendition);
    }
    return rendition;
  }

  /** Of those of `stream` that somebody has asked for. */
  states(stream: Stream): readonly RenditionState[] {
    return [...(this.#byStream.get(stream)?.values() ?? [])].map(({ state }) => state);
  }
}
