/**
 * WebSockets (RFC 6455) with every limit set: the one door of `ws`. Text in, text out; who is silent, too loud or does not read is
 * closed.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Clock, Millis, Timer } from '../base/clock.ts';
import { networkOf, plainIp } from '../base/plain-ip.ts';

/** The near end, for whoever talks on it. */
export interface SocketWriter {
  readonly ip: string;
  readonly userAgent: string | undefined;
  /** Nothing happens once it is closed. */
  send(text: string): void;
  /** A normal close; `reason` is cut to what a close frame holds. */
  close(reason: string): void;
}

/** Who talks on it. */
export interface SocketReader {
  /** May be said while an earlier message is still at work. */
  message(text: string): void;
  /** About once a second: why the socket should be closed, if it should. `idle`: since the last message. */
  check(idle: Millis): string | undefined;
  /** Once, whoever closed. */
  closed(): void;
}

export interface SocketLimits {
  readonly maxSockets: number;
  readonly maxSocketsPerIp: number;
  /** From the upgrade to the first message. */
  readonly firstMessage: Millis;
  /** How often the other side is asked whether it is there; it has as long to answer. */
  readonly pingInterval: Millis;
  /** Messages in one second, pings included. */
  readonly maxRate: number;
}

export const SOCKET_LIMITS: SocketLimits = {
  maxSockets: 5_000,
  maxSocketsPerIp: 500,
  firstMessage: 10_000,
  pingInterval: 20_000,
  maxRate: 50,
};

/** Bytes; an offer has a few thousand. */
const MAX_MESSAGE = 64 << 10;
/** Of a message. Each costs more than the byte that it may hold. */
const MAX_FRAGMENTS = 256;
/** That the network may bring one frame in; the same holds for them. */
const MAX_CHUNKS = 4_096;
/** Bytes that may wait for one who does not read. */
const MAX_WAITING = 1 << 20;
const CHECK: Millis = 1_000;
const GOODBYE: Millis = 1_000;
/** Bytes of UTF-8 that a close frame holds besides its code. */
const MAX_REASON = 123;
const NORMAL = 1000;
const GOING_AWAY = 1001;
const POLICY = 1008;

const REFUSED = 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

interface Entry {
  readonly socket: WebSocket;
  readonly network: string;
  readonly reader: SocketReader;
  readonly openedAt: Millis;
  messageAt: Millis | undefined;
  /** When it last showed that it is there. */
  heardAt: Millis;
  pingedAt: Millis;
  /** Messages and pings since the last check. */
  burst: number;
}

export class WebSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
    // it would answer without looking whether anybody reads
    autoPong: false,
    perMessageDeflate: false,
  });
  readonly #clock: Clock;
  readonly #limits: SocketLimits;
  readonly #timer: Timer;
  readonly #entries = new Set<Entry>();
  /** By what `networkOf` makes of the address. */
  readonly #perIp = new Map<string, number>();
  #closed = false;

  constructor(clock: Clock, limits: Partial<SocketLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...SOCKET_LIMITS, ...limits };
    this.#timer = clock.every(CHECK, () => this.#check());
  }

  /** Answers an upgrade request, in one way or the other. `open` is called when it has become a WebSocket. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, open: (writer: SocketWriter) => SocketReader): void {
    const ip = plainIp(request.socket.remoteAddress);
    const { maxSockets, maxSocketsPerIp } = this.#limits;
    if (this.#closed || this.#entries.size >= maxSockets || (this.#perIp.get(networkOf(ip)) ?? 0) >= maxSocketsPerIp) {
      socket.on('error', () => {});
      socket.end(REFUSED, () => socket.destroy());
      return;
    }
    const userAgent = request.headers['user-agent'];
    this.#server.handleUpgrade(request, socket, head, (upgraded) => this.#open(upgraded, ip, userAgent, open));
  }

  /** Closes all, and takes no more. Who does not say goodbye is cut off soon. */
  close(): void {
    this.#closed = true;
    this.#timer.cancel();
    for (const { socket } of this.#entries) socket.close(GOING_AWAY, 'The server is shutting down.');
    this.#clock.after(GOODBYE, () => {
      for (const { socket } of this.#entries) socket.terminate();
    });
  }

  #open(
    socket: WebSocket,
    ip: string,
    userAgent: string | undefined,
    open: (writer: SocketWriter) => SocketReader,
  ): void {
    const now = this.#clock.now();
    const reader = open({
      ip,
      userAgent,
      send: (text) => send(socket, text),
      close: (reason) => socket.close(NORMAL, cut(reason)),
    });
    const entry: Entry = {
      socket,
      network: networkOf(ip),
      reader,
      openedAt: now,
      messageAt: undefined,
      heardAt: now,
      pingedAt: now,
      burst: 0,
    };
    this.#entries.add(entry);
    this.#perIp.set(entry.network, (this.#perIp.get(entry.network) ?? 0) + 1);
    socket.on('message', (data) => this.#message(entry, data));
    socket.on('ping', (data: Buffer) => this.#ping(entry, data));
    socket.on('pong', () => {
      entry.heardAt = this.#clock.now();
    });
    // what breaks the protocol, or is too long, is closed by `ws` itself
    socket.on('error', () => {});
    socket.on('close', () => this.#gone(entry));
  }

  #message(entry: Entry, data: RawData): void {
    if (!this.#hears(entry)) return;
    entry.messageAt = this.#clock.now();
    entry.reader.message(data.toString());
  }

  #ping(entry: Entry, data: Buffer): void {
    const { socket } = entry;
    if (!this.#hears(entry)) return;
    if (socket.bufferedAmount > MAX_WAITING) socket.terminate();
    else socket.pong(data);
  }

  /** False: it has said too much already. Who goes on all the same is not waited for. */
  #hears(entry: Entry): boolean {
    const { socket } = entry;
    const { maxRate } = this.#limits;
    entry.burst += 1;
    if (entry.burst > 2 * maxRate) socket.terminate();
    else if (entry.burst > maxRate) socket.close(POLICY, 'Too many messages.');
    if (socket.readyState !== WebSocket.OPEN) return false;
    entry.heardAt = this.#clock.now();
    return true;
  }

  #gone(entry: Entry): void {
    this.#entries.delete(entry);
    const left = this.#perIp.get(entry.network)! - 1;
    if (left === 0) this.#perIp.delete(entry.network);
    else this.#perIp.set(entry.network, left);
    entry.reader.closed();
  }

  #check(): void {
    const now = this.#clock.now();
    const { firstMessage, pingInterval } = this.#limits;
    for (const entry of this.#entries) {
      const { socket, openedAt, messageAt, heardAt, pingedAt } = entry;
      entry.burst = 0;
      if (now - heardAt > 2 * pingInterval || (messageAt === undefined && now - openedAt > firstMessage)) {
        socket.terminate();
        continue;
      }
      const reason = entry.reader.check(now - (messageAt ?? openedAt));
      if (reason !== undefined) socket.close(NORMAL, cut(reason));
      else if (now - pingedAt >= pingInterval && socket.readyState === WebSocket.OPEN) {
        entry.pingedAt = now;
        socket.ping();
      }
    }
  }
}

function send(socket: WebSocket, text: string): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (socket.bufferedAmount > MAX_WAITING) socket.terminate();
  else socket.send(text);
}

/** Whole characters only. */
function cut(reason: string): string {
  let rest = reason.toWellFormed();
  while (Buffer.byteLength(rest) > MAX_REASON) rest = Array.from(rest).slice(0, -1).join('');
  return rest;
}
