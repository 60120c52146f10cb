/**
 * The listeners. Port 1935 tells by the first byte who calls: RTMP, TLS with RTMP inside, or HTTP, which is handed to its own door.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Millis, Timer } from '../base/clock.ts';
import { type ListenAddress, listenAddress, listenRefusal } from '../base/listen-address.ts';
import { networkOf, plainIp } from '../base/plain-ip.ts';
import type { Transport as Door, Traffic } from '../session/session.ts';
import { openTransport } from './open-transport.ts';
import { type PeerAddress, RtmpPeer } from './peer.ts';
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

/** TLS record type handshake. */
const TLS_FIRST_BYTE = 0x16;
/** Each peer is checked about once a second, a share of them in each beat: thousands at once would hold all others up. */
const BEAT_MILLIS = 50;
const BEATS = 20;
/** Connections the kernel may keep before they are accepted. */
const BACKLOG = 4_096;

export class RtmpServer {
  readonly #world: RtmpWorld;
  readonly #neighbours: Neighbours;
  readonly #peers = new Set<RtmpPeer>();
  /** By what `networkOf` makes of the address. */
  readonly #perIp = new Map<string, number>();
  /** Connections that have not shown what they are, those that set up TLS included, and when they came. */
  readonly #strangers = new Map<Socket, Millis>();
  /** Those that set up TLS, by their other end. */
  readonly #encrypting = new Map<string, Socket>();
  #connections = 0;
  /** Connections refused since the log last spoke of them. */
  #refused = 0;
  readonly #listeners: Server[] = [];
  #tls: TlsServer | undefined;
  #checks: Timer | undefined;
  #beat = 0;
  #round: Iterator<RtmpPeer> = this.#peers.values();
  #share = 0;

  constructor(world: RtmpWorld, neighbours: Neighbours = {}) {
    this.#world = world;
    this.#neighbours = neighbours;
  }

  /** Opens what is configured and answers the addresses. Throws `RefusedError` `server/listen` when a port is taken. */
  async start(tls?: TlsPair): Promise<RtmpAddresses> {
    const { options, clock } = this.#world;
    if (tls !== undefined) this.setTls(tls);
    this.#checks = clock.every(BEAT_MILLIS, () => this.#check());
    return {
      rtmp: await this.#listen(options.listen, 'rtmp.listen', (socket) => this.#sniff(socket, 'rtmp', clock.now())),
      rtmps: await this.#listen(options.tlsListen, 'rtmp.tlsListen', (socket) => this.#encrypt(socket, clock.now())),
    };
  }

  /** Takes new certificates; connections that are open keep theirs. Throws when they are unusable, and keeps the old ones. */
  setTls(pair: TlsPair): void {
    if (this.#tls !== undefined) {
      this.#tls.setSecureContext({ ...pair });
      return;
    }
    const tls = createTlsServer({ ...pair, handshakeTimeout: this.#world.options.handshakeTimeout, ALPNProtocols: [] });
    tls.on('secureConnection', (socket) => this.#encrypted(socket));
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

  /** There are so many connections in all, and from one address, whatever they turn out to be. */
  #admit(socket: Socket, accept: (socket: Socket) => void): void {
    const { maxConnections, maxConnectionsPerIp } = this.#world.options;
    const network = networkOf(plainIp(socket.remoteAddress));
    const count = this.#perIp.get(network) ?? 0;
    if (this.#connections >= maxConnections || count >= maxConnectionsPerIp) {
      countClosed(this.#world.counts, 'access/busy');
      this.#refused += 1;
      socket.destroy();
      return;
    }
    this.#connections += 1;
    this.#perIp.set(network, count + 1);
    socket.once('close', () => {
      this.#connections -= 1;
      const left = this.#perIp.get(network)! - 1;
      if (left === 0) this.#perIp.delete(network);
      else this.#perIp.set(network, left);
    });
    accept(socket);
  }

  /** Looks at the first byte and hands the connection on. Who sends nothing is closed by the handshake deadline. */
  #sniff(socket: Socket, door: Door, openedAt: Millis): void {
    const gone = this.#stranger(socket, openedAt);
    socket.on('end', gone);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.off('end', gone);
      if (first[0] === TLS_FIRST_BYTE && door === 'rtmp') {
        socket.unshift(first);
        this.#encrypt(socket, openedAt);
        return;
      }
      this.#strangers.delete(socket);
      socket.off('close', gone);
      if (isHttp(first) && this.#neighbours.http !== undefined) {
        socket.off('error', gone);
        socket.unshift(first);
        this.#neighbours.http(socket);
        // it was paused to be looked at; nobody else knows
        socket.resume();
      } else this.#rtmp(socket, { door, openedAt, ip: plainIp(socket.remoteAddress) }, first);
    });
    socket.resume();
  }

  /** Puts it under the handshake deadline; answers what ends it. */
  #stranger(socket: Socket, openedAt: Millis): () => void {
    this.#strangers.set(socket, openedAt);
    const gone = () => {
      this.#strangers.delete(socket);
      socket.destroy();
    };
    socket.on('error', gone);
    socket.on('close', gone);
    return gone;
  }

  /** TLS is set up under the deadline that runs since `openedAt`, and what is inside is under it too. */
  #encrypt(socket: Socket, openedAt: Millis): void {
    if (this.#tls === undefined) {
      countClosed(this.#world.counts, 'server/tls');
      this.#world.log.info(
        { code: 'server/tls', ip: plainIp(socket.remoteAddress) },
        'RTMPS needs tls.cert and tls.key',
      );
      socket.destroy();
      return;
    }
    const name = otherEnd(socket);
    if (!this.#strangers.has(socket)) this.#stranger(socket, openedAt);
    this.#encrypting.set(name, socket);
    socket.once('close', () => this.#encrypting.delete(name));
    this.#tls.emit('connection', socket);
  }

  #encrypted(socket: TLSSocket): void {
    const raw = this.#encrypting.get(otherEnd(socket));
    const openedAt = raw && this.#strangers.get(raw);
    if (raw === undefined || openedAt === undefined) {
      socket.destroy();
      return;
    }
    this.#strangers.delete(raw);
    this.#sniff(socket, 'rtmps', openedAt);
  }

  #rtmp(socket: Socket, address: PeerAddress, first: Buffer): void {
    const { counts } = this.#world;
    counts.accepted += 1;
    counts.open += 1;
    const peer = new RtmpPeer(
      this.#world,
      address,
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
    this.#beat = (this.#beat + 1) % BEATS;
    if (this.#beat === 0) {
      this.#checkStrangers();
      this.#reportRefused();
      this.#round = this.#peers.values();
      this.#share = Math.ceil(this.#peers.size / BEATS);
    }
    for (let left = this.#share; left > 0; left--) {
      const next = this.#round.next();
      if (next.done === true) return;
      next.value.check();
    }
  }

  #checkStrangers(): void {
    const { clock, counts, options } = this.#world;
    const now = clock.now();
    for (const [socket, since] of this.#strangers) {
      if (now - since <= options.handshakeTimeout) continue;
      countClosed(counts, 'rtmp/timeout');
      this.#strangers.delete(socket);
      socket.destroy();
    }
  }

  /** A flood of connections must not become a flood of lines. */
  #reportRefused(): void {
    if (this.#refused === 0) return;
    const fields = { code: 'access/busy', refused: this.#refused, open: this.#connections };
    this.#world.log.warn(fields, 'connections were refused: there are too many, in all or from one address');
    this.#refused = 0;
  }
}

function otherEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** HTTP request lines begin with an upper-case method; no RTMP version does. */
function isHttp(first: Buffer): boolean {
  return first[0]! >= 0x41 && first[0]! <= 0x5a;
}
