/**
 * A real castgate in a process of its own, on free ports, with its log as values.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of Node.js itself. */
  readonly nodeOptions?: readonly string[];
  readonly main?: string;
  /** The working directory; one that is made for the process otherwise. */
  readonly directory?: string;
}

type LogLine = Readonly<Record<string, unknown>>;

/** Free ports on loopback, no door for the public. */
export const FREE_PORTS = [
  ...['--set', 'rtmp.listen=127.0.0.1:0', '--set', 'http.listen=', '--set', 'admin.listen='],
  ...['--set', 'webrtc.listen=127.0.0.1:0', '--set', 'webrtc.tcpListen=127.0.0.1:0'],
];

/** Runs castgate to its end. */
export async function runCastgate(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const castgate = await CastgateProcess.spawn(args, options);
  return castgate.ended;
}

export class CastgateProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #waiting = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #gone = false;

  /** Starts it and waits until its doors are open. */
  static async start(args: readonly string[], options: RunOptions = {}): Promise<CastgateProcess> {
    const castgate = await CastgateProcess.spawn(args, options);
    await castgate.line('castgate is ready');
    return castgate;
  }

  static async spawn(args: readonly string[], options: RunOptions): Promise<CastgateProcess> {
    const own = options.directory === undefined ? await mkdtemp(join(tmpdir(), 'castgate-test-')) : undefined;
    const child = spawn(process.execPath, [...(options.nodeOptions ?? []), options.main ?? MAIN, ...args], {
      cwd: options.directory ?? own,
      env: { PATH: process.env['PATH'], ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new CastgateProcess(child, own);
  }

  private constructor(child: ChildProcess, directory: string | undefined) {
    this.child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      for (const look of this.#waiting) look();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.ended = once(child, 'close').then(async ([code, signal]) => {
      this.#gone = true;
      for (const look of this.#waiting) look();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
      return { code, signal, stdout: this.#stdout, stderr: this.#stderr } as Ended;
    });
  }

  /** The lines of the log so far. */
  get log(): readonly LogLine[] {
    return this.#stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** The first line with this text after the first `skip` lines; rejects when the process ends without it. */
  line(text: string, skip = 0): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.log.slice(skip).find(({ msg }) => msg === text);
        if (found === undefined && !this.#gone) return;
        this.#waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`castgate ended without saying "${text}":\n${this.#stdout}${this.#stderr}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The port of a door, once it is ready. */
  async port(door: 'rtmp' | 'rtmps' | 'http' | 'admin'): Promise<number> {
    const address = String((await this.line('castgate is ready'))[door]);
    return Number(address.slice(address.lastIndexOf(':') + 1));
  }

  /** Ends it as an operator would. */
  stop(): Promise<Ended> {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}
