/**
 * A light publisher or player on a real socket, made of the client engine.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ClientEvent, type ClientOptions, RtmpClient } from '../../src/rtmp/client.ts';
import type { Message } from '../../src/rtmp/messages.ts';
import { type Scope, until } from './program.ts';

export interface LightClientOptions extends Partial<Omit<ClientOptions, 'does' | 'tcUrl' | 'stream'>> {
  /** Called for each message in place of keeping it. */
  readonly onMedia?: (message: Message) => void;
}

/** One client. Faults of the other side end up in `fault`, never in an exception. */
export class LightClient {
  readonly engine: RtmpClient;
  readonly socket: Socket;
  readonly received: Message[] = [];
  /** All but media. */
  readonly events: ClientEvent[] = [];
  fault: Error | undefined;
  closed = false;

  /** `url`: `rtmp[s]://host:port/app[?parameters]`. */
  constructor(
    t: Scope,
    does: 'publish' | 'play',
    url: string,
    stream: string,
    { onMedia, ...options }: LightClientOptions = {},
  ) {
    this.engine = new RtmpClient({ random: randomBytes, ...options, does, tcUrl: url, stream });
    const { protocol, hostname, port } = new URL(url);
    const where = { host: hostname, port: Number(port) };
    this.socket =
      protocol === 'rtmps:'
        ? connectTls({ ...where, rejectUnauthorized: false })
        : connect({ ...where, noDelay: true });
    this.socket.on('error', (error) => {
      this.fault ??= error;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('data', (bytes: Buffer) => this.#read(bytes, onMedia ?? ((message) => this.received.push(message))));
    this.#flush();
    t.after(() => this.socket.destroy());
  }

  /** Why the server turned it away, in its words; undefined: it has not. */
  get refusal(): string | undefined {
    return this.events.find((event) => event.type === 'refused')?.description;
  }

  get ready(): boolean {
    return this.events.some(({ type }) => type === 'ready');
  }

  /** Publishing may begin, or playing has begun. */
  async begun(): Promise<this> {
    await until('a light client may begin', () => {
      if (this.refusal !== undefined) throw new Error(`refused: ${this.refusal}`);
      if (this.closed) throw new Error('closed by the server', { cause: this.fault });
      return this.ready;
    });
    return this;
  }

  /** Sends media, when `begun`. */
  write(typeId: number, timestamp: number, body: Buffer): void {
    this.engine.write(typeId, timestamp, body);
    this.#flush();
  }

  /** Leaves as encoders and players do. */
  async leave(): Promise<void> {
    this.engine.stop();
    this.#flush();
    this.socket.end();
    await until('a light client is gone', () => this.closed);
  }

  #read(bytes: Buffer, onMedia: (message: Message) => void): void {
    try {
      this.engine.feed(bytes);
      for (let event = this.engine.next(); event !== undefined; event = this.engine.next()) {
        if (event.type === 'media') onMedia(event.message);
        else this.events.push(event);
      }
      this.#flush();
    } catch (error) {
      this.fault ??= error as Error;
      this.socket.destroy();
    }
  }

  #flush(): void {
    for (const bytes of this.engine.drain()) this.socket.write(bytes);
  }
}
