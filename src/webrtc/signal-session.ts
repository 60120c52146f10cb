/**
 * A session as its signalling door sees it: one that is open, or what is left of one that has ended.
 */
import { RefusedError } from '../base/errors.ts';
import type { Claimant } from './claim.ts';
import type { LocalTransport } from './local-description.ts';
import type { Negotiated } from './negotiated.ts';
import { type Agreement, negotiateAnswer } from './negotiation.ts';
import type { IceCredentials } from './path.ts';
import type { WebRtcPeer } from './peer.ts';
import type { Departed } from './peers.ts';
import { readDescription } from './remote-description.ts';
import { readFragment, writeFragment } from './sdp-fragment.ts';
import type { LastWords, SignalSession } from './signalling.ts';

/** How far the two sides are: agreed, or waiting for the answer to what was offered. */
type Talk =
  | { readonly agreement: Agreement; readonly offered?: undefined }
  | { readonly offered: Negotiated; readonly agreement?: undefined };

/** Replaced credentials that are remembered: their candidates may arrive late. */
const MAX_REPLACED = 8;

export class OpenSession implements SignalSession {
  readonly #peer: WebRtcPeer;
  readonly #local: () => LocalTransport;
  #talk: Talk;
  /** The client's: those of its last restart, then those that they replaced, the latest first. */
  readonly #credentials: IceCredentials[] = [];

  constructor(peer: WebRtcPeer, talk: Talk, local: () => LocalTransport) {
    this.#peer = peer;
    this.#talk = talk;
    this.#local = local;
    if (talk.agreement !== undefined) this.#credentials.push(talk.agreement.transport.credentials);
  }

  get id(): string {
    return this.#peer.key;
  }

  get number(): number {
    return this.#peer.session.number;
  }

  get etag(): string {
    return this.#peer.etag;
  }

  get open(): boolean {
    return this.#peer.open;
  }

  get lastWords(): LastWords | undefined {
    return this.#peer.lastWords;
  }

  /** Undefined until the client has answered. */
  get negotiated(): Negotiated | undefined {
    return this.#talk.agreement?.negotiated;
  }

  belongsTo(claimant: Claimant): boolean {
    return this.#peer.claim.fits(claimant);
  }

  restarts(fragment: string): boolean {
    try {
      const credentials = credentialsIn(fragment);
      return credentials !== undefined && this.#age(credentials) < 0;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }

  patch(fragment: string, again = false): string | undefined {
    const credentials = credentialsIn(fragment);
    const { agreement } = this.#talk;
    if (credentials === undefined || agreement === undefined) return undefined;
    const age = this.#age(credentials);
    if (age < 0) {
      this.#credentials.unshift(credentials);
      this.#credentials.splice(1 + MAX_REPLACED);
      this.#peer.restart(credentials);
    } else {
      const restarted = this.#credentials.length > 1;
      if (age > 0 || !restarted || !again) return undefined;
    }
    return writeFragment(agreement, this.#local());
  }

  answer(sdp: string): void {
    const { offered } = this.#talk;
    if (offered === undefined) throw new RefusedError('webrtc/session', 'The offer has been answered already.');
    const agreement = negotiateAnswer(readDescription(sdp), offered);
    this.#talk = { agreement };
    this.#credentials.push(agreement.transport.credentials);
    this.#peer.transport.accept(agreement.transport);
  }

  hangUp(): void {
    this.#peer.hangUp();
  }

  /** How many restarts ago they came; -1: they are new. */
  #age({ ufrag, password }: IceCredentials): number {
    return this.#credentials.findIndex((known) => known.ufrag === ufrag && known.password === password);
  }
}

function credentialsIn(fragment: string): IceCredentials | undefined {
  const { ufrag, password } = readFragment(fragment);
  return ufrag === undefined || password === undefined ? undefined : { ufrag, password };
}

/** Only there to say why. */
export class DepartedSession implements SignalSession {
  readonly id: string;
  readonly number: number;
  readonly etag = '"gone"';
  readonly open = false;
  readonly lastWords: LastWords;
  readonly #departed: Departed;

  constructor(id: string, departed: Departed) {
    this.id = id;
    this.number = departed.number;
    this.lastWords = departed.lastWords;
    this.#departed = departed;
  }

  belongsTo(claimant: Claimant): boolean {
    return this.#departed.claim.fits(claimant);
  }

  restarts(): boolean {
    return false;
  }

  patch(): undefined {
    throw new RefusedError(this.lastWords.code, this.lastWords.reason);
  }

  answer(): void {
    this.patch();
  }

  hangUp(): void {}
}
