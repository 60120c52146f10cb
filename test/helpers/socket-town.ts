/**
 * Wowza's signalling on a real port, with a made-up endpoint behind and time in the hands of the test; clients are those of `ws`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { type WowzaSocketsDeps, wowzaSockets } from '../../src/webrtc/wowza-signalling.ts';
import { FakeEndpoint } from './fake-endpoint.ts';
import { LogRecorder } from './log-recorder.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Caller {
  readonly socket: WebSocket;
  /** All that came, in order. */
  readonly heard: Record<string, unknown>[];
  tell(message: unknown): void;
  /** The next that comes. */
  next(): Promise<Record<string, unknown>>;
  /** Tells, and answers what comes next. */
  ask(message: unknown): Promise<Record<string, unknown>>;
  /** Code and reason, once it is closed. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
}

export class SocketTown {
  readonly clock = new VirtualClock();
  readonly log = new LogRecorder();
  readonly endpoint = new FakeEndpoint();
  /** Streams that are about to start. */
  readonly starting = new Set<string>();
  readonly #server = createServer();
  readonly sockets;

  constructor(limits: WowzaSocketsDeps['limits'] = {}) {
    const { clock, log } = this;
    const starting = (app: string, stream: string) => this.starting.has(`${app}/${stream}`);
    this.sockets = wowzaSockets(this.endpoint, { clock, log, starting, limits });
    this.#server.on('upgrade', (request, socket, head) => {
      if (this.sockets.wants(request)) this.sockets.upgrade(request, socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    });
  }

  async open(context: TestContext): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    context.after(() => {
      this.sockets.close();
      this.clock.advance(10_000);
      this.#server.closeAllConnections();
      this.#server.close();
    });
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async caller(path = '/webrtc-session.json'): Promise<Caller> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, { headers: { 'user-agent': 'page' } });
    const heard: Record<string, unknown>[] = [];
    const waiting: ((message: Record<string, unknown>) => void)[] = [];
    let taken = 0;
    socket.on('message', (data) => {
      heard.push(JSON.parse(String(data)));
      if (waiting.length > 0) waiting.shift()!(heard[taken++]!);
    });
    const closed = new Promise<readonly [number, string]>((resolve) => {
      socket.on('close', (code, reason) => resolve([code, String(reason)]));
    });
    socket.on('error', () => {});
    await once(socket, 'open');
    const next = () =>
      taken < heard.length
        ? Promise.resolve(heard[taken++]!)
        : new Promise<Record<string, unknown>>((resolve) => waiting.push(resolve));
    const tell = (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    return {
      socket,
      heard,
      tell,
      next,
      ask: (message) => {
        tell(message);
        return next();
      },
      closed,
    };
  }

  /** Resolves when the endpoint is asked the next time. */
  asked(): Promise<void> {
    return new Promise((resolve) => {
      const { before } = this.endpoint;
      this.endpoint.before = (request, doing) => {
        this.endpoint.before = before;
        resolve();
        return before(request, doing);
      };
    });
  }
}
