/**
 * The RTMP load bench: the same load on several servers in turn, one table, one JSON. Timing is never a test: the exit
 * code says only whether the run took place. See bench/README.md.
 */
import { type Options, readOptions, USAGE } from './options.ts';
import { machineLine, note, print, save, targetsOf } from './output.ts';
import { fileLimit } from './processes.ts';
import { type Row, table, verdicts } from './report.ts';
import { COLUMNS, measure, type Sample, type Scenario } from './scenarios.ts';
import { type Mode, SERVER_KINDS, type ServerKind } from './servers.ts';
import { makeTestStream, RTMP_STREAM } from './test-stream.ts';

/** A server in a mode: what takes its turn in each round. */
interface Turn {
  readonly kind: ServerKind;
  readonly mode: Mode;
  readonly row: Row<Sample>;
}

/** Sockets of one process besides its players. */
const SPARE_FILES = 500;

async function main(options: Options): Promise<void> {
  const needed = Math.max(options.players * 2 + 1_000, options.publishers * 2) + SPARE_FILES;
  if (fileLimit() < needed) {
    throw new Error(
      `${needed} open files are needed and ${fileLimit()} allowed: raise the hard limit (ulimit -Hn) first`,
    );
  }
  const stream = await makeTestStream(RTMP_STREAM);
  const servers = await ready(options.servers);
  const rows: Row<Sample>[] = [];
  print(machineLine());
  print(`${options.rounds} rounds of ${options.seconds} s, one 2.5 Mbit/s stream`);
  for (const scenario of options.scenarios) {
    const turns = turnsOf(scenario, servers, options.modes);
    for (let round = 1; round <= options.rounds; round++) {
      for (const { kind, mode, row } of turns) {
        note(`${scenario}, round ${round} of ${options.rounds}: ${kind.name}, ${row.mode}`);
        try {
          const sample = await measure(scenario, kind, mode, { ...options, stream });
          if (sample !== null) row.rounds.push(sample);
        } catch (error) {
          print(`${kind.name}, ${row.mode}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    const taken = turns.map((turn) => turn.row).filter((row) => row.rounds.length > 0);
    rows.push(...taken);
    print(`\n${scenario}\n${table(taken, 'bytes leave', COLUMNS)}`);
  }
  const lines = verdicts(rows, targetsOf('rtmp'));
  if (lines.length > 0) print(`\ntargets\n${lines.join('\n')}`);
  if (options.save) print(`\nsaved as ${save(options, rows)}`);
}

async function ready(names: readonly string[]): Promise<{ kind: ServerKind; version: string }[]> {
  const servers = [];
  for (const name of names) {
    const kind = SERVER_KINDS.get(name)!;
    note(`preparing ${name}`);
    const state = await kind.prepare();
    if ('missing' in state) print(`${name} is left out: ${state.missing}`);
    else servers.push({ kind, version: state.version });
  }
  return servers;
}

function turnsOf(
  scenario: Scenario,
  servers: readonly { kind: ServerKind; version: string }[],
  modes: readonly Mode[],
): Turn[] {
  const turns: Turn[] = [];
  for (const { kind, version } of servers) {
    for (const mode of modes) {
      const does = kind.does(mode);
      if (does === null || turns.some((turn) => turn.kind === kind && turn.row.mode === does)) continue;
      turns.push({ kind, mode, row: { scenario, server: kind.name, version, mode: does, rounds: [] } });
    }
  }
  return turns;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') print(USAGE);
  else await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
