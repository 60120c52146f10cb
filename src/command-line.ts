/**
 * What castgate is asked to do: its arguments, read or refused in words.
 */
import { parseArgs } from 'node:util';
import { didYouMean } from './spelling.ts';

export type Command =
  | { readonly task: 'serve'; readonly configFile: string | undefined; readonly settings: readonly string[] }
  | { readonly task: 'check'; readonly configFile: string; readonly settings: readonly string[] }
  | { readonly task: 'version' }
  | { readonly task: 'help' };

/** How the process ends; after a second signal, with 128 and the signal's number. */
export const EXIT = { done: 0, failed: 1, misused: 2 } as const;

/** The arguments make no sense; the message says which and what was probably meant. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export const HELP = `castgate: a live media server whose web site decides

Usage:
  castgate [serve] [--config FILE] [--set PATH=VALUE ...]
  castgate check FILE [--set PATH=VALUE ...]
  castgate --version | --help

serve     starts the server; without --config it reads castgate.yml of the working directory, if there is one
check     reads FILE as serve would and tells every fault with line and column; exit code 0 or 2

  -c, --config FILE      settings in YAML
  -s, --set PATH=VALUE   one setting, such as --set rtmp.listen=127.0.0.1:1935; may be repeated
  -v, --version          the version
  -h, --help             this text

Every setting can also come from a variable: rtmp.listen from CASTGATE_RTMP_LISTEN. The command line wins over variables,
variables win over the file. All settings: docs/configuration.md

Signals: TERM and INT let everybody go and end castgate with code 0, a second one ends it at once; HUP reads the settings again.
Exit codes: 0 done, 1 failed while running, 2 wrong arguments or settings.
`;

const COMMANDS = ['serve', 'check'];
const OPTIONS = {
  config: { type: 'string', short: 'c' },
  set: { type: 'string', short: 's', multiple: true },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads the arguments after the program's name; throws `UsageError`. */
export function readCommandLine(args: readonly string[]): Command {
  // Not strict: Node's own refusals know no "did you mean".
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) if (token.kind === 'option') checkOption(token.rawName, token.name, token.value);
  if (values.help === true) return { task: 'help' };
  if (values.version === true) return { task: 'version' };

  const [command = 'serve', ...rest] = positionals;
  const configFile = values.config as string | undefined;
  const settings = (values.set ?? []) as string[];
  if (command === 'serve') {
    if (rest.length > 0) throw new UsageError(`serve takes no argument, but got ${JSON.stringify(rest[0])}`);
    return { task: 'serve', configFile, settings };
  }
  if (command === 'check') {
    const [file, another] = configFile === undefined ? rest : [configFile, ...rest];
    if (file === undefined) throw new UsageError('check needs a file: castgate check castgate.yml');
    if (another !== undefined) throw new UsageError('check takes one file');
    return { task: 'check', configFile: file, settings };
  }
  throw new UsageError(`there is no command ${JSON.stringify(command)}${didYouMean(command, COMMANDS)}`);
}

function checkOption(rawName: string, name: string, value: string | undefined): void {
  const known = Object.keys(OPTIONS);
  if (!known.includes(name)) {
    const near = didYouMean(
      rawName,
      known.map((option) => `--${option}`),
    );
    throw new UsageError(`there is no option ${JSON.stringify(rawName)}${near}`);
  }
  const takesValue = OPTIONS[name as keyof typeof OPTIONS].type === 'string';
  if (takesValue && (value === undefined || value === '')) throw new UsageError(`${rawName} needs a value`);
  if (!takesValue && value !== undefined) throw new UsageError(`${rawName} takes no value`);
}
