/**
 * Times one piece of code: as many rounds as fit into the time given, the median of several runs. One question per file; `--json`
 * prints a line for each figure that a program can read.
 */

export interface Figure {
  readonly name: string;
  /** Per second, unless the unit says otherwise. */
  readonly value: number;
  readonly unit: string;
}

const RUNS = 5;
const RUN_MILLIS = 300;

/** Seconds that one call of `round` takes: the median of `RUNS` runs, after one to warm up. */
export function secondsPerRound(round: () => void): number {
  const runs: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    let rounds = 0;
    const start = performance.now();
    let elapsed = 0;
    do {
      round();
      rounds++;
      elapsed = performance.now() - start;
    } while (elapsed < RUN_MILLIS);
    if (run > 0) runs.push(elapsed / 1000 / rounds);
  }
  return runs.sort((a, b) => a - b)[RUNS >> 1]!;
}

export function print(figure: Figure): void {
  if (process.argv.includes('--json')) console.log(JSON.stringify(figure));
  else console.log(`${figure.name.padEnd(64)} ${figure.value.toFixed(2).padStart(10)} ${figure.unit}`);
}
