/**
 * Wowza's signalling over a WebSocket at `/webrtc-session.json`, in both dialects. A session lives by ICE and DTLS; the socket only
 * carries the words that begin it.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Millis } from '../base/clock.ts';
import { PeerError, RefusedError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { wowzaRefusal } from './signal-problem.ts';
import type { SignallingEndpoint } from './signalling.ts';
import { type SocketLimits, type SocketReader, type SocketWriter, WebSockets } from './web-socket.ts';
import { type Dialect, type Message, readMessage, WowzaCaller, type WowzaDeps } from './wowza-caller.ts';
import { WowzaClassic } from './wowza-classic.ts';
import { WowzaV2 } from './wowza-v2.ts';

export interface WowzaSocketsDeps extends WowzaDeps {
  readonly log: Logger;
  readonly limits?: Partial<SocketLimits>;
}

export interface WowzaSockets {
  /** Whether it asks for a WebSocket where this is spoken. */
  wants(request: IncomingMessage): boolean;
  /** Takes the connection of a request that it wants, and answers, in one way or the other. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes all sockets, and takes no more; the sessions stay. */
  close(): void;
}

const PATH = /^\/+webrtc-session\.json(?:\?|$)/;
const V2 = /[?&]webrtcImplementation=v2(?:&|$)/;
/** Messages that wait for the one at work. */
const MAX_QUEUE = 8;

export function wowzaSockets(endpoint: SignallingEndpoint, deps: WowzaSocketsDeps): WowzaSockets {
  const sockets = new WebSockets(deps.clock, deps.limits);
  return {
    wants: ({ url = '', headers }) => PATH.test(url) && headers.upgrade?.toLowerCase() === 'websocket',
    upgrade(request, socket, head) {
      const { url = '' } = request;
      sockets.accept(request, socket, head, (writer) => {
        const caller = new WowzaCaller(endpoint, deps, { ip: writer.ip, userAgent: writer.userAgent });
        const dialect = V2.test(url) ? new WowzaV2(caller) : new WowzaClassic(caller);
        return new Conversation(writer, caller, dialect, deps.log);
      });
    },
    close: () => sockets.close(),
  };
}

/** What is said on one socket: one message after the other, each answered before the next is read. */
class Conversation implements SocketReader {
  readonly #writer: SocketWriter;
  readonly #caller: WowzaCaller;
  readonly #dialect: Dialect;
  readonly #log: Logger;
  readonly #queue: string[] = [];
  #working = false;

  constructor(writer: SocketWriter, caller: WowzaCaller, dialect: Dialect, log: Logger) {
    this.#writer = writer;
    this.#caller = caller;
    this.#dialect = dialect;
    this.#log = log;
  }

  message(json: string): void {
    if (this.#queue.length >= MAX_QUEUE) {
      this.#writer.close('Wait for the answers.');
      return;
    }
    this.#queue.push(json);
    if (!this.#working) void this.#work();
  }

  check(idle: Millis): string | undefined {
    return this.#dialect.check(idle);
  }

  closed(): void {
    this.#queue.length = 0;
    this.#caller.close();
    this.#dialect.closed();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#working = true;
    for (let json = this.#queue.shift(); json !== undefined; json = this.#queue.shift()) await this.#answer(json);
    this.#working = false;
  }

  async #answer(json: string): Promise<void> {
    let message: Message | undefined;
    let replies: readonly object[];
    try {
      message = readMessage(json);
      replies = await this.#dialect.answer(message);
    } catch (error) {
      replies = [this.#refuse(message, error)];
    }
    for (const reply of replies) this.#writer.send(JSON.stringify(reply));
  }

  #refuse(message: Message | undefined, error: unknown): object {
    const { status, words } = wowzaRefusal(error);
    const { ip } = this.#writer;
    if (error instanceof RefusedError || error instanceof PeerError) {
      this.#log.info({ code: error.code, status, ip }, 'refused a signal');
    } else {
      this.#log.error({ code: 'server/bug', ip, err: error }, 'a signal found a fault');
    }
    return this.#dialect.refuse(message, status, words);
  }
}
