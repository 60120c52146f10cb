/**
 * The door for operators: metrics, health and control. On loopback unless a token guards it.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { listenAddress } from '../base/listen-address.ts';
import { AdminAccess } from './access.ts';
import { type AdminDeps, addAdminRoutes } from './admin-routes.ts';
import { HTTP_LIMITS, type HttpLimits, HttpListener } from './listener.ts';
import type { AdminOptions } from './options.ts';

const ADMIN_LIMITS: HttpLimits = { ...HTTP_LIMITS, maxConnections: 100 };

export class AdminServer {
  readonly server: Server;
  /** For tests, by `inject`. */
  readonly app: FastifyInstance;
  readonly #listener: HttpListener;

  /** `options.listen` is not empty. Throws `RefusedError` where it is not loopback and no token is set. */
  constructor(options: AdminOptions, deps: AdminDeps, limits: Partial<HttpLimits> = {}) {
    const address = listenAddress('admin.listen', options.listen);
    const access = new AdminAccess(options, address);
    this.#listener = new HttpListener({
      address,
      setting: 'admin.listen',
      limits: { ...ADMIN_LIMITS, ...limits },
      log: deps.log,
    });
    this.app = this.#listener.app;
    this.server = this.#listener.server;
    this.app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store').header('cross-origin-resource-policy', 'same-origin');
      access.checkOrigin(request.headers, request.socket.localAddress);
      if (request.routeOptions.config.open !== true) access.checkToken(request.headers);
    });
    addAdminRoutes(this.app, deps);
  }

  /** Where it listens now. Throws `RefusedError` when the port cannot be had. */
  async listen(): Promise<AddressInfo | undefined> {
    return (await this.#listener.listen()).plain;
  }

  close(): Promise<void> {
    return this.#listener.close();
  }
}
