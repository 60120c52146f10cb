/**
 * Everybody who is here, of every transport, by id and by name.
 */
import type { Session } from './session.ts';

export class SessionRegistry {
  readonly #byId = new Map<string, Session>();
  readonly #byName = new Map<string, Set<Session>>();

  open(session: Session): void {
    this.#byId.set(session.id, session);
    const key = nameKey(session.app, session.name);
    const namesakes = this.#byName.get(key);
    if (namesakes === undefined) this.#byName.set(key, new Set([session]));
    else namesakes.add(session);
  }

  /** Idempotent. */
  close(session: Session): void {
    if (!this.#byId.delete(session.id)) return;
    const key = nameKey(session.app, session.name);
    const namesakes = this.#byName.get(key);
    namesakes?.delete(session);
    if (namesakes?.size === 0) this.#byName.delete(key);
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
    for (const session of this.#byId.values()) {
      if (session.app === app && session.stream?.doing === 'publish' && session.stream.name === stream) return session;
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
