/**
 * What a session was made with, and what every later request about it has to bring again.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { SignalRequest } from './signalling.ts';

/** A session's URL carries no query: keys stand in the first request only. */
export type Claimant = Pick<SignalRequest, 'door' | 'app' | 'stream' | 'token'>;

export class Claim {
  /** The key and the token themselves are not kept. */
  readonly #digest: Buffer;

  constructor(claimant: Claimant) {
    this.#digest = digest(claimant);
  }

  /** Constant time. */
  fits(claimant: Claimant): boolean {
    return timingSafeEqual(this.#digest, digest(claimant));
  }
}

function digest({ door, app, stream, token }: Claimant): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([door, app, stream, token ?? null]))
    .digest();
}
