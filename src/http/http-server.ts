/**
 * The door for the public: a page that says what runs here and lets people use it, and what it is made of. Takes connections of its own, and those that another
 * port found to be HTTP.
 */
import type { Server } from 'node:http';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import { listenAddress } from '../base/listen-address.ts';
import type { Logger } from '../base/log.ts';
import {
  HTTP_LIMITS,
  type HttpAddresses,
  type HttpLimits,
  HttpListener,
  type TlsPair,
  type UpgradeDoor,
} from './listener.ts';
import type { LiveStreams } from './live-streams.ts';
import type { HttpOptions } from './options.ts';
import { SITE_POLICY, sitePage, type Visit } from './site-page.ts';
import { addStaticFiles } from './static-files.ts';
import type { Greeting } from './views.ts';

export interface SiteDeps {
  readonly log: Logger;
  /** Asked for each visitor. */
  readonly greeting: () => Greeting;
  /** Without it nothing is listed. */
  readonly streams?: LiveStreams;
}

export class SiteServer {
  /**
   * `emit('connection', socket)` hands over a connection on which another port saw HTTP: what was read is put back, nobody else
   * listens to it, and it is resumed afterwards.
   */
  readonly server: Server;
  /** For tests, by `inject`. */
  readonly app: FastifyInstance;
  readonly #listener: HttpListener;

  constructor(options: HttpOptions, { log, greeting, streams }: SiteDeps, limits: Partial<HttpLimits> = {}) {
    const address = options.listen === '' ? undefined : listenAddress('http.listen', options.listen);
    const setting = 'http.tlsListen';
    const tls = options.tlsListen === '' ? undefined : { address: listenAddress(setting, options.tlsListen), setting };
    this.#listener = new HttpListener({
      address,
      setting: 'http.listen',
      limits: { ...HTTP_LIMITS, ...limits },
      log,
      tls,
    });
    this.app = this.#listener.app;
    this.server = this.#listener.server;
    this.app.get('/', (request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', SITE_POLICY)
        .header('cache-control', 'no-store')
        .header('referrer-policy', 'no-referrer')
        .send(sitePage(greeting(), visitOf(request))),
    );
    addStaticFiles(this.app);
    if (streams !== undefined) {
      this.app.get('/streams.json', (_request, reply) =>
        reply
          .type('application/json')
          .header('cache-control', 'no-store')
          .header('access-control-allow-origin', '*')
          .send(streams.json()),
      );
    }
  }

  /** Adds the routes of another protocol that comes over HTTP; before `listen`. */
  register(routes: FastifyPluginAsync): void {
    this.app.register(routes);
  }

  /** Hands connections that ask for another protocol to `door`, if it wants them; once, before `listen`. */
  takeUpgrades(door: UpgradeDoor): void {
    this.#listener.takeUpgrades(door);
  }

  /** HTTPS needs a pair. Throws `RefusedError` when a port cannot be had. */
  listen(pair?: TlsPair): Promise<HttpAddresses> {
    return this.#listener.listen(pair);
  }

  /** New HTTPS connections use this pair. Throws, and keeps the old one, when key and certificate do not belong together. */
  setTls(pair: TlsPair): void {
    this.#listener.setTls(pair);
  }

  close(): Promise<void> {
    return this.#listener.close();
  }
}

function visitOf({ headers, socket }: FastifyRequest): Visit {
  return { host: headers.host, localAddress: socket.localAddress, secure: 'encrypted' in socket };
}
