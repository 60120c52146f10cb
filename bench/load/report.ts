/** Samples to medians, a table, and words about the targets. */
import { median, percentile } from './numbers.ts';
import type { Sample, Scenario } from './scenarios.ts';

/** All rounds of one server in one mode. */
export interface Row {
  readonly scenario: Scenario;
  readonly server: string;
  readonly version: string;
  /** In the server's own words. */
  readonly mode: string;
  readonly rounds: Sample[];
}

type Measure = keyof Sample;

interface Column {
  readonly title: string;
  readonly measure: Measure;
  readonly digits: number;
  /** Show least and greatest of the rounds too. */
  readonly spread?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'players', measure: 'players', digits: 0 },
  { title: 'Mbit/s', measure: 'mbitPerSecond', digits: 0 },
  { title: 'CPU s/GB', measure: 'cpuPerGb', digits: 2, spread: true },
  { title: 'visits/s', measure: 'perSecond', digits: 0, spread: true },
  { title: 'CPU %', measure: 'cpuPercent', digits: 0 },
  { title: 'kB/player', measure: 'rssPerPlayerKb', digits: 0 },
  { title: 'kB/idle', measure: 'rssPerIdleKb', digits: 0 },
  { title: 'kB/10k visits', measure: 'rssPerTenThousandKb', digits: 0 },
  { title: 'join p50', measure: 'joinP50', digits: 1 },
  { title: 'p99 ms', measure: 'joinP99', digits: 1 },
  { title: 'latency p50', measure: 'latencyP50', digits: 1 },
  { title: 'p99 ms', measure: 'latencyP99', digits: 1 },
  { title: 'gaps', measure: 'gaps', digits: 0 },
  { title: 'lost', measure: 'lost', digits: 0 },
  { title: 'failed', measure: 'failed', digits: 0 },
  { title: 'slowest', measure: 'slowest', digits: 2 },
  { title: 'load %', measure: 'loadPercent', digits: 0 },
  { title: 'others %', measure: 'othersPercent', digits: 0 },
];

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The rounds of one measure in three numbers; null when no round has it. */
export function summary(row: Row, measure: Measure): Summary | null {
  const values = row.rounds.map((round) => round[measure]).filter((value) => typeof value === 'number');
  if (values.length === 0) return null;
  return { median: median(values)!, min: percentile(values, 0)!, max: percentile(values, 100)! };
}

/** One scenario as a table for people. */
export function table(rows: readonly Row[]): string {
  const columns = COLUMNS.filter(({ measure }) =>
    rows.some((row) => row.rounds.some((round) => round[measure] !== undefined)),
  );
  const lines = rows.map((row) => [
    `${row.server} ${row.version}`,
    row.mode,
    ...columns.map((column) => cell(row, column)),
  ]);
  const titles = ['server', 'bytes leave', ...columns.map((column) => column.title)];
  const widths = titles.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const draw = (line: readonly string[]): string =>
    line.map((text, i) => (i < 2 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ');
  return [draw(titles), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.map(draw)].join('\n');
}

function cell(row: Row, { measure, digits, spread }: Column): string {
  const values = summary(row, measure);
  if (values === null) return '-';
  const median = values.median.toFixed(digits);
  if (!spread || row.rounds.length < 2) return median;
  return `${median} (${values.min.toFixed(digits)}-${values.max.toFixed(digits)})`;
}

/** A promise: castgate's median, alone or divided by a peer's of the same run, is at most (or at least) `bound`. */
export interface Target {
  readonly scenario: Scenario;
  readonly measure: Measure;
  /** castgate's mode; null: any that was run. */
  readonly mode: string | null;
  readonly peer?: string;
  /** The peer's mode when the same words are wanted; left out: its only one. */
  readonly samePeerMode?: boolean;
  readonly bound: number;
  readonly atLeast?: boolean;
  readonly players?: number;
  readonly says: string;
}

/** One line for each target that this run can speak about. */
export function verdicts(rows: readonly Row[], targets: readonly Target[]): string[] {
  const lines: string[] = [];
  for (const target of targets) {
    for (const row of rows) {
      if (row.server !== 'castgate' || row.scenario !== target.scenario) continue;
      if (target.mode !== null && row.mode !== target.mode) continue;
      if (target.players !== undefined && row.rounds[0]?.players !== target.players) continue;
      const own = summary(row, target.measure)?.median;
      if (own === undefined) continue;
      if (target.peer === undefined) lines.push(verdict(target, row, own, ''));
      for (const peer of rows) {
        if (peer.scenario !== row.scenario || peer.server !== target.peer) continue;
        if (target.samePeerMode && peer.mode !== row.mode) continue;
        const theirs = summary(peer, target.measure)?.median;
        if (theirs !== undefined) lines.push(verdict(target, row, own / theirs, 'x'));
      }
    }
  }
  return lines;
}

function verdict(target: Target, row: Row, value: number, unit: string): string {
  const holds = target.atLeast ? value >= target.bound : value <= target.bound;
  const sign = target.atLeast ? '>=' : '<=';
  return `${holds ? 'holds      ' : 'FALLS SHORT'}  ${target.says} [${row.mode}]: ${value.toFixed(2)}${unit} (${sign} ${target.bound}${unit})`;
}
