/**
 * One web site as webLogin and webLogout know it: asks whether somebody may come in, and tells that somebody has gone. Whatever
 * goes wrong at one site, in time or in words, stays there.
 */
import type { Clock, Millis } from '../base/clock.ts';
import { pause } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Role } from '../session/session.ts';
import { type ControlCounters, countIn, type HookObserver, type HookOutcome } from './counters.ts';
import { HookHealth, type HookState } from './hook-health.ts';
import { type Credentials, type Login, LoginBook } from './login-book.ts';
import type { LogoutJournal } from './logout-journal.ts';
import type { SiteOptions } from './options.ts';
import { Turnstile } from './turnstile.ts';
import type { WebAnswer, WebClient } from './web-client.ts';
import { isPassing, type WebFault } from './web-fault.ts';
import {
  type LoginParams,
  type LoginReply,
  loginUrl,
  logoutUrl,
  MAX_LOGIN_ANSWER,
  readLoginReply,
  sanitiseFileName,
} from './web-login.ts';

export interface SiteParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: LogoutJournal;
  readonly counters: ControlCounters;
  readonly observe: HookObserver;
}

/** Who wants in, and on whose behalf. */
export interface LoginRequest {
  readonly app: string;
  readonly options: SiteOptions;
  readonly params: LoginParams;
}

export type LoginResult =
  | {
      readonly accepted: true;
      readonly role: Role;
      readonly canKick: boolean;
      /** Missing when the site could not be asked and the application lets viewers in all the same. */
      readonly login?: Login;
    }
  | { readonly accepted: false; readonly code: string; readonly reason: string };

export interface SiteState {
  readonly login: HookState;
  /** webLogin by result: `accepted`, `refused`, `failed`, `busy`. */
  readonly logins: ReadonlyMap<string, number>;
  readonly logout: HookState;
  readonly logoutsWaiting: number;
}

/** From the question to the verdict, all waiting included; what the journal may take comes on top. */
export const DECISION_LIMIT: Millis = 9_000;
const RETRY_PAUSE: Millis = 200;

export class Site {
  readonly #parts: SiteParts;
  readonly #book: LoginBook;
  readonly #desk: Turnstile;
  readonly #loginHealth: HookHealth;
  readonly #logoutHealth: HookHealth;
  readonly #logins = new Map<string, number>();
  #options: SiteOptions;
  #client: WebClient;

  constructor(options: SiteOptions, client: WebClient, parts: SiteParts) {
    this.#parts = parts;
    this.#options = options;
    this.#client = client;
    this.#desk = new Turnstile(parts.clock, options.maxLogins, options.maxLoginQueue);
    this.#loginHealth = new HookHealth('webLogin', parts.clock, parts.log);
    this.#logoutHealth = new HookHealth('webLogout', parts.clock, parts.log);
    this.#book = new LoginBook({
      clock: parts.clock,
      journal: parts.journal,
      counters: parts.counters,
      sendLogout: options.webLogout === '' ? undefined : (name) => this.#tellGone(name),
    });
  }

  /** New settings for what is asked from now on; the addresses are the same. */
  configure(options: SiteOptions, client: WebClient): void {
    this.#options = options;
    this.#client = client;
    this.#desk.configure(options.maxLogins, options.maxLoginQueue);
  }

  /** Never rejects; answers within `DECISION_LIMIT` and the journal's patience. */
  async login(request: LoginRequest): Promise<LoginResult> {
    const name = sanitiseFileName(request.params.session);
    if (name === '') return refused('access/name', 'the session name holds no character that the web site can keep');
    const end = this.#parts.clock.now() + DECISION_LIMIT;
    const turn = await this.#book.begin(name, DECISION_LIMIT);
    if (turn === 'late') return this.#busy('too many ask for this session name at once');
    let result: LoginResult | undefined;
    try {
      result = await this.#atDesk(name, turn === 'first', request, end);
    } finally {
      if (result === undefined || !result.accepted || result.login === undefined) this.#book.decline(name);
    }
    return result;
  }

  /** An earlier process logged `name` in under `app` and did not log it out. False: there is no webLogout to tell. */
  adopt(name: string, app: string): boolean {
    if (this.#options.webLogout === '') return false;
    this.#book.adopt(name, app);
    return true;
  }

  drained(): Promise<void> {
    return this.#book.drained();
  }

  /** Tells the site nothing any more. */
  stop(): void {
    this.#book.stop();
  }

  get idle(): boolean {
    return this.#book.empty;
  }

  state(): SiteState {
    return {
      login: this.#loginHealth.state(),
      logins: this.#logins,
      logout: this.#logoutHealth.state(),
      logoutsWaiting: this.#book.logoutsWaiting,
    };
  }

  async #atDesk(name: string, first: boolean, request: LoginRequest, end: Millis): Promise<LoginResult> {
    const passage = await this.#desk.enter(end - this.#parts.clock.now());
    if (passage !== 'in') return this.#busy('too many logins wait for the web site; try again in a moment');
    try {
      return await this.#decide(name, first, request, end);
    } finally {
      this.#desk.leave();
    }
  }

  #busy(reason: string): LoginResult {
    countIn(this.#logins, 'busy');
    return refused('access/busy', reason);
  }

  async #decide(name: string, first: boolean, request: LoginRequest, end: Millis): Promise<LoginResult> {
    const { options, params, app } = request;
    const credentials = credentialsOf(params);
    const cleared = first ? await this.#clear(name, request, credentials, end) : false;
    if (typeof cleared === 'object') return this.#unanswered(cleared, options);
    // whoever stands here now may be gone when the answer comes, and the site may have answered from its memory of him
    const heldBefore = this.#book.heldByOther(name, credentials);
    const reply = await this.#askTwice(loginUrl(options.webLogin, params), options, end);
    if (isFault(reply)) return this.#unanswered(reply, options);
    this.#book.wake();
    this.#judge(reply);
    if (!reply.accepted) return refused(reply.code, reply.reason);
    // A site that was not made to forget answers from memory, whatever the key.
    const remembered = options.freshLogin && !cleared && reply.role === 'broadcaster';
    if (remembered && (heldBefore || this.#book.heldByOther(name, credentials))) {
      return refused('access/duplicate', 'the session is connected with another key');
    }
    const login = await this.#book.accept(name, app, credentials);
    return { accepted: true, role: reply.role, canKick: reply.canKick, login };
  }

  /**
   * Before the first login of a name: delivers a logout that is owed, and has the site forget what it may remember. True when the
   * site heard; a fault when it did not and may therefore vouch for somebody else.
   */
  async #clear(
    name: string,
    request: LoginRequest,
    credentials: Credentials,
    end: Millis,
  ): Promise<boolean | WebFault> {
    const { options } = request;
    const owed = await this.#book.withdraw(name);
    if (options.webLogout === '' || !(owed || options.freshLogin)) return false;
    const answer = await this.#logout(name, Math.min(options.loginTimeout, end - this.#parts.clock.now()));
    if (heard(answer)) {
      this.#book.settled(name);
      return true;
    }
    const harmless = !owed || !options.freshLogin || this.#book.sameAsLast(name, credentials);
    return harmless || answer.ok ? false : answer;
  }

  async #askTwice(url: string, options: SiteOptions, end: Millis): Promise<LoginReply | WebFault> {
    const reply = await this.#askLogin(url, options, end);
    if (!isFault(reply) || !isPassing(reply)) return reply;
    await pause(this.#parts.clock, RETRY_PAUSE);
    return this.#askLogin(url, options, end);
  }

  async #askLogin(url: string, options: SiteOptions, end: Millis): Promise<LoginReply | WebFault> {
    const { clock, observe } = this.#parts;
    const begun = clock.now();
    const deadline = Math.min(options.loginTimeout, end - begun);
    const answer = await this.#client.send({ hook: 'webLogin', url, deadline, maxBody: MAX_LOGIN_ANSWER });
    const reply = answer.ok ? readLoginReply(answer.body.toString(), options) : answer;
    observe('webLogin', clock.now() - begun, outcomeOf(reply));
    return reply;
  }

  /** What the answer says about the site. */
  #judge(reply: LoginReply): void {
    const outcome = outcomeOf(reply);
    countIn(this.#logins, outcome === 'ok' ? 'accepted' : outcome);
    if (reply.accepted || outcome === 'refused') this.#loginHealth.succeeded();
    else this.#loginHealth.failed(reply.code, WORDS.get(reply.code) ?? reply.reason);
  }

  #unanswered(fault: WebFault, options: SiteOptions): LoginResult {
    countIn(this.#logins, 'failed');
    this.#loginHealth.failed(fault.code, fault.words);
    const silent = isPassing(fault) || fault.code === 'web/timeout';
    if (silent && options.onWebFailure === 'accept') return { accepted: true, role: 'watcher', canKick: false };
    return refused('access/web', 'the web site could not be asked; try again in a moment');
  }

  async #tellGone(name: string): Promise<boolean> {
    return heard(await this.#logout(name, this.#options.loginTimeout));
  }

  async #logout(name: string, deadline: Millis): Promise<WebAnswer> {
    const { clock, observe, counters } = this.#parts;
    const begun = clock.now();
    const url = logoutUrl(this.#options.webLogout, name);
    const answer = await this.#client.send({ hook: 'webLogout', url, deadline, maxBody: MAX_LOGIN_ANSWER });
    observe('webLogout', clock.now() - begun, heard(answer) ? 'ok' : 'failed');
    if (heard(answer)) {
      this.#logoutHealth.succeeded();
    } else if (!answer.ok) {
      counters.logoutsFailed++;
      this.#logoutHealth.failed(answer.code, answer.words);
    }
    return answer;
  }
}

/** For the site's owner; what a client may read stands in the reply. */
const WORDS = new Map([
  [
    'access/webkey',
    'the answer carries another webKey: set the same one here and on the site, or somebody else answers for it',
  ],
  [
    'web/answer',
    'the answer is no login answer: does the address lead to the script, and does the script run without errors?',
  ],
]);

function isFault(reply: LoginReply | WebFault): reply is WebFault {
  return 'ok' in reply;
}

function outcomeOf(reply: LoginReply | WebFault): HookOutcome {
  if (isFault(reply)) return 'failed';
  if (reply.accepted) return 'ok';
  return reply.code === 'access/login' ? 'refused' : 'failed';
}

/** HTTP 200, whatever the script made of it. */
function heard(answer: WebAnswer): boolean {
  return answer.ok || answer.status === 200;
}

/** What makes two logins of one name the same person's: all but the name itself and where it comes from. */
function credentialsOf(params: LoginParams): Credentials {
  return [params.room, params.key, params.broadcaster, params.broadcasterId];
}

function refused(code: string, reason: string): LoginResult {
  return { accepted: false, code, reason };
}
