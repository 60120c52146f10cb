/** What is done to a WebRTC server, and what is read off it. Each scenario starts its own server and ends it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, Load, PINNED, residentBytes, serverCoreSeconds } from '../processes.ts';
import type { PublishQuestion } from '../publishers.ts';
import type { Column } from '../report.ts';
import type { WhipQuestion } from './publisher.ts';
import { RunningWhep, type Source, type WhepServer } from './servers.ts';
import type { Joined, ViewersQuestion, Visited, Watched } from './viewers.ts';

export type Scenario = 'fan-out' | 'join' | 'churn' | 'memory';
export const SCENARIOS: readonly Scenario[] = ['fan-out', 'join', 'churn', 'memory'];

/** A row of the table. A measure that the scenario does not take is left out; null: taken, but nothing came. */
export interface Sample {
  /** Viewers. */
  players?: number;
  packetsPerSecond?: number;
  /** That all viewers have got; 30 are published. */
  picturesPerSecond?: number;
  /** Server CPU, user and system, microseconds for each packet that a viewer received. */
  microsPerPacket?: number;
  /** Percent of one core. */
  cpuPercent?: number;
  /** Who would fill one core, each with 282 packets a second. */
  viewersPerCore?: number;
  /** Of the server's event loop, milliseconds; Node.js only. */
  loopP99?: number;
  loopMax?: number;
  missing?: number;
  overflowed?: number;
  forged?: number;
  ended?: number;
  slowest?: number;
  spreadP50?: number | null;
  keySpreadP50?: number | null;
  keySpreadMax?: number | null;
  latencyP50?: number | null;
  latencyP99?: number | null;
  firstP50?: number | null;
  firstP99?: number | null;
  keyP50?: number | null;
  keyP99?: number | null;
  failed?: number;
  perSecond?: number;
  /** Server CPU for one visit or join, milliseconds. */
  millisPerVisit?: number;
  rssPerViewerKb?: number;
  /** Growth of resident memory over the second half of the churn, for 1,000 visits. */
  rssPerThousandKb?: number;
  loadPercent?: number;
  othersPercent?: number;
}

export const COLUMNS: readonly Column<Sample>[] = [
  { title: 'viewers', measure: 'players', digits: 0 },
  { title: 'packets/s', measure: 'packetsPerSecond', digits: 0 },
  { title: 'pictures/s', measure: 'picturesPerSecond', digits: 1 },
  { title: 'us/packet', measure: 'microsPerPacket', digits: 2, spread: true },
  { title: 'CPU %', measure: 'cpuPercent', digits: 0 },
  { title: 'viewers/core', measure: 'viewersPerCore', digits: 0 },
  { title: 'visits/s', measure: 'perSecond', digits: 0, spread: true },
  { title: 'ms/visit', measure: 'millisPerVisit', digits: 2 },
  { title: 'kB/viewer', measure: 'rssPerViewerKb', digits: 0 },
  { title: 'kB/1k visits', measure: 'rssPerThousandKb', digits: 0 },
  { title: 'loop p99', measure: 'loopP99', digits: 1 },
  { title: 'max ms', measure: 'loopMax', digits: 1 },
  { title: 'first p50', measure: 'firstP50', digits: 1 },
  { title: 'p99 ms', measure: 'firstP99', digits: 1 },
  { title: 'key p50', measure: 'keyP50', digits: 1 },
  { title: 'p99 ms', measure: 'keyP99', digits: 1 },
  { title: 'latency p50', measure: 'latencyP50', digits: 1 },
  { title: 'p99 ms', measure: 'latencyP99', digits: 1 },
  { title: 'spread p50', measure: 'spreadP50', digits: 1 },
  { title: 'key p50', measure: 'keySpreadP50', digits: 0 },
  { title: 'key max ms', measure: 'keySpreadMax', digits: 0 },
  { title: 'lost', measure: 'missing', digits: 0 },
  { title: 'overflow', measure: 'overflowed', digits: 0 },
  { title: 'forged', measure: 'forged', digits: 0 },
  { title: 'ended', measure: 'ended', digits: 0 },
  { title: 'failed', measure: 'failed', digits: 0 },
  { title: 'slowest', measure: 'slowest', digits: 2 },
  { title: 'load %', measure: 'loadPercent', digits: 0 },
  { title: 'others %', measure: 'othersPercent', digits: 0 },
];

export interface Settings {
  readonly stream: string;
  readonly viewers: number;
  readonly seconds: number;
  readonly joins: number;
  readonly visits: number;
}

/** 2 Mbit/s of picture in packets of 1,200 bytes, and 50 of sound: what "a viewer" means in the targets. */
export const VIEWER_PACKETS = 282;
/** Longer than a group of pictures: every viewer has its key frame, and the first rush is over. */
const SETTLE_MS = 3_000;
const SAMPLED = 10;
/** Not a divisor of the group's length, so that joins fall everywhere in it. */
const JOIN_EVERY_MS = 97;
const VISIT_PARALLEL = 8;
const MEMORY_BASE = 100;
const OPEN_TIMEOUT_MS = 180_000;

/** What a scenario has at hand: a server, viewers, and a publisher. */
class Stage {
  readonly server: RunningWhep;
  readonly #viewers = new Load('whep/viewers.ts');
  #publisher: Load | null = null;

  constructor(server: RunningWhep) {
    this.server = server;
  }

  async publish(source: Source, file: string): Promise<void> {
    const { ports } = this.server;
    if (source === 'whip') {
      this.#publisher = new Load('whep/publisher.ts');
      const question: WhipQuestion = { ask: 'publish', file, url: this.server.url('whip') };
      await this.#publisher.ask(question);
    } else {
      this.#publisher = new Load('publishers.ts');
      const common = { ask: 'publish', file, app: 'live', raw: false, count: 1, audioOnly: false } as const;
      const question: PublishQuestion = { ...common, port: ports.rtmp };
      await this.#publisher.ask(question);
    }
    // so long until the first key frame has come round
    await delay(SETTLE_MS);
  }

  viewers<Answer = object>(question: ViewersQuestion, timeoutMs?: number): Promise<Answer> {
    return this.#viewers.ask<Answer>(question, timeoutMs);
  }

  open(count: number, sampleEvery: number): Promise<object> {
    return this.viewers({ ask: 'open', url: this.server.url('whep'), count, sampleEvery }, OPEN_TIMEOUT_MS);
  }

  async end(): Promise<void> {
    await this.#viewers.stop();
    await this.#publisher?.stop();
    await this.server.stop();
  }
}

/** Run one scenario against one server, once. */
export async function measure(
  scenario: Scenario,
  kind: WhepServer,
  source: Source,
  settings: Settings,
): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'castgate-bench-run-'));
  let stage: Stage | null = null;
  try {
    stage = new Stage(await RunningWhep.start(kind, folder));
    await stage.publish(source, settings.stream);
    return await perform(scenario, stage, settings);
  } finally {
    await stage?.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function perform(scenario: Scenario, stage: Stage, settings: Settings): Promise<Sample> {
  switch (scenario) {
    case 'fan-out':
      return delivery(stage, settings);
    case 'join':
      return joins(stage, settings);
    case 'churn':
      return churn(stage, settings);
    case 'memory':
      return memory(stage, settings);
  }
}

async function delivery(stage: Stage, { viewers, seconds: window }: Settings): Promise<Sample> {
  const { server } = stage;
  await stage.open(viewers, Math.max(1, Math.floor(viewers / SAMPLED)));
  await delay(SETTLE_MS);
  await server.loopDelay();
  await stage.viewers({ ask: 'begin' });
  const cpuBefore = cpuSeconds(server.pid);
  const busyBefore = serverCoreSeconds();
  await delay(window * 1000);
  const cpu = cpuSeconds(server.pid) - cpuBefore;
  const busy = serverCoreSeconds() - busyBefore;
  const watched = await stage.viewers<Watched>({ ask: 'end' });
  const loop = await server.loopDelay();
  const { seconds, packets, pictures, bytes: _bytes, late: _late, ...rest } = watched;
  const microsPerPacket = (cpu / packets) * 1e6;
  return {
    ...rest,
    players: viewers,
    packetsPerSecond: packets / seconds,
    picturesPerSecond: pictures / seconds,
    microsPerPacket,
    cpuPercent: (cpu / seconds) * 100,
    viewersPerCore: 1e6 / microsPerPacket / VIEWER_PACKETS,
    ...(loop === undefined ? {} : { loopP99: loop.p99, loopMax: loop.max }),
    ...(PINNED ? { othersPercent: (Math.max(0, busy - cpu) / seconds) * 100 } : {}),
  };
}

async function joins(stage: Stage, { joins: count }: Settings): Promise<Sample> {
  const { server } = stage;
  const question = { ask: 'join', url: server.url('whep'), count, everyMs: JOIN_EVERY_MS } as const;
  // code that runs for the first time is not what is asked about
  await stage.viewers({ ...question, count: Math.min(count, 10) });
  return { ...(await stage.viewers<Joined>(question, OPEN_TIMEOUT_MS)) };
}

/** Memory is compared from the middle to the end: before that, what comes first grows to its size. */
async function churn(stage: Stage, { visits }: Settings): Promise<Sample> {
  const { server } = stage;
  const half = Math.ceil(visits / 2);
  const question = { ask: 'visit', url: server.url('whep'), count: half, parallel: VISIT_PARALLEL } as const;
  const first = await stage.viewers<Visited>(question, OPEN_TIMEOUT_MS);
  const rssBefore = residentBytes(server.pid);
  const cpuBefore = cpuSeconds(server.pid);
  const second = await stage.viewers<Visited>(question, OPEN_TIMEOUT_MS);
  return {
    perSecond: second.perSecond,
    failed: first.failed + second.failed,
    loadPercent: second.loadPercent,
    millisPerVisit: ((cpuSeconds(server.pid) - cpuBefore) * 1000) / half,
    rssPerThousandKb: (residentBytes(server.pid) - rssBefore) / half,
  };
}

/** Memory beyond the first viewers, who pay for what all share. */
async function memory(stage: Stage, { viewers }: Settings): Promise<Sample> {
  const { pid } = stage.server;
  await stage.open(MEMORY_BASE, Number.POSITIVE_INFINITY);
  await delay(SETTLE_MS);
  const rssBefore = residentBytes(pid);
  await stage.open(viewers, Number.POSITIVE_INFINITY);
  await delay(SETTLE_MS);
  return { players: MEMORY_BASE + viewers, rssPerViewerKb: (residentBytes(pid) - rssBefore) / viewers / 1000 };
}
