/**
 * ICE over TCP (RFC 6544), the passive side: one port for all sessions, for clients whose networks let no UDP through.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Millis } from '../base/clock.ts';
import { PeerError } from '../base/errors.ts';
import { type ListenAddress, listenAddress, listenRefusal } from '../base/listen-address.ts';
import type { Logger } from '../base/log.ts';
import { networkOf, plainIp } from '../base/plain-ip.ts';
import { IceFrameReader, iceFrame } from './ice-frames.ts';
import { countDropped, type MediaPortCounts, type Receive, type Remote, type RemoteOwner } from './ice-remote.ts';
import { PATH_QUEUE_MARK } from './path.ts';

/** From the connection to the first valid check. */
const CHECK_DEADLINE: Millis = 10_000;
/** What waits takes this long to move by a byte: the client reads no more. */
const STALL_LIMIT: Millis = 10_000;
/** A connection of which the session has ended has so long to take what waits. */
const DRAIN_LIMIT: Millis = 2_000;
/** Above the mark there is room for what was begun below it: a batch of each track, reports and repeats. Only those who ask too much lose. */
const MAX_QUEUE_BYTES = PATH_QUEUE_MARK + (64 << 10);
/** Connections the kernel may keep before they are accepted. */
const BACKLOG = 1_024;

export interface TcpSetup {
  /** As configured, not empty. */
  readonly listen: string;
  readonly receive: Receive;
  readonly now: () => Millis;
  readonly counts: MediaPortCounts;
  readonly log: Logger;
  /** In all, and from one address as `networkOf` has it. */
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
}

export class TcpPort {
  /** Where it listens; the host is empty for all addresses, `0.0.0.0` when the machine has no IPv6. */
  readonly address: ListenAddress;
  readonly #server: Server;
  readonly #setup: TcpSetup;
  readonly #connections = new Set<TcpConnection>();
  readonly #perNetwork = new Map<string, number>();

  /** Throws `RefusedError` `server/listen` when the port cannot be had. */
  static open(setup: TcpSetup): Promise<TcpPort> {
    const wanted = listenAddress('webrtc.tcpListen', setup.listen);
    const server = createServer({ noDelay: true });
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(listenRefusal('webrtc.tcpListen', wanted, error));
      server.once('error', fail);
      const host = wanted.host === '' ? {} : { host: wanted.host, ipv6Only: wanted.host === '::' };
      server.listen({ port: wanted.port, ...host, backlog: BACKLOG }, () => {
        server.off('error', fail);
        resolve(new TcpPort(server, wanted, setup));
      });
    });
  }

  private constructor(server: Server, wanted: ListenAddress, setup: TcpSetup) {
    this.#server = server;
    this.#setup = setup;
    const bound = server.address();
    const { address, port } = typeof bound === 'object' && bound !== null ? bound : { address: '', port: wanted.port };
    this.address = { host: wanted.host === '' && address === '::' ? '' : address, port };
    server.on('connection', (socket) => this.#admit(socket));
    server.on('error', (error) => setup.log.warn({ code: 'server/listen', err: error }, 'cannot accept'));
  }

  /** Cuts those that are late or stuck. Each second or so. */
  sweep(now: Millis): void {
    for (const connection of this.#connections) connection.sweep(now);
  }

  close(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.close();
  }

  #admit(socket: Socket): void {
    const { maxConnections, maxConnectionsPerIp, counts } = this.#setup;
    const { remoteAddress, remotePort } = socket;
    const ip = plainIp(remoteAddress);
    const network = networkOf(ip);
    const ofThisNetwork = this.#perNetwork.get(network) ?? 0;
    if (remotePort === undefined || this.#connections.size >= maxConnections || ofThisNetwork >= maxConnectionsPerIp) {
      counts.cut += 1;
      socket.destroy();
      return;
    }
    const connection = new TcpConnection(socket, ip, remotePort, this.#setup);
    this.#connections.add(connection);
    this.#perNetwork.set(network, ofThisNetwork + 1);
    counts.connections += 1;
    socket.once('close', () => {
      counts.connections -= 1;
      this.#connections.delete(connection);
      const left = this.#perNetwork.get(network)! - 1;
      if (left === 0) this.#perNetwork.delete(network);
      else this.#perNetwork.set(network, left);
    });
  }
}

class TcpConnection implements Remote {
  readonly protocol = 'tcp';
  readonly ip: string;
  readonly port: number;
  owner: RemoteOwner | undefined;
  checkedAt: Millis = 0;
  readonly #socket: Socket;
  readonly #setup: TcpSetup;
  readonly #reader = new IceFrameReader();
  readonly #openedAt: Millis;
  #forgottenAt: Millis | undefined;
  /** When the queue was seen to move last, and whether it has since. */
  #movedAt: Millis;
  #moved = false;
  #corked = false;

  constructor(socket: Socket, ip: string, port: number, setup: TcpSetup) {
    this.#socket = socket;
    this.#setup = setup;
    this.ip = ip;
    this.port = port;
    this.#openedAt = setup.now();
    this.#movedAt = this.#openedAt;
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.owner?.gone(this));
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Uint8Array, offset: number, length: number): void {
    const { counts } = this.#setup;
    if (!this.#socket.writable) return;
    if (this.#socket.writableLength + length > MAX_QUEUE_BYTES) {
      countDropped(counts, 'queue-full');
      return;
    }
    if (!this.#corked) {
      // what is sent in one go leaves in one write
      this.#corked = true;
      this.#socket.cork();
      queueMicrotask(this.#uncork);
    }
    this.#socket.write(iceFrame(bytes, offset, length), this.#wrote);
    counts.sent += 1;
    counts.sentBytes += length;
  }

  keep(): void {}

  /** What waits is sent first: its last bytes say why it ends. */
  forget(): void {
    this.#forgottenAt ??= this.#setup.now();
    this.#socket.destroySoon();
  }

  /** At once; what the system takes without waiting still leaves. */
  close(): void {
    this.forget();
    this.#socket.destroy();
  }

  sweep(now: Millis): void {
    if (this.#forgottenAt !== undefined) {
      if (now - this.#forgottenAt > DRAIN_LIMIT) this.#socket.destroy();
      return;
    }
    if (this.#moved || this.#socket.writableLength === 0) {
      this.#moved = false;
      this.#movedAt = now;
    }
    if (this.owner === undefined && now - this.#openedAt > CHECK_DEADLINE) this.#cut('no valid check in time');
    else if (now - this.#movedAt > STALL_LIMIT) this.#cut('reads no more');
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };

  readonly #wrote = (): void => {
    this.#moved = true;
  };

  #received(bytes: Buffer): void {
    const { counts, receive } = this.#setup;
    try {
      this.#reader.feed(bytes);
      for (;;) {
        const frame = this.#socket.writable ? this.#reader.next() : undefined;
        if (frame === undefined) return;
        counts.received += 1;
        counts.receivedBytes += frame.length;
        receive(frame, this);
      }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#cut(error.message);
    }
  }

  #cut(why: string): void {
    this.#setup.counts.cut += 1;
    this.#setup.log.info({ code: 'webrtc/ice-tcp', ip: this.ip, why }, 'a media connection over TCP was cut');
    this.#socket.destroy();
  }
}
