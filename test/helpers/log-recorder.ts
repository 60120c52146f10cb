/**
 * A logger that keeps what it was told.
 */
import type { LogFields, Logger } from '../../src/base/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly text: string;
}

export class LogRecorder implements Logger {
  readonly lines: LogLine[];
  readonly #fields: LogFields;

  constructor(lines: LogLine[] = [], fields: LogFields = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  debug(fields: LogFields, text: string): void {
    this.#keep('debug', fields, text);
  }

  info(fields: LogFields, text: string): void {
    this.#keep('info', fields, text);
  }

  warn(fields: LogFields, text: string): void {
    this.#keep('warn', fields, text);
  }

  error(fields: LogFields, text: string): void {
    this.#keep('error', fields, text);
  }

  child(fields: LogFields): Logger {
    return new LogRecorder(this.lines, { ...this.#fields, ...fields });
  }

  /** Codes of the lines so far, in order. */
  codes(): unknown[] {
    return this.lines.map((line) => line.fields['code']).filter((code) => code !== undefined);
  }

  #keep(level: LogLine['level'], fields: LogFields, text: string): void {
    this.lines.push({ level, fields: { ...this.#fields, ...fields }, text });
  }
}
