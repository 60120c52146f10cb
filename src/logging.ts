/**
 * The log on standard output, and the one door of pino: JSON lines for programs, one-liners for people at a terminal.
 * Nothing secret passes: fields of telling names are masked, and addresses lose their query wherever they stand.
 */
import { type Logger as PinoRoot, pino } from 'pino';
import { type Clock, isoTime, localTime, type Millis, pause } from './base/clock.ts';
import type { LogFields, Logger } from './base/log.ts';
import type { LogOptions } from './config/schema.ts';

/** Fields whose value is masked, in small letters; the same words at the end of a longer name count as well. */
export const SECRET_FIELDS: readonly string[] = [
  'webkey',
  'token',
  'password',
  'secret',
  'authorization',
  'cookie',
  'params',
  'query',
  'key',
];

/** Where lines go. */
export interface LineOutput {
  readonly isTerminal: boolean;
  write(line: string): void;
  /** Resolves when all lines are out, or when nobody takes them. Later ones are lost. */
  close(): Promise<void>;
}

/** A log whose manner can change while it is in use. */
export interface OpenLog {
  readonly log: Logger;
  /** Lines for people, rather than JSON. */
  readonly pretty: boolean;
  set(options: LogOptions): void;
  /** Text as it is, for people. */
  print(text: string): void;
  /** The last lines leave; to be waited for before the process ends. */
  close(): Promise<void>;
}

/** Lines that wait for a reader of standard output; beyond, lines are lost rather than memory. */
const WAITING_BYTES = 4 << 20;
/** Lines leave together: thousands of visitors a second would cost a system call each. */
const BATCH_BYTES = 4_096;
const BATCH_MILLIS: Millis = 100;
/** A reader that stalls does not keep us from ending. */
const CLOSE_DEADLINE: Millis = 1_000;
const DEPTH = 4;
const ITEMS = 50;
const TEXT_LENGTH = 2_000;
const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;
const MARKS: ReadonlyMap<unknown, string> = new Map([
  ['debug', 'DBG'],
  ['info', 'INF'],
  ['warn', 'WRN'],
  ['error', 'ERR'],
]);

export function openLog(options: LogOptions, clock: Clock, output: LineOutput = standardOutput()): OpenLog {
  const manner: Manner = { threshold: LEVELS.info, pretty: false };
  const set = ({ level, format }: LogOptions) => {
    manner.threshold = LEVELS[level];
    manner.pretty = format === 'pretty' || (format === 'auto' && output.isTerminal);
  };
  set(options);
  const root = pino(
    {
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${isoTime(clock.wallTime())}"`,
      formatters: { level: (level) => ({ level }) },
      // `loggable` has made plain fields of errors already.
      serializers: { err: (fields: unknown) => fields },
    },
    {
      write: (line) => output.write(manner.pretty ? prettyLine(line, localTime(clock.wallTime())) : line),
    },
  );
  return {
    log: new PinoLogger(root, manner),
    get pretty() {
      return manner.pretty;
    },
    set,
    print: (text) => output.write(text),
    close: () => Promise.race([output.close(), pause(clock, CLOSE_DEADLINE)]),
  };
}

interface Manner {
  threshold: number;
  pretty: boolean;
}

type Level = keyof typeof LEVELS;

class PinoLogger implements Logger {
  readonly #pino: PinoRoot;
  /** Shared by all, so that a change reaches those that exist. */
  readonly #manner: Manner;

  constructor(logger: PinoRoot, manner: Manner) {
    this.#pino = logger;
    this.#manner = manner;
  }

  debug(fields: LogFields, text: string): void {
    this.#write('debug', fields, text);
  }

  info(fields: LogFields, text: string): void {
    this.#write('info', fields, text);
  }

  warn(fields: LogFields, text: string): void {
    this.#write('warn', fields, text);
  }

  error(fields: LogFields, text: string): void {
    this.#write('error', fields, text);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(withoutSecrets(fields)), this.#manner);
  }

  #write(level: Level, fields: LogFields, text: string): void {
    if (LEVELS[level] >= this.#manner.threshold) this.#pino[level](withoutSecrets(fields), withoutQueries(text));
  }
}

/** Standard output, written behind our back: a reader that stalls delays nobody. */
function standardOutput(): LineOutput {
  const out = pino.destination({
    ...{ dest: 1, sync: false, maxLength: WAITING_BYTES },
    ...{ minLength: BATCH_BYTES, periodicFlush: BATCH_MILLIS },
  });
  // A closed pipe costs the log, not the server.
  out.on('error', () => {});
  let closed: Promise<void> | undefined;
  return {
    isTerminal: process.stdout.isTTY === true,
    write: (line) => {
      if (closed === undefined) out.write(line);
    },
    close: () => {
      closed ??= new Promise((resolve) => {
        out.on('close', resolve);
        out.on('error', resolve);
        out.end();
      });
      return closed;
    },
  };
}

function withoutSecrets(fields: LogFields): Record<string, unknown> {
  return loggable(fields, DEPTH) as Record<string, unknown>;
}

/** A bounded copy that JSON can write, without secrets. */
function loggable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutQueries(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.slice(0, ITEMS).map((item) => loggable(item, depth - 1));
  const fields = value instanceof Error ? errorFields(value) : Object.entries(value).slice(0, ITEMS);
  return Object.fromEntries(
    fields.map(([name, field]) => [name, isSecret(name) && field ? '…' : loggable(field, depth - 1)]),
  );
}

function errorFields(error: Error & { readonly code?: unknown }): readonly (readonly [string, unknown])[] {
  const { name, message, code, stack, cause } = error;
  const fields = [
    ['type', name],
    ['message', message],
    ['code', code],
    ['stack', stack],
    ['cause', cause],
  ] as const;
  return fields.filter(([, value]) => value !== undefined);
}

function isSecret(name: string): boolean {
  const small = name.toLowerCase();
  return SECRET_FIELDS.some((secret) => small.endsWith(secret));
}

/** Text with every address cut at its query, and itself cut when it is long. */
function withoutQueries(text: string): string {
  const cut = text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH)}…` : text;
  return cut.includes('?') ? cut.replace(/(\b[a-z]+:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/gi, '$1?…') : cut;
}

/** `12:00:01 INF [rtmp] [a1b2…] text key=value`; the stack of a fault below it. */
function prettyLine(line: string, time: string): string {
  const { level, msg, part, id, time: _, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const parts = [time, MARKS.get(level) ?? '???'];
  if (part !== undefined) parts.push(`[${visible(String(part))}]`);
  if (id !== undefined) parts.push(`[${visible(String(id).slice(0, 4))}…]`);
  parts.push(visible(String(msg)));
  for (const [name, value] of Object.entries(fields)) parts.push(`${visible(name)}=${prettyValue(value)}`);
  return `${[parts.join(' '), ...errorLines(err)].join('\n')}\n`;
}

function errorLines(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { stack, message } = error as { readonly stack?: unknown; readonly message?: unknown };
  return String(stack ?? message)
    .split('\n')
    .map((line) => `    ${visible(line.trim())}`);
}

function prettyValue(value: unknown): string {
  const plain = typeof value === 'string' && /^[^\s"=\p{Cc}]+$/u.test(value);
  return visible(plain ? value : JSON.stringify(value));
}

/** No character that a terminal would act on, nor one that hides or turns around others. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (found) => {
    return [...found].map((one) => `\\u{${one.codePointAt(0)!.toString(16)}}`).join('');
  });
}
