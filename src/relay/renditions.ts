/**
 * The renditions of all streams.
 */
import type { Clock } from '../base/clock.ts';
import type { Frame } from '../media/frame.ts';
import type { PictureTranscoders, Transcoders } from '../media/transcoder.ts';
import type { GopLimits } from './gop-cache.ts';
import { Rendition, type RenditionCodec, type RenditionState, type Translation } from './rendition.ts';
import type { Source } from './source.ts';
import type { Stream } from './stream.ts';

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
  /** Of sound: played now, with something to translate. */
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

  /** Of those of `stream` that have had something to translate. */
  states(stream: Source): readonly RenditionState[] {
    const renditions = [...(this.#bySource.get(stream)?.values() ?? [])];
    return renditions.flatMap((rendition) => [...(rendition.used ? [rendition.state] : []), ...this.states(rendition)]);
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
