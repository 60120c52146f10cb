/**
 * The WHEP load bench: the same load on several servers in turn, one table, one JSON. Timing is never a test: the exit code says only
 * whether the run took place. See bench/README.md.
 */
import { machineLine, note, print, save, targetsOf } from './output.ts';
import { fileLimit } from './processes.ts';
import { type Row, table, verdicts } from './report.ts';
import { makeTestStream, WEBRTC_STREAM } from './test-stream.ts';
import { type Options, readOptions, USAGE } from './whep/options.ts';
import { COLUMNS, measure, type Sample, type Scenario } from './whep/scenarios.ts';
import { type Source, WHEP_SERVERS, type WhepServer } from './whep/servers.ts';

/** A server with so many viewers: what takes its turn in each round. */
interface Turn {
  readonly kind: WhepServer;
  readonly source: Source;
  readonly viewers: number;
  readonly row: Row<Sample>;
}

interface Ready {
  readonly kind: WhepServer;
  readonly version: string;
}

/** Sockets of one process besides its viewers. */
const SPARE_FILES = 1_000;

async function main(options: Options): Promise<void> {
  const needed = Math.max(...options.viewers) + SPARE_FILES;
  if (fileLimit() < needed) {
    throw new Error(
      `${needed} open files are needed and ${fileLimit()} allowed: raise the hard limit (ulimit -Hn) first`,
    );
  }
  const stream = await makeTestStream(WEBRTC_STREAM);
  const servers = await ready(options.servers);
  const rows: Row<Sample>[] = [];
  print(machineLine());
  print(`${options.rounds} rounds of ${options.seconds} s, one stream of 2 Mbit/s and 50 packets of Opus a second`);
  for (const scenario of options.scenarios) {
    const turns = turnsOf(scenario, servers, options);
    for (let round = 1; round <= options.rounds; round++) {
      for (const { kind, source, viewers, row } of turns) {
        note(`${scenario}, round ${round} of ${options.rounds}: ${kind.name}, ${source}, ${viewers} viewers`);
        try {
          row.rounds.push(await measure(scenario, kind, source, { ...options, viewers, stream }));
        } catch (error) {
          print(`${kind.name}, ${source}, ${viewers} viewers: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    const taken = turns.map((turn) => turn.row).filter((row) => row.rounds.length > 0);
    rows.push(...taken);
    print(`\n${scenario}\n${table(taken, 'comes by', COLUMNS)}`);
  }
  const lines = verdicts(rows, targetsOf('whep'));
  if (lines.length > 0) print(`\ntargets\n${lines.join('\n')}`);
  if (options.save) print(`\nsaved as ${save(options, rows)}`);
}

async function ready(names: readonly string[]): Promise<Ready[]> {
  const servers: Ready[] = [];
  for (const name of names) {
    const kind = WHEP_SERVERS.get(name)!;
    note(`preparing ${name}`);
    const state = await kind.prepare();
    if ('missing' in state) print(`${name} IS LEFT OUT: ${state.missing}`);
    else servers.push({ kind, version: state.version });
  }
  return servers;
}

/** Rows with the same number of viewers stand together: they are what may be compared. */
function turnsOf(scenario: Scenario, servers: readonly Ready[], options: Options): Turn[] {
  const counts = scenario === 'fan-out' || scenario === 'memory' ? options.viewers : options.viewers.slice(0, 1);
  return counts.flatMap((viewers) =>
    servers.flatMap(({ kind, version }) =>
      options.sources
        .filter((source) => kind.sources.includes(source) && viewers <= kind.mostViewers)
        .map((source) => {
          const row: Row<Sample> = { scenario, server: kind.name, version, mode: source, rounds: [] };
          return { kind, source, viewers, row };
        }),
    ),
  );
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') print(USAGE);
  else await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
