/**
 * A real server, a healthy pair inside, and strangers who mean it no good.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type Random, seededRandom } from '../fuzz/mutation.ts';
import { type Castgate, startCastgate } from './castgate.ts';
import { CONNECT, commandBytes, HANDSHAKE } from './dialogue.ts';
import { avcBody } from './frames.ts';
import { HealthyPair } from './healthy-pair.ts';
import { LightClient } from './light-client.ts';
import { type Scope, until } from './program.ts';

/** Time for a server to end what it must end, milliseconds. Only a hang reaches it. */
const PATIENCE = 60_000;
const KEPT_BYTES = 64 << 10;
const VIDEO = 9;

export interface Family {
  readonly name: string;
  run(town: HostileTown): Promise<void>;
}

/** One stranger: a bare socket. */
export class Stranger {
  readonly socket: Socket;
  closed = false;
  #kept = Buffer.alloc(0);
  readonly #waiting = new Set<() => void>();

  /** Who does not read learns nothing, not even that the server has closed. */
  constructor(port: number, { reads = true }: { reads?: boolean } = {}) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('error', () => {});
    this.socket.on('end', () => this.socket.end());
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    if (!reads) return;
    this.socket.on('data', (bytes: Buffer) => {
      if (this.#kept.length < KEPT_BYTES) this.#kept = Buffer.concat([this.#kept, bytes]);
      this.#wake();
    });
  }

  send(...bytes: readonly Buffer[]): this {
    for (const each of bytes) this.socket.write(each);
    return this;
  }

  /** The beginning of all that came. */
  get heard(): string {
    return this.#kept.toString('latin1');
  }

  /** The server answers with these words somewhere. */
  async hears(words: string): Promise<void> {
    await this.#until(`a stranger hears ${words}`, () => this.closed || this.#kept.includes(words));
    assert.ok(this.#kept.includes(words), `closed without ${words}`);
  }

  /** The server ends it, without being asked to. */
  thrownOut(why: string): Promise<void> {
    return this.#until(`the server closes: ${why}`, () => this.closed);
  }

  /** Says no more; the server has read everything when it closes too. */
  done(): Promise<void> {
    this.socket.end();
    return this.#until('the server closes a connection that has ended', () => this.closed);
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, PATIENCE);
    while (!holds() && !late) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    clearTimeout(timer);
    assert.ok(holds(), `waited in vain: ${what}`);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

export class HostileTown {
  readonly server: Castgate;
  readonly pair: HealthyPair;
  readonly random: Random;
  /** More of everything than one is for long runs. */
  readonly scale: number;
  connections = 0;
  #fresh = 0;

  private constructor(server: Castgate, pair: HealthyPair, seed: number, scale: number) {
    this.server = server;
    this.pair = pair;
    this.random = seededRandom(seed);
    this.scale = scale;
  }

  /** Applications: `free` lets everybody publish, `watch` nobody, for its site is down and viewers are let in all the same. */
  static async start(scope: Scope, seed: number, scale: number): Promise<HostileTown> {
    const server = await startCastgate(scope, {
      inspect: true,
      settings: {
        'applications.free.acceptPlayers': 'true',
        'applications.watch.acceptPlayers': 'true',
        'applications.watch.webLogin': 'http://127.0.0.1:9/?s=',
        'applications.watch.onWebFailure': 'accept',
        'rtmp.handshakeTimeout': '2s',
        'rtmp.connectTimeout': '3s',
        'rtmp.idleTimeout': '4s',
        'rtmp.publishTimeout': '4s',
        'rtmp.viewerTimeout': '3s',
        'log.level': 'info',
      },
    });
    const pair = await HealthyPair.start(scope, server.url('free'));
    return new HostileTown(server, pair, seed, scale);
  }

  stranger(options?: { reads?: boolean }): Stranger {
    this.connections += 1;
    return new Stranger(this.server.port, options);
  }

  /** A stranger who was let in, with message stream 1. */
  async insider(app = 'free', options?: { reads?: boolean }): Promise<Stranger> {
    const stranger = this.stranger(options).send(
      HANDSHAKE,
      connectBytes(app),
      commandBytes(0, ['createStream', 2, null]),
    );
    if (options?.reads !== false) await stranger.hears('NetConnection.Connect.Success');
    return stranger;
  }

  client(does: 'publish' | 'play', app: string, stream: string): LightClient {
    this.connections += 1;
    return new LightClient(this.#scope, does, this.server.url(app), stream);
  }

  /** `count` times `scale` pieces of work, `parallel` at a time. */
  async crowd(count: number, parallel: number, work: (index: number) => Promise<void>): Promise<void> {
    const total = Math.round(count * this.scale);
    let next = 0;
    const worker = async () => {
      while (next < total) await work(next++);
    };
    await Promise.all(Array.from({ length: Math.min(parallel, total) }, worker));
  }

  /** The same process, no fault of its own, the pair undisturbed, and newcomers served. */
  async verify(family: string): Promise<void> {
    assert.ok(this.server.program.running, `${family}: castgate is gone:\n${this.server.program.stderr}`);
    this.server.check();
    await this.pair.check(family);
    const name = `fresh${this.#fresh++}`;
    const publisher = await this.client('publish', 'free', name).begun();
    const picture = avcBody('key', 300, 0, this.#fresh & 255);
    publisher.write(VIDEO, 0, avcBody('config'));
    publisher.write(VIDEO, 0, picture);
    const player = await this.client('play', 'free', name).begun();
    await until(`${family}: a newcomer is served`, () => player.received.some(({ body }) => body.equals(picture)));
    await player.leave();
    await publisher.leave();
  }

  /** Nobody but the pair is inside. */
  async alone(): Promise<void> {
    await until('all strangers are gone', async () => (await this.server.sessions()).length === 2, PATIENCE);
  }

  /** Light clients are left to their own end. */
  readonly #scope: Scope = { after: () => {} };
}

export function connectBytes(app: string): Buffer {
  return commandBytes(0, ['connect', 1, { ...CONNECT, app, tcUrl: `rtmp://localhost/${app}` }]);
}
