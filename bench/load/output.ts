/** What the load tools say, and keep. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PLACEMENT } from './processes.ts';
import type { Measures, Row, Target } from './report.ts';

const BUDGETS = new URL('../budgets.json', import.meta.url);
const RESULTS = new URL('../results/', import.meta.url);

/** Whose figures they are. */
export function machineLine(): string {
  const load = `load average at start ${loadavg()[0]!.toFixed(2)}`;
  return `${cpus().length} cores, ${cpus()[0]?.model ?? '?'}, Linux ${release()}, Node ${process.version}; ${PLACEMENT}; ${load}`;
}

export function targetsOf(bench: 'rtmp' | 'whep' | 'latency'): readonly Target[] {
  return JSON.parse(readFileSync(BUDGETS, 'utf8'))[bench];
}

/** Writes a file of results and answers its path. */
export function save<Sample extends Measures>(options: object, rows: readonly Row<Sample>[]): string {
  const time = new Date().toISOString();
  const path = new URL(`${time.replaceAll(/[:.]/g, '-')}.json`, RESULTS);
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    linux: release(),
    node: process.version,
    placement: PLACEMENT,
  };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ time, machine, options, rows }, null, 2)}\n`);
  return fileURLToPath(path);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Where the run is, for a person who waits. */
export function note(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${line}\n`);
}
