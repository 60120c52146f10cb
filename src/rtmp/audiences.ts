/**
 * The audiences of all streams, made for the first player of a form and gone with the last.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Source } from '../relay/source.ts';
import type { Stream } from '../relay/stream.ts';
import { AUDIO_HOLD_MILLIS, Audience, type AudienceForm, type AudienceOptions } from './audience.ts';

export class Audiences {
  readonly #clock: Clock;
  readonly #inAac: (stream: Stream) => Source;
  readonly #byStream = new Map<Stream, Map<string, Audience>>();
  #withheld = 0;
  /** One timer for all: held audio is looked at, not waited for. */
  #beat: Timer | undefined;

  /** `inAac`: a stream with its sound in AAC. */
  constructor(clock: Clock, inAac: (stream: Stream) => Source) {
    this.#clock = clock;
    this.#inAac = inAac;
  }

  /** The audience of `stream` for `form`; `options` hold for a new one. */
  of(stream: Stream, form: AudienceForm, options: AudienceOptions): Audience {
    let audiences = this.#byStream.get(stream);
    if (audiences === undefined) {
      audiences = new Map();
      this.#byStream.set(stream, audiences);
      this.#beat ??= this.#clock.every(AUDIO_HOLD_MILLIS, () => this.#beatAll());
    }
    const key = `${form.messageStream} ${form.video} ${form.audio} ${form.aac}`;
    let audience = audiences.get(key);
    if (audience === undefined) {
      const source = form.aac ? this.#inAac(stream) : stream;
      const made = new Audience(source, form, options, this.#clock, () => this.#gone(stream, key, made));
      audience = made;
      audiences.set(key, audience);
    }
    return audience;
  }

  /** Pictures withheld from late players, since the start. */
  get withheld(): number {
    let sum = this.#withheld;
    for (const audiences of this.#byStream.values())
      for (const audience of audiences.values()) sum += audience.withheld;
    return sum;
  }

  /** Streams that are being played. */
  get size(): number {
    return this.#byStream.size;
  }

  #gone(stream: Stream, key: string, audience: Audience): void {
    this.#withheld += audience.withheld;
    const audiences = this.#byStream.get(stream);
    audiences?.delete(key);
    if (audiences?.size === 0) this.#byStream.delete(stream);
    if (this.#byStream.size > 0) return;
    this.#beat?.cancel();
    this.#beat = undefined;
  }

  #beatAll(): void {
    for (const audiences of this.#byStream.values()) for (const audience of audiences.values()) audience.beat();
  }
}
