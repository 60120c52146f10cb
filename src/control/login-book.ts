/**
 * Whom one site has let in, by the name it keeps them under, and in which order it may be asked about a name.
 *
 * The site holds one login per name: it answers later logins of that name from memory, whatever their key, until webLogout makes
 * it forget. Hence the rules:
 *
 *   - A name that nobody stands under is asked by one at a time, so that a logout that is still owed, or one to make the site
 *     forget, goes before the login and never past it. Others of that name wait for the outcome.
 *   - While somebody stands under a name, further logins of it are asked at once and no logout is sent.
 *   - When the last who stood under it has gone, and nobody is asking, the site is owed one webLogout for all of them. So with one
 *     connection to a name, each accepted login is followed by exactly one logout.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import type { ControlCounters } from './counters.ts';
import type { LogoutJournal } from './logout-journal.ts';
import { LogoutQueue, type SendLogout } from './logout-queue.ts';

/** What somebody brought to be let in, in a fixed order; compared, never shown. */
export type Credentials = readonly string[];

/** An accepted webLogin that stands until it is released. */
export interface Login {
  readonly book: LoginBook;
  readonly name: string;
  readonly credentials: Credentials;
}

/** `first`: nobody stands under the name nor asks. `further`: somebody stands there. `late`: patience ran out; nothing to end. */
export type Turn = 'first' | 'further' | 'late';

interface Waiter {
  readonly go: (turn: Turn) => void;
  readonly timer: Timer;
}

interface Entry {
  readonly standing: Set<Login>;
  readonly waiters: Set<Waiter>;
  /** Logins of the name that the site is being asked about. */
  asking: number;
  /** The application under which the journal keeps the debt; undefined: the site is owed nothing. */
  owedBy: string | undefined;
  /** Of the last who was let in. */
  credentials: Credentials | undefined;
}

export interface LoginBookParts {
  readonly clock: Clock;
  readonly journal: LogoutJournal;
  readonly counters: ControlCounters;
  /** Undefined: the site has no webLogout and is owed none. */
  readonly sendLogout: SendLogout | undefined;
}

export class LoginBook {
  readonly #parts: LoginBookParts;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: LogoutQueue;
  #asking = 0;
  #whenQuiet: (() => void)[] = [];

  constructor(parts: LoginBookParts) {
    this.#parts = parts;
    this.#queue = new LogoutQueue({
      clock: parts.clock,
      send: parts.sendLogout ?? (() => Promise.resolve(true)),
      delivered: (name) => this.settled(name),
      dropped: (name) => {
        parts.counters.logoutsDropped++;
        this.#forgive(name);
      },
    });
  }

  get logoutsWaiting(): number {
    return this.#queue.size;
  }

  /** Nobody stands, asks or is owed: the book may be thrown away. */
  get empty(): boolean {
    return this.#entries.size === 0;
  }

  /** Waits for the right to ask about `name`; ended by `accept` or `decline`, unless it was `late`. */
  begin(name: string, patience: Millis): Promise<Turn> {
    const entry = this.#entry(name);
    if (entry.standing.size > 0 || entry.asking === 0) {
      this.#ask(entry);
      return Promise.resolve(entry.standing.size > 0 ? 'further' : 'first');
    }
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(patience, () => {
        entry.waiters.delete(waiter);
        resolve('late');
      });
      const waiter: Waiter = { go: resolve, timer };
      entry.waiters.add(waiter);
    });
  }

  /** For a `first`: takes the name out of the logout queue, when a call for it is under way at its end. Is the site still owed? */
  async withdraw(name: string): Promise<boolean> {
    await this.#queue.underWay(name);
    this.#queue.withdraw(name);
    return this.#entries.get(name)?.owedBy !== undefined;
  }

  /** The site was told that nobody stands under `name`. */
  settled(name: string): void {
    if (this.#entries.get(name)?.owedBy === undefined) return;
    this.#parts.counters.logoutsDelivered++;
    this.#forgive(name);
  }

  /** Did the one who was last let in under `name` bring the same? False when that is not known. */
  sameAsLast(name: string, credentials: Credentials): boolean {
    return equal(this.#entries.get(name)?.credentials, credentials);
  }

  /** Does anybody stand under `name` who brought something else? */
  heldByOther(name: string, credentials: Credentials): boolean {
    for (const login of this.#entries.get(name)?.standing ?? []) {
      if (!equal(login.credentials, credentials)) return true;
    }
    return false;
  }

  /** The site said yes. Resolves when the journal knows. */
  async accept(name: string, app: string, credentials: Credentials): Promise<Login> {
    const entry = this.#entry(name);
    const login: Login = { book: this, name, credentials };
    entry.standing.add(login);
    entry.credentials = credentials;
    entry.asking--;
    for (const waiter of entry.waiters) this.#send(entry, waiter, 'further');
    if (entry.owedBy === undefined && this.#parts.sendLogout !== undefined) {
      entry.owedBy = app;
      await this.#parts.journal.owe(app, name);
    }
    // not before: until the door has the verdict, it may give it back
    this.#asking--;
    this.#tellQuiet();
    return login;
  }

  /** The site said no, or nothing. */
  decline(name: string): void {
    const entry = this.#entry(name);
    entry.asking--;
    this.#asking--;
    this.#after(name, entry);
  }

  /** Who was let in has gone. Idempotent. */
  release(login: Login): void {
    const entry = this.#entries.get(login.name);
    if (entry?.standing.delete(login)) this.#after(login.name, entry);
  }

  /** An earlier process left `name` behind. */
  adopt(name: string, app: string): void {
    const entry = this.#entry(name);
    if (entry.owedBy === undefined) {
      entry.owedBy = app;
      this.#after(name, entry);
    } else if (entry.owedBy !== app) {
      this.#parts.journal.settle(app, name); // one call will do for both
    }
  }

  /** The site answers again. */
  wake(): void {
    this.#queue.wake();
  }

  /** Resolves once nobody is asking and all logouts that are due were delivered; they are in a hurry from now on. */
  async drained(): Promise<void> {
    for (;;) {
      await this.#queue.drained();
      if (this.#asking === 0) return;
      await new Promise<void>((resolve) => this.#whenQuiet.push(resolve));
      // a door that had no use for the verdict gives it back now
      await new Promise<void>((resolve) => this.#parts.clock.soon(resolve));
    }
  }

  /** No logout is sent any more; those that are due stay in the journal. */
  stop(): void {
    this.#queue.stop();
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { standing: new Set(), waiters: new Set(), asking: 0, owedBy: undefined, credentials: undefined };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #ask(entry: Entry): void {
    entry.asking++;
    this.#asking++;
  }

  #send(entry: Entry, waiter: Waiter, turn: Turn): void {
    entry.waiters.delete(waiter);
    waiter.timer.cancel();
    this.#ask(entry);
    waiter.go(turn);
  }

  /** Somebody left or was turned away: who is next, and is a logout due? */
  #after(name: string, entry: Entry): void {
    if (entry.standing.size === 0 && entry.asking === 0) {
      const [next] = entry.waiters;
      if (next !== undefined) this.#send(entry, next, 'first');
      else if (entry.owedBy !== undefined) this.#queue.add(name);
      else this.#entries.delete(name);
    }
    this.#tellQuiet();
  }

  #tellQuiet(): void {
    if (this.#asking > 0) return;
    const waiters = this.#whenQuiet;
    this.#whenQuiet = [];
    for (const resolve of waiters) resolve();
  }

  #forgive(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.owedBy === undefined) return;
    this.#parts.journal.settle(entry.owedBy, name);
    entry.owedBy = undefined;
    if (entry.standing.size === 0 && entry.asking === 0 && entry.waiters.size === 0) this.#entries.delete(name);
  }
}

function equal(one: Credentials | undefined, other: Credentials): boolean {
  return one !== undefined && one.length === other.length && one.every((value, at) => value === other[at]);
}
