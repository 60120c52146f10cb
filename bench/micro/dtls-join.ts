/**
 * What does the DTLS handshake of one more client cost the server: with castgate's own, and with werift's behind the same listener?
 *
 * CPU microseconds a handshake, user and system, all threads, with the UDP socket that carries it. The clients, castgate's own for both,
 * are another process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { makeCertificate } from '../../src/webrtc/certificate.ts';
import type { Dtls, DtlsCertificate, Fingerprint, MakeDtls } from '../../src/webrtc/dtls.ts';
import { loadDtls } from '../../src/webrtc/dtls-choice.ts';
import { makeNativeDtls } from '../../src/webrtc/native-dtls.ts';
import type { DtlsKind } from '../../src/webrtc/options.ts';
import { print } from './measure.ts';

const LOOPBACK = '127.0.0.1';
const CLIENTS = 8;
const WARM_UP_MILLIS = 500;
const RUN_MILLIS = 1_500;
const RUNS = 3;
const MICROS = 1e6;

const random = systemRandom();

if (process.send === undefined) await main();
else clients(Number(process.argv[2]));

async function main(): Promise<void> {
  const figures: Record<DtlsKind, number[]> = { native: [], werift: [] };
  // in turns, so that both meet the same machine
  for (let run = 0; run < RUNS; run++) {
    for (const kind of ['native', 'werift'] as const) figures[kind].push(await microsPerJoin(await loadDtls(kind)));
  }
  const [native, werift] = [median(figures.native), median(figures.werift)];
  print({ name: 'a join by castgate', value: native, unit: 'us' });
  print({ name: 'a join by werift', value: werift, unit: 'us' });
  print({ name: 'werift / castgate', value: werift / native, unit: 'x' });
  print({ name: 'joins a second and core, by castgate', value: MICROS / native, unit: '' });
}

async function microsPerJoin(make: MakeDtls): Promise<number> {
  const own = makeCertificate(systemClock.wallTime(), random);
  // addresses are none to be looked up
  const socket = createSocket({ type: 'udp4', lookup: (name, _, done) => done(null, name, 4) });
  const listening = once(socket, 'listening');
  socket.bind(0, LOOPBACK);
  await listening;
  const child = fork(new URL(import.meta.url), [String(socket.address().port)]);
  try {
    const [digest] = (await once(child, 'message')) as [string];
    const joins = serve(socket, make, own, { hash: 'sha-256', digest: Buffer.from(digest, 'hex') });
    child.send(sha256(own.certificate));
    await pause(WARM_UP_MILLIS);
    const [before, start] = [joins.made, process.cpuUsage()];
    await pause(RUN_MILLIS);
    const { user, system } = process.cpuUsage(start);
    joins.stop();
    return (user + system) / (joins.made - before);
  } finally {
    await ended(child);
    socket.close();
  }
}

interface Joins {
  made: number;
  stop(): void;
}

/** A handshake for each client that comes. */
function serve(socket: Socket, make: MakeDtls, own: DtlsCertificate, fingerprint: Fingerprint): Joins {
  const talks = new Map<number, Dtls>();
  const joins: Joins = {
    made: 0,
    stop() {
      socket.removeAllListeners('message');
      for (const dtls of talks.values()) dtls.close();
    },
  };
  const begin = (port: number): Dtls => {
    const setup = { role: 'server', own, fingerprints: [fingerprint], clock: systemClock, random } as const;
    const dtls = make(setup, {
      send: (datagram) => socket.send(datagram, port, LOOPBACK),
      connected: () => {
        joins.made++;
        talks.delete(port);
      },
      closed: fell,
    });
    talks.set(port, dtls);
    return dtls;
  };
  socket.on('message', (datagram, { port }) => (talks.get(port) ?? begin(port)).receive(datagram));
  return joins;
}

/** Clients that join, go, and come back from another port. */
function clients(server: number): void {
  const own = makeCertificate(systemClock.wallTime(), randomBytes);
  process.once('message', (digest: string) => {
    const fingerprints = [{ hash: 'sha-256', digest: Buffer.from(digest, 'hex') }];
    for (let client = 0; client < CLIENTS; client++) join();
    function join(): void {
      const socket = createSocket('udp4');
      const dtls = makeNativeDtls(
        { role: 'client', own, fingerprints, clock: systemClock, random },
        {
          send: (datagram) => socket.send(datagram),
          connected: () => {
            socket.close();
            join();
          },
          closed: fell,
        },
      );
      socket.on('message', (datagram) => dtls.receive(datagram));
      socket.connect(server, LOOPBACK, () => dtls.start());
    }
  });
  process.send!(sha256(own.certificate));
}

/** At the end the server takes its leave of those who are not inside yet. */
function fell(fault: { readonly text: string } | undefined): void {
  if (fault !== undefined) throw new Error(fault.text);
}

function sha256(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex');
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
