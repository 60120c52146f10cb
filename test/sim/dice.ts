/**
 * Chance from a seed: the same seed, the same town.
 */

/** mulberry32: 32 bits of state, good enough for a town. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.#word() / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(of: number): boolean {
    return this.fraction() < of;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)]!;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    let at = 0;
    for (; at + 4 <= count; at += 4) bytes.writeUInt32LE(this.#word(), at);
    for (; at < count; at++) bytes[at] = this.#word();
    return bytes;
  }

  /** Dice of their own for one who joins: what they throw changes nothing for the others. */
  fork(): Dice {
    return new Dice(this.#word());
  }

  #word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return (word ^ (word >>> 14)) >>> 0;
  }
}
