import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../src/base/clock.ts';
import { RefusedError } from '../../src/base/errors.ts';
import type { RtmpOptions } from '../../src/rtmp/options.ts';
import { type Neighbours, RtmpServer } from '../../src/rtmp/server.ts';
import type { RtmpWorld } from '../../src/rtmp/world.ts';
import { avcBody } from '../helpers/frames.ts';
import { LightClient } from '../helpers/light-client.ts';
import { until } from '../helpers/program.ts';
import { aWorld, logged, type TestWorld } from '../helpers/rtmp-town.ts';
import { selfSigned } from '../helpers/self-signed.ts';

const pairOfKeys = selfSigned('localhost');

interface Running {
  readonly server: RtmpServer;
  readonly world: TestWorld;
  readonly port: number;
  readonly tlsPort: number;
}

async function start(t: TestContext, options: Partial<RtmpOptions> = {}, neighbours?: Neighbours): Promise<Running> {
  const world = aWorld({ listen: '127.0.0.1:0', ...options });
  const server = new RtmpServer(world, neighbours);
  const { rtmp, rtmps } = await server.start(pairOfKeys);
  t.after(async () => {
    await server.close();
    server.dismiss('over');
    server.stop();
  });
  return { server, world, port: rtmp!.port, tlsPort: rtmps?.port ?? 0 };
}

function dial(t: TestContext, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

function client(t: TestContext, does: 'publish' | 'play', port: number, scheme = 'rtmp'): Promise<LightClient> {
  return new LightClient(t, does, `${scheme}://127.0.0.1:${port}/live`, 'a').begun();
}

/** The first picture that `player` gets. */
function picture(player: LightClient): Promise<Buffer> {
  return until('a picture arrives', () => player.received.find(({ typeId }) => typeId === 9)?.body);
}

const LIMIT = { timeout: 10_000 };

for (const tls of [false, true]) {
  test(`one port: RTMP${tls ? ' inside TLS' : ''} is published and played`, LIMIT, async (t) => {
    const { port, world, server } = await start(t);
    const publisher = await client(t, 'publish', port, tls ? 'rtmps' : 'rtmp');
    publisher.write(9, 0, avcBody('key', 200_000));
    const player = await client(t, 'play', port, tls ? 'rtmp' : 'rtmps');
    assert.ok((await picture(player)).equals(avcBody('key', 200_000)));
    assert.deepEqual(
      [...world.registry].map(({ transport, ip }) => [transport, ip]),
      [tls, !tls].map((inside) => [inside ? 'rtmps' : 'rtmp', '127.0.0.1']),
    );
    await player.leave();
    await publisher.leave();
    await until('all are gone', () => server.open === 0);
    assert.equal(world.registry.size, 0);
    assert.equal(world.hub.size, 0);
    assert.equal(world.counts.open, 0);
    assert.equal(world.counts.accepted, 2);
    assert.ok(world.counts.bytesReceived > 200_000 && world.counts.bytesSent > 200_000);
  });
}

test('one port: HTTP is handed to its own door, inside TLS too', LIMIT, async (t) => {
  const http = createHttpServer((_request, response) => response.end('a web page'));
  const { port, world } = await start(t, {}, { http: (socket) => http.emit('connection', socket) });
  for (const socket of [dial(t, port), connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })]) {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let answer = '';
    socket.on('data', (bytes: Buffer) => {
      answer += bytes;
    });
    await once(socket, 'close');
    assert.match(answer, /^HTTP\/1\.1 200 OK[\s\S]*a web page$/);
  }
  assert.equal(world.counts.accepted, 0);
});

for (const [what, bytes] of [
  ['garbage', Buffer.from([0xff, 1, 2, 3])],
  ['HTTP without a door for it', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['RTMPE', Buffer.from([6])],
  ['TLS that is none', Buffer.from('16030100050102030405', 'hex')],
] as const) {
  test(`one port: ${what} is closed, and others go on`, LIMIT, async (t) => {
    const { port, server } = await start(t);
    const socket = dial(t, port);
    socket.write(bytes);
    socket.resume();
    await once(socket, 'close');
    await client(t, 'publish', port);
    await until('the others are gone', () => server.open === 1);
  });
}

test('who says nothing is closed by the deadline for handshakes', LIMIT, async (t) => {
  const { port, world } = await start(t);
  const socket = dial(t, port);
  socket.resume();
  await once(socket, 'connect');
  const later = dial(t, port);
  await once(later, 'connect');
  await until('both are cut', () => {
    world.clock.advance(1_000);
    return world.counts.closed.get('rtmp/timeout') === 2;
  });
  await once(socket, 'close');
});

for (const [what, begin] of [
  ['whose first byte comes late', (port: number) => connect({ port, host: '127.0.0.1' })],
  ['inside TLS', (port: number) => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })],
] as const) {
  test(`the deadline for handshakes runs from the TCP connection: a client ${what}`, LIMIT, async (t) => {
    const { port, world, server } = await start(t);
    const looked = t.mock.method(world.clock, 'now').mock;
    const socket = begin(port);
    t.after(() => socket.destroy());
    await until('the server has noted when it came', () => looked.callCount() > 0);
    world.clock.advance(9_000);
    socket.write(Buffer.of(3));
    await until('it is taken for RTMP', () => server.open === 1);
    world.clock.advance(2_000);
    assert.equal(world.counts.closed.get('rtmp/timeout'), 1);
    world.clock.advance(3_000);
    socket.resume();
    await once(socket, 'close');
  });
}

test('who begins TLS and stops is closed by the deadline for handshakes', LIMIT, async (t) => {
  const { port, world } = await start(t);
  const socket = dial(t, port);
  socket.write(Buffer.of(0x16, 3, 1));
  socket.resume();
  const closed = once(socket, 'close');
  await until('it is cut', () => {
    world.clock.advance(1_000);
    return world.counts.closed.get('rtmp/timeout') === 1;
  });
  await closed;
});

test('TLS without a certificate is closed, and the log says what is missing', LIMIT, async (t) => {
  const world = aWorld({ listen: '127.0.0.1:0' });
  const server = new RtmpServer(world);
  const { rtmp: address } = await server.start();
  t.after(() => {
    server.close();
    server.stop();
  });
  const socket = dial(t, address!.port);
  socket.write(Buffer.of(0x16, 3, 1));
  socket.resume();
  await once(socket, 'close');
  assert.equal(world.counts.closed.get('server/tls'), 1);
  assert.ok(world.log.lines.some(({ fields }) => fields['code'] === 'server/tls'));
});

test('there are so many connections in all, on all ports, and a new limit holds at once', LIMIT, async (t) => {
  const { port, tlsPort, world } = await start(t, { maxConnections: 2, tlsListen: '127.0.0.1:0' });
  await client(t, 'play', port);
  await client(t, 'play', tlsPort, 'rtmps');
  const oneMore = dial(t, port);
  oneMore.resume();
  await once(oneMore, 'close');
  assert.equal(world.counts.closed.get('access/busy'), 1);
  world.options = { ...world.options, maxConnections: 3 };
  await client(t, 'play', port);
});

test('each peer is checked about once a second, a few of them at a time', LIMIT, async (t) => {
  const { port, world, server } = await start(t, { pingInterval: 1_000 });
  const clients = await Promise.all(Array.from({ length: 40 }, () => client(t, 'play', port)));
  await until('all are here', () => server.open === clients.length);
  const sent = server.traffic().sent;
  let most = 0;
  for (let beat = 0; beat < 60; beat++) {
    const before = server.traffic().sent;
    world.clock.advance(50);
    most = Math.max(most, server.traffic().sent - before);
  }
  const PING = 18;
  assert.ok(most <= 2 * PING);
  assert.ok(server.traffic().sent - sent >= clients.length * PING);
});

test('a listener for TLS alone takes nothing else', LIMIT, async (t) => {
  const { tlsPort } = await start(t, { tlsListen: '127.0.0.1:0' });
  await client(t, 'publish', tlsPort, 'rtmps');
  const plain = dial(t, tlsPort);
  plain.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1_536)]));
  plain.resume();
  await once(plain, 'close');
});

test('one address has so many connections, whatever they say, and on whichever port', LIMIT, async (t) => {
  const { port, tlsPort, world } = await start(t, { maxConnectionsPerIp: 3, tlsListen: '127.0.0.1:0' });
  const silent = dial(t, port);
  await once(silent, 'connect');
  const player = await client(t, 'play', port);
  await client(t, 'play', tlsPort, 'rtmps');
  for (const full of [port, tlsPort]) {
    const oneMore = dial(t, full);
    oneMore.resume();
    await once(oneMore, 'close');
  }
  assert.equal(world.counts.closed.get('access/busy'), 2);
  silent.destroy();
  await player.leave();
  await until('two are gone', () => world.counts.open === 1);
  await client(t, 'play', port);
});

test('the log tells of refused connections once a second at most, and how many', LIMIT, async (t) => {
  const { port, world } = await start(t, { maxConnections: 1 });
  await client(t, 'play', port);
  const refused = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const oneMore = dial(t, port);
      oneMore.resume();
      await once(oneMore, 'close');
    }
  };
  const told = () => logged(world, 'access/busy').map((fields) => fields['refused']);
  await refused(3);
  assert.deepEqual(told(), []);
  world.clock.advance(1_000);
  assert.deepEqual(told(), [3]);
  await refused(2);
  world.clock.advance(950);
  assert.deepEqual(told(), [3]);
  world.clock.advance(50);
  assert.deepEqual(told(), [3, 2]);
  world.clock.advance(5_000);
  assert.deepEqual(told(), [3, 2]);
  assert.ok(world.log.lines.every(({ fields, level }) => fields['code'] !== 'access/busy' || level === 'warn'));
});

test('a port that is taken is said to be', LIMIT, async (t) => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const address = taken.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(
    start(t, { listen: `127.0.0.1:${address.port}` }),
    (error) => error instanceof RefusedError && error.code === 'server/listen',
  );
});

test('closed, it lets nobody in; dismissed, it tells those inside, and they are gone', LIMIT, async (t) => {
  const { server, port } = await start(t);
  const stranger = dial(t, port);
  await once(stranger, 'connect');
  const player = await client(t, 'play', port);
  await server.close();
  const late = dial(t, port);
  await once(late, 'error').catch(() => {});
  assert.equal(late.destroyed || late.connecting === false, true);
  server.dismiss('Back soon.');
  await until('the player is gone', () => player.closed && server.open === 0);
  const last = player.events.at(-1);
  assert.deepEqual(last, {
    type: 'refused',
    code: 'NetConnection.Connect.AppShutdown',
    description: 'Back soon.',
  });
});

test('new certificates are for new connections', LIMIT, async (t) => {
  const { server, port } = await start(t);
  const name = async () => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };
  assert.equal(await name(), 'localhost');
  server.setTls(selfSigned('other.invalid'));
  assert.equal(await name(), 'other.invalid');
  assert.throws(() => server.setTls({ cert: Buffer.from('nonsense'), key: Buffer.from('nonsense') }));
  assert.equal(await name(), 'other.invalid');
});

test('it works on the real clock', LIMIT, async (t) => {
  const world: RtmpWorld = { ...aWorld({ listen: '127.0.0.1:0' }), clock: systemClock };
  const server = new RtmpServer(world);
  const { rtmp: address } = await server.start();
  t.after(async () => {
    await server.close();
    server.dismiss('over');
    server.stop();
  });
  const publisher = await client(t, 'publish', address!.port);
  publisher.write(9, 0, avcBody('key'));
  assert.deepEqual(await picture(await client(t, 'play', address!.port)), avcBody('key'));
});
