import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { quiet } from '../../src/base/log.ts';
import { newMediaPortCounts, type Remote } from '../../src/webrtc/ice-remote.ts';
import { UdpHandle } from '../../src/webrtc/udp-handle.ts';
import { UdpPort } from '../../src/webrtc/udp-port.ts';
import { settled } from '../helpers/virtual-clock.ts';

async function client(t: TestContext, host = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket({
    type: host === '::1' ? 'udp6' : 'udp4',
    lookup: (name, _, then) => then(null, name, 4),
  });
  const listening = once(socket, 'listening');
  socket.bind(0, host);
  await listening;
  t.after(() => socket.close());
  return socket;
}

/** A port with one client, as the port sees it. */
async function town(t: TestContext, listen: string, bare: boolean) {
  const counts = newMediaPortCounts();
  let received!: (from: Remote) => void;
  const first = new Promise<Remote>((resolve) => {
    received = resolve;
  });
  const port = await UdpPort.open({ listen, bare, counts, log: quiet, receive: (_, from) => received(from) });
  t.after(() => port.close());
  const socket = await client(t);
  socket.send(Buffer.of(1), port.address.port, '127.0.0.1');
  return { counts, port, socket, remote: await first };
}

for (const bare of [true, false]) {
  for (const listen of ['127.0.0.1:0', 'localhost:0', ':0']) {
    const how = `${listen}, ${bare ? 'bare handle' : 'public API'}`;
    test(`what is sent is sent when it returns: the memory may be written over (${how})`, async (t) => {
      const { socket, remote, counts } = await town(t, listen, bare);
      const received: string[] = [];
      socket.on('message', (bytes: Buffer) => received.push(`${bytes.length} ${bytes[0]} ${bytes.at(-1)}`));
      const memories = [new Uint8Array(8_192), Buffer.alloc(8_192), new Uint8Array(new ArrayBuffer(9_000), 100, 8_192)];
      const expected: string[] = [];
      for (const [count, length] of [1, 1_200, 1_200, 5_000, 700, 2_048].entries()) {
        const memory = memories[count % memories.length]!;
        memory.fill(count, 100, 100 + length);
        remote.send(memory, 100, length);
        memory.fill(0xee);
        expected.push(`${length} ${count} ${count}`);
      }
      while (received.length < expected.length) await settled();
      assert.deepEqual(received, expected);
      assert.deepEqual([counts.sent, counts.sentBytes, remote.queuedBytes], [6, 10_149, 0]);
    });
  }
}

test('an address is the same object for as long as it is kept', async (t) => {
  const seen: Remote[] = [];
  const counts = newMediaPortCounts();
  const port = await UdpPort.open({ listen: '127.0.0.1:0', counts, log: quiet, receive: (_, from) => seen.push(from) });
  t.after(() => port.close());
  const socket = await client(t);
  const receive = async () => {
    const before = seen.length;
    socket.send(Buffer.of(1), port.address.port, '127.0.0.1');
    while (seen.length === before) await settled();
    return seen.at(-1)!;
  };
  const one = await receive();
  assert.notEqual(await receive(), one);
  one.keep();
  assert.equal(await receive(), one);
  one.forget();
  assert.notEqual(await receive(), one);
});

test('what the system refuses is counted', async (t) => {
  const { remote, counts } = await town(t, '127.0.0.1:0', true);
  remote.send(Buffer.alloc(66_000), 0, 66_000);
  assert.deepEqual([Object.fromEntries(counts.dropped), counts.sent], [{ 'not-sent': 1 }, 0]);
});

test('the handle of this Node is as expected, and what was looked at is as it was', async (t) => {
  const socket = await client(t);
  assert.ok(UdpHandle.over(socket, '127.0.0.1'));
  const arrived = once(socket, 'message');
  socket.send('after', socket.address().port, '127.0.0.1');
  assert.equal(String((await arrived)[0]), 'after');
});

test('a socket whose insides are different is left alone', () => {
  assert.equal(UdpHandle.over({} as Socket, '127.0.0.1'), undefined);
  const other = { [Symbol('state')]: { handle: { send: () => 0 } }, send() {} };
  assert.equal(UdpHandle.over(other as unknown as Socket, '127.0.0.1'), undefined);
});

interface Request {
  oncomplete?: () => void;
}

/** A handle that takes nothing until it is told to. */
class SlowHandle {
  busy = true;
  readonly held: { bytes: Buffer; request: Request; callback: boolean }[] = [];
  readonly sent: string[] = [];

  send(
    request: Request,
    list: readonly Buffer[],
    _count: number,
    _port: number,
    _address: string,
    callback: boolean,
  ): number {
    const bytes = list[0]!;
    if (!this.busy) {
      this.sent.push(`${bytes.length} ${bytes[0]}`);
      return bytes.length + 1;
    }
    this.held.push({ bytes, request, callback });
    return 0;
  }

  flush(): void {
    this.busy = false;
    for (const { bytes, request, callback } of this.held.splice(0)) {
      this.sent.push(`${bytes.length} ${bytes[0]}`);
      if (callback) request.oncomplete!();
    }
  }
}

test('what the system will take later waits in memory of its own', () => {
  const slow = new SlowHandle();
  const handle = new UdpHandle(slow, class {});
  const memory = new Uint8Array(4_096);
  for (const [count, length] of [1_200, 1_200, 3_000, 10].entries()) {
    memory.fill(count);
    assert.equal(handle.send(memory, 0, length, 9, '127.0.0.1'), true);
  }
  memory.fill(0xee);
  assert.equal(handle.waiting, 5_410);
  assert.equal(new Set(slow.held.map(({ request }) => request)).size, 4);
  slow.flush();
  assert.equal(handle.waiting, 0);
  handle.send(memory.fill(7), 0, 1_200, 9, '127.0.0.1');
  assert.deepEqual(slow.sent, ['1200 0', '1200 1', '3000 2', '10 3', '1200 7']);
});

test('one that waits does not see what is sent after it', () => {
  const slow = new SlowHandle();
  const handle = new UdpHandle(slow, class {});
  const memory = new Uint8Array(1_200);
  handle.send(memory.fill(1), 0, 1_200, 9, '127.0.0.1');
  slow.busy = false;
  handle.send(memory.fill(2), 0, 1_200, 9, '127.0.0.1');
  assert.equal(slow.held[0]!.bytes[0], 1);
});

/** Sends to itself and prints what waits then, and once everything has arrived. */
const WAITER = `
  import { createSocket } from 'node:dgram';
  import { UdpHandle } from '${new URL('../../src/webrtc/udp-handle.ts', import.meta.url)}';
  const socket = createSocket({ type: 'udp4', lookup: (name, _, then) => then(null, name, 4) });
  socket.bind(0, '127.0.0.1', () => {
    const handle = UdpHandle.over(socket, '127.0.0.1');
    let arrived = 0;
    socket.on('message', () => {
      if (++arrived < 3) return;
      setImmediate(() => {
        console.log(handle.waiting);
        socket.close();
      });
    });
    for (let i = 0; i < 3; i++) handle.send(Buffer.alloc(100), 0, 100, socket.address().port, '127.0.0.1');
    console.log(handle.waiting);
  });
`;

test('the handle of this Node says when what waited has left', { timeout: 60_000 }, async () => {
  // with this option, every datagram waits
  const options = ['--test-udp-no-try-send', '--input-type=module', '--eval', WAITER];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  assert.equal(stdout, '300\n0\n');
});
