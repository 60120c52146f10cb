/**
 * `GET /streams.json`: what is live, for everybody; of the applications alone that are open to everybody.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Hub } from '../relay/hub.ts';
import type { DescribeStream, TrackView } from './views.ts';

export interface LiveStreamsDeps {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly describe: DescribeStream;
  /** Are pictures that browsers cannot show re-encoded for viewers of an application? */
  readonly reencodes: (app: string) => boolean;
  /** May everybody know what an application has? */
  readonly listed: (app: string) => boolean;
}

/** Figures about a track that are shown to the public. */
export type LiveTrack = Pick<TrackView, 'kind' | 'codec' | 'width' | 'height' | 'fps' | 'sampleRate' | 'channels'>;

export interface LiveStream {
  readonly app: string;
  readonly name: string;
  /** Are its pictures reordered, so that browsers cannot show them? */
  readonly bFrames: boolean;
  readonly tracks: readonly LiveTrack[];
}

/** However many ask, streams are described once in this time. */
const KEPT_FOR: Millis = 1_000;
const MAX_STREAMS = 200;

export class LiveStreams {
  readonly #deps: LiveStreamsDeps;
  #json = Buffer.alloc(0);
  #madeAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(deps: LiveStreamsDeps) {
    this.#deps = deps;
  }

  /** JSON: `{"streams": LiveStream[]}`, the newest of too many left out. */
  json(): Buffer {
    const now = this.#deps.clock.now();
    if (now - this.#madeAt >= KEPT_FOR) {
      this.#json = Buffer.from(JSON.stringify({ streams: this.#list() }));
      this.#madeAt = now;
    }
    return this.#json;
  }

  #list(): readonly LiveStream[] {
    const { hub, describe, listed, reencodes } = this.#deps;
    const streams: LiveStream[] = [];
    for (const stream of hub) {
      if (streams.length === MAX_STREAMS) break;
      const { app, name, live, order } = stream;
      if (!live || !listed(app)) continue;
      const bFrames = order.reordered && !reencodes(app);
      streams.push({ app, name, bFrames, tracks: describe(stream).map(shown) });
    }
    return streams;
  }
}

function shown({ kind, codec, width, height, fps, sampleRate, channels }: TrackView): LiveTrack {
  return { kind, codec, width, height, fps, sampleRate, channels };
}
