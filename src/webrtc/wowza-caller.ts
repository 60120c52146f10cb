/**
 * One Wowza client's way to the endpoint, and what its dialects share: patience with streams that are about to start, an answer in
 * time, and JSON that may hold anything.
 */
import { type Clock, type Millis, pause } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import { parseApplication, parseStreamName } from '../session/address.ts';
import type { AvailableStream, Signalled, SignallingEndpoint, SignalRequest } from './signalling.ts';

/** A JSON object from outside, with values of any type. None of the names read here is one that every object has. */
export type Message = Readonly<Record<string, unknown>>;

/** One language spoken on the socket. */
export interface Dialect {
  /** What is sent back, in order; may be nothing. Throws `RefusedError`. */
  answer(message: Message): Promise<readonly object[]>;
  /** Tells why not. `message`: undefined when it could not be read. */
  refuse(message: Message | undefined, status: number, words: string): object;
  /** Why a socket that said nothing for `idle` should be closed, if it should. */
  check(idle: Millis): string | undefined;
  /** The socket is closed. */
  closed(): void;
}

export interface WowzaDeps {
  readonly clock: Clock;
  /** Has somebody come to publish this stream whose first picture or sound is still to come? */
  readonly starting: (app: string, stream: string) => boolean;
}

/** Clients give up after 6 s without a word. */
export const REPLY_LIMIT: Millis = 5_500;
/** A player waits this long for a stream that is starting. */
export const HOLD: Millis = 4_000;
const LOOK_AGAIN: Millis = 100;

export class WowzaCaller {
  readonly #endpoint: SignallingEndpoint;
  readonly #deps: WowzaDeps;
  readonly #from: Pick<SignalRequest, 'ip' | 'userAgent'>;
  #closed = false;

  constructor(endpoint: SignallingEndpoint, deps: WowzaDeps, from: Pick<SignalRequest, 'ip' | 'userAgent'>) {
    this.#endpoint = endpoint;
    this.#deps = deps;
    this.#from = from;
  }

  /** Nobody reads what comes from now on. */
  close(): void {
    this.#closed = true;
  }

  publish(app: string, stream: string, offer: string): Promise<Signalled> {
    const request = this.#request(app, stream);
    return this.#inTime(this.#endpoint.publish(request, offer));
  }

  play(app: string, stream: string, offer: string): Promise<Signalled> {
    const request = this.#request(app, stream);
    return this.#inTime(this.#held(request, () => this.#endpoint.play(request, offer)));
  }

  offerPlay(app: string, stream: string): Promise<Signalled> {
    const request = this.#request(app, stream);
    return this.#inTime(this.#held(request, () => this.#endpoint.offerPlay(request)));
  }

  available(app: string, stream: string): Promise<readonly AvailableStream[]> {
    const { query } = splitName(stream);
    return this.#endpoint.available({ app: parseApplication(app), query, door: 'wowza', ...this.#from });
  }

  /** Is the stream, which was not there, about to be? */
  isStarting(app: string, stream: string): boolean {
    const request = this.#request(app, stream);
    return this.#deps.starting(request.app, request.stream);
  }

  #request(app: string, stream: string): SignalRequest {
    const { name, query } = parseStreamName(stream);
    return { app: parseApplication(app), stream: name, query, door: 'wowza', ...this.#from };
  }

  /** Asks again when a stream that was starting has come, or has not. */
  async #held(request: SignalRequest, ask: () => Promise<Signalled>): Promise<Signalled> {
    const { clock, starting } = this.#deps;
    const end = clock.now() + HOLD;
    const worthIt = () => !this.#closed && clock.now() < end && starting(request.app, request.stream);
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const missing = error instanceof RefusedError && error.code === 'stream/not-found';
        if (!missing || !worthIt()) throw error;
      }
      while (worthIt()) await pause(clock, LOOK_AGAIN);
    }
  }

  /** A session that comes too late, or to nobody, is ended again. */
  #inTime(work: Promise<Signalled>): Promise<Signalled> {
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = this.#deps.clock.after(REPLY_LIMIT, () => {
        late = true;
        reject(new RefusedError('access/busy', 'The answer takes too long; try again in a moment.'));
      });
      work.then(
        (signalled) => {
          timer.cancel();
          if (late || this.#closed) signalled.session.hangUp();
          resolve(signalled);
        },
        (error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }
}

/** Throws `RefusedError` unless it is an object. */
export function readMessage(json: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new RefusedError('webrtc/message', 'The message is no JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RefusedError('webrtc/message', 'The message is no JSON object.');
  }
  return value as Message;
}

/** Empty when it is no text. */
export function text(message: Message, name: string): string {
  const value = message[name];
  return typeof value === 'string' ? value : '';
}

/** Empty when it is no object. */
export function object(message: Message, name: string): Message {
  const value = message[name];
  return typeof value === 'object' && value !== null ? (value as Message) : {};
}

/** A name may be missing where only its query matters. */
function splitName(stream: string): { readonly query: string } {
  return stream === '' ? { query: '' } : parseStreamName(stream);
}
