/**
 * Who may call the admin interface. A page in the operator's browser can send requests to loopback addresses, and can make a name of
 * its own point there; so the name under which the interface was called is checked, then the origin, then the token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { RefusedError } from '../base/errors.ts';
import { isLoopback, type ListenAddress } from '../base/listen-address.ts';
import type { AdminOptions } from './options.ts';

export class AdminAccess {
  readonly #names: ReadonlySet<string>;
  readonly #token: Buffer | undefined;

  /** Throws `RefusedError` where others than this machine could call and no token is set. */
  constructor({ token, hosts }: AdminOptions, { host }: ListenAddress) {
    if (token === '' && !isLoopback(host)) {
      throw new RefusedError('config/invalid', 'admin.listen: set admin.token, or listen on 127.0.0.1');
    }
    this.#names = new Set(
      ['localhost', host, ...hosts].filter((name) => name !== '').map((name) => name.toLowerCase()),
    );
    this.#token = token === '' ? undefined : digest(token);
  }

  /** Throws `RefusedError` unless the request was meant for this interface. `localAddress`: where it arrived. */
  checkOrigin(headers: IncomingHttpHeaders, localAddress: string | undefined): void {
    const { host, origin } = headers;
    // Only programs leave Host out; no browser does.
    if (host !== undefined && !this.#isOurs(hostName(host), localAddress)) {
      throw new RefusedError('api/host', 'This is not a name of the admin interface.');
    }
    if (origin !== undefined && (host === undefined || originHost(origin) !== host.toLowerCase())) {
      throw new RefusedError('api/host', 'Pages of other origins may not call the admin interface.');
    }
  }

  /** Throws `RefusedError` unless the request brings the token, where one is set. */
  checkToken(headers: IncomingHttpHeaders): void {
    if (this.#token === undefined) return;
    const [, given] = /^Bearer +([\x21-\x7e]+) *$/i.exec(headers.authorization ?? '') ?? [];
    // Digests have one length and betray nothing by the time that comparing them takes.
    if (given === undefined || !timingSafeEqual(digest(given), this.#token)) {
      throw new RefusedError('api/unauthorized', given === undefined ? 'The token is missing.' : 'The token is wrong.');
    }
  }

  #isOurs(name: string | undefined, localAddress: string | undefined): boolean {
    if (name === undefined) return false;
    if (this.#names.has(name) || isLoopback(name)) return true;
    // On a wildcard address it is called by any address of the machine; an address, unlike a name, cannot be made to point here.
    return isIP(name) !== 0 && name === localAddress?.replace(/^::ffff:(?=\d)/i, '');
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The name in a Host header, in small letters, without port and brackets; `undefined` when malformed. */
function hostName(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/** Host and port of a web origin; empty for `null` and everything else. */
function originHost(origin: string): string {
  return /^https?:\/\/[^/]+$/i.test(origin) && URL.canParse(origin) ? new URL(origin).host : '';
}
