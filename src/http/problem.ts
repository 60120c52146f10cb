/**
 * Every error as `application/problem+json` (RFC 9457), whoever found it: a route, the framework or Node's parser.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { ERRORS } from '../base/error-table.ts';
import { PeerError, RefusedError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { RouteTable } from './route-table.ts';

export const PROBLEM_TYPE = 'application/problem+json';

export interface Problem {
  /** Where the code is explained. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** From the table of errors; programs compare this one. */
  readonly code: string;
  readonly fix: string;
}

/** The HTTP status of each code that a route may throw; any other code is a fault of ours. */
const STATUS_OF = new Map([
  ['api/request', 400],
  ['api/unauthorized', 401],
  ['api/host', 403],
  ['api/not-found', 404],
  ['stream/not-found', 404],
  ['api/method', 405],
  ['api/timeout', 408],
  ['api/too-large', 413],
  ['api/media-type', 415],
  ['access/busy', 503],
  ['access/shutdown', 503],
  ['server/not-ready', 503],
]);

/** `detail` is shown to the one who asked: no secret, no stack. */
export function problem(code: string, detail: string, status = STATUS_OF.get(code) ?? 500): Problem {
  const entry = ERRORS[code] ?? ERRORS['server/bug']!;
  // The anchor is what Markdown renderers make of a heading that is the code.
  const type = `docs/errors.md#${code.replace('/', '')}`;
  return { type, title: entry.what, status, detail, code, fix: entry.fix };
}

/** The path as it may be logged: without the query, also one that is encoded, without the secret of a session, and bounded. */
export function loggedPath(url: string): string {
  return url.split(QUERY_MARK, 1)[0]!.replace(SESSION_PATH, '$1…').slice(0, 200);
}

const QUERY_MARK = /\?|%3f/i;
/** Whoever has it may end the session of WHIP or WHEP. The first digits tell one from another. */
const SESSION_PATH = /(\/(?:whip|whep)\/+[\da-f]{4})[\da-f]{28}\/*$/i;

/** Turns everything that can go wrong behind `app` into problems. To be called before routes are added. */
export function answerWithProblems(app: FastifyInstance, log: Logger): void {
  const routes = new RouteTable();
  app.addHook('onRoute', (route) => {
    // those that want more than a path are no answer to one that was not found
    if (route.constraints === undefined) routes.add(route.url, route.method);
  });

  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const found = problemOf(error);
    if (found.status >= 500 && found.code === 'server/bug') {
      log.error(
        { code: found.code, path: loggedPath(request.url), stack: error.stack },
        'an HTTP request found a fault',
      );
    }
    return refuseRequest(reply, found, log);
  });

  app.setNotFoundHandler((request, reply) => {
    const allowed = routes.methods(request.url.split('?', 1)[0]!);
    if (allowed.length === 0)
      return refuseRequest(reply, problem('api/not-found', 'There is nothing at this path.'), log);
    reply.header('allow', allowed.join(', '));
    return refuseRequest(reply, problem('api/method', `Use ${allowed.join(' or ')} here.`), log);
  });
}

/** Answers `found`. As bytes, since the framework would add a charset to text, which JSON does not have. */
export function writeProblem(reply: FastifyReply, found: Problem): FastifyReply {
  return reply
    .code(found.status)
    .type(PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(found)));
}

/** The same for a request that is refused, with a line about it. */
export function refuseRequest(reply: FastifyReply, found: Problem, log: Logger): FastifyReply {
  const { method, url, ip } = reply.request;
  const { code, status } = found;
  log.info({ code, status, method, path: loggedPath(url), ip }, 'refused a request');
  if (code === 'api/unauthorized') reply.header('www-authenticate', 'Bearer realm="castgate"');
  return writeProblem(reply, found);
}

/** Node's parser, or its watch over slow senders, gave a connection up: says why and closes it. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, log: Logger): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const found = problemOfConnection(error.code);
  log.info({ code: found.code, status: found.status, fault: error.code, ip: socket.remoteAddress }, 'cut a connection');
  // After a first answer the bytes could land in the middle of another one, so later faults close without a word.
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(found);
  socket.write(
    `HTTP/1.1 ${found.status} ${STATUS_CODES[found.status]}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  socket.destroySoon();
}

function problemOfConnection(code: string | undefined): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem('api/timeout', 'The request did not arrive in time.');
    case 'HPE_HEADER_OVERFLOW':
      return problem('api/too-large', 'The head of the request is too large.', 431);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem('api/too-large', 'The chunk extensions are too large.');
    default:
      return problem('api/request', 'This is not a well-formed HTTP/1.1 request.');
  }
}

function problemOf(error: FastifyError): Problem {
  if (error instanceof RefusedError || error instanceof PeerError) {
    // a protocol that has statuses of its own for some codes says so
    const status = error.statusCode ?? STATUS_OF.get(error.code);
    if (status !== undefined) return problem(error.code, error.message, status);
  }
  if (error.validation !== undefined) return problem('api/request', error.message);
  switch (error.statusCode) {
    case 413:
      return problem('api/too-large', 'The body is too large.');
    case 414:
      return problem('api/request', 'A part of the path is too long.', 414);
    case 415:
      return problem('api/media-type', 'The type of the body is not understood here.');
    default:
      if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
        return problem('api/request', 'The request is malformed.', error.statusCode);
      }
      return problem('server/bug', 'The server met a fault of its own; its log says more.');
  }
}
