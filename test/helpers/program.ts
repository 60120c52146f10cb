/**
 * Real programs beside the tests. Whatever happens to a test, what it started here ends with it, by its process id.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** How long a test waits for what must happen, milliseconds. Nothing is measured by it. */
const PATIENCE = 60_000;
const POLL = 25;
const LONGEST_TAIL = 2_000;

/** Whose end ends what was started in it: a test, or the recorder of captures. */
export interface Scope {
  after(then: () => unknown): void;
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export class Program {
  readonly command: string;
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  /** Resolves when it has ended and all it wrote has been read. */
  readonly ended: Promise<Ended>;

  /** Starts `command` with nothing to read. */
  constructor(t: Scope, command: string, args: readonly string[], { env = {}, cwd }: StartOptions = {}) {
    this.command = [command, ...args].join(' ');
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdout!.on('data', (bytes: Buffer) => this.#stdout.push(bytes));
    this.#child.stderr!.on('data', (bytes: Buffer) => this.#stderr.push(bytes));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
    this.ended.catch(() => {});
    t.after(async () => {
      if (this.running) this.kill('SIGKILL');
      await this.ended.catch(() => {});
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** What it has written so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its end; fails when it does not come. */
  async end(): Promise<Ended> {
    let late: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Error(`does not end: ${this.command}\n${tail(this.stderr)}`)), PATIENCE);
    });
    return Promise.race([this.ended, patience]).finally(() => clearTimeout(late));
  }

  /** Its end, which must be a good one. */
  async success(): Promise<Ended> {
    const ended = await this.end();
    if (ended.code !== 0) {
      throw new Error(`ended with ${ended.signal ?? ended.code}: ${this.command}\n${tail(ended.stderr)}`);
    }
    return ended;
  }
}

/** Runs a program to its good end. */
export function run(t: Scope, command: string, args: readonly string[], options?: StartOptions): Promise<Ended> {
  return new Program(t, command, args, options).success();
}

/** Asks until the answer is neither undefined nor false; fails, saying `what` did not come, when patience is at its end. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  patience = PATIENCE,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<Exclude<T, false>>;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

function tail(text: string): string {
  return text.slice(-LONGEST_TAIL);
}
