/**
 * What the browser's connection does when the network is lost, with a browser and a server that are none.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

interface Wish {
  run(): Promise<void>;
  stop(): void;
}
interface Options {
  readonly address: string;
  readonly token: string;
  prepare(): void;
  onState(state: string, problem: { readonly code: string } | undefined): void;
}
const { Connection } = (await import(new URL('../../web/connection.js', import.meta.url).href)) as {
  Connection: new (options: Options) => Wish;
};

/** A connection that has what the module asks of one, and connects when it is told to. */
class Pc extends EventTarget {
  connectionState = 'new';
  getTransceivers = () => [];
  createOffer = async () => ({ sdp: 'v=0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n' });
  setLocalDescription = async () => {};
  setRemoteDescription = async () => {};
  close = () => {};

  becomes(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

type Answer = () => Promise<Response>;
const ADDRESS = 'http://media.example/live/a/whep';
const created: Answer = async () => {
  const response = new Response('v=0', { status: 201, headers: { location: '/session/1' } });
  return Object.defineProperty(response, 'url', { value: ADDRESS });
};
const unreachable: Answer = () => Promise.reject(new TypeError('fetch failed'));

/** Somebody watches. `answers`: of each method; where there is none, the server is silent. */
function watching(context: TestContext, answers: Record<string, Answer>) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const asked: string[] = [];
  const states: string[] = [];
  const pcs: Pc[] = [];
  const globals = {
    window: new EventTarget(),
    RTCPeerConnection: class extends Pc {
      constructor() {
        super();
        pcs.push(this);
      }
    },
    fetch: (_: string, { method = 'GET', signal }: { method?: string; signal?: AbortSignal } = {}) => {
      asked.push(method);
      const silence = () =>
        new Promise<Response>((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
        });
      return (answers[method] ?? silence)();
    },
  };
  const before = Object.entries(globals).map(([name, value]) => {
    const own = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    return [name, own] as const;
  });
  const connection = new Connection({
    ...{ address: ADDRESS, token: '', prepare() {} },
    onState: (state) => states.push(state),
  });
  let ended = false;
  void connection.run().then(() => {
    ended = true;
  });
  context.after(async () => {
    connection.stop();
    await settled();
    for (const [name, own] of before) {
      if (own === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, own);
    }
  });
  return {
    ...{ connection, asked, states },
    ended: () => ended,
    pc: () => pcs.at(-1)!,
    settle: settled,
    async wait(millis: number) {
      context.mock.timers.tick(millis);
      await settled();
    },
  };
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn();
}

/** Until it is live, and then lost. */
async function lost(watch: ReturnType<typeof watching>): Promise<void> {
  await watch.settle();
  watch.pc().becomes('connected');
  await watch.settle();
  assert.deepEqual(watch.states, ['connecting', 'live']);
  watch.pc().becomes('failed');
  await watch.settle();
}

const gone: Answer = async () => new Response('', { status: 204 });

test('stopped while a silent server is asked: it ends at once', async (context) => {
  const watch = watching(context, { POST: created, DELETE: gone });
  await lost(watch);
  assert.deepEqual(watch.states, ['connecting', 'live', 'reconnecting'], 'told before the server has answered');
  assert.deepEqual(watch.asked, ['POST', 'GET']);
  watch.connection.stop();
  await watch.settle();
  assert.ok(watch.ended());
  assert.deepEqual(watch.asked, ['POST', 'GET', 'DELETE']);
});

test('stopped while a silent server is asked for a restart: it ends at once', async (context) => {
  const watch = watching(context, { POST: created, GET: gone, DELETE: gone });
  await lost(watch);
  assert.deepEqual(watch.asked, ['POST', 'GET', 'PATCH']);
  watch.connection.stop();
  await watch.settle();
  assert.ok(watch.ended());
});

test('a server that cannot be asked what has become of a session is asked for a restart', async (context) => {
  const watch = watching(context, { POST: created, GET: unreachable, DELETE: gone });
  await lost(watch);
  assert.deepEqual(watch.asked, ['POST', 'GET', 'PATCH']);
});

test('a server that stays silent is given up, step by step, for a new session', async (context) => {
  const watch = watching(context, { POST: created });
  await lost(watch);
  for (const step of ['PATCH', 'GET', 'DELETE']) {
    await watch.wait(5_000);
    assert.equal(watch.asked.at(-1), step);
  }
  // the goodbye is not waited for long; then comes the pause before the next try
  await watch.wait(2_000);
  await watch.wait(1_000);
  assert.deepEqual(watch.asked, ['POST', 'GET', 'PATCH', 'GET', 'DELETE', 'POST']);
  watch.pc().becomes('connected');
  await watch.settle();
  assert.equal(watch.states.at(-1), 'live');
});

test('a session that was ended for a reason is not begun again', async (context) => {
  const problem = JSON.stringify({ code: 'access/operator', detail: 'Enough.', fix: '' });
  const headers = { 'content-type': 'application/problem+json' };
  const refused: Answer = async () => new Response(problem, { status: 404, headers });
  const watch = watching(context, { POST: created, GET: refused });
  await lost(watch);
  assert.deepEqual(watch.states.at(-1), 'ended');
  assert.ok(watch.ended());
  assert.deepEqual(watch.asked, ['POST', 'GET']);
});
