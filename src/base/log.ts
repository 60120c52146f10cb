/**
 * What a room may say. The roof hands in a real logger (src/logging.ts, on pino); tests hand in `quiet` or a recorder.
 * Fields named in `SECRET_FIELDS` never leave in clear; stream names are logged without their query.
 */

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  error(fields: LogFields, text: string): void;
  /** The same logger with `fields` in each line. */
  child(fields: LogFields): Logger;
}

/** Says nothing. */
export const quiet: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => quiet,
};

/** A name as it may be logged: what follows `?` may hold keys and is left out. */
export function withoutQuery(name: string): string {
  const query = name.indexOf('?');
  return query < 0 ? name : `${name.slice(0, query)}?…`;
}
