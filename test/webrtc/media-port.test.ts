import assert from 'node:assert/strict';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { quiet } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { IceFrameReader, iceFrame } from '../../src/webrtc/ice-frames.ts';
import { type MediaPortSetup, makeMediaPort, type OpenMediaPort } from '../../src/webrtc/media-port.ts';
import { WEBRTC_DEFAULTS, type WebRtcOptions } from '../../src/webrtc/options.ts';
import type { IceSession, Path } from '../../src/webrtc/path.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { CLIENT, checkOf, readAnswer } from '../helpers/stun-client.ts';
import { settled, VirtualClock } from '../helpers/virtual-clock.ts';

const DTLS = Buffer.from('16fefd0000', 'hex');
const SIX = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

interface Town {
  readonly port: OpenMediaPort;
  readonly clock: VirtualClock;
  readonly udp: number;
  readonly tcp: number;
}

async function open(
  t: TestContext,
  options: Partial<WebRtcOptions> = {},
  more: Partial<MediaPortSetup> = {},
): Promise<Town> {
  const clock = new VirtualClock();
  const set = { ...WEBRTC_DEFAULTS, listen: ':0', tcpListen: '127.0.0.1:0', ...options };
  const port = makeMediaPort({ options: () => set, clock, random: systemRandom(), log: quiet, ...more });
  const { udp, tcp } = await port.start();
  t.after(() => port.close());
  return { port, clock, udp: udp?.port ?? 0, tcp: tcp?.port ?? 0 };
}

interface Told {
  readonly ice: IceSession;
  readonly paths: Path[];
  readonly datagrams: string[];
  lost: number;
}

function session(port: OpenMediaPort): Told {
  const told = { paths: [] as Path[], datagrams: [] as string[], lost: 0 };
  const ice = port.open(CLIENT, {
    path: (path) => told.paths.push(path),
    datagram: (bytes, path) => {
      told.datagrams.push(bytes.toString('hex'));
      path.send(bytes, 0, bytes.length);
    },
    lost: () => {
      told.lost += 1;
    },
  });
  return Object.assign(told, { ice });
}

async function udpClient(t: TestContext, host: string): Promise<UdpSocket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket;
}

async function ask(socket: UdpSocket, bytes: Buffer, port: number, host: string): Promise<Buffer> {
  const answer = once(socket, 'message');
  socket.send(bytes, port, host);
  return (await answer)[0];
}

for (const host of SIX ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
  test(`UDP over ${host}: a check, then datagrams both ways`, async (t) => {
    const { port, udp } = await open(t);
    const told = session(port);
    const client = await udpClient(t, host);
    const local = client.address();
    const answer = readAnswer(
      await ask(client, checkOf(told.ice.local, { nominate: true }), udp, host),
      told.ice.local.password,
    );
    assert.match(answer.mapped!, new RegExp(` ${local.port}$`));
    assert.deepEqual(
      told.paths.map(({ ip, port, protocol, queuedBytes }) => ({ ip, port, protocol, queuedBytes })),
      [{ ip: host, port: local.port, protocol: 'udp', queuedBytes: 0 }],
    );
    assert.deepEqual(await ask(client, DTLS, udp, host), DTLS);
    assert.deepEqual(told.datagrams, [DTLS.toString('hex')]);
    assert.equal(port.counts.received, 2);
    assert.equal(port.counts.sent, 2);
  });
}

test('strangers get nothing, and are counted', async (t) => {
  const { port, udp } = await open(t);
  const told = session(port);
  const [client, stranger] = [await udpClient(t, '127.0.0.1'), await udpClient(t, '127.0.0.1')];
  stranger.on('message', () => assert.fail('answered'));
  for (const bytes of [checkOf(told.ice.local, { password: 'wrong' }), DTLS, Buffer.from('GET / HTTP/1.1')]) {
    stranger.send(bytes, udp, '127.0.0.1');
  }
  // the same socket of ours answers this one after it has dropped the others
  await ask(client, checkOf(told.ice.local), udp, '127.0.0.1');
  assert.deepEqual(Object.fromEntries(port.counts.dropped), { integrity: 1, stranger: 1, noise: 1 });
});

test('after close of a session there is silence', async (t) => {
  const { port, udp } = await open(t);
  const [gone, other] = [session(port), session(port)];
  const [client, neighbour] = [await udpClient(t, '127.0.0.1'), await udpClient(t, '127.0.0.1')];
  await ask(client, checkOf(gone.ice.local, { nominate: true }), udp, '127.0.0.1');
  gone.ice.close();
  client.on('message', () => assert.fail('answered'));
  client.send(checkOf(gone.ice.local), udp, '127.0.0.1');
  client.send(DTLS, udp, '127.0.0.1');
  await ask(neighbour, checkOf(other.ice.local), udp, '127.0.0.1');
  assert.deepEqual([gone.datagrams, gone.lost], [[], 0]);
  assert.deepEqual(Object.fromEntries(port.counts.dropped), { 'unknown-user': 1, stranger: 1 });
});

/** A client over TCP: frames in, frames out. */
class TcpClient {
  readonly socket: Socket;
  readonly #frames: Buffer[] = [];
  readonly #reader = new IceFrameReader();
  #waiting: ((frame: Buffer) => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      this.#reader.feed(bytes);
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        const copy = Buffer.from(frame);
        if (this.#waiting === undefined) this.#frames.push(copy);
        else this.#waiting(copy);
        this.#waiting = undefined;
      }
    });
  }

  send(bytes: Buffer): void {
    this.socket.write(iceFrame(bytes, 0, bytes.length));
  }

  next(): Promise<Buffer> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

async function tcpClient(t: TestContext, port: number, host = '127.0.0.1'): Promise<TcpClient> {
  const socket = connect(port, host);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return new TcpClient(socket);
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await settled();
}

test('TCP: a check, then frames both ways; the end of the session ends the connection', async (t) => {
  const { port, tcp } = await open(t);
  const told = session(port);
  const client = await tcpClient(t, tcp);
  client.send(checkOf(told.ice.local, { nominate: true }));
  const answer = readAnswer(await client.next(), told.ice.local.password);
  assert.equal(answer.mapped, `127.0.0.1 ${client.socket.localPort}`);
  assert.deepEqual([told.paths[0]!.protocol, told.paths[0]!.ip], ['tcp', '127.0.0.1']);
  client.send(DTLS);
  assert.deepEqual(await client.next(), DTLS);
  assert.equal(port.counts.connections, 1);
  const closed = once(client.socket, 'close');
  told.ice.close();
  await closed;
  await until(() => port.counts.connections === 0);
});

test('TCP: many frames in one go arrive whole and in order', async (t) => {
  const { port, tcp } = await open(t, { tcpListen: ':0' });
  const told = session(port);
  const client = await tcpClient(t, tcp, SIX ? '::1' : '127.0.0.1');
  client.send(checkOf(told.ice.local, { nominate: true }));
  await client.next();
  const memory = Buffer.alloc(1_200);
  for (let count = 0; count < 100; count++) told.paths[0]!.send(memory.fill(count), 3, 1_000);
  for (let count = 0; count < 100; count++) assert.deepEqual(await client.next(), Buffer.alloc(1_000, count));
});

test('TCP: no valid check within 10 s, or too long a frame, ends the connection; others stay', async (t) => {
  const log = new LogRecorder();
  const { port, tcp, clock } = await open(t, {}, { log });
  const told = session(port);
  const [late, forger, wrong, good] = [
    await tcpClient(t, tcp),
    await tcpClient(t, tcp),
    await tcpClient(t, tcp),
    await tcpClient(t, tcp),
  ];
  good.send(checkOf(told.ice.local, { nominate: true }));
  forger.send(checkOf(told.ice.local, { password: 'wrong' }));
  await good.next();
  const wrongClosed = once(wrong.socket, 'close');
  wrong.socket.write('GET / HTTP/1.1\r\n\r\n');
  await wrongClosed;
  const closed = [once(late.socket, 'close'), once(forger.socket, 'close')];
  await until(() => port.counts.received === 2);
  await clock.run(10_000);
  assert.equal(port.counts.connections, 3);
  await clock.run(1_000);
  await Promise.all(closed);
  await until(() => port.counts.connections === 1);
  assert.deepEqual([port.counts.cut, told.lost], [3, 0]);
  assert.deepEqual(log.codes(), ['webrtc/ice-tcp', 'webrtc/ice-tcp', 'webrtc/ice-tcp']);
});

test('TCP: what waits is bounded, and a client that reads no more is cut', async (t) => {
  const { port, tcp, clock } = await open(t, { consentTimeout: 120_000 });
  const told = session(port);
  const client = await tcpClient(t, tcp);
  client.send(checkOf(told.ice.local, { nominate: true }));
  await client.next();
  client.socket.pause();
  const [path] = told.paths;
  const memory = Buffer.alloc(1_200);
  for (let round = 0; round < 400 && !port.counts.dropped.has('queue-full'); round++) {
    for (let count = 0; count < 100; count++) path!.send(memory, 0, 1_200);
    await settled();
  }
  assert.ok(port.counts.dropped.get('queue-full')! > 0);
  assert.ok(path!.queuedBytes <= 320 << 10, `${path!.queuedBytes}`);
  assert.ok(path!.queuedBytes > 128 << 10, `${path!.queuedBytes}`);
  await clock.run(9_000);
  assert.equal(port.counts.connections, 1);
  await clock.run(4_000);
  await until(() => port.counts.connections === 0);
  assert.equal(port.counts.cut, 1);
  path!.send(memory, 0, 1_200);
});

test('TCP: so many connections, in all and from one address, and no more', async (t) => {
  for (const limit of [{ maxSessions: 2 }, { maxSessionsPerIp: 2 }]) {
    const { port, tcp } = await open(t, limit);
    const [one] = [await tcpClient(t, tcp), await tcpClient(t, tcp)];
    await until(() => port.counts.connections === 2);
    const third = await tcpClient(t, tcp);
    await once(third.socket, 'close');
    assert.deepEqual([port.counts.connections, port.counts.cut], [2, 1]);
    one!.socket.destroy();
    await until(() => port.counts.connections === 1);
    await tcpClient(t, tcp);
    await until(() => port.counts.connections === 2);
  }
});

test('limits and addresses that are changed hold for what comes next', async (t) => {
  let set: WebRtcOptions = { ...WEBRTC_DEFAULTS, listen: '', tcpListen: '127.0.0.1:0', maxSessions: 1 };
  const { port, tcp } = await open(t, {}, { options: () => set });
  await tcpClient(t, tcp);
  await until(() => port.counts.connections === 1);
  await once((await tcpClient(t, tcp)).socket, 'close');
  set = { ...set, maxSessions: 2, publicAddresses: ['198.51.100.7'], interfaceAddresses: false };
  await tcpClient(t, tcp);
  await until(() => port.counts.connections === 2);
  assert.deepEqual(
    port.candidates().map(({ ip }) => ip),
    ['198.51.100.7'],
  );
});

test('a connection that ends takes its path with it, not the session', async (t) => {
  const { port, tcp, udp, clock } = await open(t);
  const told = session(port);
  const overTcp = await tcpClient(t, tcp);
  overTcp.send(checkOf(told.ice.local, { nominate: true }));
  await overTcp.next();
  overTcp.socket.destroy();
  await until(() => port.counts.connections === 0);
  await clock.run(3_000);
  const overUdp = await udpClient(t, '127.0.0.1');
  await ask(overUdp, checkOf(told.ice.local), udp, '127.0.0.1');
  assert.deepEqual([told.paths.map(({ protocol }) => protocol), told.lost], [['tcp', 'udp'], 0]);
});

test('the clock ends a session whose client is gone', async (t) => {
  const { port, clock, udp } = await open(t);
  const [never, once_] = [session(port), session(port)];
  const client = await udpClient(t, '127.0.0.1');
  await clock.run(10_000);
  await ask(client, checkOf(once_.ice.local), udp, '127.0.0.1');
  await clock.run(6_000);
  assert.deepEqual([never.lost, once_.lost, port.sessions], [1, 0, 1]);
  await clock.run(10_000);
  assert.deepEqual([never.lost, once_.lost, port.sessions], [1, 1, 0]);
});

test('a fault in what one session does ends that session only', async (t) => {
  const log = new LogRecorder();
  const { port, udp } = await open(t, {}, { log });
  const good = session(port);
  let lost = 0;
  const broken = port.open(CLIENT, {
    path() {},
    datagram() {
      throw new TypeError('a bug');
    },
    lost() {
      lost += 1;
      throw new TypeError('another');
    },
  });
  const client = await udpClient(t, '127.0.0.1');
  await ask(client, checkOf(broken.local), udp, '127.0.0.1');
  client.send(DTLS, udp, '127.0.0.1');
  await ask(client, checkOf(good.ice.local), udp, '127.0.0.1');
  assert.deepEqual([lost, port.sessions, log.codes()], [1, 1, ['server/bug', 'server/bug']]);
});

test('a port that is taken is refused in words, and what was open is closed', async (t) => {
  const { udp, tcp } = await open(t);
  for (const [options, words] of [
    [{ listen: `127.0.0.1:${udp}` }, /webrtc\.listen: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/],
    [{ listen: `:${udp}` }, /webrtc\.listen/],
    [{ listen: ':0', tcpListen: `127.0.0.1:${tcp}` }, /webrtc\.tcpListen: .*EADDRINUSE/],
    [{ listen: '192.0.2.1:0' }, /webrtc\.listen: .*EADDRNOTAVAIL/],
  ] as const) {
    const refused = (error: unknown) =>
      error instanceof RefusedError && error.code === 'server/listen' && words.test(error.message);
    await assert.rejects(open(t, options), refused);
  }
});

test('what is not configured is not opened', async (t) => {
  const { port, udp, tcp } = await open(t, { listen: '', tcpListen: '' });
  assert.deepEqual([udp, tcp, port.candidates()], [0, 0, []]);
});

test('when no address can be told, the log says so', async (t) => {
  const log = new LogRecorder();
  await open(t, { interfaceAddresses: false }, { log });
  assert.deepEqual(log.codes(), ['config/warning']);
});

test('candidates follow the networks of the machine, which are looked at every few seconds', async (t) => {
  let reads = 0;
  let interfaces = ['192.0.2.5'];
  const { port, clock, udp, tcp } = await open(
    t,
    { tcpListen: ':0' },
    {
      interfaces: () => {
        reads += 1;
        return interfaces;
      },
    },
  );
  const told = () => port.candidates().map(({ protocol, ip, port }) => `${protocol} ${ip} ${port}`);
  assert.deepEqual(told(), [`udp 192.0.2.5 ${udp}`, `tcp 192.0.2.5 ${tcp}`]);
  interfaces = ['192.0.2.6'];
  told();
  assert.equal(reads, 1);
  await clock.run(3_001);
  assert.deepEqual(told(), [`udp 192.0.2.6 ${udp}`, `tcp 192.0.2.6 ${tcp}`]);
});

test('the addresses of this machine are told as they are', async (t) => {
  const { port } = await open(t);
  assert.ok(port.candidates().some(({ protocol, ip }) => protocol === 'udp' && ip === '127.0.0.1'));
});

test('closing loses every session, frees the ports, and may be done twice', async (t) => {
  const { port, udp, tcp } = await open(t);
  const told = session(port);
  await port.close();
  await port.close();
  assert.deepEqual([told.lost, port.sessions], [1, 0]);
  const again = await open(t, { listen: `:${udp}`, tcpListen: `127.0.0.1:${tcp}` });
  assert.deepEqual([again.udp, again.tcp], [udp, tcp]);
  const server = createServer();
  server.on('error', () => {});
  server.listen(tcp, '127.0.0.1');
  assert.equal((await once(server, 'error'))[0].code, 'EADDRINUSE');
});
