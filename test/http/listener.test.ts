/**
 * What the listener does to those who send slowly, wrongly or too much; on real sockets.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HTTP_LIMITS, type HttpLimits, HttpListener } from '../../src/http/listener.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { exchange, problemIn, untilClosed } from '../helpers/raw-http.ts';
import { selfSigned } from '../helpers/self-signed.ts';

const HASTY: HttpLimits = { ...HTTP_LIMITS, headersTimeout: 200, requestTimeout: 300, checkInterval: 20 };
const GET = 'GET / HTTP/1.1\r\nHost: h\r\n';
const PROBLEM = 'application/problem+json';

async function listening(context: TestContext, limits: Partial<HttpLimits> = {}) {
  const log = new LogRecorder();
  const listener = new HttpListener({
    address: { host: '127.0.0.1', port: 0 },
    limits: { ...HTTP_LIMITS, ...limits },
    log,
  });
  listener.app.get('/', async () => 'hello');
  listener.app.post('/echo', async ({ body }) => body);
  listener.app.get('/bug', async () => {
    throw new Error('secret detail in a stack');
  });
  const { port } = (await listener.listen()).plain as AddressInfo;
  context.after(() => listener.close());
  return { listener, log, port };
}

test('a proper request is answered, and the connection kept', async (context) => {
  const { port } = await listening(context);
  const answer = await exchange(port, `${GET}\r\n${GET}Connection: close\r\n\r\n`);
  assert.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
  assert.match(answer, /^x-content-type-options: nosniff/im);
  assert.ok(!/^(server|x-powered-by):/im.test(answer));
});

test('what is not HTTP, or smuggles, is a problem and the end of the connection', async (context) => {
  const { port, log } = await listening(context);
  const shapes = [
    'nonsense\r\n\r\n',
    '\x03\x00\x00\x00\x00\r\n\r\n',
    'GET / HTTP/9.9\r\nHost: h\r\n\r\n',
    'GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n',
    `${GET}Bad Name: x\r\n\r\n`,
    `${GET}X: a\x00b\r\n\r\n`,
    `${GET}X: a\r\n folded\r\n\r\n`,
    'POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    'POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n',
    'POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
  ];
  for (const shape of shapes) {
    const text = shape.includes('Connection')
      ? shape
      : shape.replace('HTTP/1.1\r\n', 'HTTP/1.1\r\nConnection: close\r\n');
    assert.deepEqual(problemIn(await exchange(port, text)), { status: 400, code: 'api/request', type: PROBLEM }, shape);
  }
  assert.equal(log.codes().filter((code) => code === 'api/request').length, shapes.length);
});

test('a head that is too large is refused', async (context) => {
  const { port } = await listening(context);
  const answer = await exchange(port, `${GET}X: ${'x'.repeat(32 << 10)}\r\n\r\n`);
  assert.deepEqual(problemIn(answer), { status: 431, code: 'api/too-large', type: PROBLEM });
});

test('bodies end at the limit, announced or in chunks, on every method', async (context) => {
  const { port } = await listening(context, { maxBodyBytes: 1_000 });
  const json = 'Content-Type: application/json\r\n';
  const chunked = `Transfer-Encoding: chunked\r\n\r\n${`190\r\n${' '.repeat(400)}\r\n`.repeat(3)}`;
  const heads = [`POST /echo HTTP/1.1\r\nHost: h\r\n${json}`, `POST /none HTTP/1.1\r\nHost: h\r\n${json}`];
  for (const head of heads) {
    for (const rest of ['Content-Length: 1001\r\n\r\n', chunked]) {
      const answer = await exchange(port, head + rest);
      assert.deepEqual(problemIn(answer), { status: 413, code: 'api/too-large', type: PROBLEM }, head + rest);
      assert.match(answer, /^connection: close/im);
    }
  }
  assert.equal(problemIn(await exchange(port, `${GET}Content-Length: 1001\r\n\r\n`)).status, 413);
});

test('a body that nobody reads does not flow on after the answer', async (context) => {
  const { port } = await listening(context);
  const begun = 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';
  assert.match(await exchange(port, `${GET}${begun}`), /^HTTP\/1\.1 200[\s\S]*connection: close/i);
  const odd = await exchange(port, `POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: image/png\r\n${begun}`);
  assert.deepEqual(problemIn(odd), { status: 415, code: 'api/media-type', type: PROBLEM });
});

test('nor does the body of a request that was refused by its head', async (context) => {
  const { port } = await listening(context);
  const begun = 'POST /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n';
  const socket = connect(port, '127.0.0.1');
  socket.write(begun);
  const answer = await untilClosed(socket);
  assert.match(answer, /^HTTP\/1\.1 400[\s\S]*\nconnection: close\r/i);
});

test('after a first answer a fault closes the connection without a word', async (context) => {
  const { port } = await listening(context);
  const socket = connect(port, '127.0.0.1');
  const all = untilClosed(socket);
  socket.write(`${GET}\r\n`);
  await once(socket, 'data');
  socket.write('nonsense\r\n\r\n');
  assert.equal((await all).match(/HTTP\/1\.1/g)?.length, 1);
});

test('bodies that cannot be read are problems', async (context) => {
  const { port } = await listening(context);
  const post = (type: string, body: string) =>
    `POST /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  assert.match(await exchange(port, post('application/json', '{"a":1}')), /\{"a":1\}$/);
  for (const body of ['{', '', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":1}}']) {
    assert.equal(problemIn(await exchange(port, post('application/json', body))).status, 400, body);
  }
});

test('one who sends its head slowly, or nothing, is cut, while others are served', async (context) => {
  const { port, log } = await listening(context, HASTY);
  const silent = untilClosed(connect(port, '127.0.0.1'));
  const slow = connect(port, '127.0.0.1');
  const cut = untilClosed(slow);
  let at = 0;
  const drip = setInterval(() => slow.write(GET[at++ % GET.length]!), 15);
  context.after(() => clearInterval(drip));
  assert.match(await exchange(port, `${GET}Connection: close\r\n\r\n`), /200 OK/);
  assert.deepEqual(problemIn(await cut), { status: 408, code: 'api/timeout', type: PROBLEM });
  assert.equal(problemIn(await silent).status, 408);
  assert.ok(log.codes().includes('api/timeout'));
});

test('one who sends its body slowly is cut', async (context) => {
  const { port } = await listening(context, HASTY);
  const head = 'POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{';
  assert.equal(problemIn(await exchange(port, head)).status, 408);
});

test('the watch over slow senders holds for connections that came in elsewhere', async (context) => {
  const log = new LogRecorder();
  const listener = new HttpListener({ address: undefined, limits: HASTY, log });
  listener.app.get('/', async () => 'hello');
  assert.equal((await listener.listen()).plain, undefined);
  context.after(() => listener.close());
  const { createServer } = await import('node:net');
  const other = createServer((socket) => {
    // As after sniffing: what was read is put back, then the socket is handed over.
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      listener.server.emit('connection', socket);
      socket.resume();
    });
  });
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  context.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  assert.match(await exchange(port, `${GET}Connection: close\r\n\r\n`), /200 OK[\s\S]*hello$/);
  assert.equal(problemIn(await exchange(port, 'GET / HT')).status, 408);
});

test('closing ends connections in use', { timeout: 10_000 }, async () => {
  const listener = new HttpListener({
    address: { host: '127.0.0.1', port: 0 },
    limits: { ...HTTP_LIMITS, stallTimeout: 0 },
    log: new LogRecorder(),
  });
  let asked = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    asked = resolve;
  });
  listener.app.get('/', () => {
    asked();
    return new Promise(() => {});
  });
  const { port } = (await listener.listen()).plain as AddressInfo;
  const hanging = exchange(port, `${GET}\r\n`);
  await waiting;
  await listener.close();
  assert.equal(await hanging, '');
});

test('more connections than allowed are closed as they come', async (context) => {
  const { port } = await listening(context, { maxConnections: 1 });
  const first = connect(port, '127.0.0.1');
  await once(first, 'connect');
  first.write(`${GET}\r\n`);
  await once(first, 'data');
  assert.equal(await exchange(port, `${GET}\r\n`), '');
  first.destroy();
});

test('a connection is closed after its share of requests', async (context) => {
  const { port } = await listening(context, { maxRequestsPerSocket: 2 });
  const answer = await exchange(port, `${GET}\r\n${GET}\r\n${GET}Connection: close\r\n\r\n`);
  assert.deepEqual(answer.match(/(?<=HTTP\/1\.1 )\d+|(?<=connection: )\S+/gi), [
    '200',
    'keep-alive',
    '200',
    'close',
    '503',
    'close',
  ]);
});

test('a fault of ours shows no stack to the visitor, and all of it to the log', async (context) => {
  const { port, log } = await listening(context);
  const answer = await exchange(port, 'GET /bug?key=hush HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.deepEqual(problemIn(answer), { status: 500, code: 'server/bug', type: PROBLEM });
  assert.ok(!answer.includes('secret detail') && !answer.includes('.ts'));
  const line = log.lines.find(({ level }) => level === 'error');
  assert.match(String(line?.fields['stack']), /secret detail/);
  assert.ok(!JSON.stringify(log.lines).includes('hush'));
});

test('paths that cannot be decoded, or are endless, are problems', async (context) => {
  const { port } = await listening(context);
  for (const [path, status] of [
    ['/%', 400],
    ['/%zz', 400],
    [`/${'a'.repeat(5_000)}`, 404],
    ['/../../etc/passwd', 404],
    ['//', 404],
  ]) {
    const answer = await exchange(port, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    assert.equal(problemIn(answer).status, status, String(path).slice(0, 20));
  }
});

test('methods that no route has are problems', async (context) => {
  const { port } = await listening(context);
  for (const method of ['OPTIONS', 'TRACE', 'PROPFIND', 'PUT']) {
    const answer = await exchange(port, `${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
    assert.deepEqual(problemIn(answer), { status: 405, code: 'api/method', type: PROBLEM }, method);
    assert.match(answer, /^allow: GET, HEAD\r$/im);
  }
  const expect = await exchange(port, `${GET}Expect: tea\r\n\r\n`);
  assert.equal(problemIn(expect).status, 417);
});

test('a port that is taken is named in the refusal', async (context) => {
  const { port } = await listening(context);
  const log = new LogRecorder();
  const second = new HttpListener({ address: { host: '127.0.0.1', port }, limits: HTTP_LIMITS, log });
  await assert.rejects(second.listen(), {
    code: 'server/listen',
    message: new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE`),
  });
  assert.deepEqual(log.lines, [], 'and in no line besides');
  await second.close();
});

test('it speaks HTTPS, and takes a new certificate while it runs', async (context) => {
  const [first, second] = [selfSigned(), selfSigned()];
  const listener = new HttpListener({
    ...{ address: undefined, limits: HTTP_LIMITS, log: new LogRecorder() },
    tls: { address: { host: '127.0.0.1', port: 0 }, setting: 'http.tlsListen' },
  });
  listener.app.get('/', async () => 'hello');
  const { port } = (await listener.listen(first)).tls as AddressInfo;
  context.after(() => listener.close());
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (response) => {
        const { raw } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
        response.resume();
        resolve(createHash('sha256').update(raw).digest('hex'));
      }).on('error', reject);
    });
  const before = await shown();
  listener.setTls(second);
  const after = await shown();
  assert.notEqual(after, before);
  assert.throws(() => listener.setTls({ cert: first.cert, key: second.key }));
  assert.equal(await shown(), after);
});
