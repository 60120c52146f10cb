/**
 * All sessions of the media port behind one way in: checks are told apart by the name they call, everything else by where it comes
 * from (RFC 7983). What nobody has vouched for is dropped without an answer.
 */
import type { Millis } from '../base/clock.ts';
import type { RandomBytes } from '../base/random.ts';
import { countDropped, type DropReason, type MediaPortCounts, type Remote } from './ice-remote.ts';
import { LiteSession } from './ice-session.ts';
import type { IceCredentials, IceEvents } from './path.ts';
import { ATTRIBUTE, findAttribute, looksLikeStun, readStun, STUN } from './stun.ts';

export interface IceAgentOptions {
  readonly connectTimeout: Millis;
  readonly consentTimeout: Millis;
}

const COLON = 0x3a;
/** The first bytes that belong to DTLS, and to RTP and RTCP (RFC 7983). */
const DTLS = [20, 63] as const;
const RTP = [128, 191] as const;

export class IceAgent {
  readonly #options: () => IceAgentOptions;
  readonly #random: RandomBytes;
  readonly #counts: MediaPortCounts;
  readonly #sessions = new Set<LiteSession>();
  readonly #byUfrag = new Map<string, LiteSession>();

  /** `options`: in force now. */
  constructor(options: () => IceAgentOptions, random: RandomBytes, counts: MediaPortCounts) {
    this.#options = options;
    this.#random = random;
    this.#counts = counts;
  }

  get open(): number {
    return this.#sessions.size;
  }

  /** How many there may be is for those to say who open them. */
  session(remote: IceCredentials | undefined, events: IceEvents, now: Millis): LiteSession {
    const session = new LiteSession({
      ...{ remote, events, openedAt: now, random: this.#random, counts: this.#counts, byUfrag: this.#byUfrag },
      closed: (gone) => this.#sessions.delete(gone),
    });
    this.#sessions.add(session);
    return session;
  }

  /** One datagram, whatever is in it. Answers go to `from`, after a valid check only. */
  receive(bytes: Buffer, from: Remote, now: Millis): void {
    const dropped = this.#receive(bytes, from, now);
    if (dropped !== undefined) countDropped(this.#counts, dropped);
  }

  /** Ends the sessions whose clients have gone. Each second or so. */
  sweep(now: Millis): void {
    const { connectTimeout, consentTimeout } = this.#options();
    for (const session of this.#sessions) if (session.lapsed(now, connectTimeout, consentTimeout)) session.lose();
  }

  /** Ends them all. */
  close(): void {
    for (const session of this.#sessions) session.lose();
  }

  /** Answers why nothing came of it. */
  #receive(bytes: Buffer, from: Remote, now: Millis): DropReason | undefined {
    if (looksLikeStun(bytes)) return this.#check(bytes, from, now);
    if (!isMedia(bytes)) return 'noise';
    if (from.owner === undefined) return 'stranger';
    from.owner.datagram(bytes, from);
    return undefined;
  }

  #check(bytes: Buffer, from: Remote, now: Millis): DropReason | undefined {
    const request = readStun(bytes);
    if (request === undefined) return 'malformed';
    if (request.type !== STUN.request) return 'not-a-request';
    const user = findAttribute(request, ATTRIBUTE.username);
    const colon = user === undefined ? -1 : bytes.indexOf(COLON, user.start);
    if (user === undefined || colon < 0 || colon >= user.end) return 'unknown-user';
    const local = bytes.toString('latin1', user.start, colon);
    const session = this.#byUfrag.get(local);
    if (session === undefined) return 'unknown-user';
    return session.check(request, local, bytes.toString('latin1', colon + 1, user.end), from, now);
  }
}

function isMedia(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0;
  return (first >= DTLS[0] && first <= DTLS[1]) || (first >= RTP[0] && first <= RTP[1]);
}
