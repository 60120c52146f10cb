/**
 * The gate in front of everything: who gets in, under which name, in which role. A web site is asked where one is configured;
 * without webLogin everybody comes in and may publish.
 *
 * A client that brings no parameters is, where acceptPlayers allows it, given a name; then the site is asked about that name as
 * about any other. Every doubt is a no, and every no has a code and words.
 */
import { RefusedError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Admission, Gate, Verdict } from '../session/gate.ts';
import type { SessionRegistry } from '../session/registry.ts';
import { isSafeName } from '../session/safe-text.ts';
import type { Session, SessionStream } from '../session/session.ts';
import { type Application, letsPlayersIn } from './application.ts';
import type { Login } from './login-book.ts';
import type { Reporter } from './reporter.ts';
import { loginParams } from './web-login.ts';
import { keyOpens } from './webrtc-key.ts';

export interface WebGateParts {
  readonly registry: SessionRegistry;
  readonly log: Logger;
  readonly application: (name: string) => Application | undefined;
  readonly reporter: (app: string) => Reporter | undefined;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

type Allowed = Verdict & { readonly allow: true };

const PLAYER_NUMBERS = 1_000_000_000;

export class WebGate implements Gate {
  readonly #parts: WebGateParts;
  readonly #logins = new WeakMap<Session, Login>();
  #nextPlayer: number;
  #closed = false;

  constructor(parts: WebGateParts) {
    this.#parts = parts;
    this.#nextPlayer = Math.floor(parts.random() * PLAYER_NUMBERS);
  }

  /** Nobody is let in any more. */
  close(): void {
    this.#closed = true;
  }

  async admit(request: Admission): Promise<Verdict> {
    const { log } = this.#parts;
    try {
      return await this.#decide(request);
    } catch (err) {
      const refusal = err instanceof RefusedError ? err : new RefusedError('server/bug', 'internal error');
      if (refusal !== err) log.error({ code: 'server/bug', app: request.app, err }, 'an admission failed');
      return { allow: false, code: refusal.code, reason: refusal.message };
    }
  }

  abandon(verdict: Verdict): void {
    const login = verdict.allow ? (verdict.login as Login | undefined) : undefined;
    login?.book.release(login);
  }

  opened(session: Session, verdict: Verdict): void {
    const login = verdict.allow ? (verdict.login as Login | undefined) : undefined;
    if (login !== undefined) this.#logins.set(session, login);
  }

  farewell(session: Session): void {
    if (session.stream?.doing === 'publish') this.published(session);
    const login = this.#logins.get(session);
    login?.book.release(login);
  }

  published(session: Session): void {
    this.#parts.reporter(session.app)?.hurry();
  }

  mayTakeOver(session: Session, holder: Session): boolean {
    const application = this.#parts.application(session.app);
    return application !== undefined && mayReplace(application, session.params, holder);
  }

  async #decide(request: Admission): Promise<Allowed> {
    if (this.#closed) throw new RefusedError('access/shutdown', 'the server is shutting down');
    const application = this.#parts.application(request.app);
    if (application === undefined) throw new RefusedError('access/application', 'there is no such application');
    const params = this.#params(request, application);
    const [name = '', room = ''] = params;
    const { stream } = request;
    const byLogin = stream === undefined || entry(application, stream, params[2] ?? '');
    if (stream?.doing !== 'play') this.#checkHolders(request, application, params);
    const wanted = stream?.doing === 'play' ? 'watcher' : 'broadcaster';
    if (application.site === undefined || !byLogin) return { allow: true, name, room, role: wanted, canKick: false };
    const result = await application.site.login({
      app: request.app,
      options: application.options,
      params: loginParams(params, request.ip),
    });
    if (!result.accepted) throw new RefusedError(result.code, result.reason);
    const { role, canKick, login } = result;
    const verdict: Allowed = { allow: true, name, room, role, canKick, login };
    if (stream === undefined) return verdict;
    if (role === 'watcher' && wanted === 'broadcaster') {
      this.abandon(verdict);
      throw new RefusedError('access/role', 'the web site lets you watch, and not publish');
    }
    return { ...verdict, role: wanted };
  }

  /** Nobody may publish under the name, nor the stream, unless the newcomer may take it over. Players share the name with a publisher. */
  #checkHolders({ app, stream }: Admission, application: Application, params: readonly string[]): void {
    const { registry } = this.#parts;
    const holders = registry.named(app, params[0]!).filter((session) => session.stream?.doing === 'publish');
    const publisher = stream && registry.publisherOf(app, stream.name);
    if (publisher !== undefined) holders.push(publisher);
    if (holders.every((holder) => mayReplace(application, params, holder))) return;
    throw new RefusedError('access/duplicate', 'the session is already publishing');
  }

  /** What the address brought, a session name first: the one given, else the room, else one from elsewhere. */
  #params(request: Admission, { options }: Application): readonly string[] {
    const [session = '', room = '', ...rest] = request.params;
    const given = session || room;
    const name = given || (request.argument?.trim() ?? '');
    if (name !== '') {
      for (const text of [name, room]) {
        if (text !== '' && !isSafeName(text))
          throw new RefusedError('access/name', 'the session or room name cannot be used');
      }
      return [name, room, ...rest];
    }
    if (!letsPlayersIn(options)) {
      throw new RefusedError('access/address', 'the address names no session; use the one that the web site shows');
    }
    this.#nextPlayer = (this.#nextPlayer + 1) % PLAYER_NUMBERS;
    return [`Player${this.#nextPlayer}`];
  }
}

/** Looks at a WebRTC client's key where that is what lets him in; true when the site is to be asked, too. Throws `RefusedError`. */
function entry({ options, site }: Application, stream: SessionStream, key: string): boolean {
  const { webKey, webRtcLogin } = options;
  const how = webRtcLogin === 'auto' ? (webKey === '' ? 'login' : 'key') : webRtcLogin;
  if (how !== 'login' && !keyOpens(webKey, stream, key)) {
    const words = key === '' ? 'the stream name brings no key' : 'the key in the stream name does not open it';
    throw new RefusedError('access/key', `${words}; use the address that the web site shows`);
  }
  if (how !== 'key' && site === undefined && webRtcLogin !== 'auto') {
    throw new RefusedError('access/web', 'there is no web site to ask');
  }
  return how !== 'key';
}

/** May who brought `params` take the place of `holder`? Without a key nobody can show that it is his. */
function mayReplace({ options }: Application, params: readonly string[], holder: Session): boolean {
  if (options.takeover !== 'same-key') return options.takeover === 'always';
  const [, , key = '', , user = ''] = params;
  const [, , holdersKey = '', , holdersUser = ''] = holder.params;
  return key !== '' && key === holdersKey && user === holdersUser;
}
