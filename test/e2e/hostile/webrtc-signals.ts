/**
 * Strangers on the WebSocket of Wowza's signalling.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { mutate, type Random } from '../../fuzz/mutation.ts';
import type { HostileStudio, StudioFamily } from '../../helpers/hostile-studio.ts';
import { until } from '../../helpers/program.ts';
import { OPCODE, socketFrame, upgraded } from '../../helpers/raw-socket.ts';
import { newCredentials, offerOf } from '../../helpers/rtc-client.ts';
import { DIGEST } from '../../helpers/sdp.ts';

const PATH = '/webrtc-session.json';
const V2 = `${PATH}?webrtcImplementation=v2`;
/** Below what is allowed in a second. */
const PER_SOCKET = 25;
const MAX_MESSAGE = 64 << 10;

type Json = Readonly<Record<string, unknown>>;

class Page {
  readonly socket: WebSocket;
  readonly #heard: string[] = [];
  #wake = () => {};

  static async open(studio: HostileStudio, path = PATH, port = studio.httpPort): Promise<Page> {
    const page = new Page(new WebSocket(`ws://127.0.0.1:${port}${path}`));
    await once(page.socket, 'open');
    return page;
  }

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => this.#wake());
    socket.on('message', (data) => {
      this.#heard.push(String(data));
      this.#wake();
    });
  }

  get closed(): boolean {
    return this.socket.readyState === WebSocket.CLOSED;
  }

  /** What comes next; undefined: the socket is closed. */
  async ask(message: string | Buffer | Json): Promise<Json | undefined> {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
    while (this.#heard.length === 0 && !this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const text = this.#heard.shift();
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  }
}

const streamInfo = (streamName: string, more: Json = {}) => ({ applicationName: 'free', streamName, ...more });
const offer = (does: 'publish' | 'play') => offerOf(does, newCredentials(), DIGEST);

/** As pages say them. */
function signals(): readonly Json[] {
  const sdp = { type: 'offer', sdp: offer('publish') };
  const v2 = { applicationName: 'free', streamName: 'signalled', sdp: offer('publish') };
  return [
    { direction: 'publish', command: 'sendOffer', streamInfo: streamInfo('signalled'), sdp, userData: { a: 1 } },
    { direction: 'play', command: 'getOffer', streamInfo: streamInfo('screen'), userData: {} },
    { direction: 'play', command: 'sendResponse', streamInfo: streamInfo('screen', { sessionId: '7' }), sdp },
    { direction: 'play', command: 'getAvailableStreams', streamInfo: streamInfo('screen') },
    { ...v2, messageType: 'OFFER', action: 'PUBLISH' },
    { ...v2, messageType: 'OFFER', action: 'VIEW', streamName: 'screen' },
    { messageType: 'ICE_RESTART', connectionId: '1', sdp: v2.sdp },
    { messageType: 'CLOSE', connectionId: '1' },
  ];
}

const ODD: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    1e308,
    '',
    '__proto__',
    'x'.repeat(5_000),
    'a\n\u0000<b>%41',
    '\ud800',
    [],
    {},
    [[[]]],
    { toString: 7 },
  ],
];

/** A signal whose parts are of another kind, or at another place. */
function twisted(random: Random): Json {
  const all = signals();
  const signal = structuredClone(all[random(all.length)]!) as Record<string, unknown>;
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const inner = Object.values(signal).filter((value) => typeof value === 'object' && value !== null);
    const place = (random(2) === 0 ? (inner[random(inner.length)] ?? signal) : signal) as Record<string, unknown>;
    const names = Object.keys(place);
    const name = names[random(names.length)] ?? 'sdp';
    const other = all[random(all.length)]!;
    const part = Object.hasOwn(other, name) ? other[name] : other;
    place[name] = structuredClone(random(3) === 0 ? part : ODD[random(ODD.length)]);
  }
  return signal;
}

const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

/** Each in either dialect; none has a meaning. */
const NONSENSE: readonly (string | Buffer)[] = [
  ...['', 'null', '0', '[]', '"text"', 'true', '{', '{}', '{"a":', 'NaN', '\u0000', '\ufeff{}'],
  deep('[', ']', 30_000),
  deep('{"a":', '}', 10_000).replace('}', '1}'),
  `{"direction":${deep('[', ']', 20_000)}}`,
  `{"streamInfo":${deep('{"a":', '}', 9_000).replace('}', '1}')},"command":"getOffer","direction":"play"}`,
  '{"__proto__":{"command":"getOffer","direction":"play"}}',
  '{"constructor":{"prototype":{"direction":"play"}},"command":"getOffer"}',
  '{"direction":"play","command":"getOffer","streamInfo":{"__proto__":{"applicationName":"free","streamName":"screen"}}}',
  '{"direction":"__proto__","command":"toString"}',
  '{"direction":"play","command":"constructor"}',
  '{"direction":{"toString":null},"command":["getOffer"]}',
  '{"direction":"play","command":"getOffer","streamInfo":null}',
  '{"direction":"play","command":"getOffer","streamInfo":[]}',
  '{"direction":"play","command":"getOffer","streamInfo":{"applicationName":7,"streamName":{}}}',
  '{"direction":"publish","command":"sendOffer","streamInfo":{"applicationName":"free","streamName":"x"},"sdp":"v=0"}',
  '{"direction":"publish","command":"sendOffer","streamInfo":{"applicationName":"free","streamName":"x"},"sdp":{"sdp":[]}}',
  '{"direction":"play","command":"sendResponse","streamInfo":{"sessionId":"__proto__"},"sdp":{"sdp":"v=0"}}',
  '{"direction":"play","command":"sendResponse","streamInfo":{"sessionId":1e999},"sdp":{"sdp":"v=0"}}',
  '{"direction":"play","command":"getOffer","streamInfo":{"applicationName":"../../etc","streamName":"a<b%41"}}',
  '{"messageType":"OFFER","action":"PUBLISH","applicationName":"__proto__","streamName":"constructor","sdp":"v=0"}',
  '{"messageType":"OFFER","action":"DELETE","applicationName":"free","streamName":"x","sdp":"v=0"}',
  '{"messageType":"CLOSE","connectionId":"__proto__"}',
  '{"messageType":"ICE_RESTART","connectionId":"constructor","sdp":"a=ice-ufrag:x"}',
  JSON.stringify({ direction: 'play', command: 'getOffer', streamInfo: streamInfo('n'.repeat(60_000)) }),
  `{"direction":"play",${'"a":1,'.repeat(9_000)}"command":"none"}`,
  `[${'0,'.repeat(30_000)}0]`,
  Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  Buffer.alloc(MAX_MESSAGE),
];

/** A reply to one who has asked for what he cannot have. */
function refused(reply: Json | undefined, what: string): number {
  const status = Number(reply?.['status'] ?? reply?.['statusCode']);
  assert.ok(
    status >= 400 && status < 505 && status !== 500,
    `${what.slice(0, 200)}: ${JSON.stringify(reply)?.slice(0, 300)}`,
  );
  return status;
}

const CUTS: readonly (readonly [what: string, frames: readonly Buffer[]])[] = [
  ['a message too long', [socketFrame(OPCODE.text, Buffer.alloc(MAX_MESSAGE + 1, 0x20))]],
  ['a length of 2^63', [socketFrame(OPCODE.text, Buffer.alloc(9), { length: 1n << 63n })]],
  ['a length of 2^40', [socketFrame(OPCODE.text, Buffer.alloc(9), { length: 1n << 40n })]],
  ['no mask', [socketFrame(OPCODE.text, Buffer.from('{}'), { masked: false })]],
  ['a reserved opcode', [socketFrame(3, Buffer.alloc(0))]],
  ['a compressed message', [socketFrame(OPCODE.text, Buffer.from('{}'), { first: 0xc0 })]],
  ['no UTF-8', [socketFrame(OPCODE.text, Buffer.of(0xff, 0xfe))]],
  ['a ping too long', [socketFrame(OPCODE.ping, Buffer.alloc(200))]],
  ['a ping in pieces', [socketFrame(OPCODE.ping, Buffer.alloc(2), { first: 0 })]],
  ['the middle of nothing', [socketFrame(OPCODE.more, Buffer.alloc(2))]],
  ['two beginnings', [1, 2].map(() => socketFrame(OPCODE.text, Buffer.from('{'), { first: 0 }))],
  ['a close without sense', [socketFrame(OPCODE.close, Buffer.of(0, 1))]],
  ['too long in pieces', pieces(5, 20_000)],
  ['a thousand pieces', pieces(1_000, 1)],
  ['a thousand empty pieces', pieces(1_000, 0)],
  ['a thousand pings', Array.from({ length: 1_000 }, () => socketFrame(OPCODE.ping, Buffer.alloc(125)))],
  ['a thousand messages', Array.from({ length: 1_000 }, () => socketFrame(OPCODE.text, Buffer.from('{}')))],
];

/** The beginning of a message, and more and more of it. */
function pieces(count: number, size: number): Buffer[] {
  return Array.from({ length: count }, (_, at) =>
    socketFrame(at === 0 ? OPCODE.text : OPCODE.more, Buffer.alloc(size, 0x20), { first: 0 }),
  );
}

function closed(socket: Socket, what: string): Promise<unknown> {
  let over = socket.destroyed;
  socket.on('close', () => {
    over = true;
  });
  return until(`the server closes: ${what}`, () => over);
}

export const SIGNALS: readonly StudioFamily[] = [
  {
    name: 'signals of any shape',
    async run(studio) {
      let asked = 0;
      for (const path of [PATH, V2]) {
        for (const port of [studio.httpPort, studio.server.port]) {
          let page = await Page.open(studio, path, port);
          for (const [at, nonsense] of NONSENSE.entries()) {
            refused(await page.ask(nonsense), String(nonsense));
            asked += 1;
            if (at % PER_SOCKET < PER_SOCKET - 1) continue;
            page.socket.close();
            page = await Page.open(studio, path, port);
          }
          page.socket.close();
        }
      }
      const good = signals().map((signal) => Buffer.from(JSON.stringify(signal)));
      const statuses = new Map<string, number>();
      const sockets = await studio.crowd(60, 6, async (index) => {
        const page = await Page.open(studio, index % 2 === 0 ? PATH : V2);
        for (let n = 0; n < PER_SOCKET && !page.closed; n++) {
          const bytes = mutate(good, studio.random)
            .toString()
            .slice(0, MAX_MESSAGE / 4);
          const reply = await page.ask(n % 2 === 0 ? bytes : twisted(studio.random));
          const status = reply?.['status'] ?? reply?.['statusCode'];
          assert.notEqual(status, 500, JSON.stringify(reply));
          statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
        }
        page.socket.terminate();
      });
      const told = [...statuses].map(([status, count]) => `${count} x ${status}`).join(', ');
      return `${asked} pieces of nonsense refused; mutated signals on ${sockets} sockets: ${told}`;
    },
  },
  {
    name: 'frames of any shape',
    async run(studio) {
      const before = await studio.server.resident();
      await Promise.all(
        CUTS.map(async ([what, frames]) => {
          const socket = await upgraded(studio.httpPort);
          for (const frame of frames) socket.write(frame);
          socket.resume();
          await closed(socket, what);
        }),
      );
      // who asks without an end, and never reads an answer
      const deaf = await Promise.all(Array.from({ length: 8 }, () => upgraded(studio.httpPort)));
      const pings = Buffer.concat(Array.from({ length: 2_000 }, () => socketFrame(OPCODE.ping, Buffer.alloc(125, 7))));
      const ends = deaf.map((socket) => closed(socket, 'who reads no answers to pings'));
      for (const socket of deaf) for (let n = 0; n < 40; n++) socket.write(pings);
      await Promise.all(ends);
      const grown = (await studio.server.resident()) - before;
      assert.ok(grown < 64 << 20, `unread answers cost ${grown >> 20} MiB`);
      // a proper one may send in a few pieces
      const page = await Page.open(studio);
      page.socket.send('{"direction":', { fin: false });
      page.socket.send('"play"', { fin: false });
      refused(await page.ask('}'), 'in pieces');
      page.socket.close();
      return `${CUTS.length} shapes cut; unread answers cost ${grown >> 20} MiB`;
    },
  },
  {
    name: 'idle sockets',
    async run(studio) {
      const total = Math.round(2_000 * studio.scale);
      let [inside, refusals, ended] = [0, 0, 0];
      const sockets: WebSocket[] = [];
      await studio.crowd(2_000, 50, async () => {
        const socket = new WebSocket(`ws://127.0.0.1:${studio.httpPort}${PATH}`);
        sockets.push(socket);
        await new Promise<void>((resolve) => {
          socket.on('unexpected-response', (_, { statusCode, headers }) => {
            assert.equal(statusCode, 503);
            assert.match(headers['retry-after']!, /^\d+$/);
            refusals += 1;
            socket.terminate();
          });
          socket.on('open', () => {
            inside += 1;
            resolve();
          });
          socket.on('error', () => {});
          socket.on('close', () => {
            ended += 1;
            resolve();
          });
        });
      });
      assert.ok(refusals > 0 && inside + refusals === total, `${inside} inside, ${refusals} refused`);
      await studio.pair.check('with many sockets');
      await until('all are closed', () => ended === total);
      return `${inside} were let in, ${refusals} refused, all closed`;
    },
  },
  {
    name: 'sessions of other sockets',
    async run(studio) {
      const [owner, other] = [await Page.open(studio), await Page.open(studio)];
      const got = await owner.ask({ direction: 'play', command: 'getOffer', streamInfo: streamInfo('screen') });
      assert.equal(got?.['status'], 200, JSON.stringify(got));
      const sessionId = String((got['streamInfo'] as Json)['sessionId']);
      const response = (id: string) => ({
        ...{ direction: 'play', command: 'sendResponse', streamInfo: streamInfo('screen', { sessionId: id }) },
        sdp: { type: 'answer', sdp: offer('play') },
      });
      const near = Array.from({ length: 20 }, (_, at) => String(Number(sessionId) - 10 + at));
      const unknown = await other.ask(response('2000000000'));
      for (const id of near) {
        const reply = await other.ask(response(id));
        const blank = (of: Json | undefined) => ({ ...of, streamInfo: undefined });
        assert.deepEqual(blank(reply), blank(unknown), 'what is foreign looks like what is not there');
      }
      const [first, second] = [await Page.open(studio, V2), await Page.open(studio, V2)];
      const v2 = { messageType: 'OFFER', action: 'PUBLISH', applicationName: 'free', streamName: 'mine' };
      const opened = await first.ask({ ...v2, sdp: offer('publish') });
      assert.equal(opened?.['statusCode'], 200, JSON.stringify(opened));
      const { connectionId } = opened['message'] as { connectionId: string };
      for (const messageType of ['CLOSE', 'ICE_RESTART']) {
        const reply = await second.ask({ messageType, connectionId, sdp: offer('publish') });
        assert.deepEqual(reply, await second.ask({ messageType, connectionId: '2000000000', sdp: offer('publish') }));
        assert.equal(refused(reply, messageType), 404);
      }
      assert.ok(
        (await studio.server.sessions()).some(({ stream }) => stream === 'mine'),
        'the owner still has it',
      );
      // what is not listed, and what takes a key
      for (const applicationName of ['keyed', 'keyed/_definst_', '__proto__', '']) {
        const list = {
          direction: 'play',
          command: 'getAvailableStreams',
          streamInfo: { applicationName, streamName: '' },
        };
        const reply = await other.ask(list);
        refused(reply, applicationName);
        assert.equal(reply?.['availableStreams'], undefined);
      }
      for (const command of ['sendOffer', 'getOffer']) {
        const direction = command === 'sendOffer' ? 'publish' : 'play';
        const names = { applicationName: 'keyed', streamName: 'show?key=00' };
        const reply = await other.ask({ direction, command, streamInfo: names, sdp: { sdp: offer('publish') } });
        assert.equal(refused(reply, command), 403);
      }
      for (const { socket } of [owner, other, first, second]) socket.close();
      return `${near.length} numbers guessed`;
    },
  },
];
