/**
 * A process of many light players. Each connects, asks with bytes made once, and counts; every n-th also reads its
 * chunk stream for join time, latency and gaps. One buffer takes the reads of all.
 * Questions come over the process channel, one at a time; see `PlayersQuestion`.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ChunkMeter } from './chunk-meter.ts';
import { percentile } from './numbers.ts';
import {
  clientEcho,
  clientHello,
  connectRequest,
  micros,
  playRequest,
  RAW_CHUNK,
  rawHello,
  SERVER_HANDSHAKE_SIZE,
} from './wire.ts';

/** Whom to play from. Stream names are `s0`, `s1` and so on; raw: the floor, which speaks nothing. */
export interface Target {
  readonly port: number;
  readonly app: string;
  readonly raw: boolean;
  readonly streams: number;
}

export type PlayersQuestion =
  /** Open more players, at most 100 of them unanswered at a time. Answer: {}. */
  | {
      readonly ask: 'open';
      readonly target: Target;
      readonly count: number;
      readonly play: boolean;
      readonly sampleEvery: number;
    }
  /** Open the window of measurement. Answer: {}. */
  | { readonly ask: 'begin' }
  /** Close it. Answer: `Measured`. */
  | { readonly ask: 'end' }
  /** A new player every `everyMs`, who leaves at the first key frame. Answer: `Joined`. */
  | { readonly ask: 'join'; readonly target: Target; readonly count: number; readonly everyMs: number }
  /** Connect, play, leave, `parallel` at a time. Answer: `Churned`. */
  | { readonly ask: 'churn'; readonly target: Target; readonly seconds: number; readonly parallel: number };

export interface Measured {
  readonly seconds: number;
  readonly bytes: number;
  /** Bytes per second of the player who got least, and of the one in the middle. */
  readonly rateMin: number;
  readonly rateMedian: number;
  /** Milliseconds; null when nothing was measured. */
  readonly latencyP50: number | null;
  readonly latencyP99: number | null;
  readonly joinP50: number | null;
  readonly joinP99: number | null;
  readonly gaps: number;
  /** Players whose connection ended. */
  readonly lost: number;
  /** CPU of this process, percent of a core: near 100, it measures itself. */
  readonly loadPercent: number;
}

export interface Joined {
  readonly joinP50: number | null;
  readonly joinP99: number | null;
  readonly failed: number;
}

export interface Churned {
  readonly perSecond: number;
  readonly failed: number;
  readonly loadPercent: number;
}

const IN_FLIGHT = 100;
const OPEN_TIMEOUT_MS = 30_000;
const JOIN_TIMEOUT_MS = 6_000;
/** The answer that ends a visit in the churn. */
const PLAY_ANSWER = 'NetStream.Play.Start';

const shared = Buffer.allocUnsafeSlow(256 * 1024);
const hello = clientHello();
const echo = clientEcho();

class Player {
  readonly socket: Socket;
  readonly meter: ChunkMeter | null;
  readonly openedAt = micros();
  received = 0;
  receivedBefore = 0;
  closed = false;
  onAnswer: (() => void) | null = null;
  onBytes: ((from: number, to: number) => void) | null = null;
  readonly #request: Buffer;
  /** Bytes that are the server's handshake. */
  readonly #preamble: number;

  constructor(target: Target, request: Buffer, sampled: boolean) {
    this.#request = request;
    this.#preamble = target.raw ? 0 : SERVER_HANDSHAKE_SIZE;
    this.meter = sampled ? new ChunkMeter(target.raw ? RAW_CHUNK : undefined) : null;
    const onread = { buffer: shared, callback: (size: number) => this.#read(size) };
    this.socket = connect({ host: '127.0.0.1', port: target.port, noDelay: true, onread }, () => {
      this.socket.write(target.raw ? request : hello);
      if (target.raw) this.#answered();
    });
    this.socket.on('error', () => {});
    this.socket.once('close', () => {
      this.closed = true;
      this.#answered();
    });
  }

  #answered(): void {
    this.onAnswer?.();
    this.onAnswer = null;
  }

  #read(size: number): boolean {
    const before = this.received;
    this.received += size;
    if (before >= this.#preamble) {
      if (this.onAnswer !== null) this.#answered();
      if (this.meter !== null) this.meter.feed(shared, 0, size);
      if (this.onBytes !== null) this.onBytes(0, size);
      return true;
    }
    if (this.received < this.#preamble) return true;
    this.socket.write(Buffer.concat([echo, this.#request]));
    const from = this.#preamble - before;
    if (from < size) this.meter?.feed(shared, from, size);
    return true;
  }
}

const players: Player[] = [];
let beganAt = 0;
let cpuBefore = process.cpuUsage();

function requestFor(target: Target, index: number, play: boolean): Buffer {
  if (target.raw) return rawHello('play', index % target.streams);
  return play
    ? playRequest(target.port, target.app, `s${index % target.streams}`)
    : connectRequest(target.port, target.app);
}

function open(target: Target, count: number, play: boolean, sampleEvery: number): Promise<object> {
  const first = players.length;
  const requests = Array.from({ length: target.streams }, (_, index) => requestFor(target, index, play));
  return new Promise((resolve, reject) => {
    let opened = 0;
    let answered = 0;
    const late = setTimeout(
      () => reject(new Error(`only ${answered} of ${count} players got an answer in ${OPEN_TIMEOUT_MS} ms`)),
      OPEN_TIMEOUT_MS,
    );
    const next = (): void => {
      if (opened === count) return;
      const index = first + opened++;
      const player = new Player(target, requests[index % target.streams]!, play && index % sampleEvery === 0);
      players.push(player);
      player.onAnswer = () => {
        answered++;
        if (answered < count) return next();
        clearTimeout(late);
        resolve({});
      };
    };
    for (let i = 0; i < Math.min(IN_FLIGHT, count); i++) next();
  });
}

function begin(): object {
  beganAt = micros();
  cpuBefore = process.cpuUsage();
  for (const player of players) {
    player.receivedBefore = player.received;
    if (player.meter !== null) player.meter.measuring = true;
  }
  return {};
}

function end(): Measured {
  const seconds = (micros() - beganAt) / 1e6;
  const rates = players.map((player) => (player.received - player.receivedBefore) / seconds);
  const sampled = players.filter((player) => player.meter !== null);
  const latencies = sampled.flatMap((player) => player.meter!.latencies).map((us) => us / 1000);
  const joins = sampled
    .filter((player) => player.meter!.keyFrameAt > 0)
    .map((player) => (player.meter!.keyFrameAt - player.openedAt) / 1000);
  return {
    seconds,
    bytes: rates.reduce((sum, rate) => sum + rate, 0) * seconds,
    rateMin: percentile(rates, 0) ?? 0,
    rateMedian: percentile(rates, 50) ?? 0,
    latencyP50: percentile(latencies, 50),
    latencyP99: percentile(latencies, 99),
    joinP50: percentile(joins, 50),
    joinP99: percentile(joins, 99),
    gaps: sampled.reduce((sum, player) => sum + player.meter!.gaps, 0),
    lost: players.filter((player) => player.closed).length,
    loadPercent: loadPercent(seconds),
  };
}

function loadPercent(seconds: number): number {
  const { user, system } = process.cpuUsage(cpuBefore);
  return (user + system) / 1e4 / seconds;
}

async function join(target: Target, count: number, everyMs: number): Promise<Joined> {
  const visits: Promise<number | null>[] = [];
  for (let i = 0; i < count; i++) {
    visits.push(firstKeyFrame(target, requestFor(target, i, true)));
    await delay(everyMs);
  }
  const times = (await Promise.all(visits)).filter((time) => time !== null);
  return { joinP50: percentile(times, 50), joinP99: percentile(times, 99), failed: count - times.length };
}

/** Milliseconds from the connection's first packet to a whole key frame; null when none came. */
function firstKeyFrame(target: Target, request: Buffer): Promise<number | null> {
  return new Promise((resolve) => {
    const player = new Player(target, request, true);
    const finish = (): void => {
      clearTimeout(late);
      player.onBytes = null;
      player.socket.destroy();
      const at = player.meter!.keyFrameAt;
      resolve(at === 0 ? null : (at - player.openedAt) / 1000);
    };
    const late = setTimeout(finish, JOIN_TIMEOUT_MS);
    player.onBytes = () => {
      if (player.meter!.keyFrameAt > 0) finish();
    };
    player.socket.once('close', finish);
  });
}

function churn(target: Target, seconds: number, parallel: number): Promise<Churned> {
  const request = requestFor(target, 0, true);
  const beganAt = micros();
  cpuBefore = process.cpuUsage();
  let done = 0;
  let failed = 0;
  let alive = 0;
  return new Promise((resolve) => {
    const visit = (): void => {
      const player = new Player(target, request, false);
      let served = false;
      let tail = '';
      alive++;
      player.onBytes = (from, to) => {
        if (served) return;
        // The answer may lie across two reads: keep as much of the last one as could be its beginning.
        const text = tail + shared.toString('latin1', from, to);
        tail = text.slice(-PLAY_ANSWER.length);
        if (!text.includes(PLAY_ANSWER)) return;
        served = true;
        player.socket.destroy();
      };
      player.socket.setTimeout(JOIN_TIMEOUT_MS, () => player.socket.destroy());
      player.socket.once('close', () => {
        alive--;
        if (served) done++;
        else failed++;
        const spent = (micros() - beganAt) / 1e6;
        if (spent < seconds) visit();
        else if (alive === 0) resolve({ perSecond: done / spent, failed, loadPercent: loadPercent(spent) });
      });
    };
    for (let i = 0; i < parallel; i++) visit();
  });
}

function answer(question: PlayersQuestion): object | Promise<object> {
  switch (question.ask) {
    case 'open':
      return open(question.target, question.count, question.play, question.sampleEvery);
    case 'begin':
      return begin();
    case 'end':
      return end();
    case 'join':
      return join(question.target, question.count, question.everyMs);
    case 'churn':
      return churn(question.target, question.seconds, question.parallel);
  }
}

process.on('message', async (question: PlayersQuestion) => {
  try {
    process.send!(await answer(question));
  } catch (error) {
    process.send!({ error: String(error) });
  }
});
process.once('disconnect', () => process.exit(0));

// A napping process looks at its sockets only every so many milliseconds, as the first argument says; 0: at once.
const napMs = Number(process.argv[2] ?? 0);
if (napMs > 0) nap(new Int32Array(new SharedArrayBuffer(4)));

function nap(never: Int32Array): void {
  Atomics.wait(never, 0, 0, napMs);
  setImmediate(nap, never);
}
