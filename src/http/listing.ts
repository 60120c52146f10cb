/**
 * What is shown of sessions, streams and applications, and what is not: no parameters, no queries, no keys.
 */
import { isoTime } from '../base/clock.ts';
import type { Hub } from '../relay/hub.ts';
import type { Stream } from '../relay/stream.ts';
import { listedName } from '../session/application-name.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { Session } from '../session/session.ts';
import {
  type ApplicationItem,
  MAX_ITEMS,
  type Paging,
  type SessionItem,
  type SessionQuery,
  type StreamItem,
} from './admin-schemas.ts';
import type { ReachOfStream, StreamReach } from './media-views.ts';
import { qualityItem } from './session-quality.ts';
import type { ApplicationView, DescribeStream } from './views.ts';

export interface Page<T> {
  /** On all pages. */
  readonly total: number;
  readonly page: T[];
}

/** One page of those sessions that fit, and how many fit in all. Oldest first. */
export function listSessions(sessions: SessionRegistry, query: SessionQuery): Page<SessionItem> {
  const { first, end } = bounds(query);
  const page: SessionItem[] = [];
  let total = 0;
  for (const session of sessions) {
    if (!fits(session, query)) continue;
    if (total >= first && total < end) page.push(sessionItem(session));
    total += 1;
  }
  return { total, page };
}

export function sessionItem(session: Session): SessionItem {
  const { received, sent } = session.traffic();
  const quality = session.quality?.();
  return {
    id: session.id,
    name: session.name,
    protocol: session.transport,
    app: session.app,
    stream: session.stream?.name ?? null,
    room: session.room,
    role: session.role,
    ip: session.ip,
    startedAt: isoTime(session.startedAt),
    bytesIn: received,
    bytesOut: sent,
    state: session.state,
    ...(quality && { quality: qualityItem(quality) }),
  };
}

/** Where streams are found, and who knows about them. */
export interface StreamSources {
  readonly hub: Hub;
  readonly sessions: SessionRegistry;
  readonly describe: DescribeStream;
  readonly reach: ReachOfStream;
}

/** One page of the streams, in the order in which they came, and how many there are. */
export function listStreams(sources: StreamSources, query: Paging): Page<StreamItem> {
  const { hub, sessions } = sources;
  const users = streamUsers(sessions);
  const { first, end } = bounds(query);
  const shown = [...hub].slice(first, end);
  return {
    total: hub.size,
    page: shown.map((stream) => streamItem(sources, stream, users.get(userKey(stream.app, stream.name)))),
  };
}

/** The stream of that full name, if somebody uses it. */
export function findStream(sources: StreamSources, fullName: string): StreamItem | undefined {
  const { hub, sessions } = sources;
  // both parts of it may hold slashes, so each may be where it is divided
  for (let slash = fullName.indexOf('/'); slash >= 0; slash = fullName.indexOf('/', slash + 1)) {
    const stream = hub.find(fullName.slice(0, slash), fullName.slice(slash + 1));
    if (stream === undefined) continue;
    return streamItem(sources, stream, streamUsers(sessions).get(userKey(stream.app, stream.name)));
  }
  return undefined;
}

/** One session for each stream: who publishes it, else somebody who plays it. */
function streamUsers(sessions: SessionRegistry): Map<string, Session> {
  const users = new Map<string, Session>();
  for (const session of sessions) {
    if (session.stream === undefined) continue;
    const key = userKey(session.app, session.stream.name);
    if (session.stream.doing === 'publish' || !users.has(key)) users.set(key, session);
  }
  return users;
}

/** No name holds a line feed. */
function userKey(app: string, stream: string): string {
  return `${app}\n${stream}`;
}

function streamItem({ describe, reach }: StreamSources, stream: Stream, user: Session | undefined): StreamItem {
  const tracks = describe(stream);
  const publisher = user?.stream?.doing === 'publish' ? user : undefined;
  return {
    app: stream.app,
    name: stream.name,
    live: stream.live,
    audience: stream.audience,
    codecs: tracks.map((track) => track.codec),
    tracks,
    reordered: stream.order.reordered,
    ...reachItem(reach(stream), stream.live),
    ...stream.counts,
    publisher: publisher?.id ?? null,
    since: publisher === undefined ? null : isoTime(publisher.startedAt),
  };
}

function reachItem(reach: StreamReach, live: boolean): Pick<StreamItem, 'browsers' | 'renditions'> {
  const { browsers } = reach;
  const renditions = reach.renditions.map(({ to, state, viewers, failure }) => {
    return { to, state, viewers, failureCode: failure?.code ?? null, failure: failure?.reason ?? null };
  });
  if (browsers === undefined || !live) return { renditions };
  const { watchable, lack } = browsers;
  return { browsers: { watchable, code: lack?.code ?? null, reason: lack?.reason ?? null }, renditions };
}

/** One page of the applications, with the sessions of each. */
export function listApplications(
  views: Iterable<ApplicationView>,
  sessions: Iterable<Session>,
  query: Paging,
): Page<ApplicationItem> {
  const listed = [...views];
  const names = new Set(listed.map((view) => view.name));
  const here = new Map<string, number>();
  for (const { app } of sessions) {
    const name = listedName(names, app) ?? '*';
    here.set(name, (here.get(name) ?? 0) + 1);
  }
  const { first, end } = bounds(query);
  const shown = listed.slice(first, end);
  return { total: listed.length, page: shown.map((view) => applicationItem(view, here.get(view.name) ?? 0)) };
}

function applicationItem(view: ApplicationView, sessions: number): ApplicationItem {
  const { lastAnswer, failure, counts } = view;
  return {
    name: view.name,
    sessions,
    acceptPlayers: view.acceptPlayers,
    webLogin: place(view.webLogin),
    webLogout: place(view.webLogout),
    webStatus: place(view.webStatus),
    state: view.state,
    lastAnswer: lastAnswer?.kind ?? null,
    lastAnswerAt: lastAnswer === undefined ? null : isoTime(lastAnswer.at),
    lastAnswerAge: lastAnswer === undefined ? null : Math.round(lastAnswer.age / 100) / 10,
    failure: failure?.text ?? null,
    failureCode: failure?.code ?? null,
    failingSince: failure === undefined ? null : isoTime(failure.since),
    counts: {
      logins: Object.fromEntries(counts.logins),
      answers: Object.fromEntries(counts.answers),
      failures: Object.fromEntries(counts.failures),
      orders: counts.orders,
      logoutsWaiting: counts.logoutsWaiting,
    },
  };
}

/** Host and path of a web address: the rest may hold keys. */
function place(address: string): string | null {
  if (address === '') return null;
  if (!URL.canParse(address)) return '(not a web address)';
  const { host, pathname } = new URL(address);
  return host + pathname;
}

/** Which items, of all that there are, make the page. */
function bounds({ page = 0, itemsPerPage = MAX_ITEMS }: Paging): { first: number; end: number } {
  return { first: page * itemsPerPage, end: (page + 1) * itemsPerPage };
}

function fits(session: Session, { app, stream, role }: SessionQuery): boolean {
  return (
    (app === undefined || session.app === app) &&
    (stream === undefined || session.stream?.name === stream) &&
    (role === undefined || session.role === role)
  );
}
