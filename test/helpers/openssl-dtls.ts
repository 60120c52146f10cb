/**
 * openssl at the other end of a socket: an independent DTLS that checks what it is told.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OurEnd, pemOf, until } from './dtls-peers.ts';

const PROFILES = 'SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM';
/** Both keys and both salts of AES-CM. */
const MATERIAL_BYTES = 60;
const EXPORT = ['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', String(MATERIAL_BYTES)];

export interface OpensslIdentity {
  /** DER. */
  readonly certificate: Buffer;
  /** PEM. */
  readonly privateKey: string;
}

export interface OpensslDtls {
  /** All it has written. */
  readonly output: string;
  /** The exported keying material, once it has told. */
  readonly material: Buffer | undefined;
  /** Sends close_notify and ends. */
  quit(): void;
  /** Ends everything. */
  stop(): Promise<void>;
}

/** s_client, which begins at once; `identity` undefined: shows no certificate. */
export async function opensslClient(
  ours: OurEnd,
  identity: OpensslIdentity | undefined,
  args: readonly string[] = ['-dtls1_2', '-use_srtp', PROFILES],
): Promise<OpensslDtls> {
  const socket = await bound();
  const shown = identity === undefined ? undefined : files(identity);
  const child = run([
    's_client',
    ...args,
    ...EXPORT,
    ...(shown?.args ?? []),
    '-connect',
    `127.0.0.1:${socket.address().port}`,
  ]);
  let peer: RemoteInfo | undefined;
  socket.on('message', (datagram, from) => {
    peer = from;
    ours.receive(datagram);
  });
  ours.send = (datagram) => peer !== undefined && socket.send(datagram, peer.port, peer.address);
  return end(child, socket, shown?.remove);
}

/** s_server, ready when this resolves. */
export async function opensslServer(
  ours: OurEnd,
  identity: OpensslIdentity,
  args: readonly string[] = ['-dtls1_2', '-use_srtp', PROFILES],
): Promise<OpensslDtls> {
  const socket = await bound();
  const shown = files(identity);
  // -Verify: a certificate is asked for and must come, whoever has signed it
  const child = run(['s_server', ...args, ...EXPORT, ...shown.args, '-Verify', '1', '-accept', '127.0.0.1:0']);
  const server = end(child, socket, shown.remove);
  await until(() => /ACCEPT 127\.0\.0\.1:\d+/.test(server.output), 'a listening s_server');
  const port = Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(server.output)![1]);
  socket.on('message', (datagram) => ours.receive(datagram));
  ours.send = (datagram) => socket.send(datagram, port, '127.0.0.1');
  return server;
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

function files({ certificate, privateKey }: OpensslIdentity) {
  const folder = mkdtempSync(join(tmpdir(), 'castgate-dtls-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, pemOf(certificate));
  writeFileSync(key, privateKey);
  return { args: ['-cert', cert, '-key', key], remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function run(args: readonly string[]): ChildProcess {
  return spawn('openssl', [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
}

function end(child: ChildProcess, socket: Socket, remove?: () => void): OpensslDtls {
  let output = '';
  const listen = (bytes: Buffer) => {
    output += bytes;
  };
  child.stdout!.on('data', listen);
  child.stderr!.on('data', listen);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    get output() {
      return output;
    },
    get material() {
      const match = /Keying material: ([0-9A-F]+)/.exec(output);
      return match === null ? undefined : Buffer.from(match[1]!, 'hex');
    },
    quit: () => void child.stdin!.write('Q\n'),
    async stop() {
      child.kill('SIGKILL');
      await exited;
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      remove?.();
    },
  };
}
