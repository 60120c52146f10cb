/** The command line of the load tool. */
import { parseArgs } from 'node:util';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { type Mode, SERVER_KINDS } from './servers.ts';

export const USAGE = `usage: npm run bench:rtmp -- [SCENARIO ...] [options]

scenarios   fan-out (default), publishers, join, churn, idle, all

  --servers LIST      of ${[...SERVER_KINDS.keys()].join(', ')} (default castgate,nginx,nms,floor)
  --modes LIST        when bytes leave: video, 0, 20ms to 1000ms (default video)
  --players N         fan-out and idle (default 1000)
  --publishers N      the scenario publishers, one player each (default 200)
  --seconds N         the window of measurement (default 10, at most 600)
  --rounds N          all servers in turn, N times; medians are shown (default 3)
  --nap MS            players read only every so often (default 0: at once; at most 100), see bench/README.md
  --publisher KIND    light (default: marks send times) or ffmpeg (no latency figures)
  --save              write bench/results/<time>.json too`;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly servers: readonly string[];
  readonly modes: readonly Mode[];
  readonly players: number;
  readonly publishers: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly nap: number;
  readonly publisher: 'light' | 'ffmpeg';
  readonly save: boolean;
}

/** Read the arguments; throws an `Error` whose message is for the user. `help`: show the usage. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      servers: { type: 'string', default: 'castgate,nginx,nms,floor' },
      modes: { type: 'string', default: 'video' },
      players: { type: 'string', default: '1000' },
      publishers: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '3' },
      nap: { type: 'string', default: '0' },
      publisher: { type: 'string', default: 'light' },
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
    servers: list(values.servers).map((name) => oneOf('server', name, [...SERVER_KINDS.keys()])),
    modes: list(values.modes).map(mode),
    players: whole('players', values.players, 20_000),
    publishers: whole('publishers', values.publishers, 1_000),
    seconds: whole('seconds', values.seconds, 600),
    rounds: whole('rounds', values.rounds, 100),
    nap: whole('nap', values.nap, 100, 0),
    publisher: oneOf('publisher', values.publisher, ['light', 'ffmpeg'] as const),
    save: values.save,
  };
}

export function list(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}

export function oneOf<Name extends string>(what: string, name: string, names: readonly Name[]): Name {
  const found = names.find((each) => each === name);
  if (found === undefined) throw new Error(`no ${what} "${name}"; there are ${names.join(', ')}`);
  return found;
}

function mode(text: string): Mode {
  const window = /^(\d+)ms$/.exec(text);
  const known =
    text === 'video' || text === '0' || (window !== null && Number(window[1]) >= 20 && Number(window[1]) <= 1_000);
  if (!known) throw new Error(`no mode "${text}"; there are video, 0 and 20ms to 1000ms`);
  return text;
}

export function whole(what: string, text: string, most: number, least = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Error(`--${what} takes a whole number from ${least} to ${most}`);
  return value;
}
