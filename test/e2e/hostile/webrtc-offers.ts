/**
 * Offers and requests that are none, and floods of good ones.
 */
import assert from 'node:assert/strict';
import { mutate, type Random } from '../../fuzz/mutation.ts';
import { ANSWERED, HOSTILE_OFFERS } from '../../helpers/hostile-offers.ts';
import { type HostileStudio, MAX_SESSIONS, type Reply, type StudioFamily } from '../../helpers/hostile-studio.ts';
import { until } from '../../helpers/program.ts';
import { newCredentials, offerOf } from '../../helpers/rtc-client.ts';
import { DIGEST, RECORDED } from '../../helpers/sdp.ts';

const SDP = { 'content-type': 'application/sdp' };
const FRAGMENT = { 'content-type': 'application/trickle-ice-sdpfrag' };
const MAX_BODY = 64 << 10;
/** One session that never came to be may cost this much while it is waited for, and nothing afterwards. */
const BYTES_PER_OFFER = 100 << 10;

/** All forms of an endpoint. */
function endpoints(app: string, stream: string, door: 'whip' | 'whep'): readonly string[] {
  return [`/${app}/${stream}/${door}`, `/${door}/${app}/${stream}`, `//${app}/_definst_/${stream}?a=b/${door}`];
}

/** A description whose lines are good lines, mostly, and as a whole make little sense. */
function mutateLines(texts: readonly string[], random: Random): string {
  const pick = (lines: readonly string[]) => random(lines.length);
  const lines = texts[pick(texts)]!.split('\r\n');
  for (let changes = 1 + random(5); changes > 0; changes--) {
    const at = pick(lines);
    const line = lines[at]!;
    const words = line.split(' ');
    const foreign = texts[pick(texts)]!.split('\r\n');
    const change = [
      () => lines.splice(at, 1 + random(4)),
      () => lines.splice(at, 0, ...Array.from({ length: 1 + random(40) }, () => line)),
      () => lines.splice(at, 0, foreign[pick(foreign)]!),
      () => lines.push(...lines.splice(at, 1 + random(10))),
      () => lines.splice(at, 1, words.slice(0, random(words.length + 1)).join(' ')),
      () => lines.splice(at, 1, [...words, words[pick(words)]].join(' ')),
      () => lines.splice(at, 1, line.replace(/\d+/, String(NUMBERS[random(NUMBERS.length)]))),
      () => lines.splice(at, 1, line.replace(/:.*/, ':')),
      () => lines.splice(at, 1, line.slice(0, random(line.length + 1))),
    ][random(9)]!;
    change();
  }
  return lines.join('\r\n');
}

const NUMBERS = [
  -1,
  0,
  1,
  15,
  16,
  95,
  127,
  128,
  255,
  256,
  65_535,
  65_536,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  1e21,
  Number.NaN,
];

/** Ends a session that was answered. */
async function takeBack(studio: HostileStudio, { headers }: Reply): Promise<void> {
  const { status } = await studio.request(headers.get('location')!, { method: 'DELETE' });
  assert.equal(status, 200);
}

/** Numbers of answers by their status, as people read them. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string | number): void {
    this.#counts.set(String(what), (this.#counts.get(String(what)) ?? 0) + 1);
  }

  toString(): string {
    return [...this.#counts]
      .sort()
      .map(([what, count]) => `${count} x ${what}`)
      .join(', ');
  }
}

/** What is wrong with a request, its bytes, and the statuses that will do. */
const REQUESTS: readonly (readonly [what: string, bytes: string, statuses: readonly number[]])[] = [
  ['two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n\r\nv=0\r\nx'), [400]],
  ['a length and chunks', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'), [400]],
  ['chunks and a length', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'), [400]],
  ['chunked is not last', post('Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'), [400]],
  ['a coding that is none', post('Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'), [400, 501]],
  ['chunked behind a tab', post('Transfer-Encoding:\tchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n'), [400]],
  ['a blank before the colon', post('Content-Length : 5\r\n\r\nv=0\r\n'), [400]],
  ['a folded line', post('Content-Length:\r\n 5\r\n\r\nv=0\r\n'), [400]],
  ['a negative length', post('Content-Length: -5\r\n\r\nv=0\r\n'), [400]],
  ['a length with a sign', post('Content-Length: +5\r\n\r\nv=0\r\n'), [400]],
  ['a length in hexadecimal', post('Content-Length: 0x5\r\n\r\nv=0\r\n'), [400]],
  ['a length without end', post(`Content-Length: ${'9'.repeat(40)}\r\n\r\nv=0\r\n`), [400, 413]],
  ['a length over 64 KiB', post(`Content-Length: ${MAX_BODY + 1}\r\n\r\nv=0\r\n`), [413]],
  ['a size of a chunk that is none', post('Transfer-Encoding: chunked\r\n\r\nzz\r\nv=0\r\n0\r\n\r\n'), [400]],
  ['a negative chunk', post('Transfer-Encoding: chunked\r\n\r\n-1\r\nv=0\r\n0\r\n\r\n'), [400]],
  ['a chunk without end', post(`Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\nv=0\r\n`), [400]],
  ['an extension of 1 MiB', post(`Transfer-Encoding: chunked\r\n\r\n5;${'x'.repeat(1 << 20)}\r\nv=0\r\n`), [413]],
  ['a chunk that goes on', post('Transfer-Encoding: chunked\r\n\r\n3\r\nv=0GET / HTTP/1.1\r\n\r\n0\r\n\r\n'), [400]],
  ['NUL in a header', post('X: a\0b\r\n\r\n'), [400]],
  ['a bare CR in a header', post('X: a\rContent-Length: 5\r\n\r\nv=0\r\n'), [400]],
  ['a header without a name', post(': x\r\n\r\n'), [400]],
  ['a header without a colon', post('nonsense\r\n\r\n'), [400]],
  ['200 headers', post(`${'X: y\r\n'.repeat(200)}Connection: close\r\n\r\n`), [400, 415, 431]],
  ['20,000 bytes of header', post(`X: ${'y'.repeat(20_000)}\r\n\r\n`), [431]],
  ['no host', 'POST /free/raw/whip HTTP/1.1\r\nConnection: close\r\n\r\n', [400]],
  ['two hosts', 'POST /free/raw/whip HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', [400]],
  ['version 3.7', 'POST /free/raw/whip HTTP/3.7\r\nHost: h\r\n\r\n', [400, 505]],
  ['version 0.9', 'POST /free/raw/whip\r\n\r\n', [400]],
  ['a method that is none', 'PUBLISH /free/raw/whip HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', [400, 405, 501]],
  ['a method in small letters', 'post /free/raw/whip HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', [400]],
  ['a blank in the target', 'POST /free/raw /whip HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', [400]],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(300, '\x07'), [400]],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  [
    'a target of 15,000 bytes',
    `POST /free/${'a'.repeat(15_000)}/whip HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
    [400, 404, 414],
  ],
  ['percent codes of nothing', closing('POST /free/%zz%00%/whip'), [400, 404]],
  ['steps upwards', closing('POST /free/../../etc/passwd/whip'), [400, 404]],
  ['a target of another host', closing('POST http://elsewhere/free/raw/whip'), [400, 404]],
  ['a name of objects', closing('POST /__proto__/constructor/whip'), [400, 404]],
  ['only slashes', closing(`POST ${'/'.repeat(10_000)}whip`), [400, 404]],
];

function post(rest: string): string {
  return `POST /free/raw/whip HTTP/1.1\r\nHost: h\r\nContent-Type: application/sdp\r\n${rest}`;
}

function closing(line: string): string {
  return `${line} HTTP/1.1\r\nHost: h\r\nContent-Type: application/sdp\r\nConnection: close\r\nContent-Length: 5\r\n\r\nv=0\r\n`;
}

/** Behind a request that is refused, for a server that takes a part of the first one for another. */
const SMUGGLED = 'GET /streams.json HTTP/1.1\r\nHost: h\r\n\r\n';

export const OFFERS: readonly StudioFamily[] = [
  {
    name: 'mutated offers',
    async run(studio) {
      const texts = [...RECORDED.values()];
      const offers = texts.map((text) => Buffer.from(text));
      const statuses = new Tally();
      const total = await studio.crowd(1_200, 8, async (index) => {
        const door = index % 2 === 0 ? 'whip' : 'whep';
        const forms = endpoints('free', door === 'whip' ? `mutated${index}` : 'screen', door);
        const reply = await studio.request(forms[studio.random(forms.length)]!, {
          headers: SDP,
          body: index % 4 < 2 ? mutate(offers, studio.random) : mutateLines(texts, studio.random),
        });
        statuses.add(reply.status);
        assert.ok(reply.status === 201 || reply.status < 500, reply.body);
        if (reply.status === 201) await takeBack(studio, reply);
      });
      return `${total} offers: ${statuses}`;
    },
  },
  {
    name: 'named offers',
    async run(studio) {
      const statuses = new Tally();
      for (const [what, offer, outcome] of HOSTILE_OFFERS) {
        const reply = await studio.request('/free/named/whip', { headers: SDP, body: offer });
        statuses.add(reply.status);
        if (outcome === ANSWERED) assert.equal(reply.status, 201, `${what}: ${reply.body}`);
        // a body that is too long is not even read
        else if (reply.status !== 413) assert.equal(JSON.parse(reply.body).code, outcome, what);
        if (reply.status === 201) await takeBack(studio, reply);
        const watching = await studio.request('/free/screen/whep', { headers: SDP, body: offer });
        statuses.add(watching.status);
        if (watching.status === 201) await takeBack(studio, watching);
        else assert.ok(watching.status < 500, `${what}: ${watching.body}`);
      }
      return `${HOSTILE_OFFERS.length} offers to both doors: ${statuses}`;
    },
  },
  {
    name: 'requests',
    async run(studio) {
      const offer = offerOf('publish', newCredentials(), DIGEST);
      const statuses = new Tally();
      const expect = async (status: number, path: string, request: Parameters<HostileStudio['request']>[1]) => {
        const reply = await studio.request(path, request);
        assert.equal(
          reply.status,
          status,
          `${request?.method} ${path} ${JSON.stringify(request?.headers)}: ${reply.body}`,
        );
        statuses.add(status);
        if (status === 405) assert.match(reply.headers.get('allow')!, /OPTIONS/);
        if (status === 201) await takeBack(studio, reply);
      };
      for (const path of [...endpoints('free', 'proper', 'whip'), ...endpoints('free', 'screen', 'whep')]) {
        for (const method of ['PUT', 'PATCH', 'DELETE']) await expect(405, path, { method, headers: SDP, body: 'x' });
        for (const type of [
          'text/plain',
          'application/json',
          'application/sdpx',
          'multipart/form-data',
          '',
          'a'.repeat(4_000),
        ]) {
          await expect(415, path, { headers: { 'content-type': type }, body: offer });
        }
        await expect(413, path, { headers: SDP, body: offer.padEnd(MAX_BODY + 1, '\n') });
        await expect(400, path, { headers: SDP, body: Buffer.alloc(MAX_BODY) });
        await expect(400, path, { headers: SDP });
      }
      await expect(201, '/free/proper/whip', { headers: SDP, body: offer });
      await expect(404, `/free/proper/whip/${'0'.repeat(32)}`, { method: 'PATCH', headers: FRAGMENT, body: 'a=x' });
      for (const method of ['POST', 'PUT']) {
        await expect(405, `/free/proper/whip/${'0'.repeat(32)}`, { method, headers: SDP, body: offer });
      }
      const chunked = [offer.slice(0, 100), offer.slice(100)].map(
        (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
      );
      const whole = await studio.exchange(
        post(`Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunked.join('')}0\r\n\r\n`),
      );
      assert.match(whole, /^HTTP\/1\.1 201 /, 'an offer in chunks is one');
      const flood = `${(1 << 16).toString(16)}\r\n${'x'.repeat(1 << 16)}\r\n`.repeat(16);
      const tooLong = await studio.exchange(post(`Transfer-Encoding: chunked\r\n\r\n${flood}0\r\n\r\n`));
      assert.match(tooLong, /^HTTP\/1\.1 413 /, 'a mebibyte in chunks is cut');
      return `${statuses}`;
    },
  },
  {
    name: 'smuggling',
    async run(studio) {
      const statuses = new Tally();
      // the doors of RTMP and of HTTP lead to the same
      const ports = [studio.httpPort, studio.server.port];
      const work = REQUESTS.flatMap((request) => ports.map((port) => [port, ...request] as const));
      const each = work.map(async ([port, what, bytes, allowed]) => {
        const heard = await studio.exchange(bytes + SMUGGLED, port);
        const answers = [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
        statuses.add(answers[0] ?? 'closed');
        assert.ok(answers.length <= 1, `${what}: ${heard}`);
        // a port of RTMP takes for HTTP what begins like it
        if (answers.length === 0 && port !== studio.httpPort) return;
        assert.ok(allowed.includes(answers[0]!), `${what}: ${heard.slice(0, 300)}`);
      });
      await Promise.all(each);
      return `${REQUESTS.length} shapes on two ports: ${statuses}`;
    },
  },
  {
    name: 'offers without ICE',
    async run(studio) {
      const descriptors = await studio.descriptors();
      const before = await studio.server.resident();
      const statuses = new Tally();
      let peak = before;
      const total = await studio.crowd(900, 12, async (index) => {
        const offer = offerOf('publish', newCredentials(), DIGEST);
        const reply = await studio.request(`/free/flood${index}/whip`, { headers: SDP, body: offer });
        statuses.add(reply.status);
        assert.ok(reply.status === 201 || reply.status === 503, reply.body);
        if (reply.status === 503) assert.match(reply.headers.get('retry-after')!, /^\d+$/);
        if (index % 100 === 0) peak = Math.max(peak, await studio.server.resident());
      });
      assert.match(String(statuses), /x 503/, 'there is a limit');
      await studio.alone();
      await until('the descriptors are back', async () => (await studio.descriptors()) <= descriptors);
      const bound = MAX_SESSIONS * BYTES_PER_OFFER + (32 << 20);
      assert.ok(
        peak - before < bound,
        `${MAX_SESSIONS} sessions that never came to be cost ${(peak - before) >> 20} MiB`,
      );
      return `${total} offers: ${statuses}; at most ${(peak - before) >> 20} MiB more`;
    },
  },
  {
    name: 'slow requests',
    async run(studio) {
      const many = Math.round(40 * studio.scale);
      const openings = [
        '',
        'POST /free/slow/whip HTTP/1.1\r\n',
        post('Content-Length: 4000\r\n\r\n'),
        post('Content-Length: 4000\r\n\r\nv=0\r\n'),
        post('Transfer-Encoding: chunked\r\n\r\nff\r\n'),
      ];
      const began = performance.now();
      const slow = openings.flatMap((opening) => Array.from({ length: many }, () => studio.dribble(opening)));
      // the proper ones are served meanwhile
      for (let n = 0; n < 20; n++) {
        const offer = offerOf('play', newCredentials(), DIGEST);
        await takeBack(studio, await studio.request('/free/screen/whep', { headers: SDP, body: offer }));
      }
      await Promise.all(slow);
      return `${slow.length} connections cut after ${Math.round((performance.now() - began) / 1000)} s`;
    },
  },
];
