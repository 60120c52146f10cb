/**
 * The certificate of RTMPS and HTTPS, read from its files again when they change.
 */
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock, Millis, Timer } from './base/clock.ts';
import { RefusedError } from './base/errors.ts';
import type { Logger } from './base/log.ts';
import type { TlsOptions } from './config/schema.ts';
import type { TlsPair } from './rtmp/server.ts';

/** Tools that renew certificates write two files; looked at this rarely, both are there. */
const LOOK_EVERY: Millis = 10_000;

export class Certificate {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #use: (pair: TlsPair) => void;
  #options: TlsOptions;
  #version = '';
  #timer: Timer | undefined;

  /** `use` is given each pair that came later than the first. */
  constructor(options: TlsOptions, clock: Clock, log: Logger, use: (pair: TlsPair) => void) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#use = use;
  }

  /** The pair as it is now; undefined when none is configured. Throws `RefusedError` `server/tls`. From here on it is watched. */
  async start(): Promise<TlsPair | undefined> {
    if (this.#options.cert === '') return undefined;
    const pair = await this.#read();
    this.#watch();
    return pair;
  }

  /** Other files from now on; with none, the pair in use stays. Throws `RefusedError` `server/tls`, and keeps the old ones, when they are unusable. */
  async reload(options: TlsOptions): Promise<void> {
    const before = this.#options;
    this.#options = options;
    if (options.cert === '') return;
    try {
      this.#use(await this.#read());
      this.#watch();
    } catch (error) {
      this.#options = before;
      throw error;
    }
  }

  /** Takes the files when they have changed; unusable ones are logged, and the last good pair stays in use. Never rejects. */
  async look(): Promise<void> {
    if (this.#options.cert === '') return;
    try {
      if ((await this.#versionNow()) === this.#version) return;
      this.#use(await this.#read());
      this.#log.info({ cert: this.#options.cert }, 'certificate read again');
    } catch (error) {
      this.#log.warn({ code: 'server/tls', reason: (error as Error).message }, 'the certificate stays as it was');
    }
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #watch(): void {
    this.#timer ??= this.#clock.every(LOOK_EVERY, () => void this.look());
  }

  async #read(): Promise<TlsPair> {
    const { cert, key } = this.#options;
    // noted first: a file that changes meanwhile is looked at again
    this.#version = await this.#versionNow();
    try {
      const pair = { cert: await readFile(cert), key: await readFile(key) };
      createSecureContext(pair);
      return pair;
    } catch (error) {
      throw new RefusedError('server/tls', `tls.cert ${cert}, tls.key ${key}: ${(error as Error).message}`);
    }
  }

  async #versionNow(): Promise<string> {
    const times = [this.#options.cert, this.#options.key].map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return found === undefined ? '' : `${found.mtimeMs} ${found.size} ${found.ino}`;
    });
    return (await Promise.all(times)).join('\n');
  }
}
