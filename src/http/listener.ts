/**
 * An HTTP/1.1 server with every limit set, for the door that stands on it. Node's own defaults wait for minutes, look only every
 * half minute, and know no bound on bodies or connections.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import type { Millis } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import { type ListenAddress, listenRefusal } from '../base/listen-address.ts';
import type { Logger } from '../base/log.ts';
import { askPlainly } from './plain-request.ts';
import { answerWithProblems, loggedPath, PROBLEM_TYPE, problem, refuseConnection, refuseRequest } from './problem.ts';

export interface HttpLimits {
  /** From the connection, or from the first byte of a later request, to the end of the head. */
  readonly headersTimeout: Millis;
  /** The same to the end of the body. */
  readonly requestTimeout: Millis;
  /** How often both are looked at. */
  readonly checkInterval: Millis;
  /** Between two requests of a connection. */
  readonly keepAliveTimeout: Millis;
  /** A connection on which nothing moves, such as a reader who does not read. */
  readonly stallTimeout: Millis;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxBodyBytes: number;
  readonly maxRequestsPerSocket: number;
  /** Connections at once; more are closed as they come. Those handed over from another port are that port's to count. */
  readonly maxConnections: number;
}

export const HTTP_LIMITS: HttpLimits = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  checkInterval: 1_000,
  keepAliveTimeout: 5_000,
  stallTimeout: 30_000,
  maxHeaderBytes: 16 << 10,
  maxHeaders: 64,
  maxBodyBytes: 64 << 10,
  maxRequestsPerSocket: 1_000,
  maxConnections: 5_000,
};

/** PEM. */
export interface TlsPair {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface HttpListenerOptions {
  /** `undefined`: serves only connections that are handed to `server`. */
  readonly address: ListenAddress | undefined;
  /** Where `address` was set, for the words of a refusal. */
  readonly setting?: string;
  readonly limits: HttpLimits;
  readonly log: Logger;
  /** Where HTTPS is spoken, once there is a certificate. */
  readonly tls?: { readonly address: ListenAddress; readonly setting: string } | undefined;
}

/** Speaks another protocol on connections that begin as HTTP. */
export interface UpgradeDoor {
  wants(request: IncomingMessage): boolean;
  /** Takes the connection of a request that it wants; `head` is what came after it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Where it listens now. */
export interface HttpAddresses {
  readonly plain: AddressInfo | undefined;
  readonly tls: AddressInfo | undefined;
}

export class HttpListener {
  /** Routes and hooks are added to it before `listen`. */
  readonly app: FastifyInstance;
  /** Serves connections that came in elsewhere, too, by `emit('connection', socket)`. */
  readonly server: Server;
  readonly #options: HttpListenerOptions;
  #tls: TlsServer | undefined;
  #door: UpgradeDoor | undefined;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.app = createApp(options, (request) => this.#door?.wants(request) ?? false);
    this.server = this.app.server;
    this.server.maxConnections = options.limits.maxConnections;
    this.server.maxHeadersCount = options.limits.maxHeaders;
    // A descriptor shortage arrives here; Node accepts again by itself. A port that cannot be had is for `listen` to tell.
    this.server.on('error', (error) => {
      if (this.server.listening) options.log.warn({ code: 'server/listen', fault: error.message }, 'listener');
    });
  }

  /** One door, before `listen`. Requests that it does not want are answered as if they had not asked (RFC 9110 section 7.8). */
  takeUpgrades(door: UpgradeDoor): void {
    this.#door = door;
    this.server.on('upgrade', (request, socket, head) => {
      if (door.wants(request)) door.upgrade(request, socket, head);
      else askPlainly(this.server, request, socket, head);
    });
  }

  /** Throws `RefusedError` when a port cannot be had; HTTPS needs a pair. */
  async listen(pair?: TlsPair): Promise<HttpAddresses> {
    await this.app.ready();
    const { address, setting, tls } = this.#options;
    let plain: AddressInfo | undefined;
    if (address !== undefined) plain = await open(this.server, address, setting ?? 'listen');
    // Node starts its watch over slow senders on this event, and connections may still be handed over.
    else this.server.emit('listening');
    if (tls === undefined || pair === undefined) return { plain, tls: undefined };
    this.#tls = createTlsServer({ ...TLS, ...pair, handshakeTimeout: TLS_HANDSHAKE_TIMEOUT });
    this.#tls.maxConnections = this.#options.limits.maxConnections;
    this.#tls.on('secureConnection', (socket) => this.server.emit('connection', socket));
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy());
    return { plain, tls: await open(this.#tls, tls.address, tls.setting) };
  }

  /** New connections use this pair; those open keep theirs. Throws, and keeps the old one, when the two do not belong together. */
  setTls(pair: TlsPair): void {
    this.#tls?.setSecureContext({ ...TLS, ...pair });
  }

  /** Closes every connection, handed-over ones included, and the port. */
  async close(): Promise<void> {
    this.#tls?.close();
    this.server.close();
    this.server.closeAllConnections();
    await this.app.close();
  }
}

const TLS = { minVersion: 'TLSv1.2' } as const;
const TLS_HANDSHAKE_TIMEOUT: Millis = 10_000;

async function open(server: NetServer, address: ListenAddress, setting: string): Promise<AddressInfo> {
  const { host, port } = address;
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => reject(listenRefusal(setting, address, error));
    server.once('error', failed);
    // Without a host Node takes both IPv6 and IPv4, or IPv4 alone where there is no IPv6.
    server.listen(host === '' ? { port } : { host, port }, () => {
      server.off('error', failed);
      resolve();
    });
  });
  return server.address() as AddressInfo;
}

function createApp(
  { limits, log }: HttpListenerOptions,
  upgrades: (request: IncomingMessage) => boolean,
): FastifyInstance {
  const node = {
    // Not known before Node 22.21 and 24.9.
    shouldUpgradeCallback: upgrades,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    connectionsCheckingInterval: limits.checkInterval,
    keepAliveTimeout: limits.keepAliveTimeout,
    maxHeaderSize: limits.maxHeaderBytes,
    // Ours answers with a problem; Node's would be a bare status line.
    requireHostHeader: false,
  };
  const app = fastify({
    http: node,
    logger: false,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionTimeout: limits.stallTimeout,
    maxRequestsPerSocket: limits.maxRequestsPerSocket,
    bodyLimit: limits.maxBodyBytes,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    ajv: { customOptions: { removeAdditional: false, allErrors: false } },
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, log),
    frameworkErrors: (error, _request, reply) => {
      const status = error.statusCode ?? 400;
      refuseRequest(reply, problem('api/request', 'The path cannot be read.', status), log);
    },
  }) as unknown as FastifyInstance;

  app.server.on('checkExpectation', (_request, response) => {
    response.statusCode = 417;
    response.setHeader('content-type', PROBLEM_TYPE).setHeader('connection', 'close');
    response.end(JSON.stringify(problem('api/request', 'Only Expect: 100-continue is understood.', 417)));
  });
  app.addHook('onRequest', async (request, reply) => {
    if (hasBody(request) && (request.method === 'GET' || request.method === 'HEAD')) {
      // Nothing reads such a body, so its rest must not flow on after the answer.
      reply.header('connection', 'close');
      if (Number(request.headers['content-length']) > limits.maxBodyBytes) {
        throw new RefusedError('api/too-large', 'The body is too large.');
      }
    }
    const hosts = countHosts(request.raw.rawHeaders);
    if (hosts > 1 || (hosts === 0 && request.raw.httpVersion === '1.1')) {
      throw new RefusedError('api/request', 'HTTP/1.1 wants exactly one Host header.');
    }
  });
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    if (!request.raw.complete && hasBody(request)) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, ip } = request;
    log.debug({ method, path: loggedPath(url), status: reply.statusCode, millis: reply.elapsedTime, ip }, 'answered');
  });
  answerWithProblems(app, log);
  return app;
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** How often Host was sent. `headers` would show the first alone. */
function countHosts(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length;
}
