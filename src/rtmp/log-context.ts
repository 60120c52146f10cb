/**
 * What the log lines of one client say of it, learned step by step.
 */
import type { LogFields, Logger } from '../base/log.ts';

/** A logger that is made with the first line it writes: many clients come and go without one. */
export class LogContext {
  readonly #root: Logger;
  #fields: LogFields;
  #log: Logger | undefined;

  constructor(root: Logger, fields: LogFields) {
    this.#root = root;
    this.#fields = fields;
  }

  /** Says more from now on. */
  know(fields: LogFields): void {
    this.#fields = { ...this.#fields, ...fields };
    this.#log = undefined;
  }

  get log(): Logger {
    this.#log ??= this.#root.child(this.#fields);
    return this.#log;
  }
}
