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
import type { PacketRing } from '../../src/webrtc/packet-ring.ts';
import type { ViewerKeys } from '../../src/webrtc/srtp-batch.ts';
import { BATCH_PACKETS } from '../../src/webrtc/srtp-kernel-code.ts';
import { TcpPort } from '../../src/webrtc/tcp-port.ts';
import { TrackCursor } from '../../src/webrtc/track-cursor.ts';
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

test('a viewer who reads slowly is held back, and loses nothing of what it is given', {
  timeout: 20_000,
}, async (context) => {
  const { counts, remote: path } = await line(context);
  const cursor = new TrackCursor({ keys: {} as ViewerKeys, path, started() {} }, 1);
  cursor.position = 0;
  const ring = { end: Number.MAX_SAFE_INTEGER } as PacketRing;
  const packet = Buffer.alloc(MAX_FRAME_BYTES);
  let now = 0;
  for (let still = 0; still < 10 && counts.dropped.size === 0; now += 1_000) {
    const count = cursor.allowed(ring, now, BATCH_PACKETS);
    for (let sent = 0; sent < count; sent++) path.send(packet, 0, packet.length);
    cursor.sent(count, 0, 0);
    still = count === 0 ? still + 1 : 0;
    await settled();
  }
  assert.ok(path.queuedBytes > 0);
  assert.deepEqual([...counts.dropped], []);
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
