/**
 * Times one piece of code: as many rounds as fit into the time given. One question per file; `--json`
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

/**
 * CPU seconds that one call of `round` takes, all threads together, garbage included: the median of `RUNS` runs, after one to warm
 * up. Not the time on the clock, so that other programs on the machine disturb little.
 */
export function secondsPerRound(round: () => void): number {
  const runs: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    let rounds = 0;
    const start = process.cpuUsage();
    let micros = 0;
    do {
      round();
      rounds++;
      const { user, system } = process.cpuUsage(start);
      micros = user + system;
    } while (micros < RUN_MILLIS * 1000);
    if (run > 0) runs.push(micros / 1e6 / rounds);
  }
  return runs.sort((a, b) => a - b)[RUNS >> 1]!;
}

export function print(figure: Figure): void {
  if (process.argv.includes('--json')) console.log(JSON.stringify(figure));
  else console.log(`${figure.name.padEnd(64)} ${figure.value.toFixed(2).padStart(10)} ${figure.unit}`);
}
