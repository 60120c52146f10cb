/**
 * WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): publish and play by one POST. As routes of the public site, found by the raw
 * target of a request rather than by its path; see whip-target.ts.
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { RefusedError } from '../base/errors.ts';
import { plainIp } from '../base/plain-ip.ts';
import { MAX_KEY_LENGTH, readStreamQuery } from '../session/stream-admission.ts';
import { httpRefusal, SignalRefusal } from './signal-problem.ts';
import type { SignallingEndpoint, SignalRequest, SignalSession } from './signalling.ts';
import { findTarget, sessionPath, targetNames, type WhipTarget } from './whip-target.ts';

const SDP = 'application/sdp';
const FRAGMENT = 'application/trickle-ice-sdpfrag';
/** Longer bodies are no offers (bytes). */
const MAX_BODY = 64 << 10;
/** Offers that wait for their answer; each may wait for a web site, too. */
const MAX_PENDING = 1_024;

/** Any page may call: what it may do is decided by what it brings, and a browser brings nothing by itself. */
const EVERY_ANSWER = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Location, Link, ETag, Accept-Patch, Retry-After',
};
const PREFLIGHT = {
  'access-control-allow-headers': 'Authorization, Content-Type, If-Match',
  'access-control-max-age': '86400',
};

/** What a request may bring, by method; a method that is not here has no body that counts. */
const BODY_TYPE: ReadonlyMap<string, string> = new Map([
  ['POST', SDP],
  ['PATCH', FRAGMENT],
]);

type Resource = 'endpoint' | 'session';
type Answer = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

/** `maxPending`: offers that may wait for their answer at once. */
export function whipRoutes(endpoint: SignallingEndpoint, maxPending = MAX_PENDING): FastifyPluginAsync {
  const routes = new WhipRoutes(endpoint, maxPending);
  const answers: Record<Resource, ReadonlyMap<string, Answer>> = {
    endpoint: new Map<string, Answer>([
      ['POST', (request, reply) => routes.offer(request, reply)],
      ['GET', discover],
      ['HEAD', discover],
      ['OPTIONS', (_request, reply) => allow(reply, 'endpoint').headers({ 'accept-post': SDP }).send()],
    ]),
    session: new Map<string, Answer>([
      ['PATCH', (request, reply) => routes.patch(request, reply)],
      ['DELETE', (request, reply) => routes.remove(request, reply)],
      ['GET', (request, reply) => routes.look(request, reply)],
      ['HEAD', (request, reply) => routes.look(request, reply)],
      ['OPTIONS', (_request, reply) => allow(reply, 'session').headers({ 'accept-patch': FRAGMENT }).send()],
    ]),
  };
  const methods = (resource: Resource): string => [...answers[resource].keys()].join(', ');
  const allow = (reply: FastifyReply, resource: Resource): FastifyReply =>
    reply.headers({
      ...PREFLIGHT,
      allow: methods(resource),
      'access-control-allow-methods': methods(resource),
    });

  return async (app) => {
    app.addConstraintStrategy({
      name: 'signalling',
      storage: () => {
        const handlers = new Map();
        return {
          get: (resource) => handlers.get(resource) ?? null,
          set: (resource, handler) => handlers.set(resource, handler),
        };
      },
      deriveConstraint: ({ url = '' }) => resourceOf(findTarget(url)),
      validate: () => {},
    });
    app.removeAllContentTypeParsers();
    // types are checked before the body is read
    app.addContentTypeParser(
      '*',
      { parseAs: 'string', bodyLimit: MAX_BODY },
      async (_request: unknown, body: string) => body,
    );
    app.addHook('onRequest', async (request, reply) => {
      reply.headers(EVERY_ANSWER);
      const resource = resourceOf(targetOf(request))!;
      if (!answers[resource].has(request.method)) {
        reply.header('allow', methods(resource));
        throw new SignalRefusal('api/method', `Use ${methods(resource)} here.`, 405);
      }
      checkType(request);
    });
    app.setErrorHandler((error, request, reply) => {
      const refusal = httpRefusal(error, isAnonymous(request));
      if (refusal?.retryAfter !== undefined) reply.header('retry-after', refusal.retryAfter);
      if (refusal?.statusCode === 401) reply.header('www-authenticate', 'Bearer realm="castgate"');
      // the site makes the page
      throw refusal ?? error;
    });
    for (const resource of ['endpoint', 'session'] as const) {
      app.route({
        method: app.supportedMethods,
        url: '/*',
        constraints: { signalling: resource },
        handler: (request, reply) => answers[resource].get(request.method)!(request, reply),
      });
    }
  };
}

class WhipRoutes {
  readonly #endpoint: SignallingEndpoint;
  readonly #maxPending: number;
  #pending = 0;

  constructor(endpoint: SignallingEndpoint, maxPending: number) {
    this.#endpoint = endpoint;
    this.#maxPending = maxPending;
  }

  async offer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (this.#pending >= this.#maxPending) {
      throw new RefusedError('access/busy', 'Too many wait for an answer; try again in a moment.');
    }
    this.#pending++;
    try {
      const { door } = targetOf(request);
      const signal = signalOf(request);
      const offer = bodyOf(request);
      const { session, sdp } = await (door === 'whip'
        ? this.#endpoint.publish(signal, offer)
        : this.#endpoint.play(signal, offer));
      // nobody is left to read where the session is
      if (reply.raw.destroyed) session.hangUp();
      const { iceLinks } = this.#endpoint;
      if (iceLinks.length > 0) reply.header('link', iceLinks);
      return reply
        .code(201)
        .headers({
          location: sessionPath(door, signal.app, signal.stream, session.id),
          etag: session.etag,
          'accept-patch': FRAGMENT,
        })
        .type(SDP)
        .send(Buffer.from(sdp));
    } finally {
      this.#pending--;
    }
  }

  /** A candidate, or a restart of ICE. A lone `*` says nothing of which; the credentials in the fragment do. */
  patch(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const session = this.#session(request);
    const fragment = bodyOf(request);
    const match = request.headers['if-match'];
    if (match !== undefined && !matches(match, session.etag)) {
      throw new RefusedError('webrtc/etag', 'The session has another entity tag by now.');
    }
    if (fragment.trim() === '') return reply.code(204).send();
    if (match === undefined && session.restarts(fragment)) {
      throw new RefusedError('webrtc/if-match', 'A restart of ICE needs If-Match: * or the entity tag.');
    }
    const answer = session.patch(fragment, match === '*');
    if (answer === undefined) return reply.code(204).send();
    return reply.code(200).header('etag', session.etag).type(FRAGMENT).send(Buffer.from(answer));
  }

  remove(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    this.#session(request).hangUp();
    return reply.code(200).send();
  }

  /** Is the session still there? If not, the problem says what became of it. */
  look(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    this.#session(request);
    return reply.code(204).send();
  }

  /** Whoever lacks a part of what the session was made with learns nothing of it. */
  #session(request: FastifyRequest): SignalSession {
    const session = this.#endpoint.session(targetOf(request).id!);
    if (session?.belongsTo(signalOf(request)) !== true) {
      throw new RefusedError('webrtc/session', 'There is no such session.');
    }
    if (session.open) return session;
    const { code, reason } = session.lastWords ?? { code: 'webrtc/session', reason: 'The session has ended.' };
    throw new SignalRefusal(code, reason, 404);
  }
}

/** For clients that look where they are before they offer. Nobody learns whether the stream is there. */
function discover(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return targetOf(request).door === 'whep' ? reply.code(200).type(SDP).send() : reply.code(204).send();
}

function resourceOf(target: WhipTarget | undefined): Resource | undefined {
  return target && (target.id === undefined ? 'endpoint' : 'session');
}

/** The router lets nothing else through. */
function targetOf(request: FastifyRequest): WhipTarget {
  return findTarget(request.raw.url!)!;
}

function signalOf(request: FastifyRequest): SignalRequest {
  const target = targetOf(request);
  return {
    ...targetNames(target),
    query: target.query,
    ip: plainIp(request.socket.remoteAddress),
    token: tokenOf(request),
    door: target.door,
    userAgent: request.headers['user-agent'],
  };
}

/** Of other kinds of credentials none are taken. */
function tokenOf({ headers }: FastifyRequest): string | undefined {
  const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (token !== undefined && token.length > MAX_KEY_LENGTH)
    throw new RefusedError('access/name', 'The token is too long.');
  return token;
}

function isAnonymous(request: FastifyRequest): boolean {
  return request.headers.authorization === undefined && !readStreamQuery(targetOf(request).query).get('key');
}

function checkType({ method, headers }: FastifyRequest): void {
  const wanted = BODY_TYPE.get(method);
  const type = headers['content-type']?.replace(/;.*/s, '').trim().toLowerCase();
  const empty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  if (wanted === undefined || type === wanted || (type === undefined && empty)) return;
  throw new SignalRefusal('api/media-type', `The body must be of type ${wanted}.`, 415);
}

function bodyOf({ body }: FastifyRequest): string {
  return typeof body === 'string' ? body : '';
}

/** RFC 9110 13.1.1, by strong comparison. */
function matches(header: string, etag: string): boolean {
  return header.split(',').some((each) => each.trim() === '*' || each.trim() === etag);
}
