/**
 * Where a door listens, as text and as host and port.
 */
import { isIP } from 'node:net';
import { RefusedError } from './errors.ts';

/** An empty host stands for every address of the machine; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `:1935`, `1935`, `127.0.0.1:1935`, `localhost:1935` or `[::]:1935`; `undefined` for anything else. */
export function readListen(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]:|([^:[\]\s]*):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined;
  const host = plain ?? '';
  return host === '' || isIP(host) === 4 || isHostName(host) ? { host, port } : undefined;
}

/** The same, where the text was checked before: throws `RefusedError` under `config/invalid`, naming `key`. */
export function listenAddress(key: string, text: string): ListenAddress {
  const address = readListen(text);
  if (address === undefined) throw new RefusedError('config/invalid', `${key}: "${text}" is not HOST:PORT or :PORT`);
  return address;
}

/** Can only programs of this machine reach it? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isHostName(text: string): boolean {
  // All digits and dots would be a mistyped IPv4 address.
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text) && !/^[\d.]+$/.test(text);
}
