/**
 * What a session was made with, and what every later request about it has to bring again.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { SignalRequest } from './signalling.ts';

export type Claimant = Pick<SignalRequest, 'app' | 'stream' | 'query' | 'token'>;

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

/** No name holds a line feed; a query or a token that does only spoils its own digest. */
function digest({ app, stream, query, token }: Claimant): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([app, stream, query, token ?? null]))
    .digest();
}
