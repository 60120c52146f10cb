/**
 * What became of a town, for people.
 */
import type { Outcome } from './town.ts';

/** Undefined when all laws held. */
export function complaint({ seed, violation, trace }: Outcome): string | undefined {
  if (violation === undefined) return undefined;
  const { law, text, at } = violation;
  return [
    `the town of seed ${seed} broke a law after ${(at / 1_000).toFixed(3)} s: ${law}`,
    `  ${text}`,
    `again: npm run sim -- --seed ${seed}`,
    'the last that happened (seconds, in the order it happened):',
    ...trace.map((line) => `  ${line}`),
  ].join('\n');
}

/** Sums over towns, in a line. */
export class Tally {
  towns = 0;
  readonly #sums = new Map<string, number>();

  add({ counts }: Outcome): void {
    this.towns++;
    for (const [what, count] of Object.entries(counts)) this.#sums.set(what, (this.#sums.get(what) ?? 0) + count);
  }

  sum(what: string): number {
    return this.#sums.get(what) ?? 0;
  }

  toString(): string {
    return `${this.towns} towns: ${[...this.#sums].map(([what, sum]) => `${sum} ${what}`).join(', ')}`;
  }
}
