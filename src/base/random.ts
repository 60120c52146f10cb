/**
 * Randomness, handed in.
 */
import { randomFillSync } from 'node:crypto';

export type RandomBytes = (count: number) => Buffer;

const POOL_BYTES = 64 << 10;

/** Cryptographically random bytes, drawn from the system in large pieces: a handshake needs 3 kB, and a system call each is dear. */
export function systemRandom(): RandomBytes {
  let pool = Buffer.alloc(0);
  let used = 0;
  return (count) => {
    if (used + count > pool.length) {
      // a new pool, never the old one again: what was handed out stays as it is
      pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(POOL_BYTES, count)));
      used = 0;
    }
    used += count;
    return pool.subarray(used - count, used);
  };
}

/** A number from 0 up to, not including, 1. */
export function fraction(random: RandomBytes): number {
  return random(4).readUInt32BE(0) / 2 ** 32;
}
