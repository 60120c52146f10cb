/**
 * One session of ICE-lite (RFC 8445, the lite implementation): which checks are the client's, where it is, and whether it is still
 * there. No socket, no clock: addresses and the time are handed in.
 */
import type { Millis } from '../base/clock.ts';
import type { RandomBytes } from '../base/random.ts';
import type { DropReason, MediaPortCounts, Remote, RemoteOwner } from './ice-remote.ts';
import type { IceCredentials, IceEvents, IceSession } from './path.ts';
import { SeenTransactions } from './seen-transactions.ts';
import {
  ATTRIBUTE,
  addressBytes,
  errorCode,
  findAttribute,
  hasIntegrity,
  STUN,
  StunKey,
  type StunMessage,
  unknownAttributes,
  unknownValue,
  writeStun,
  xorAddress,
} from './stun.ts';

/** Addresses of one client that are remembered; a browser with several networks checks from a handful. */
const MAX_ADDRESSES = 8;
/**
 * A client that is there checks each address it uses every 5 s, give or take a fifth (RFC 7675 section 5.1). One that it has not
 * checked for longer may be given up for another, and may be another session's.
 */
const STALE_AFTER: Millis = 7_000;
/** Who has not nominated an address this long after the first check never will. */
const NOMINATION_WAIT: Millis = 2_000;
/** 72 bits. */
const UFRAG_BYTES = 9;
/** 192 bits. */
const PASSWORD_BYTES = 24;

export interface SessionSetup {
  readonly remote: IceCredentials | undefined;
  readonly events: IceEvents;
  readonly openedAt: Millis;
  readonly random: RandomBytes;
  readonly counts: MediaPortCounts;
  /** All sessions by the names that clients call them; a session adds its own and takes them out. */
  readonly byUfrag: Map<string, LiteSession>;
  readonly closed: (session: LiteSession) => void;
}

/** One generation of credentials. */
interface Generation {
  readonly local: IceCredentials;
  readonly key: StunKey;
  /** Undefined: not told yet. */
  remoteUfrag: string | undefined;
}

export class LiteSession implements IceSession, RemoteOwner {
  readonly #setup: SessionSetup;
  #current: Generation;
  /** Told to the client at a restart, and not used by it yet. */
  #next: Generation | undefined;
  readonly #remotes: Remote[] = [];
  #selected: Remote | undefined;
  readonly #seen = new SeenTransactions();
  #firstCheckAt: Millis | undefined;
  #lastCheckAt: Millis | undefined;
  #closed = false;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
    this.#current = this.#generation(setup.remote);
  }

  get local(): IceCredentials {
    return (this.#next ?? this.#current).local;
  }

  restart(remote: IceCredentials): IceCredentials {
    if (this.#current.remoteUfrag === undefined) {
      this.#current.remoteUfrag = remote.ufrag;
    } else if (!this.#closed) {
      if (this.#next !== undefined) this.#setup.byUfrag.delete(this.#next.local.ufrag);
      this.#next = this.#generation(remote);
    }
    return this.local;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#setup.byUfrag.delete(this.#current.local.ufrag);
    if (this.#next !== undefined) this.#setup.byUfrag.delete(this.#next.local.ufrag);
    this.#selected = undefined;
    for (const remote of this.#remotes.splice(0)) forget(remote);
    this.#setup.closed(this);
  }

  /** A binding request with the user name `local:remoteUfrag`, `local` being ours. Answers why nothing came of it. */
  check(request: StunMessage, local: string, remoteUfrag: string, from: Remote, now: Millis): DropReason | undefined {
    const generation = local === this.#next?.local.ufrag ? this.#next : this.#current;
    if (generation.remoteUfrag !== undefined && generation.remoteUfrag !== remoteUfrag) return 'unknown-user';
    if (!hasIntegrity(request, generation.key)) return 'integrity';
    if (this.#refuses(request, generation.key, from)) return undefined;
    const seen = this.#seen.has(request.transaction);
    if (seen && from.owner !== this) return 'replayed';
    if (!this.#take(from, now)) return 'address-in-use';
    if (!seen) this.#seen.add(request.transaction);
    this.#promote(generation);
    this.#firstCheckAt ??= now;
    this.#lastCheckAt = now;
    from.checkedAt = now;
    this.#setup.counts.checks += 1;
    answer(request, generation.key, from);
    if (this.#selects(request, from, now)) this.#setup.events.path(from);
    return undefined;
  }

  datagram(bytes: Buffer, from: Remote): void {
    // whoever begins DTLS somewhere has made up his mind, nominated or not
    if (this.#selected === undefined && isDtls(bytes)) {
      this.#selected = from;
      this.#setup.events.path(from);
      if (this.#closed) return;
    }
    this.#setup.events.datagram(bytes, from);
  }

  gone(remote: Remote): void {
    const index = this.#remotes.indexOf(remote);
    if (index < 0) return;
    this.#remotes.splice(index, 1);
    remote.owner = undefined;
    if (this.#selected === remote) this.#selected = undefined;
  }

  yield(remote: Remote): void {
    // what we send there must stop
    if (remote === this.#selected) this.lose();
    else this.#drop(this.#remotes.indexOf(remote));
  }

  /** Is the client gone? Forgets addresses that it has left, too. */
  lapsed(now: Millis, connectTimeout: Millis, consentTimeout: Millis): boolean {
    if (this.#lastCheckAt === undefined) return now - this.#setup.openedAt > connectTimeout;
    if (now - this.#lastCheckAt > consentTimeout) return true;
    for (let index = this.#remotes.length - 1; index >= 0; index--) {
      const remote = this.#remotes[index]!;
      if (remote !== this.#selected && now - remote.checkedAt > consentTimeout) this.#drop(index);
    }
    return false;
  }

  lose(): void {
    if (this.#closed) return;
    this.close();
    this.#setup.events.lost();
  }

  #generation(remote: IceCredentials | undefined): Generation {
    const { random, byUfrag } = this.#setup;
    // base64 has the 64 characters that ICE allows
    const ufrag = random(UFRAG_BYTES).toString('base64');
    const password = random(PASSWORD_BYTES).toString('base64');
    byUfrag.set(ufrag, this);
    return { local: { ufrag, password }, key: new StunKey(password), remoteUfrag: remote?.ufrag };
  }

  /** Answers a request that cannot be granted, and says so. */
  #refuses(request: StunMessage, key: StunKey, from: Remote): boolean {
    const unknown = unknownAttributes(request);
    if (unknown.length > 0) {
      refuse(request, key, from, [
        [ATTRIBUTE.errorCode, errorCode(420)],
        [ATTRIBUTE.unknownAttributes, unknownValue(unknown)],
      ]);
    } else if (findAttribute(request, ATTRIBUTE.iceControlled) !== undefined) {
      // a lite agent never controls, whatever the tie-breakers say
      refuse(request, key, from, [[ATTRIBUTE.errorCode, errorCode(487)]]);
    } else return false;
    this.#setup.counts.refused += 1;
    return true;
  }

  /** Makes the address ours; false: it is another session's, whose client is there. */
  #take(from: Remote, now: Millis): boolean {
    if (from.owner === this) return true;
    if (from.owner !== undefined) {
      if (now - from.checkedAt <= STALE_AFTER) return false;
      from.owner.yield(from);
    }
    from.keep();
    from.owner = this;
    if (this.#remotes.length >= MAX_ADDRESSES) this.#forgetOldest();
    this.#remotes.push(from);
    return true;
  }

  #forgetOldest(): void {
    let oldest = -1;
    for (const [index, remote] of this.#remotes.entries()) {
      if (remote === this.#selected) continue;
      if (oldest < 0 || remote.checkedAt < this.#remotes[oldest]!.checkedAt) oldest = index;
    }
    this.#drop(oldest);
  }

  #drop(index: number): void {
    const [remote] = this.#remotes.splice(index, 1);
    if (remote !== undefined) forget(remote);
  }

  /** The client has used its new credentials: the old ones are over. */
  #promote(generation: Generation): void {
    if (generation !== this.#next) return;
    this.#setup.byUfrag.delete(this.#current.local.ufrag);
    this.#current = generation;
    this.#next = undefined;
  }

  /** Does this check change the path? The last nomination counts; silence of the selected address counts as one for the others. */
  #selects(request: StunMessage, from: Remote, now: Millis): boolean {
    if (this.#selected === from) return false;
    if (findAttribute(request, ATTRIBUTE.useCandidate) === undefined) {
      const unsettled = this.#selected === undefined && now - this.#firstCheckAt! < NOMINATION_WAIT;
      const settled = this.#selected !== undefined && now - this.#selected.checkedAt <= STALE_AFTER;
      if (unsettled || settled) return false;
    }
    this.#selected = from;
    return true;
  }
}

function forget(remote: Remote): void {
  remote.owner = undefined;
  remote.forget();
}

/** RFC 7983. */
function isDtls(bytes: Buffer): boolean {
  return bytes[0]! >= 20 && bytes[0]! <= 63;
}

function answer(request: StunMessage, key: StunKey, to: Remote): void {
  const { transaction } = request;
  const address = addressBytes(to.ip);
  // a check that came from nowhere is none to answer
  if (address === undefined) return;
  send(
    to,
    writeStun(
      STUN.success,
      transaction,
      [[ATTRIBUTE.xorMappedAddress, xorAddress(address, to.port, transaction)]],
      key,
    ),
  );
}

function refuse(
  request: StunMessage,
  key: StunKey,
  to: Remote,
  attributes: readonly (readonly [type: number, value: Buffer])[],
): void {
  send(to, writeStun(STUN.error, request.transaction, attributes, key));
}

function send(to: Remote, bytes: Buffer): void {
  to.send(bytes, 0, bytes.length);
}
