/**
 * The UDP port of all sessions: one socket for IPv4 and one for IPv6, as far as the machine has them.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Millis } from '../base/clock.ts';
import { type ListenAddress, listenAddress, listenRefusal } from '../base/listen-address.ts';
import type { Logger } from '../base/log.ts';
import { plainIp } from '../base/plain-ip.ts';
import { countDropped, type MediaPortCounts, type Receive, type Remote, type RemoteOwner } from './ice-remote.ts';
import { UdpHandle } from './udp-handle.ts';

/** Room for what arrives or leaves while this process does something else; the system may give less. */
const SOCKET_BUFFER_BYTES = 4 << 20;
/** What may wait in this process when the system takes no more. */
const MAX_QUEUE_BYTES = 2 << 20;
/** To find one port that is free for both families, when the system may choose. */
const MAX_TRIES = 8;
/** Answers of a machine that has no IPv6. */
const NO_SUCH_FAMILY: ReadonlySet<unknown> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'EINVAL']);

export interface UdpSetup {
  /** As configured, not empty. */
  readonly listen: string;
  readonly receive: Receive;
  readonly counts: MediaPortCounts;
  readonly log: Logger;
  /** False: by public API alone. */
  readonly bare?: boolean;
}

/** Addresses of this machine, loopback included, without zones. */
export function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => plainIp(address)),
  );
}

export class UdpPort {
  /** Where it listens; the host is empty for all addresses, `0.0.0.0` when the machine has no IPv6. */
  readonly address: ListenAddress;
  readonly #sockets: readonly UdpSocket[];

  /** Throws `RefusedError` `server/listen` when the port cannot be had. */
  static async open(setup: UdpSetup): Promise<UdpPort> {
    const wanted = listenAddress('webrtc.listen', setup.listen);
    for (let tries = 1; ; tries++) {
      try {
        return new UdpPort(await openSockets(setup, wanted));
      } catch (error) {
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (wanted.port === 0 && taken && tries < MAX_TRIES) continue;
        throw listenRefusal('webrtc.listen', wanted, error as NodeJS.ErrnoException);
      }
    }
  }

  private constructor(sockets: readonly UdpSocket[]) {
    const { host, port } = sockets[0]!.address;
    this.#sockets = sockets;
    this.address = { host: sockets.length > 1 ? '' : host, port };
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

/** One for a given host, one for each family otherwise. */
async function openSockets(setup: UdpSetup, { host, port }: ListenAddress): Promise<readonly UdpSocket[]> {
  if (host !== '') return [await UdpSocket.open(setup, isIP(host) === 0 ? await addressOf(host) : host, port)];
  const four = await UdpSocket.open(setup, '0.0.0.0', port);
  try {
    return [four, await UdpSocket.open(setup, '::', four.address.port)];
  } catch (error) {
    if (NO_SUCH_FAMILY.has((error as NodeJS.ErrnoException).code)) return [four];
    four.close();
    throw error;
  }
}

/** What the system makes of a name that it is to listen on. */
async function addressOf(name: string): Promise<string> {
  const socket = createSocket('udp4');
  await bind(socket, name, 0);
  const { address } = socket.address();
  socket.close();
  return address;
}

/** Rejects with the system's error. */
function bind(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.close();
      reject(error);
    };
    socket.once('error', fail);
    socket.bind({ address: host, port }, () => {
      socket.off('error', fail);
      resolve();
    });
  });
}

class UdpSocket {
  readonly #socket: Socket;
  readonly #setup: UdpSetup;
  /** Undefined: by public API. */
  readonly #handle: UdpHandle | undefined;
  /** Addresses of sessions: by port, then by host, as one host may have many clients. */
  readonly #paths = new Map<number, Map<string, UdpPath>>();
  #closed = false;

  /** Rejects with the system's error. */
  static async open(setup: UdpSetup, ip: string, port: number): Promise<UdpSocket> {
    const family = isIP(ip) === 6 ? 6 : 4;
    const socket = createSocket({
      ...{ type: `udp${family}` as const, ipv6Only: family === 6 },
      // addresses need no looking up, and what is sent must have left on return
      lookup: ((address: string, _options: unknown, then: (error: null, address: string, family: number) => void) =>
        then(null, address, family)) as never,
    });
    await bind(socket, ip, port);
    return new UdpSocket(socket, setup, family === 6 ? '::1' : '127.0.0.1');
  }

  private constructor(socket: Socket, setup: UdpSetup, loopback: string) {
    this.#socket = socket;
    this.#setup = setup;
    socket.on('message', (bytes, from) => this.#received(bytes, from));
    socket.on('error', (error) => setup.log.warn({ code: 'server/listen', err: error }, 'the media port met an error'));
    growBuffers(socket);
    this.#handle = setup.bare === false ? undefined : UdpHandle.over(socket, loopback);
  }

  get address(): ListenAddress {
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  get waiting(): number {
    if (this.#closed) return 0;
    return this.#handle?.waiting ?? this.#socket.getSendQueueSize();
  }

  send(bytes: Uint8Array, offset: number, length: number, port: number, address: string): void {
    if (this.#closed) return;
    const { counts } = this.#setup;
    if (this.waiting + length > MAX_QUEUE_BYTES) countDropped(counts, 'queue-full');
    else if (!this.#hand(bytes, offset, length, port, address)) countDropped(counts, 'not-sent');
    else {
      counts.sent += 1;
      counts.sentBytes += length;
    }
  }

  keep(path: UdpPath): void {
    const { port, address } = path;
    const hosts = this.#paths.get(port);
    if (hosts === undefined) this.#paths.set(port, new Map([[address, path]]));
    else hosts.set(address, path);
  }

  forget({ port, address }: UdpPath): void {
    const hosts = this.#paths.get(port);
    hosts?.delete(address);
    if (hosts?.size === 0) this.#paths.delete(port);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#paths.clear();
    this.#socket.close();
  }

  /** False: the system refused it. */
  #hand(bytes: Uint8Array, offset: number, length: number, port: number, address: string): boolean {
    if (this.#handle !== undefined) return this.#handle.send(bytes, offset, length, port, address);
    this.#socket.send(Buffer.from(bytes.subarray(offset, offset + length)), port, address);
    return true;
  }

  #received(bytes: Buffer, { address, port }: RemoteInfo): void {
    const { counts, receive } = this.#setup;
    counts.received += 1;
    counts.receivedBytes += bytes.length;
    receive(bytes, this.#paths.get(port)?.get(address) ?? new UdpPath(this, address, port));
  }
}

/** One client's address on a socket. */
class UdpPath implements Remote {
  readonly protocol = 'udp';
  readonly ip: string;
  readonly port: number;
  /** As the system writes it, zone included. */
  readonly address: string;
  owner: RemoteOwner | undefined;
  checkedAt: Millis = 0;
  readonly #socket: UdpSocket;

  constructor(socket: UdpSocket, address: string, port: number) {
    this.#socket = socket;
    this.address = address;
    this.port = port;
    this.ip = plainIp(address);
  }

  get queuedBytes(): number {
    return this.#socket.waiting;
  }

  send(bytes: Uint8Array, offset: number, length: number): void {
    this.#socket.send(bytes, offset, length, this.port, this.address);
  }

  keep(): void {
    this.#socket.keep(this);
  }

  forget(): void {
    this.#socket.forget(this);
  }
}

function growBuffers(socket: Socket): void {
  for (const grow of [socket.setRecvBufferSize, socket.setSendBufferSize]) {
    try {
      grow.call(socket, SOCKET_BUFFER_BYTES);
    } catch {
      // the system's own sizes will do
    }
  }
}
