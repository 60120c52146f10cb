/**
 * Streams by application and name. A stream lives while somebody publishes it or waits for it.
 */
import { GOP_DEFAULTS, type GopLimits } from './gop-cache.ts';
import { Stream } from './stream.ts';

export class Hub {
  readonly #streams = new Map<string, Stream>();
  readonly #limits: (app: string) => GopLimits;

  /** `limits` answers the cache bounds for the streams of an application. */
  constructor(limits: (app: string) => GopLimits = () => GOP_DEFAULTS) {
    this.#limits = limits;
  }

  /** The stream of that name, made when nobody has it yet. It goes again when nobody uses it. */
  stream(app: string, name: string): Stream {
    const key = keyOf(app, name);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new Stream(app, name, this.#limits(app), (idle) => {
        if (this.#streams.get(key) === idle) this.#streams.delete(key);
      });
      this.#streams.set(key, stream);
    }
    return stream;
  }

  /** The stream of that name, if somebody uses it; makes none. */
  find(app: string, name: string): Stream | undefined {
    return this.#streams.get(keyOf(app, name));
  }

  get size(): number {
    return this.#streams.size;
  }

  [Symbol.iterator](): Iterator<Stream> {
    return this.#streams.values();
  }
}

/** Both may hold slashes: `live/room1` and `x` are not `live` and `room1/x`. No name holds a line feed. */
function keyOf(app: string, name: string): string {
  return `${app}\n${name}`;
}
