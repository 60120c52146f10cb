/**
 * A door in front of a server that keeps what comes in through it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Scope } from './program.ts';

export interface Tee {
  readonly port: number;
  /** Bytes from client to server, one for each connection, in the order they were opened. */
  captures(): Buffer[];
}

/** Hands every connection on to `port` of this machine. */
export async function startTee(scope: Scope, port: number): Promise<Tee> {
  const pieces: Buffer[][] = [];
  const server = createServer((client) => {
    const mine: Buffer[] = [];
    pieces.push(mine);
    const behind = connect(port, '127.0.0.1');
    client.on('data', (bytes: Buffer) => mine.push(Buffer.from(bytes)));
    client.pipe(behind).pipe(client);
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      one.on('error', () => other.destroy());
    }
    scope.after(() => {
      client.destroy();
      behind.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(() => server.close());
  return {
    port: (server.address() as AddressInfo).port,
    captures: () => pieces.map((bytes) => Buffer.concat(bytes)),
  };
}
