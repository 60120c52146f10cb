/**
 * The one door to the web sites: a GET or a form POST with an absolute deadline and a bounded body. It follows no redirect,
 * unpacks no compression, sends no cookie and no forwarding header, and never throws: whatever happens is an answer in words.
 */
import { lookup } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Clock, Millis } from '../base/clock.ts';
import { sharedLookup } from './shared-lookup.ts';
import { type Endpoint, fault, faultOf, readEndpoint, redirectFault, statusFault, type WebFault } from './web-fault.ts';

export type Hook = 'webLogin' | 'webLogout' | 'webStatus';

export interface WebRequest {
  readonly hook: Hook;
  /** Absolute; its query may hold keys and never appears in an answer. */
  readonly url: string;
  /** A form-encoded body makes it a POST. */
  readonly form?: Buffer;
  /** From now to the last byte of the answer. */
  readonly deadline: Millis;
  /** Bytes of the answer's body, at most. */
  readonly maxBody: number;
}

/** `ok`: HTTP 200 and the whole body. */
export type WebAnswer = { readonly ok: true; readonly body: Buffer } | WebFault;

export interface WebClient {
  /** Never rejects. */
  send(request: WebRequest): Promise<WebAnswer>;
  /** Breaks off whatever is open; later requests are answered with a fault. */
  close(): void;
}

/** How the requests of one site travel. */
export interface WebRoute {
  /** `ip` or `ip:port` to connect to, while URL, Host header and TLS name stay; empty: where the name leads. */
  readonly connectTo: string;
  /** The local address to leave from; empty: the system's choice. */
  readonly localAddress: string;
}

/** A backstop; how many requests are open is bounded by those who ask, so that none waits here behind another. */
const MAX_SOCKETS = 1_024;
const MAX_IDLE_SOCKETS = 8;
/** A connection unused this long is closed. */
const IDLE_MILLIS = 15_000;

/** Of all clients: what it shares is the system's. */
const systemLookup = sharedLookup(lookup);

/** After these the pinned address family leads nowhere any more and may be chosen anew. */
const FAMILY_GONE = new Set([
  'ENOTFOUND',
  'EADDRNOTAVAIL',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EAFNOSUPPORT',
  'ECONNREFUSED',
  'ETIMEDOUT',
]);

export class NodeWebClient implements WebClient {
  readonly #clock: Clock;
  readonly #localAddress: string;
  readonly #lookUp: LookupFunction;
  readonly #endpoint: Endpoint | undefined;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  /** Host to the address family of its first connection: a site that knows us by address must always see the same. */
  readonly #family = new Map<string, 4 | 6>();
  readonly #open = new Set<(answer: WebAnswer) => void>();
  #closed = false;

  /** Throws `RangeError` when `connectTo` is not `ip` or `ip:port`. */
  constructor(route: WebRoute, clock: Clock, lookUp: LookupFunction = systemLookup) {
    this.#clock = clock;
    this.#lookUp = lookUp;
    this.#localAddress = route.localAddress;
    this.#endpoint = route.connectTo === '' ? undefined : readEndpoint(route.connectTo);
    const options = {
      keepAlive: true,
      maxSockets: MAX_SOCKETS,
      maxFreeSockets: MAX_IDLE_SOCKETS,
      timeout: IDLE_MILLIS,
    };
    this.#http = new HttpAgent(options);
    this.#https = new HttpsAgent(options);
  }

  send(request: WebRequest): Promise<WebAnswer> {
    let url: URL;
    try {
      url = new URL(request.url);
    } catch {
      return Promise.resolve(fault('web/unreachable', 'the configured address is not a URL'));
    }
    if (this.#closed) return Promise.resolve(fault('web/unreachable', 'castgate is shutting down'));
    return new Promise((resolve) => {
      const exchange = new Exchange(request, url, (answer) => {
        deadline.cancel();
        this.#open.delete(abort);
        if (!answer.ok && FAMILY_GONE.has(answer.cause ?? '')) this.#family.delete(url.hostname);
        resolve(answer);
      });
      const abort = (answer: WebAnswer) => exchange.settle(answer);
      const deadline = this.#clock.after(request.deadline, () => exchange.expire());
      this.#open.add(abort);
      this.#start(exchange);
    });
  }

  close(): void {
    this.#closed = true;
    for (const abort of [...this.#open]) abort(fault('web/unreachable', 'castgate is shutting down'));
    this.#http.destroy();
    this.#https.destroy();
  }

  #start(exchange: Exchange): void {
    const { url } = exchange;
    try {
      exchange.start(
        { ...this.#options(), agent: url.protocol === 'https:' ? this.#https : this.#http },
        (socket) => this.#pin(url.hostname, socket),
        () => this.#start(exchange),
      );
    } catch (error) {
      exchange.settle(faultOf(error, url.host));
    }
  }

  /** The name for TLS comes from the Host header, so it stays what the URL says. */
  #options(): RequestOptions {
    const options: RequestOptions = { lookup: this.#lookup };
    if (this.#localAddress !== '') options.localAddress = this.#localAddress;
    if (this.#endpoint === undefined) return options;
    options.hostname = this.#endpoint.ip;
    if (this.#endpoint.port !== undefined) options.port = this.#endpoint.port;
    return options;
  }

  /** Asks the system for a name's addresses, of the pinned family only. */
  readonly #lookup: LookupFunction = (host, options, callback) => {
    const family = isIP(this.#localAddress) || (this.#family.get(host) ?? 0);
    this.#lookUp(host, { ...options, family }, callback);
  };

  #pin(host: string, socket: Socket): void {
    if (this.#family.has(host)) return;
    const note = () => {
      if (!this.#family.has(host)) this.#family.set(host, socket.remoteFamily === 'IPv6' ? 6 : 4);
    };
    if (socket.connecting) socket.once('connect', note);
    else note();
  }
}

/** One request and its answer. */
class Exchange {
  readonly url: URL;
  readonly #request: WebRequest;
  readonly #done: (answer: WebAnswer) => void;
  #destroy = () => {};
  #settled = false;
  #stage: 'connecting' | 'waiting for the answer' | 'reading the answer' = 'connecting';
  #status: number | undefined;
  #retried = false;

  constructor(request: WebRequest, url: URL, done: (answer: WebAnswer) => void) {
    this.#request = request;
    this.url = url;
    this.#done = done;
  }

  /** `again` is called once when a connection that was kept open turns out to be dead before anything came back. */
  start(options: RequestOptions, connected: (socket: Socket) => void, again: () => void): void {
    const { form } = this.#request;
    const headers: Record<string, string | number> = {
      Host: this.url.host,
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      'User-Agent': 'castgate',
    };
    if (form !== undefined) {
      headers['Content-Type'] = 'application/x-www-form-urlencoded';
      headers['Content-Length'] = form.length;
    }
    const send = this.url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(this.url, { ...options, method: form === undefined ? 'GET' : 'POST', headers });
    this.#destroy = () => outgoing.destroy();
    outgoing.on('socket', (socket) => {
      connected(socket);
      if (!socket.connecting) this.#stage = 'waiting for the answer';
      else socket.once('connect', () => this.#advance('waiting for the answer'));
    });
    outgoing.on('response', (incoming) => this.#receive(incoming));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && this.#status === undefined && error.code === 'ECONNRESET';
      if (stale && !this.#retried && !this.#settled) {
        this.#retried = true;
        again();
      } else {
        this.settle(faultOf(error, this.url.host, this.#status));
      }
    });
    outgoing.end(form);
  }

  expire(): void {
    const seconds = Math.round(this.#request.deadline / 100) / 10;
    const words = `${this.url.host} gave no complete answer within ${seconds} s (${this.#stage})`;
    const cause = this.#stage === 'connecting' ? 'ETIMEDOUT' : undefined;
    this.settle(fault('web/timeout', words, { status: this.#status, cause }));
  }

  settle(answer: WebAnswer): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#done(answer);
    if (!answer.ok) this.#destroy();
  }

  #advance(stage: 'waiting for the answer' | 'reading the answer'): void {
    this.#stage = stage;
  }

  #receive(incoming: IncomingMessage): void {
    this.#advance('reading the answer');
    const status = incoming.statusCode ?? 0;
    this.#status = status;
    incoming.on('error', (error) => this.settle(faultOf(error, this.url.host, status)));
    const refusal = this.#headFault(incoming, status);
    if (refusal !== undefined) {
      this.settle(refusal);
      return;
    }
    const parts: Buffer[] = [];
    let length = 0;
    incoming.on('data', (part: Buffer) => {
      length += part.length;
      if (length > this.#request.maxBody) this.settle(this.#tooLarge(status));
      else parts.push(part);
    });
    incoming.on('end', () => this.settle({ ok: true, body: Buffer.concat(parts, length) }));
  }

  #headFault(incoming: IncomingMessage, status: number): WebFault | undefined {
    const { location, 'content-encoding': encoding = 'identity', 'content-length': length } = incoming.headers;
    if (status >= 300 && status < 400 && location !== undefined) return redirectFault(location, this.url, status);
    if (status !== 200) return statusFault(status, this.url.host);
    if (encoding !== 'identity') {
      const words = `${this.url.host} compresses its answer although castgate asks it not to; switch that off for this address`;
      return fault('web/answer', words, { status });
    }
    if (Number(length ?? 0) > this.#request.maxBody) return this.#tooLarge(status);
    return undefined;
  }

  #tooLarge(status: number): WebFault {
    const kibibytes = Math.floor(this.#request.maxBody / 1024);
    return fault(
      'web/too-large',
      `${this.url.host} answers with more than ${kibibytes} KiB: is it the right address?`,
      { status },
    );
  }
}
