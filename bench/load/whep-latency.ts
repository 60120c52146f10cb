/**
 * What a person in front of a real Chromium has of castgate: how old the picture is, how soon it is there, and whether the lips fit the
 * voice. Encoder, server and browser share one machine. See bench/README.md.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Browser, openBrowser } from '../../test/helpers/browser.ts';
import { percentile } from './numbers.ts';
import { machineLine, note, print, save, targetsOf } from './output.ts';
import { type Column, type Row, table, verdicts } from './report.ts';
import { Encoder, wallClock } from './whep/encoders.ts';
import { RunningWhep, WHEP_SERVERS } from './whep/servers.ts';

const USAGE = `usage: npm run bench:whep:latency -- [options]

  --seconds N         pictures are looked at for so long (default 10)
  --joins N           joins of each kind (default 30)
  --save              write bench/results/<time>.json too`;

const SCRIPT = readFileSync(new URL('whep/latency-page.js', import.meta.url), 'utf8');
/** The encoder has begun, and its first group of pictures is over. */
const SETTLE_MS = 3_000;
/** Not a divisor of a group of pictures, so that joins fall everywhere in it. */
const BETWEEN_JOINS_MS = 370;
const WARM_UP_JOINS = 3;
const CLOCK_LOOKS = 20;

interface Sample {
  /** Pictures, joins or flashes. */
  readonly count: number;
  /** Milliseconds; for lip sync of the difference without its sign. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly max: number | null;
  /** Of lip sync, with its sign: the sound is late by so much. */
  readonly late?: number | null;
  /** The same as the browser has it. */
  readonly estimated?: number | null;
  /** Pictures that could not be read. */
  readonly spoilt?: number;
}

const COLUMNS: readonly Column<Sample & { players?: number }>[] = [
  { title: 'count', measure: 'count', digits: 0 },
  { title: 'p50 ms', measure: 'p50', digits: 1 },
  { title: 'p95 ms', measure: 'p95', digits: 1 },
  { title: 'max ms', measure: 'max', digits: 1 },
  { title: 'sound late p50 ms', measure: 'late', digits: 1 },
  { title: 'by its own estimate', measure: 'estimated', digits: 1 },
  { title: 'spoilt', measure: 'spoilt', digits: 0 },
];

interface Options {
  readonly millis: number;
  readonly joins: number;
}

/** A page that has the script; `call` calls one of its functions. */
type Call = <T>(name: string, ...values: readonly unknown[]) => Promise<T>;

class Studio {
  readonly server: RunningWhep;
  readonly #browser: Browser;
  readonly #options: Options;

  constructor(server: RunningWhep, browser: Browser, options: Options) {
    this.server = server;
    this.#browser = browser;
    this.#options = options;
  }

  async page(): Promise<Call> {
    // a page without scripts of its own
    const page = await this.#browser.open(`http://127.0.0.1:${this.server.ports.http}/v1/nothing`);
    await page.evaluate(SCRIPT);
    return (name, ...values) => {
      const given = values.map((value) => JSON.stringify(value)).join(', ');
      return page.evaluate(`bench.${name}(${given})`);
    };
  }

  async latency(screen: Call, offset: number): Promise<Sample> {
    const { millis } = this.#options;
    const { found, spoilt } = await screen<{ found: number[]; spoilt: number }>('latencies', this.server.url('whep'), {
      ...{ offset, millis },
    });
    return { ...sampleOf(found), spoilt };
  }

  async join(screen: Call): Promise<Sample> {
    const found: number[] = [];
    for (let number = -WARM_UP_JOINS; number < this.#options.joins; number++) {
      const millis = await screen<number>('join', this.server.url('whep'));
      if (number >= 0) found.push(millis);
      await delay(BETWEEN_JOINS_MS);
    }
    return sampleOf(found);
  }

  async lipSync(screen: Call): Promise<Sample> {
    const url = this.server.url('whep');
    // there is one flash in two seconds
    const { differences, estimates } = await screen<{ differences: number[]; estimates: number[] }>('lipSync', url, {
      millis: 2 * this.#options.millis,
    });
    const [late, estimated] = [differences, estimates].map((values) => percentile(values, 50)) as [number, number];
    return { ...sampleOf(differences.map(Math.abs)), late, estimated };
  }
}

function sampleOf(found: readonly number[]): Sample {
  return {
    count: found.length,
    p50: percentile(found, 50),
    p95: percentile(found, 95),
    max: percentile(found, 100),
  };
}

/** The page's clock minus ours, by the answer that took least. */
async function clockOffset(call: Call): Promise<number> {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 };
  for (let look = 0; look < CLOCK_LOOKS; look++) {
    const before = wallClock();
    const there = await call<number>('clock');
    const took = wallClock() - before;
    if (took < best.took) best = { took, offset: there - before - took / 2 };
  }
  return best.offset;
}

async function fromBrowser(studio: Studio, note: (scenario: string, sample: Sample) => void): Promise<void> {
  const camera = await studio.page();
  await camera('publish', studio.server.url('whip'));
  // so long until the browser has found its bitrate
  await delay(SETTLE_MS);
  const screen = await studio.page();
  note('WHIP to WHEP, drawn to shown', await studio.latency(screen, await offsetBetween(camera, screen)));
  note('WHIP to WHEP, POST to picture', await studio.join(screen));
}

async function offsetBetween(one: Call, other: Call): Promise<number> {
  return (await clockOffset(other)) - (await clockOffset(one));
}

async function fromEncoder(studio: Studio, note: (scenario: string, sample: Sample) => void): Promise<void> {
  const url = `rtmp://127.0.0.1:${studio.server.ports.rtmp}/live/s0`;
  const screen = await studio.page();
  const painter = Encoder.painted(url);
  try {
    await delay(SETTLE_MS);
    note('RTMP to WHEP, drawn to shown', await studio.latency(screen, await clockOffset(screen)));
    note('RTMP to WHEP, POST to picture', await studio.join(screen));
  } finally {
    await painter.stop();
  }
}

async function lipSync(studio: Studio, note: (scenario: string, sample: Sample) => void): Promise<void> {
  const screen = await studio.page();
  const flashes = Encoder.flashing(`rtmp://127.0.0.1:${studio.server.ports.rtmp}/live/s0`);
  try {
    await delay(SETTLE_MS);
    note('RTMP to WHEP, flash to beep', await studio.lipSync(screen));
  } finally {
    await flashes.stop();
  }
}

async function main(options: Options, keep: boolean): Promise<void> {
  const castgate = WHEP_SERVERS.get('castgate')!;
  const state = await castgate.prepare();
  if ('missing' in state) throw new Error(state.missing);
  print(machineLine());
  const rows: Row<Sample & { players?: number }>[] = [];
  for (const part of [fromBrowser, fromEncoder, lipSync]) {
    note(part.name);
    const ends: (() => unknown)[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'castgate-bench-run-'));
    ends.push(() => rmSync(folder, { recursive: true, force: true }));
    try {
      const server = await RunningWhep.start(castgate, folder);
      ends.push(() => server.stop());
      const browser = await openBrowser({ after: (then) => ends.push(then) });
      await part(new Studio(server, browser, options), (scenario, sample) =>
        rows.push({ scenario, server: 'castgate', version: state.version, mode: scenario, rounds: [sample] }),
      );
    } finally {
      for (const end of ends.reverse()) await end();
    }
  }
  print(`\n${table(rows, 'what', COLUMNS)}`);
  print(`\ntargets\n${verdicts(rows, targetsOf('latency')).join('\n')}`);
  if (keep) print(`\nsaved as ${save(options, rows)}`);
}

try {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      joins: { type: 'string', default: '30' },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [seconds, joins] = [Number(values.seconds), Number(values.joins)];
  if (!(seconds > 0 && seconds <= 600) || !(Number.isInteger(joins) && joins > 0)) throw new Error('no such number');
  if (values.help) print(USAGE);
  else await main({ millis: seconds * 1000, joins }, values.save);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
