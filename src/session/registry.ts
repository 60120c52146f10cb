/**
 * Everybody who is here, of every transport, by id and by name.
 */
import type { Session } from './session.ts';

export class SessionRegistry {
  readonly #byId = new Map<string, Session>();
  readonly #byName = new Map<string, Set<Session>>();
  /** By application; nobody else may publish. */
  readonly #broadcasters = new Map<string, Set<Session>>();

  open(session: Session): void {
    this.#byId.set(session.id, session);
    put(this.#byName, nameKey(session.app, session.name), session);
    if (session.role === 'broadcaster') put(this.#broadcasters, session.app, session);
  }

  /** Idempotent. */
  close(session: Session): void {
    if (!this.#byId.delete(session.id)) return;
    take(this.#byName, nameKey(session.app, session.name), session);
    take(this.#broadcasters, session.app, session);
  }

  byId(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** All sessions that the web server knows under this name in this application. */
  named(app: string, name: string): readonly Session[] {
    return [...(this.#byName.get(nameKey(app, name)) ?? [])];
  }

  /** Who publishes `stream` in `app`, if anybody. */
  publisherOf(app: string, stream: string): Session | undefined {
    for (const session of this.#broadcasters.get(app) ?? []) {
      if (session.stream?.doing === 'publish' && session.stream.name === stream) return session;
    }
    return undefined;
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#byId.values();
  }
}

/** A name cannot hold a line feed (session/safe-text.ts), so the pair is unambiguous. */
function nameKey(app: string, name: string): string {
  return `${app}\n${name}`;
}

function put(index: Map<string, Set<Session>>, key: string, session: Session): void {
  const sessions = index.get(key);
  if (sessions === undefined) index.set(key, new Set([session]));
  else sessions.add(session);
}

function take(index: Map<string, Set<Session>>, key: string, session: Session): void {
  const sessions = index.get(key);
  sessions?.delete(session);
  if (sessions?.size === 0) index.delete(key);
}
