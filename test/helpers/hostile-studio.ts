/**
 * A real server with all its WebRTC doors, two healthy pairs inside, and strangers who mean it no good.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Random, seededRandom } from '../fuzz/mutation.ts';
import { type Castgate, startCastgate } from './castgate.ts';
import { HealthyPair } from './healthy-pair.ts';
import { type Scope, until } from './program.ts';
import { type Place, placeIn, RtcClient, type RtcClientOptions } from './rtc-client.ts';
import { Screen, Screening } from './screening.ts';

/** Publisher and player of each pair. */
const HEALTHY = 4;
/** Of WebRTC, the healthy ones included. */
export const MAX_SESSIONS = 256;
/** Time for a server to end what it must end, milliseconds. Only a hang reaches it. */
const PATIENCE = 60_000;
/** No request may take longer, but for what the test itself is held up. */
const LONGEST_ANSWER = 1_000;
/** As Linux counts them in a second. */
const TICKS = 100;

export interface StudioFamily {
  readonly name: string;
  /** Tells what it has counted. */
  run(studio: HostileStudio): Promise<string>;
}

/** What came of a request. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export class HostileStudio {
  readonly server: Castgate;
  /** Of `keyed`. */
  readonly webKey: string;
  readonly pair: HealthyPair;
  readonly screening: Screening;
  readonly random: Random;
  /** More of everything than one is for long runs. */
  readonly scale: number;
  /** Of answers over HTTP, milliseconds. */
  longestAnswer = 0;
  readonly #scope: Scope;
  readonly #delay = monitorEventLoopDelay({ resolution: 5 });

  private constructor(
    scope: Scope,
    server: Castgate,
    webKey: string,
    pair: HealthyPair,
    screening: Screening,
    seed: number,
    scale: number,
  ) {
    this.#scope = scope;
    this.server = server;
    this.webKey = webKey;
    this.pair = pair;
    this.screening = screening;
    this.random = seededRandom(seed);
    this.scale = scale;
    this.#delay.enable();
    scope.after(() => this.#delay.disable());
  }

  /** Applications: `free` lets everybody in, `keyed` only who has a key. */
  static async start(scope: Scope, seed: number, scale: number, webKey: string): Promise<HostileStudio> {
    const server = await startCastgate(scope, {
      inspect: true,
      secrets: [webKey],
      settings: {
        'http.listen': '127.0.0.1:0',
        'applications.free.acceptPlayers': 'true',
        'applications.keyed.webKey': webKey,
        'applications.keyed.webKeyCheck': 'require',
        'webrtc.connectTimeout': '2s',
        'webrtc.consentTimeout': '5s',
        'webrtc.publishTimeout': '3s',
        'webrtc.maxSessions': String(MAX_SESSIONS),
        'webrtc.maxSessionsPerIp': String(MAX_SESSIONS),
      },
    });
    const pair = await HealthyPair.start(scope, server.url('free'));
    const screening = await Screening.start(scope, `http://${server.address('http')}/free/screen`);
    return new HostileStudio(scope, server, webKey, pair, screening, seed, scale);
  }

  /** An address of the HTTP door. */
  at(path: string): string {
    return `http://${this.server.address('http')}${path}`;
  }

  get httpPort(): number {
    return Number(this.server.address('http').split(':').at(-1));
  }

  /** Where media goes. */
  media(through: 'udp' | 'tcp'): Place {
    return placeIn(this.screening.camera.answer, through);
  }

  ask(does: 'publish' | 'play', path: string, options?: RtcClientOptions): Promise<RtcClient> {
    return RtcClient.ask(this.#scope, does, this.at(path), options);
  }

  open(does: 'publish' | 'play', path: string, options?: RtcClientOptions): Promise<RtcClient> {
    return RtcClient.open(this.#scope, does, this.at(path), options);
  }

  /** Another camera and its screen, as healthy. */
  victims(name: string): Promise<Screening> {
    return Screening.start(this.#scope, this.at(`/free/${name}`));
  }

  watch(path: string, see: Parameters<typeof Screen.open>[2]): Promise<Screen> {
    return Screen.open(this.#scope, this.at(path), see);
  }

  /** One request, in time, whose refusal is a problem in words, without a secret. */
  async request(path: string, { method = 'POST', headers = {}, body }: Request = {}): Promise<Reply> {
    const began = performance.now();
    this.#delay.reset();
    const response = await fetch(this.at(path), {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
    const text = await response.text();
    const took = performance.now() - began;
    this.longestAnswer = Math.max(this.longestAnswer, took);
    const held = this.#delay.max / 1e6;
    const what = `${method} ${path.slice(0, 100)}: ${response.status} ${text.slice(0, 200)}`;
    assert.ok(took < LONGEST_ANSWER + held, `${what} after ${took.toFixed(0)} ms, ${held.toFixed(0)} of them ours`);
    assert.ok(response.status < 500 || response.status === 503, what);
    if (response.status >= 400 && method !== 'HEAD') {
      assert.equal(response.headers.get('content-type'), 'application/problem+json', what);
      assert.match(JSON.parse(text).code, /^[a-z]+\/[a-z-]+$/, what);
    }
    return { status: response.status, headers: response.headers, body: text };
  }

  /** All that the server answers to bytes on a connection of their own, which it closes in the end. */
  exchange(bytes: string | Buffer, port = this.httpPort): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      let heard = '';
      const late = setTimeout(
        () => reject(new Error(`not closed: ${String(bytes).slice(0, 200)}\n${heard}`)),
        PATIENCE,
      );
      socket.on('data', (piece) => {
        heard += piece.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearTimeout(late);
        resolve(heard);
      });
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    });
  }

  /** Until the server has had enough of somebody who opens with `opening`, and sends a byte now and then. */
  dribble(opening: string | Buffer, port = this.httpPort): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      const late = setTimeout(() => reject(new Error(`not closed: ${opening}`)), PATIENCE);
      const drops = setInterval(() => socket.write('0'), 200);
      socket.resume();
      socket.on('error', () => {});
      socket.on('close', () => {
        clearTimeout(late);
        clearInterval(drops);
        resolve();
      });
      if (opening.length > 0) socket.write(opening);
    });
  }

  /** `count` times `scale` pieces of work, `parallel` at a time. */
  async crowd(count: number, parallel: number, work: (index: number) => Promise<void>): Promise<number> {
    const total = Math.round(count * this.scale);
    let next = 0;
    const worker = async () => {
      while (next < total) await work(next++);
    };
    await Promise.all(Array.from({ length: Math.min(parallel, total) }, worker));
    return total;
  }

  /** Open files and sockets of the server. */
  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.server.pid}/fd`)).length;
  }

  /** What the server has computed so far, seconds. */
  async processorTime(): Promise<number> {
    const stat = await readFile(`/proc/${this.server.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  /** The same process, no fault of its own, both pairs undisturbed, and newcomers served. */
  async verify(family: string): Promise<void> {
    assert.ok(this.server.program.running, `${family}: castgate is gone:\n${this.server.program.stderr}`);
    this.server.check();
    await this.pair.check(family);
    await this.screening.check(family);
    let seen = 0;
    const newcomer = await this.watch('/free/screen/whep', ({ kind }) => {
      if (kind === 'video') seen += 1;
    });
    await until(`${family}: a newcomer sees the camera`, () => seen > 2);
    await newcomer.client.leave();
    newcomer.close();
  }

  /** Nobody but the pairs is inside. */
  async alone(): Promise<void> {
    await until('all strangers are gone', async () => (await this.server.sessions()).length === HEALTHY, PATIENCE);
  }

  async stop(): Promise<void> {
    await this.pair.stop();
    await this.screening.stop();
    await this.server.stop();
  }
}
