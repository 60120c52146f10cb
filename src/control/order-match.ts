/**
 * Whom the orders of a site mean.
 */
import type { Session } from '../session/session.ts';
import type { Order } from './status-reply.ts';

export interface Leaving {
  readonly session: Session;
  /** What it is told. */
  readonly reason: string;
}

/**
 * Orders to `users` go to RTMP sessions by name, all of one name; orders to `sessions` to WebRTC sessions by number. The key of an
 * entry counts, else the name inside it. Whoever is being closed already is left alone. Publishers come last: the end of what they
 * watch makes viewers leave before they have read their own reason.
 */
export function matchOrders(
  users: readonly Order[],
  sessions: readonly Order[],
  present: Iterable<Session>,
): readonly Leaving[] {
  if (users.length + sessions.length === 0) return [];
  const byName = new Map<string, Session[]>();
  const byNumber = new Map<string, Session[]>();
  for (const session of present) {
    if (session.state === 'closing') continue;
    if (session.transport === 'webrtc') put(byNumber, String(session.number), session);
    else put(byName, session.name, session);
  }
  const leaving = [...meant(users, byName), ...meant(sessions, byNumber)];
  return leaving.sort((a, b) => Number(publishes(a)) - Number(publishes(b)));
}

function* meant(orders: readonly Order[], index: ReadonlyMap<string, readonly Session[]>): Iterable<Leaving> {
  for (const { key, session: name = '', disconnect } of orders) {
    for (const session of index.get(key) ?? index.get(name) ?? []) yield { session, reason: disconnect };
  }
}

function publishes({ session }: Leaving): boolean {
  return session.state === 'publishing';
}

function put(index: Map<string, Session[]>, key: string, session: Session): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [session]);
  else list.push(session);
}
