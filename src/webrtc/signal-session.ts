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

export class OpenSession implements SignalSession {
  readonly #peer: WebRtcPeer;
  readonly #local: () => LocalTransport;
  #talk: Talk;
  /** The client's, in use now. */
  #credentials: IceCredentials | undefined;

  constructor(peer: WebRtcPeer, talk: Talk, local: () => LocalTransport) {
    this.#peer = peer;
    this.#talk = talk;
    this.#local = local;
    this.#credentials = talk.agreement?.transport.credentials;
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
      return this.#newCredentials(fragment) !== undefined;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }

  patch(fragment: string): string | undefined {
    const credentials = this.#newCredentials(fragment);
    const { agreement } = this.#talk;
    if (credentials === undefined || agreement === undefined) return undefined;
    this.#credentials = credentials;
    this.#peer.restart(credentials);
    return writeFragment(agreement, this.#local());
  }

  answer(sdp: string): void {
    const { offered } = this.#talk;
    if (offered === undefined) throw new RefusedError('webrtc/session', 'The offer has been answered already.');
    const agreement = negotiateAnswer(readDescription(sdp), offered);
    this.#talk = { agreement };
    this.#credentials = agreement.transport.credentials;
    this.#peer.transport.accept(agreement.transport);
  }

  hangUp(): void {
    this.#peer.hangUp();
  }

  /** Undefined when the fragment holds those in use, or none. */
  #newCredentials(fragment: string): IceCredentials | undefined {
    const { ufrag, password } = readFragment(fragment);
    if (ufrag === undefined || password === undefined) return undefined;
    const known = this.#credentials;
    return known?.ufrag === ufrag && known.password === password ? undefined : { ufrag, password };
  }
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
