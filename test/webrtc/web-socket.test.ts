/**
 * What a WebSocket may do, and how long.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { it } from 'node:test';
import { WebSocket } from 'ws';
import { OPCODE, socketFrame, upgraded } from '../helpers/raw-socket.ts';
import { SocketTown } from '../helpers/socket-town.ts';

/** The status of one more request for a socket: 101 when it is let in. */
async function oneMore(town: SocketTown): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${town.port}/webrtc-session.json`);
  return new Promise((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
  });
}

it('who says nothing is closed, who spoke once may think for a minute', async (context) => {
  const town = await new SocketTown({ pingInterval: 1_000_000 }).open(context);
  const [silent, slow] = [await town.caller(), await town.caller()];
  await slow.ask('{}');
  await town.clock.run(11_000);
  assert.equal((await silent.closed)[0], 1006);
  await town.clock.run(48_000);
  await slow.ask('{}');
  await town.clock.run(59_000);
  assert.equal(slow.socket.readyState, WebSocket.OPEN);
  await town.clock.run(3_000);
  assert.deepEqual(await slow.closed, [1000, 'Nothing was said for too long.']);
});

it('who does not answer pings is gone', async (context) => {
  const town = await new SocketTown({ firstMessage: 1_000_000 }).open(context);
  const socket = new WebSocket(`ws://127.0.0.1:${town.port}/webrtc-session.json`, { autoPong: false });
  await once(socket, 'open');
  const alive = await town.caller();
  const pinged = [once(socket, 'ping'), once(alive.socket, 'ping')];
  await town.clock.run(21_000);
  await Promise.all(pinged);
  await alive.ask('{}');
  const closed = once(socket, 'close');
  await town.clock.run(21_000);
  await closed;
  assert.equal(alive.socket.readyState, WebSocket.OPEN);
});

it('there are so many, in all and from one address', async (context) => {
  for (const limits of [{ maxSockets: 2 }, { maxSocketsPerIp: 2 }]) {
    const town = await new SocketTown(limits).open(context);
    const first = await town.caller();
    await town.caller();
    assert.equal(await oneMore(town), 503);
    first.socket.close();
    await first.closed;
    // the near end may notice a little later
    while ((await oneMore(town)) === 503);
    assert.equal(await oneMore(town), 503);
  }
});

it('who says too much is closed', async (context) => {
  const town = await new SocketTown({ maxRate: 5 }).open(context);
  const page = await town.caller();
  for (let second = 0; second < 3; second++) {
    for (let i = 0; i < 5; i++) await page.ask('{}');
    await town.clock.run(1_000);
  }
  for (let i = 0; i < 6; i++) page.tell('{}');
  assert.deepEqual(await page.closed, [1008, 'Too many messages.']);
});

it('pings are answered, and count as messages', async (context) => {
  const town = await new SocketTown({ maxRate: 5 }).open(context);
  const page = await town.caller();
  for (let i = 0; i < 4; i++) {
    page.socket.ping(`are you there ${i}`);
    assert.equal(String((await once(page.socket, 'pong'))[0]), `are you there ${i}`);
  }
  await page.ask('{}');
  page.socket.ping();
  assert.deepEqual(await page.closed, [1008, 'Too many messages.']);
});

it('who goes on after that, and does not say goodbye, is cut off', async (context) => {
  const town = await new SocketTown({ maxRate: 5 }).open(context);
  const raw = await upgraded(town.port);
  for (let i = 0; i < 11; i++) raw.write(socketFrame(OPCODE.ping, Buffer.from('still there?')));
  raw.resume();
  await once(raw, 'close');
});

it('a message comes in few pieces', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  const send = (pieces: number) => {
    for (let i = 0; i < pieces; i++) page.socket.send(' ', { fin: false });
  };
  send(200);
  assert.ok(await page.ask('{}'));
  send(300);
  assert.equal((await page.closed)[0], 1008);
});

it('all are told when the server goes, and no more come', async (context) => {
  const town = await new SocketTown().open(context);
  const page = await town.caller();
  town.sockets.close();
  assert.deepEqual(await page.closed, [1001, 'The server is shutting down.']);
  assert.equal(await oneMore(town), 503);
  assert.equal(town.clock.pending, 1);
  town.clock.advance(1_000);
  assert.equal(town.clock.pending, 0, 'nothing is left running');
});

it('what is no WebSocket is refused, and what breaks the protocol is cut', async (context) => {
  const town = await new SocketTown().open(context);
  const raw = connect(town.port, '127.0.0.1');
  raw.write('GET /webrtc-session.json HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [answer] = await once(raw, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 400 /);
  raw.destroy();
  const page = await town.caller();
  // a frame with a reserved opcode
  (page.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
    Buffer.from([0x83, 0x80, 0, 0, 0, 0]),
  );
  assert.equal((await page.closed)[0], 1002);
});
