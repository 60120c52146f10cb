/**
 * Everybody who is here, of every transport, by id, by name and by what they publish.
 */
import type { Session } from './session.ts';

export class SessionRegistry {
  readonly #byId = new Map<string, Session>();
  readonly #byName = new Map<string, Set<Session>>();
  /** Who publishes, by stream. */
  readonly #publishers = new Map<string, Session>();

  open(session: Session): void {
    this.#byId.set(session.id, session);
    put(this.#byName, nameKey(session.app, session.name), session);
  }

  /** Idempotent. */
  close(session: Session): void {
    if (!this.#byId.delete(session.id)) return;
    take(this.#byName, nameKey(session.app, session.name), session);
  }

  byId(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** All sessions that the web server knows under this name in this application. */
  named(app: string, name: string): readonly Session[] {
    return [...(this.#byName.get(nameKey(app, name)) ?? [])];
  }

  /** `session` publishes `stream` of its application from now on; whoever did before does no longer. */
  claim(session: Session, stream: string): void {
    this.#publishers.set(nameKey(session.app, stream), session);
  }

  /** `session` has stopped; nothing happens when another has taken the stream since. */
  release(session: Session, stream: string): void {
    const key = nameKey(session.app, stream);
    if (this.#publishers.get(key) === session) this.#publishers.delete(key);
  }

  /** Who publishes `stream` in `app`, if anybody. */
  publisherOf(app: string, stream: string): Session | undefined {
    const session = this.#publishers.get(nameKey(app, stream));
    return session !== undefined && this.#byId.has(session.id) ? session : undefined;
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
