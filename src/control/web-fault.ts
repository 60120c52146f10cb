/**
 * What can go wrong between castgate and a web site, in words that tell a site's owner what to do. No word of a query, a header
 * or a body gets in here.
 */
import { isIP } from 'node:net';

export interface WebFault {
  readonly ok: false;
  /** From base/errors.ts, `web/…`. */
  readonly code: string;
  readonly words: string;
  /** The HTTP status, when the head of an answer came. */
  readonly status?: number | undefined;
  /** The system's own name for it, such as `ECONNREFUSED`. */
  readonly cause?: string | undefined;
}

/** Where `connectTo` leads. */
export interface Endpoint {
  readonly ip: string;
  readonly port?: number;
}

export function fault(code: string, words: string, more: Pick<WebFault, 'status' | 'cause'> = {}): WebFault {
  return { ok: false, code, words, ...more };
}

/** May the same request, sent again at once, fare better? A broken connection or a failing script may; a wrong address will not. */
export function isPassing(answer: WebFault): boolean {
  return answer.code === 'web/unreachable' || (answer.code === 'web/status' && (answer.status ?? 0) >= 500);
}

/** `1.2.3.4`, `1.2.3.4:8080`, `::1`, `[::1]`, `[::1]:8080`. Throws `RangeError`. */
export function readEndpoint(text: string): Endpoint {
  if (isIP(text) !== 0) return { ip: text };
  const parts = /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const ip = parts?.[1] ?? parts?.[2] ?? '';
  if (isIP(ip) === 0)
    throw new RangeError(`connectTo: ${JSON.stringify(text)} is not an IP address, with or without a port`);
  if (parts?.[3] === undefined) return { ip };
  const port = Number(parts[3]);
  if (port < 1 || port > 65_535) throw new RangeError(`connectTo: port ${port} does not exist`);
  return { ip, port };
}

const CAUSES = new Map<string, (host: string) => string>([
  [
    'ECONNREFUSED',
    (host) => `${host} refuses the connection: does its web server run, and does its firewall let this server in?`,
  ],
  [
    'ENOTFOUND',
    (host) => `the name ${host} cannot be looked up: check the configured address and the DNS of this server`,
  ],
  ['EAI_AGAIN', (host) => `the name ${host} cannot be looked up: the DNS of this server does not answer`],
  ['ECONNRESET', (host) => `${host} broke off the connection`],
  ['EPIPE', (host) => `${host} broke off the connection`],
  ['ETIMEDOUT', (host) => `${host} cannot be reached: check firewalls and routes`],
  ['EHOSTUNREACH', (host) => `${host} cannot be reached: check firewalls and routes`],
  ['ENETUNREACH', (host) => `${host} cannot be reached: this server has no route there`],
  ['EADDRNOTAVAIL', () => 'localAddress is not an address of this server, or not of the right family'],
  ['EMFILE', () => 'this server has run out of file descriptors: raise its limit'],
  ['ENFILE', () => 'this server has run out of file descriptors: raise its limit'],
  ['EPROTO', (host) => `${host} does not speak TLS on that port: check http or https in the configured address`],
]);

/** What a failed request means. Only the error's code is looked at, since its text may quote the address. */
export function faultOf(error: unknown, host: string, status?: number): WebFault {
  const cause = String((error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown');
  const more = { status, cause };
  if (cause.startsWith('HPE_')) return fault('web/answer', `${host} does not speak HTTP properly (${cause})`, more);
  const words = CAUSES.get(cause);
  if (words !== undefined) return fault('web/unreachable', words(host), more);
  if (cause.startsWith('ERR_SSL')) return fault('web/unreachable', CAUSES.get('EPROTO')!(host), more);
  if (cause.includes('CERT') || cause.includes('SIGNATURE')) {
    return fault('web/unreachable', `the TLS certificate of ${host} is not accepted (${cause})`, more);
  }
  if (cause.startsWith('ERR_'))
    return fault('web/unreachable', `the configured address cannot be asked (${cause})`, more);
  return fault('web/unreachable', `${host} cannot be asked (${cause})`, more);
}

const STATUS_HINTS = new Map<number, string>([
  [401, 'the address is protected by a password'],
  [403, "a firewall or security plugin of the site blocks this server's address"],
  [404, 'the configured address does not exist there'],
  [405, 'the configured address does not take this kind of request'],
  [413, 'the report is larger than the web server allows; raise its limit for request bodies'],
  [429, 'the site limits how often this server may ask; exempt its address'],
]);

export function statusFault(status: number, host: string): WebFault {
  const hint =
    STATUS_HINTS.get(status) ??
    (status >= 500 ? "the script fails; see the web server's error log" : 'check the configured address');
  return fault('web/status', `${host} answers HTTP ${status}: ${hint}`, { status });
}

/** Names where a redirect leads, without its query. */
export function redirectFault(location: string, from: URL, status: number): WebFault {
  let target = 'an address that cannot be read';
  try {
    const url = new URL(location, from);
    target = `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200);
  } catch {
    // said in the words above
  }
  return fault('web/redirect', `${from.host} redirects to ${target}; configure the address that it points to`, {
    status,
  });
}
