/**
 * Real PHP: one-off programs, and its built-in web server. Everything started here is ended by its process id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** How often the server is asked whether it listens yet, and for how long, in milliseconds. */
const POLL = 20;
const START_DEADLINE = 10_000;

/** Runs a PHP program (without `<?php`) on `input` and answers what it wrote. Rejects with PHP's words when it fails. */
export async function runPhp(program: string, input: string | Buffer = ''): Promise<Buffer> {
  const child = spawn('php', ['-d', 'memory_limit=512M', '-d', 'display_errors=stderr', '-r', program]);
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => errors.push(bytes));
  child.stdin.on('error', () => {}); // it may have ended before it read all
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0 || errors.length > 0) throw new Error(`php ended with ${code}: ${Buffer.concat(errors)}`);
  return Buffer.concat(output);
}

export interface PhpServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** Starts `php -S` on a free port; `script` answers every request. Four workers, so that a call may be answered during another. */
export async function startPhpServer(
  script: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<PhpServer> {
  const port = await freePort();
  const child = spawn('php', ['-d', 'display_errors=1', '-d', 'log_errors=0', '-S', `127.0.0.1:${port}`, script], {
    env: { ...process.env, PHP_CLI_SERVER_WORKERS: '4', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a group of its own, for its workers to be ended with it
  });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  try {
    await listening(port, child);
  } catch (error) {
    await end(child);
    throw new Error(`php -S did not start: ${said}`, { cause: error });
  }
  return { origin: `http://127.0.0.1:${port}`, stop: () => end(child) };
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let waited = 0; waited < START_DEADLINE; waited += POLL) {
    if (child.exitCode !== null) break;
    try {
      await (await fetch(`http://127.0.0.1:${port}/ready`)).arrayBuffer();
      return;
    } catch {
      await pause(POLL);
    }
  }
  throw new Error('no answer');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  process.kill(-child.pid!, 'SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
