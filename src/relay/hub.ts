/**
 * Streams by name. A stream lives while somebody publishes it or waits for it.
 */
import { GOP_DEFAULTS, type GopLimits } from './gop-cache.ts';
import { Stream } from './stream.ts';

export class Hub {
  readonly #streams = new Map<string, Stream>();
  readonly #limits: (name: string) => GopLimits;

  /** `limits` answers the cache bounds for a stream's full name. */
  constructor(limits: (name: string) => GopLimits = () => GOP_DEFAULTS) {
    this.#limits = limits;
  }

  /** The stream of that full name (`app/stream`), made when nobody has it yet. It goes again when nobody uses it. */
  stream(name: string): Stream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new Stream(name, this.#limits(name), (idle) => {
        if (this.#streams.get(name) === idle) this.#streams.delete(name);
      });
      this.#streams.set(name, stream);
    }
    return stream;
  }

  /** The stream of that name, if somebody uses it; makes none. */
  find(name: string): Stream | undefined {
    return this.#streams.get(name);
  }

  get size(): number {
    return this.#streams.size;
  }

  [Symbol.iterator](): Iterator<Stream> {
    return this.#streams.values();
  }
}
