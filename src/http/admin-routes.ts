/**
 * The operators' routes: who is here, what is live, how each web site does, and the way to disconnect somebody.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { RefusedError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Session } from '../session/session.ts';
import {
  type ApplicationItem,
  answer,
  Disconnect,
  emptyAnswer,
  Index,
  listOf,
  MAX_ITEMS,
  NAMED,
  oneOf,
  Paging,
  SessionId,
  type SessionItem,
  SessionQuery,
  type StreamItem,
  StreamName,
  textAnswer,
} from './admin-schemas.ts';
import { findStream, listApplications, listSessions, listStreams, type StreamSources, sessionItem } from './listing.ts';
import type { Metrics } from './metrics.ts';
import { problem, writeProblem } from './problem.ts';
import type { ApplicationView, Health } from './views.ts';

export interface AdminDeps extends StreamSources {
  readonly version: string;
  readonly log: Logger;
  readonly applications: () => Iterable<ApplicationView>;
  readonly health: Health;
  readonly metrics: Metrics;
}

const MAX_REASON = 200;
const DEFAULT_REASON = 'Disconnected by the operator of the server';

/** Adds every route to `app`. */
export function addAdminRoutes(app: FastifyInstance, deps: AdminDeps): void {
  for (const schema of NAMED) app.addSchema(schema);
  addServerRoutes(app, deps);
  addSessionRoutes(app, deps);
  addStreamRoutes(app, deps);
}

function addServerRoutes(app: FastifyInstance, { version, sessions, applications, health, metrics }: AdminDeps): void {
  const tags = ['server'];

  app.get(
    '/',
    { schema: { tags, operationId: 'hint', summary: 'Says where to go', response: textAnswer('A hint.') } },
    (_request, reply) =>
      reply
        .type('text/plain; charset=utf-8')
        .send(`castgate ${version}, admin interface. Start at /v1; metrics at /metrics.\n`),
  );

  app.get<{ Reply: Index }>(
    '/v1',
    {
      schema: {
        tags,
        operationId: 'index',
        summary: 'The pages of this interface',
        response: answer('The index.', 'application/json', Index),
      },
    },
    async () => ({
      name: 'castgate',
      version,
      links: ['/v1/sessions', '/v1/streams', '/v1/applications', '/metrics', '/healthz', '/readyz'],
    }),
  );

  app.get<{ Querystring: Paging; Reply: ApplicationItem[] }>(
    '/v1/applications',
    {
      schema: {
        tags,
        operationId: 'listApplications',
        summary: 'Applications, and how their web sites answer',
        querystring: Paging,
        response: listOf('Application'),
      },
    },
    async ({ query }, reply) => {
      const { total, page } = listApplications(applications(), sessions, query);
      tellPage(reply, query, total);
      return page;
    },
  );

  app.get(
    '/healthz',
    {
      config: { open: true },
      schema: {
        tags,
        operationId: 'health',
        summary: 'Is the process up? Needs no token',
        security: [],
        response: textAnswer('`ok`.'),
      },
    },
    (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags,
        operationId: 'readiness',
        summary: 'Should clients be sent here?',
        description: 'Otherwise 503, with `reasons` beside the usual members of a problem.',
        response: textAnswer('`ready`.'),
      },
    },
    (_request, reply) => {
      const { ok, reasons } = health.ready();
      if (ok) return reply.type('text/plain; charset=utf-8').send('ready\n');
      const found = { ...problem('server/not-ready', reasons.join('; ')), reasons };
      return writeProblem(reply, found);
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        tags,
        operationId: 'metrics',
        summary: 'Figures in the text format of Prometheus',
        response: textAnswer('Version 0.0.4.'),
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}

function addSessionRoutes(app: FastifyInstance, { sessions, log }: AdminDeps): void {
  const tags = ['sessions'];

  app.get<{ Querystring: SessionQuery; Reply: SessionItem[] }>(
    '/v1/sessions',
    {
      schema: {
        tags,
        operationId: 'listSessions',
        summary: 'Who is here',
        description: 'Oldest first.',
        querystring: SessionQuery,
        response: listOf('Session'),
      },
    },
    async ({ query }, reply) => {
      const { total, page } = listSessions(sessions, query);
      tellPage(reply, query, total);
      return page;
    },
  );

  app.get<{ Params: SessionId; Reply: SessionItem }>(
    '/v1/sessions/:id',
    {
      schema: {
        tags,
        operationId: 'getSession',
        summary: 'One session',
        params: SessionId,
        response: oneOf('Session', 'The session.'),
      },
    },
    async ({ params }) => sessionItem(known(sessions.byId(params.id))),
  );

  app.delete<{ Params: SessionId; Querystring: Disconnect }>(
    '/v1/sessions/:id',
    {
      schema: {
        tags,
        operationId: 'disconnectSession',
        summary: 'Disconnects a session',
        description: 'The client is told the reason in its own protocol. Doing it again answers 404.',
        params: SessionId,
        querystring: Disconnect,
        response: emptyAnswer('It is being closed.'),
      },
    },
    async ({ params, query, ip }, reply) => {
      const session = known(sessions.byId(params.id));
      if (session.state === 'closing') known(undefined);
      const reason = plainText(query.reason ?? '') || DEFAULT_REASON;
      log.info(
        { code: 'access/disconnected', session: session.id, by: ip, reason },
        'an operator disconnects a session',
      );
      session.disconnect(reason);
      return reply.code(204).send();
    },
  );
}

function addStreamRoutes(app: FastifyInstance, deps: AdminDeps): void {
  const tags = ['streams'];

  app.get<{ Querystring: Paging; Reply: StreamItem[] }>(
    '/v1/streams',
    {
      schema: {
        tags,
        operationId: 'listStreams',
        summary: 'What is live, or waited for',
        querystring: Paging,
        response: listOf('Stream'),
      },
    },
    async ({ query }, reply) => {
      const { total, page } = listStreams(deps, query);
      tellPage(reply, query, total);
      return page;
    },
  );

  app.get<{ Params: StreamName; Reply: StreamItem }>(
    '/v1/streams/:app/:stream',
    {
      schema: {
        tags,
        operationId: 'getStream',
        summary: 'One stream',
        params: StreamName,
        response: oneOf('Stream', 'The stream.'),
      },
    },
    async ({ params }) => {
      const found = findStream(deps, `${params.app}/${params.stream}`);
      if (found === undefined) throw new RefusedError('api/not-found', 'Nobody publishes or plays this stream.');
      return found;
    },
  );
}

function known(session: Session | undefined): Session {
  if (session === undefined) throw new RefusedError('api/not-found', 'No session has this id, or it is closing.');
  return session;
}

/** How many there are, and the page after this one (RFC 8288). */
function tellPage(reply: FastifyReply, { page = 0, itemsPerPage = MAX_ITEMS }: Paging, total: number): void {
  reply.header('x-total-count', total);
  if ((page + 1) * itemsPerPage >= total) return;
  const next = new URL(reply.request.url, 'http://host');
  next.searchParams.set('page', String(page + 1));
  if (itemsPerPage !== MAX_ITEMS) next.searchParams.set('itemsPerPage', String(itemsPerPage));
  reply.header('link', `<${next.pathname}${next.search}>; rel="next"`);
}

/** Bounded, and without control characters and lone surrogates, which no client protocol carries well. */
function plainText(text: string): string {
  const plain = text
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return plain.slice(0, MAX_REASON).toWellFormed();
}
