import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { HandleTransport } from '../../src/rtmp/handle-transport.ts';
import { openTransport } from '../../src/rtmp/open-transport.ts';
import { StreamTransport } from '../../src/rtmp/stream-transport.ts';
import type { Transport, TransportEvents } from '../../src/rtmp/transport.ts';
import { until } from '../helpers/program.ts';

/** What a transport told its owner. */
class Owner implements TransportEvents {
  readonly said: string[] = [];
  readonly received_: Buffer[] = [];
  #waiting: { word: string; then: () => void }[] = [];

  received(bytes: Buffer): void {
    this.received_.push(Buffer.from(bytes));
    this.#say('received');
  }
  finished(): void {
    this.#say('finished');
  }
  closed(): void {
    this.#say('closed');
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received_);
  }

  count(word: string): number {
    return this.said.filter((each) => each === word).length;
  }

  /** Waits until `word` was said at least once more than now, or was said already when `ever`. */
  async hears(word: string, ever = true): Promise<void> {
    if (ever && this.said.includes(word)) return;
    await new Promise<void>((then) => this.#waiting.push({ word, then }));
  }

  async has(length: number): Promise<void> {
    while (this.bytes.length < length) await this.hears('received', false);
  }

  #say(word: string): void {
    this.said.push(word);
    const waiting = this.#waiting.filter((each) => each.word === word);
    this.#waiting = this.#waiting.filter((each) => each.word !== word);
    for (const { then } of waiting) then();
  }
}

interface Pair {
  readonly transport: Transport;
  readonly owner: Owner;
  /** The other end. */
  readonly client: Socket;
}

let server: Server;
const sockets: Socket[] = [];

before(async () => {
  server = createServer({ pauseOnConnect: true, noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

async function pair(bare: boolean): Promise<Pair> {
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [socket] = (await accepted) as [Socket];
  if (client.connecting) await once(client, 'connect');
  client.on('error', () => {});
  const owner = new Owner();
  const transport = openTransport(socket, owner, bare);
  assert.equal(transport instanceof (bare ? HandleTransport : StreamTransport), true);
  sockets.push(client, socket);
  return { transport, owner, client };
}

async function readAll(client: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  client.resume();
  await once(client, 'end');
  return Buffer.concat(chunks);
}

function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed) & 255;
  return bytes;
}

/** More than a kernel takes for a socket that nobody reads. */
const TOO_MUCH = 16 << 20;

type Case = (pair: Pair) => Promise<void>;

const CASES: Readonly<Record<string, Case>> = {
  async 'starts paused, and hands over what came'({ transport, owner, client }) {
    client.write('one');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(owner.said, []);
    transport.resume();
    await owner.has(3);
    assert.equal(owner.bytes.toString(), 'one');
    assert.equal(transport.bytesRead, 3);
  },

  async 'paused, it reads nothing; resumed, all that came'({ transport, owner, client }) {
    transport.resume();
    client.write('one');
    await owner.has(3);
    transport.pause();
    transport.pause();
    const much = pattern(300_000);
    client.write(much);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(owner.bytes.length, 3);
    transport.resume();
    transport.resume();
    await owner.has(3 + much.length);
    assert.deepEqual(owner.bytes.subarray(3), much);
  },

  async 'may be paused while it hands over'({ transport, owner, client }) {
    const received = owner.received.bind(owner);
    owner.received = (bytes) => {
      transport.pause();
      received(bytes);
    };
    transport.resume();
    client.write(pattern(2 << 20));
    await owner.hears('received');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(owner.count('received'), 1);
    owner.received = received;
    transport.resume();
    await owner.has(2 << 20);
    assert.deepEqual(owner.bytes, pattern(2 << 20));
  },

  async 'small writes go at once and wait nowhere'({ transport, client }) {
    const all = readAll(client);
    for (let i = 0; i < 100; i++) transport.write(pattern(100, i));
    assert.equal(transport.bytesWritten, 10_000);
    assert.equal(transport.queuedBytes, 0);
    transport.end();
    assert.deepEqual(await all, Buffer.concat(Array.from({ length: 100 }, (_, i) => pattern(100, i))));
  },

  async 'what the kernel does not take waits, is counted, and arrives whole'({ transport, owner, client }) {
    client.pause();
    const [first, second] = [pattern(TOO_MUCH), pattern(100_000, 7)];
    transport.write(first);
    transport.write(second);
    assert.ok(transport.queuedBytes > 0);
    assert.equal(transport.bytesWritten, first.length + second.length);
    assert.ok(transport.queuedBytes <= first.length + second.length);
    transport.end();
    const all = await readAll(client);
    assert.equal(all.length, first.length + second.length);
    assert.ok(all.subarray(0, first.length).equals(first));
    assert.ok(all.subarray(first.length).equals(second));
    client.end();
    transport.resume();
    await owner.hears('closed');
    assert.equal(transport.queuedBytes, 0);
  },

  async 'what waits goes when the other side reads on'({ transport, client }) {
    client.pause();
    transport.write(pattern(TOO_MUCH));
    assert.ok(transport.queuedBytes > 0);
    client.resume();
    await until('the queue is empty', () => transport.queuedBytes === 0);
  },

  async 'after the end nothing is written, and what was queued arrives'({ transport, owner, client }) {
    client.pause();
    transport.write(pattern(TOO_MUCH));
    transport.end();
    transport.write(Buffer.from('too late'));
    transport.end();
    const all = await readAll(client);
    assert.equal(all.length, TOO_MUCH);
    client.end();
    transport.resume();
    await owner.hears('closed');
    assert.equal(transport.bytesWritten, TOO_MUCH);
  },

  async 'tells once that the other side has sent its last byte; what waits then still arrives'({
    transport,
    owner,
    client,
  }) {
    transport.resume();
    client.pause();
    transport.write(pattern(TOO_MUCH));
    client.end('bye');
    await owner.hears('finished');
    assert.equal(owner.bytes.toString(), 'bye');
    transport.write(Buffer.from('too late'));
    transport.end();
    const all = await readAll(client);
    assert.ok(all.equals(pattern(TOO_MUCH)));
    await owner.hears('closed');
    assert.deepEqual([owner.count('finished'), owner.count('closed')], [1, 1]);
    assert.equal(owner.said.at(-1), 'closed');
  },

  async 'destroyed, it is gone, and its counts stay'({ transport, owner, client }) {
    transport.resume();
    client.write('hello');
    await owner.has(5);
    client.pause();
    transport.write(Buffer.from('welcome'));
    transport.destroy();
    assert.deepEqual([transport.bytesRead, transport.bytesWritten], [5, 7]);
    transport.destroy();
    transport.write(Buffer.from('nobody'));
    transport.pause();
    transport.resume();
    transport.end();
    await owner.hears('closed');
    assert.deepEqual([transport.bytesRead, transport.bytesWritten], [5, 7]);
    assert.equal(owner.count('closed'), 1);
  },

  async 'destroyed with bytes waiting, it holds none of them'({ transport, owner, client }) {
    client.pause();
    transport.write(pattern(TOO_MUCH));
    transport.destroy();
    await owner.hears('closed');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(owner.said.at(-1), 'closed');
    assert.equal(transport.queuedBytes, 0);
  },

  async 'reset by the other side, it is closed once, and writing on is harmless'({ transport, owner, client }) {
    transport.resume();
    client.resetAndDestroy();
    while (owner.count('closed') === 0) {
      transport.write(pattern(1_000));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    transport.write(pattern(1_000));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(owner.count('closed'), 1);
  },

  async 'reset while it is paused and written to: the write finds out'({ transport, owner, client }) {
    client.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 10));
    for (let i = 0; i < 1_000 && owner.count('closed') === 0; i++) {
      transport.write(pattern(1_000));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal(owner.count('closed'), 1);
  },

  async 'a write inside of an event is in order'({ transport, owner, client }) {
    const received = owner.received.bind(owner);
    owner.received = (bytes) => {
      received(bytes);
      transport.write(Buffer.from(`<${bytes}>`));
    };
    transport.resume();
    const all = readAll(client);
    client.write('a');
    await owner.has(1);
    client.end('b');
    await owner.hears('finished');
    transport.end();
    assert.equal((await all).toString(), '<a><b>');
  },
};

for (const bare of [true, false]) {
  for (const [what, run] of Object.entries(CASES)) {
    test(`${bare ? 'bare handle' : 'public API'}: ${what}`, { timeout: 10_000 }, async () => {
      const made = await pair(bare);
      await run(made);
      made.client.destroy();
      made.transport.destroy();
      await made.owner.hears('closed');
    });
  }
}

test('taken over from a socket that was read before, a pause in the same turn holds', { timeout: 10_000 }, async () => {
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const client = connect({ port, host: '127.0.0.1' });
  const [socket] = (await accepted) as [Socket];
  sockets.push(client, socket);
  const owner = new Owner();
  const taken = new Promise<Transport>((resolve) => {
    socket.once('data', () => {
      const transport = openTransport(socket, owner);
      transport.resume();
      transport.pause();
      resolve(transport);
    });
  });
  socket.resume();
  client.write('first');
  const transport = await taken;
  const much = pattern(3 << 20);
  client.write(much);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.ok(owner.count('received') <= 1, `read ${owner.count('received')} times`);
  transport.resume();
  await owner.has(much.length);
  assert.ok(owner.bytes.equals(much));
  transport.destroy();
});
