/** Starts, pins, asks, measures and ends the processes of a run. Nothing outlives this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CLOCK_TICKS = 100;
const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;
/** Whether the server has a core to itself, as far as the load goes. */
export const PINNED = availableParallelism() > 1 && existsSync('/usr/bin/taskset');

/** Where a process runs: the server has core 0 to itself, all load is on core 1. */
export type Core = 0 | 1;

export const PLACEMENT = PINNED ? 'server on core 0, load on core 1' : 'not pinned (one core, or no taskset)';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

/** The most files a process may open here: the hard limit, to which every child raises its own. */
export function fileLimit(): number {
  const line = readFileSync('/proc/self/limits', 'latin1').match(/^Max open files\s+\S+\s+(\S+)/m);
  return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 1024);
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Start a program on a core, its output in the file `log` (null: nowhere). The shell replaces itself: the pid is the program's own. */
export function start(command: Command, core: Core, log: string | null, ipc = false): ChildProcess {
  const pin = PINNED ? ['taskset', '-c', String(core)] : [];
  const script = 'ulimit -n "$(ulimit -Hn)"; exec "$@"';
  const out = log === null ? 'ignore' : openSync(log, 'a');
  const child = spawn('sh', ['-c', script, 'sh', ...pin, command.program, ...command.args], {
    stdio: ipc ? ['ignore', 'inherit', 'inherit', 'ipc'] : ['ignore', out, out],
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    env: command.env ?? process.env,
  });
  if (typeof out === 'number') closeSync(out);
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

/** Ask a process to end, and after five seconds make it. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(late);
}

/** Resolves when something accepts connections at `port`; rejects when `child` ends first. */
export async function listening(child: ChildProcess, port: number, log: string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (await accepts(port)) return;
    await delay(50);
  }
  const said = readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n  ');
  throw new Error(`the server did not listen on port ${port}; its last words:\n  ${said}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port of the loopback address that nobody uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** A process of ours that answers one question at a time. */
export class Load {
  readonly #child: ChildProcess;

  /** `file`: from this folder. */
  constructor(file: string, ...args: string[]) {
    const script = fileURLToPath(new URL(file, import.meta.url));
    this.#child = start({ program: process.execPath, args: [script, ...args] }, 1, null, true);
  }

  ask<Answer>(question: object, timeoutMs = 60_000): Promise<Answer> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const done = (end: () => void): void => {
        clearTimeout(timer);
        child.removeAllListeners('message');
        child.removeListener('exit', onExit);
        end();
      };
      const onExit = (): void => done(() => reject(new Error('a load process ended before its time')));
      const timer = setTimeout(
        () => done(() => reject(new Error(`no answer in ${timeoutMs} ms to ${JSON.stringify(question)}`))),
        timeoutMs,
      );
      child.once('exit', onExit);
      child.once('message', (answer: { error?: string }) =>
        done(() => (answer.error === undefined ? resolve(answer as Answer) : reject(new Error(answer.error)))),
      );
      child.send(question);
    });
  }

  stop(): Promise<void> {
    return stop(this.#child);
  }
}

/** CPU seconds, user and system, that a process, its threads and its living children have used. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const each of family(pid)) {
    const stat = readFileSync(`/proc/${each}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / CLOCK_TICKS;
}

/** Seconds that core 0 was busy since the machine started, whoever used it. */
export function serverCoreSeconds(): number {
  // user, nice, system, (idle, iowait,) irq, softirq, steal
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .match(/^cpu0 +(.*)$/m)![1]!
    .split(' ')
    .map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) / CLOCK_TICKS;
}

/** Resident bytes of a process and its children. */
export function residentBytes(pid: number): number {
  let kilobytes = 0;
  for (const each of family(pid)) {
    kilobytes += Number(readFileSync(`/proc/${each}/status`, 'latin1').match(/^VmRSS:\s+(\d+)/m)?.[1] ?? 0);
  }
  return kilobytes * 1024;
}

function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  const numbers = children === '' ? [] : children.split(' ').map(Number);
  return [pid, ...numbers.flatMap(family)];
}
