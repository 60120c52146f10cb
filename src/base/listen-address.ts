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

/** `:1935`, `127.0.0.1:1935` or `[::1]:1935`. */
export function writeListen({ host, port }: ListenAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What to say when the system gives no port for `key`: whose fault it probably is, and what to do. */
export function listenRefusal(key: string, address: ListenAddress, error: NodeJS.ErrnoException): RefusedError {
  const { host, port } = address;
  const code = error.code ?? error.message;
  const other = `--set ${key}=${writeListen({ host, port: port < 65_535 ? port + 1 : port - 1 })}`;
  const fixes: ReadonlyMap<string, string> = new Map([
    ['EADDRINUSE', `another program uses port ${port}; stop it, or choose another: ${other}`],
    [
      'EACCES',
      `ports below 1024 need root or CAP_NET_BIND_SERVICE; or choose a port above: --set ${key}=${writeListen({ host, port: 8080 })}`,
    ],
    ['EADDRNOTAVAIL', `this machine has no address ${host}; leave it out to listen on all: --set ${key}=:${port}`],
    ['ENOTFOUND', `this machine does not know the name ${host}; give an IP address`],
  ]);
  const fix = fixes.get(code) ?? 'the system refuses it';
  return new RefusedError('server/listen', `${key}: cannot listen on ${writeListen(address)} (${code}): ${fix}`);
}

/** Can only programs of this machine reach it? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isHostName(text: string): boolean {
  // All digits and dots would be a mistyped IPv4 address.
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text) && !/^[\d.]+$/.test(text);
}
