/** The command line of the WHEP load tool. */
import { parseArgs } from 'node:util';
import { list, oneOf, whole } from '../options.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { type Source, WHEP_SERVERS } from './servers.ts';

export const USAGE = `usage: npm run bench:whep -- [SCENARIO ...] [options]

scenarios   fan-out (default), join, churn, memory, all

  --servers LIST      of ${[...WHEP_SERVERS.keys()].join(', ')} (default all of them)
  --sources LIST      how the stream comes in: whip, rtmp (default whip)
  --viewers LIST      fan-out and memory, each number in turn (default 100,500); werift stops at 100
  --seconds N         the window of measurement (default 10, at most 600)
  --joins N           the scenario join (default 100)
  --visits N          the scenario churn (default 5000)
  --rounds N          all servers in turn, N times; medians are shown (default 3)
  --save              write bench/results/<time>.json too`;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly servers: readonly string[];
  readonly sources: readonly Source[];
  readonly viewers: readonly number[];
  readonly seconds: number;
  readonly joins: number;
  readonly visits: number;
  readonly rounds: number;
  readonly save: boolean;
}

/** Read the arguments; throws an `Error` whose message is for the user. `help`: show the usage. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      servers: { type: 'string', default: [...WHEP_SERVERS.keys()].join(',') },
      sources: { type: 'string', default: 'whip' },
      viewers: { type: 'string', default: '100,500' },
      seconds: { type: 'string', default: '10' },
      joins: { type: 'string', default: '100' },
      visits: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '3' },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const scenarios = positionals.includes('all')
    ? SCENARIOS
    : positionals.map((name) => oneOf('scenario', name, SCENARIOS));
  return {
    scenarios: scenarios.length === 0 ? ['fan-out'] : scenarios,
    servers: list(values.servers).map((name) => oneOf('server', name, [...WHEP_SERVERS.keys()])),
    sources: list(values.sources).map((name) => oneOf('source', name, ['whip', 'rtmp'] as const)),
    viewers: list(values.viewers).map((text) => whole('viewers', text, 10_000)),
    seconds: whole('seconds', values.seconds, 600),
    joins: whole('joins', values.joins, 1_000),
    visits: whole('visits', values.visits, 100_000),
    rounds: whole('rounds', values.rounds, 100),
    save: values.save,
  };
}
