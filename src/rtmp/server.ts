/**
 * The listeners. Port 1935 tells by the first byte who calls: RTMP, TLS with RTMP inside, or HTTP, which is handed to its own door.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Timer } from '../base/clock.ts';
import { type ListenAddress, listenAddress, listenRefusal } from '../base/listen-address.ts';
import type { Transport as Door, Traffic } from '../session/session.ts';
import { openTransport } from './open-transport.ts';
import { RtmpPeer } from './peer.ts';
import { plainIp } from './plain-ip.ts';
import { countClosed, type RtmpWorld } from './world.ts';

/** Certificate chain and private key, PEM. */
export interface TlsPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Where it listens now; undefined: off. */
export interface RtmpAddresses {
  readonly rtmp: ListenAddress | undefined;
  readonly rtmps: ListenAddress | undefined;
}

/** Where connections go that are not RTMP. */
export interface Neighbours {
  /** Takes a connection whose first bytes are unread. Undefined: closed at once. */
  readonly http?: ((socket: Socket) => void) | undefined;
}

/** RTMP 5.2.2: version 3. 6 and 8 are RTMPE, which gets its refusal from the engine. */
const RTMP_FIRST_BYTES = new Set([3, 6, 8, 9]);
/** TLS record type handshake. */
const TLS_FIRST_BYTE = 0x16;
const CHECK_MILLIS = 1_000;
/** Connections the kernel may keep before they are accepted. */
const BACKLOG = 4_096;

export class RtmpServer {
  readonly #world: RtmpWorld;
  readonly #neighbours: Neighbours;
  readonly #peers = new Set<RtmpPeer>();
  readonly #perIp = new Map<string, number>();
  /** Connections that have not shown what they are, and when they came. */
  readonly #strangers = new Map<Socket, number>();
  readonly #listeners: Server[] = [];
  #tls: TlsServer | undefined;
  #checks: Timer | undefined;

  constructor(world: RtmpWorld, neighbours: Neighbours = {}) {
    this.#world = world;
    this.#neighbours = neighbours;
  }

  /** Opens what is configured and answers the addresses. Throws `RefusedError` `server/listen` when a port is taken. */
  async start(tls?: TlsPair): Promise<RtmpAddresses> {
    const { options, clock } = this.#world;
    if (tls !== undefined) this.setTls(tls);
    this.#checks = clock.every(CHECK_MILLIS, () => this.#check());
    const rtmps = (socket: Socket) => this.#tlsOr(socket, () => socket.destroy());
    return {
      rtmp: await this.#listen(options.listen, 'rtmp.listen', (socket) => this.#sniff(socket, 'rtmp')),
      rtmps: await this.#listen(options.tlsListen, 'rtmp.tlsListen', rtmps),
    };
  }

  /** Takes new certificates; connections that are open keep theirs. Throws when they are unusable, and keeps the old ones. */
  setTls(pair: TlsPair): void {
    if (this.#tls !== undefined) {
      this.#tls.setSecureContext({ ...pair });
      return;
    }
    const tls = createTlsServer({ ...pair, handshakeTimeout: this.#world.options.handshakeTimeout, ALPNProtocols: [] });
    tls.on('secureConnection', (socket) => this.#sniff(socket, 'rtmps'));
    tls.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#tls = tls;
  }

  get open(): number {
    return this.#peers.size;
  }

  /** Bytes since the start. */
  traffic(): Traffic {
    const { counts } = this.#world;
    const sum = { received: counts.bytesReceived, sent: counts.bytesSent };
    for (const peer of this.#peers) {
      sum.received += peer.transport.bytesRead;
      sum.sent += peer.transport.bytesWritten;
    }
    return sum;
  }

  /** Lets nobody in any more; those inside stay. */
  close(): void {
    for (const server of this.#listeners) server.close();
    this.#listeners.length = 0;
    for (const socket of this.#strangers.keys()) socket.destroy();
  }

  /**
   * Tells everybody inside to go. They are gone when `open` is 0; a second later at the most. Publishers last: the end of what they
   * watch makes viewers leave before they have read why.
   */
  dismiss(reason: string): void {
    const publishers: RtmpPeer[] = [];
    for (const peer of [...this.#peers]) {
      if (peer.publishing) publishers.push(peer);
      else peer.drain(reason);
    }
    for (const peer of publishers) peer.drain(reason);
  }

  /** Ends the checks; for the very end. */
  stop(): void {
    this.#checks?.cancel();
    this.#tls?.close();
  }

  async #listen(listen: string, key: string, accept: (socket: Socket) => void): Promise<ListenAddress | undefined> {
    if (listen === '') return undefined;
    const address = listenAddress(key, listen);
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#admit(socket, accept));
    server.maxConnections = this.#world.options.maxConnections;
    this.#listeners.push(server);
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => reject(listenRefusal(key, address, error));
      server.once('error', fail);
      const host = address.host === '' ? {} : { host: address.host };
      server.listen({ port: address.port, ...host, backlog: BACKLOG }, () => {
        server.off('error', fail);
        server.on('error', (error) => this.#world.log.warn({ code: 'server/listen', err: error }, 'cannot accept'));
        const bound = server.address();
        resolve(bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : address);
      });
    });
  }

  /** One address has so many connections, whatever they turn out to be. */
  #admit(socket: Socket, accept: (socket: Socket) => void): void {
    const ip = plainIp(socket.remoteAddress);
    const count = this.#perIp.get(ip) ?? 0;
    if (count >= this.#world.options.maxConnectionsPerIp) {
      countClosed(this.#world.counts, 'access/busy');
      socket.destroy();
      return;
    }
    this.#perIp.set(ip, count + 1);
    socket.once('close', () => {
      const left = this.#perIp.get(ip)! - 1;
      if (left === 0) this.#perIp.delete(ip);
      else this.#perIp.set(ip, left);
    });
    accept(socket);
  }

  /** Looks at the first byte and hands the connection on. Who sends nothing is closed by the handshake deadline. */
  #sniff(socket: Socket, door: Door): void {
    this.#strangers.set(socket, this.#world.clock.now());
    const forget = () => this.#strangers.delete(socket);
    const gone = () => {
      forget();
      socket.destroy();
    };
    socket.on('error', gone);
    socket.on('close', gone);
    socket.on('end', gone);
    socket.once('data', (first: Buffer) => {
      forget();
      socket.pause();
      socket.off('close', gone);
      socket.off('end', gone);
      if (RTMP_FIRST_BYTES.has(first[0]!)) this.#rtmp(socket, door, first);
      else if (first[0] === TLS_FIRST_BYTE && door === 'rtmp') this.#tlsOr(socket, () => socket.destroy(), first);
      else if (isHttp(first) && this.#neighbours.http !== undefined) {
        socket.off('error', gone);
        socket.unshift(first);
        this.#neighbours.http(socket);
        // it was paused to be looked at; nobody else knows
        socket.resume();
      } else this.#rtmp(socket, door, first);
    });
    socket.resume();
  }

  #tlsOr(socket: Socket, otherwise: () => void, first?: Buffer): void {
    if (this.#tls === undefined) {
      otherwise();
      return;
    }
    if (first !== undefined) socket.unshift(first);
    this.#tls.emit('connection', socket);
  }

  #rtmp(socket: Socket, door: Door, first: Buffer): void {
    const ip = plainIp(socket.remoteAddress);
    const { counts } = this.#world;
    counts.accepted += 1;
    counts.open += 1;
    const peer = new RtmpPeer(
      this.#world,
      { door, ip },
      (events) => openTransport(socket, events),
      () => {
        counts.open -= 1;
        this.#peers.delete(peer);
      },
    );
    this.#peers.add(peer);
    peer.received(first);
  }

  #check(): void {
    const now = this.#world.clock.now();
    for (const [socket, since] of this.#strangers) {
      if (now - since <= this.#world.options.handshakeTimeout) continue;
      countClosed(this.#world.counts, 'rtmp/timeout');
      socket.destroy();
    }
    for (const peer of this.#peers) peer.check();
  }
}

/** HTTP request lines begin with an upper-case method; no RTMP version does. */
function isHttp(first: Buffer): boolean {
  return first[0]! >= 0x41 && first[0]! <= 0x5a;
}
