/**
 * What one connection of ICE over TCP does with what waits; checks and sessions are for the media port's tests.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { quiet } from '../../src/base/log.ts';
import { MAX_FRAME_BYTES } from '../../src/webrtc/ice-frames.ts';
import { newMediaPortCounts, type Remote } from '../../src/webrtc/ice-remote.ts';
import { PATH_QUEUE_MARK } from '../../src/webrtc/path.ts';
import { BATCH_PACKETS } from '../../src/webrtc/srtp-kernel-code.ts';
import { TcpPort } from '../../src/webrtc/tcp-port.ts';
import { settled } from '../helpers/virtual-clock.ts';

const HELLO = Buffer.from('0001ff', 'hex');
const NOBODY = { datagram() {}, gone() {}, yield() {}, lose() {} };

interface Line {
  readonly port: TcpPort;
  readonly counts: ReturnType<typeof newMediaPortCounts>;
  readonly client: Socket;
  /** The connection as a session has it. */
  readonly remote: Remote;
  /** Frames that the port has handed on. */
  readonly frames: string[];
}

/** One client that has said its first frame, and reads nothing yet. */
async function line(context: TestContext): Promise<Line> {
  const counts = newMediaPortCounts();
  const frames: string[] = [];
  let remote: Remote | undefined;
  const port = await TcpPort.open({
    listen: '127.0.0.1:0',
    receive: (bytes, from) => {
      frames.push(bytes.toString('hex'));
      remote = from;
      from.owner = NOBODY;
    },
    now: () => 0,
    counts,
    log: quiet,
    maxConnections: 10,
    maxConnectionsPerIp: 10,
  });
  const client = connect(port.address.port, '127.0.0.1');
  client.on('error', () => {});
  context.after(() => {
    client.destroy();
    port.close();
  });
  await once(client, 'connect');
  client.write(HELLO);
  while (remote === undefined) await settled();
  return { port, counts, client, remote, frames };
}

/** All that comes until the connection ends. */
async function rest(client: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  client.on('data', (bytes: Buffer) => parts.push(bytes));
  await once(client, 'close');
  return Buffer.concat(parts);
}

/** Fills the system's buffers and some of ours. */
async function fill(remote: Remote): Promise<void> {
  const packet = Buffer.alloc(1_200);
  for (let before = -1; remote.queuedBytes < 100_000 || remote.queuedBytes !== before; ) {
    before = remote.queuedBytes;
    if (before < 100_000) for (let count = 0; count < 50; count++) remote.send(packet, 0, packet.length);
    await settled();
  }
}

test('a viewer who reads slowly is held back, and loses nothing of what it is given', async (context) => {
  const { counts, remote } = await line(context);
  const packet = Buffer.alloc(MAX_FRAME_BYTES);
  // as tracks are sent: a batch as long as the mark is not passed
  while (remote.queuedBytes <= PATH_QUEUE_MARK && counts.dropped.size === 0) {
    for (let sent = 0; sent < BATCH_PACKETS; sent++) remote.send(packet, 0, packet.length);
    await settled();
  }
  assert.deepEqual([...counts.dropped], []);
  assert.ok(remote.queuedBytes > PATH_QUEUE_MARK);
});

test('the last words of a session arrive before its connection ends', async (context) => {
  const { client, remote } = await line(context);
  const all = rest(client);
  remote.send(Buffer.from('bye'), 0, 3);
  remote.forget();
  assert.equal((await all).toString('latin1'), '\x00\x03bye');
});

test('they do when the port is closed right after, too', async (context) => {
  const { client, remote, port } = await line(context);
  const all = rest(client);
  remote.send(Buffer.from('bye'), 0, 3);
  remote.forget();
  port.close();
  assert.equal((await all).toString('latin1'), '\x00\x03bye');
});

test('a connection that is nobody’s any more takes no frames, and is cut when it does not drain', async (context) => {
  const { client, remote, port, counts, frames } = await line(context);
  client.pause();
  await fill(remote);
  remote.owner = undefined;
  remote.forget();
  client.write(HELLO);
  for (let turn = 0; turn < 20; turn++) await settled();
  assert.equal(frames.length, 1);
  port.sweep(2_000);
  await settled();
  assert.equal(counts.connections, 1);
  port.sweep(2_001);
  while (counts.connections > 0) await settled();
  assert.equal(counts.cut, 0, 'its session had ended before');
});

test('closing the port ends connections that do not drain', async (context) => {
  const { client, remote, port, counts } = await line(context);
  client.pause();
  await fill(remote);
  port.close();
  while (counts.connections > 0) await settled();
});
