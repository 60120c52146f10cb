/** Samples to medians, a table, and words about the targets. */
import { median, percentile } from './numbers.ts';

/** What one round has measured; what was not taken is left out, null: taken, but nothing came. */
export interface Measures {
  /** Players or viewers: rows with other numbers are never compared. */
  readonly players?: number;
}

/** All rounds of one server in one mode. */
export interface Row<Sample extends Measures> {
  readonly scenario: string;
  readonly server: string;
  readonly version: string;
  /** In the server's own words. */
  readonly mode: string;
  readonly rounds: Sample[];
}

export interface Column<Sample> {
  readonly title: string;
  readonly measure: keyof Sample & string;
  readonly digits: number;
  /** Show least and greatest of the rounds too. */
  readonly spread?: boolean;
}

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The rounds of one measure in three numbers; null when no round has it. */
export function summary<Sample extends Measures>(row: Row<Sample>, measure: keyof Sample): Summary | null {
  const values = row.rounds.map((round) => round[measure]).filter((value) => typeof value === 'number');
  if (values.length === 0) return null;
  return { median: median(values)!, min: percentile(values, 0)!, max: percentile(values, 100)! };
}

/** One scenario as a table for people; columns that nobody has are left out. `mode`: the title of the rows' mode. */
export function table<Sample extends Measures>(
  rows: readonly Row<Sample>[],
  mode: string,
  all: readonly Column<Sample>[],
): string {
  const columns = all.filter(({ measure }) =>
    rows.some((row) => row.rounds.some((round) => round[measure] !== undefined)),
  );
  const lines = rows.map((row) => [
    `${row.server} ${row.version}`,
    row.mode,
    ...columns.map((column) => cell(row, column)),
  ]);
  const titles = ['server', mode, ...columns.map((column) => column.title)];
  const widths = titles.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const draw = (line: readonly string[]): string =>
    line.map((text, i) => (i < 2 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ');
  return [draw(titles), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.map(draw)].join('\n');
}

function cell<Sample extends Measures>(row: Row<Sample>, { measure, digits, spread }: Column<Sample>): string {
  const values = summary(row, measure);
  if (values === null) return '-';
  const median = values.median.toFixed(digits);
  if (!spread || row.rounds.length < 2) return median;
  return `${median} (${values.min.toFixed(digits)}-${values.max.toFixed(digits)})`;
}

/** A promise: castgate's median, alone or divided by a peer's of the same run, is at most (or at least) `bound`. */
export interface Target {
  readonly scenario: string;
  readonly measure: string;
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
export function verdicts<Sample extends Measures>(rows: readonly Row<Sample>[], targets: readonly Target[]): string[] {
  const lines: string[] = [];
  for (const target of targets) {
    for (const row of rows) {
      if (row.server !== 'castgate' || row.scenario !== target.scenario) continue;
      if (target.mode !== null && row.mode !== target.mode) continue;
      if (target.players !== undefined && row.rounds[0]?.players !== target.players) continue;
      const measure = target.measure as keyof Sample;
      const own = summary(row, measure)?.median;
      if (own === undefined) continue;
      if (target.peer === undefined) lines.push(verdict(target, row.mode, own, ''));
      for (const peer of rows) {
        if (peer.scenario !== row.scenario || peer.server !== target.peer) continue;
        if (target.samePeerMode && peer.mode !== row.mode) continue;
        if (peer.rounds[0]?.players !== row.rounds[0]?.players) continue;
        const theirs = summary(peer, measure)?.median;
        if (theirs !== undefined) lines.push(verdict(target, row.mode, own / theirs, 'x'));
      }
    }
  }
  return lines;
}

function verdict(target: Target, mode: string, value: number, unit: string): string {
  const holds = target.atLeast ? value >= target.bound : value <= target.bound;
  const sign = target.atLeast ? '>=' : '<=';
  return `${holds ? 'holds      ' : 'FALLS SHORT'}  ${target.says} [${mode}]: ${value.toFixed(2)}${unit} (${sign} ${target.bound}${unit})`;
}
