/**
 * castgate as the operating system sees it: starting, signals, reading the settings again, exit codes.
 */
import { banner, startFields } from './banner.ts';
import { type Millis, systemClock } from './base/clock.ts';
import { RefusedError } from './base/errors.ts';
import { EXIT } from './command-line.ts';
import { ConfigError, faultLine } from './config/fault.ts';
import { type ConfigRequest, type LoadedConfig, loadConfig } from './config/source.ts';
import { changedPaths } from './config.ts';
import { type OpenLog, openLog } from './logging.ts';
import { MediaServer } from './server.ts';
import { VERSION } from './version.ts';

/** A terminal sends Ctrl-C to npm and to us, and npm hands it on: two within this time are one. */
const SAME_SIGNAL: Millis = 100;
/** More than all goodbyes take; then something hangs. */
const DRAIN_DEADLINE: Millis = 30_000;
const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

export class Service {
  readonly #request: ConfigRequest;
  readonly #output: OpenLog;
  readonly #server: MediaServer;
  #loaded: LoadedConfig;
  #started: Promise<void> = Promise.resolve();
  #reloading: Promise<void> = Promise.resolve();
  #leavingSince: Millis | undefined;

  /** `loaded` is what `request` led to at first. */
  constructor(request: ConfigRequest, loaded: LoadedConfig) {
    this.#request = request;
    this.#loaded = loaded;
    this.#output = openLog(loaded.config.log, systemClock);
    this.#server = new MediaServer(loaded.config, { clock: systemClock, log: this.#output.log, version: VERSION });
  }

  /** Starts, and from then on lives by signals: the process ends here and nowhere else. */
  async run(): Promise<void> {
    process.on('uncaughtException', (error) => this.#fail(error));
    process.on('unhandledRejection', (reason) => this.#fail(reason));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#leave(signal));
    process.on('SIGHUP', () => {
      this.#reloading = this.#reloading.then(() => this.#reload());
    });
    this.#warn();
    this.#started = this.#start();
    await this.#started;
  }

  async #start(): Promise<void> {
    const { config, file } = this.#loaded;
    try {
      const start = { version: VERSION, addresses: await this.#server.start(), config, configFile: file };
      if (this.#output.pretty) this.#output.print(banner(start));
      else this.#output.log.info(startFields(start), 'castgate is ready');
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#output.log.error({ code: error.code }, error.message);
      process.stderr.write(`castgate: ${error.message}\n`);
      await this.#exit(EXIT.failed);
    }
  }

  async #reload(): Promise<void> {
    if (this.#leavingSince !== undefined) return;
    const { log } = this.#output;
    try {
      const loaded = await loadConfig(this.#request, process.env);
      await this.#server.reload(loaded.config);
      const changed = changedPaths(this.#loaded.config, loaded.config);
      this.#loaded = loaded;
      this.#output.set(loaded.config.log);
      this.#warn();
      log.info({ file: loaded.file, changed }, 'settings read again');
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof RefusedError)) throw error;
      const faults = error instanceof ConfigError ? error.faults.map(faultLine) : [error.message];
      this.#server.reloadFailed();
      log.error({ code: 'config/reload', faults }, 'the new settings have faults; the old ones stay in force');
    }
  }

  #warn(): void {
    for (const warning of this.#loaded.warnings) {
      this.#output.log.warn({ code: warning.code ?? 'config/warning' }, faultLine(warning));
    }
  }

  #leave(signal: keyof typeof SIGNAL_NUMBERS): void {
    const now = systemClock.now();
    if (this.#leavingSince === undefined) {
      this.#leavingSince = now;
      void this.#drain(signal);
    } else if (now - this.#leavingSince >= SAME_SIGNAL) {
      this.#output.log.warn({ signal }, 'leaving at once');
      void this.#exit(128 + SIGNAL_NUMBERS[signal]);
    }
  }

  async #drain(signal: string): Promise<void> {
    this.#output.log.info({ signal }, 'shutting down; the same signal again ends it at once');
    systemClock.after(DRAIN_DEADLINE, () => {
      this.#output.log.error({ code: 'server/bug' }, 'shutting down took too long');
      void this.#exit(EXIT.failed);
    });
    await this.#started;
    await this.#server.stop();
    this.#output.log.info({}, 'goodbye');
    await this.#exit(EXIT.done);
  }

  /** A process whose state nobody knows must not go on. */
  #fail(reason: unknown): void {
    const err = reason instanceof Error ? reason : new Error(String(reason));
    this.#output.log.error({ code: 'server/bug', err }, 'castgate ends: a fault of its own');
    void this.#exit(EXIT.failed);
  }

  async #exit(code: number): Promise<void> {
    process.exitCode = code;
    await this.#output.close();
    process.exit(code);
  }
}
