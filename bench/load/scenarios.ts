/** What is done to a server, and what is read off it. Each scenario starts its own server and ends it. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Churned, Joined, Measured, PlayersQuestion, Target } from './players.ts';
import { cpuSeconds, Load, PINNED, residentBytes, serverCoreSeconds, start, stop } from './processes.ts';
import type { PublishQuestion } from './publishers.ts';
import type { Column } from './report.ts';
import { type Mode, Running, type ServerKind } from './servers.ts';

export type Scenario = 'fan-out' | 'publishers' | 'join' | 'churn' | 'idle';
export const SCENARIOS: readonly Scenario[] = ['fan-out', 'publishers', 'join', 'churn', 'idle'];

/** A row of the table. A measure that the scenario does not take is left out; null: taken, but nothing came. */
export interface Sample {
  players?: number;
  /** Delivered to all players, 10^6 bits a second. */
  mbitPerSecond?: number;
  /** Server CPU, user and system, for 10^9 delivered bytes. */
  cpuPerGb?: number;
  /** Percent of one core. */
  cpuPercent?: number;
  rssPerPlayerKb?: number;
  rssPerIdleKb?: number;
  /** Growth of the server over the churn, for 10,000 visits. */
  rssPerTenThousandKb?: number;
  joinP50?: number | null;
  joinP99?: number | null;
  latencyP50?: number | null;
  latencyP99?: number | null;
  gaps?: number;
  lost?: number;
  failed?: number;
  /** Bytes a second: the player who got least, as a share of the one in the middle. */
  slowest?: number;
  perSecond?: number;
  loadPercent?: number;
  /** What other programs took of the server's core, percent. */
  othersPercent?: number;
}

export interface Settings {
  readonly stream: string;
  readonly players: number;
  readonly publishers: number;
  readonly seconds: number;
  /** Players look at their sockets this often, in milliseconds; 0: at once. */
  readonly nap: number;
  /** `light`: our own, which marks send times; `ffmpeg`: the real one, without latency figures. */
  readonly publisher: 'light' | 'ffmpeg';
}

const APP = 'live';
/** Longer than a group of pictures: every player has its key frame, and the first rush is over. */
const SETTLE_MS = 2_500;
const SAMPLED = 20;
const JOINS = 100;
/** Not a divisor of the group's length, so that joins fall everywhere in it. */
const JOIN_EVERY_MS = 37;
const CHURN_PARALLEL = 400;
const CHURN_WARM_UP_S = 2;
const IDLE_BASE = 1_000;

export const COLUMNS: readonly Column<Sample>[] = [
  { title: 'players', measure: 'players', digits: 0 },
  { title: 'Mbit/s', measure: 'mbitPerSecond', digits: 0 },
  { title: 'CPU s/GB', measure: 'cpuPerGb', digits: 2, spread: true },
  { title: 'visits/s', measure: 'perSecond', digits: 0, spread: true },
  { title: 'CPU %', measure: 'cpuPercent', digits: 0 },
  { title: 'kB/player', measure: 'rssPerPlayerKb', digits: 0 },
  { title: 'kB/idle', measure: 'rssPerIdleKb', digits: 0 },
  { title: 'kB/10k visits', measure: 'rssPerTenThousandKb', digits: 0 },
  { title: 'join p50', measure: 'joinP50', digits: 1 },
  { title: 'p99 ms', measure: 'joinP99', digits: 1 },
  { title: 'latency p50', measure: 'latencyP50', digits: 1 },
  { title: 'p99 ms', measure: 'latencyP99', digits: 1 },
  { title: 'gaps', measure: 'gaps', digits: 0 },
  { title: 'lost', measure: 'lost', digits: 0 },
  { title: 'failed', measure: 'failed', digits: 0 },
  { title: 'slowest', measure: 'slowest', digits: 2 },
  { title: 'load %', measure: 'loadPercent', digits: 0 },
  { title: 'others %', measure: 'othersPercent', digits: 0 },
];

/** What a scenario has at hand: a server, players, and a way to publish. */
class Stage {
  readonly server: Running;
  readonly raw: boolean;
  readonly #players: Load;
  #publishers: Load | null = null;
  #ffmpeg: ChildProcess | null = null;
  readonly #folder: string;

  constructor(server: Running, raw: boolean, folder: string, napMs: number) {
    this.#players = new Load('players.ts', String(napMs));
    this.server = server;
    this.raw = raw;
    this.#folder = folder;
  }

  async publish(settings: Settings, count: number, audioOnly = false): Promise<void> {
    const { port } = this.server;
    if (settings.publisher === 'ffmpeg' && !this.raw && count === 1 && !audioOnly) {
      const input = ['-loglevel', 'error', '-re', '-stream_loop', '-1', '-i', settings.stream];
      const args = [...input, '-c', 'copy', '-f', 'flv', `rtmp://127.0.0.1:${port}/${APP}/s0`];
      this.#ffmpeg = start({ program: 'ffmpeg', args }, 1, join(this.#folder, 'ffmpeg.log'));
    } else {
      const question: PublishQuestion = {
        ask: 'publish',
        file: settings.stream,
        port,
        app: APP,
        raw: this.raw,
        count,
        audioOnly,
      };
      this.#publishers = new Load('publishers.ts');
      await this.#publishers.ask(question);
    }
    await delay(1_000);
  }

  players<Answer = object>(question: PlayersQuestion, timeoutMs?: number): Promise<Answer> {
    return this.#players.ask<Answer>(question, timeoutMs);
  }

  target(streams: number): Target {
    return { port: this.server.port, app: APP, raw: this.raw, streams };
  }

  async end(): Promise<void> {
    await this.#players.stop();
    await this.#publishers?.stop();
    if (this.#ffmpeg !== null) await stop(this.#ffmpeg);
    await this.server.stop();
  }
}

/** Run one scenario against one server, once; null when it makes no sense for that server. */
export async function measure(
  scenario: Scenario,
  kind: ServerKind,
  mode: Mode,
  settings: Settings,
): Promise<Sample | null> {
  if (kind.raw && scenario !== 'fan-out' && scenario !== 'publishers') return null;
  const folder = mkdtempSync(join(tmpdir(), 'castgate-bench-run-'));
  let stage: Stage | null = null;
  try {
    stage = new Stage(await Running.start(kind, mode, folder), kind.raw, folder, settings.nap);
    return await perform(scenario, stage, settings);
  } finally {
    await stage?.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function perform(scenario: Scenario, stage: Stage, settings: Settings): Promise<Sample> {
  switch (scenario) {
    case 'fan-out':
      return delivery(stage, settings, 1, settings.players);
    case 'publishers':
      return delivery(stage, settings, settings.publishers, settings.publishers);
    case 'join':
      return joins(stage, settings);
    case 'churn':
      return churn(stage, settings);
    case 'idle':
      return memory(stage, settings);
  }
}

async function delivery(stage: Stage, settings: Settings, streams: number, players: number): Promise<Sample> {
  const { pid } = stage.server;
  await stage.publish(settings, streams);
  const rssBefore = residentBytes(pid);
  const sampleEvery = Math.max(1, Math.floor(players / SAMPLED));
  await stage.players({ ask: 'open', target: stage.target(streams), count: players, play: true, sampleEvery });
  await delay(SETTLE_MS);
  await stage.players({ ask: 'begin' });
  const cpuBefore = cpuSeconds(pid);
  const busyBefore = serverCoreSeconds();
  await delay(settings.seconds * 1000);
  const cpu = cpuSeconds(pid) - cpuBefore;
  const busy = serverCoreSeconds() - busyBefore;
  const measured = await stage.players<Measured>({ ask: 'end' });
  const { seconds, bytes, rateMin, rateMedian, joinP50, joinP99, latencyP50, latencyP99, gaps, lost, loadPercent } =
    measured;
  return {
    players,
    mbitPerSecond: (bytes * 8) / seconds / 1e6,
    cpuPerGb: cpu / (bytes / 1e9),
    cpuPercent: (cpu / seconds) * 100,
    rssPerPlayerKb: (residentBytes(pid) - rssBefore) / players / 1000,
    ...{ joinP50, joinP99, latencyP50, latencyP99, gaps, lost, loadPercent },
    ...(PINNED ? { othersPercent: (Math.max(0, busy - cpu) / seconds) * 100 } : {}),
    slowest: rateMedian === 0 ? 0 : rateMin / rateMedian,
  };
}

async function joins(stage: Stage, settings: Settings): Promise<Sample> {
  await stage.publish(settings, 1);
  await delay(SETTLE_MS);
  const question = { ask: 'join', target: stage.target(1), count: JOINS, everyMs: JOIN_EVERY_MS } as const;
  return { ...(await stage.players<Joined>(question, 600_000)) };
}

async function churn(stage: Stage, settings: Settings): Promise<Sample> {
  const { pid } = stage.server;
  await stage.publish(settings, 1, true);
  const target = stage.target(1);
  const visits = (seconds: number): Promise<Churned> =>
    stage.players<Churned>({ ask: 'churn', target, seconds, parallel: CHURN_PARALLEL }, (seconds + 30) * 1000);
  await visits(CHURN_WARM_UP_S);
  const rssBefore = residentBytes(pid);
  const cpuBefore = cpuSeconds(pid);
  const { perSecond, failed, loadPercent } = await visits(settings.seconds);
  return {
    perSecond,
    failed,
    loadPercent,
    cpuPercent: ((cpuSeconds(pid) - cpuBefore) / settings.seconds) * 100,
    rssPerTenThousandKb: (residentBytes(pid) - rssBefore) / 1000 / ((perSecond * settings.seconds) / 10_000),
  };
}

/** Memory beyond the first thousand connections, which pay for what all share. */
async function memory(stage: Stage, settings: Settings): Promise<Sample> {
  const { pid } = stage.server;
  const { players } = settings;
  await stage.publish(settings, 1);
  const open = async (count: number, play: boolean): Promise<number> => {
    await stage.players({ ask: 'open', target: stage.target(1), count, play, sampleEvery: 1_000_000 });
    await delay(SETTLE_MS);
    return residentBytes(pid);
  };
  const base = await open(IDLE_BASE, true);
  const playing = await open(players, true);
  const idle = await open(players, false);
  return {
    players: IDLE_BASE + 2 * players,
    rssPerPlayerKb: (playing - base) / players / 1000,
    rssPerIdleKb: (idle - playing) / players / 1000,
  };
}
