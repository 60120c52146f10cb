/**
 * Requests that ask for another protocol: one is taken over, the rest are answered as if they had not asked (RFC 9110 section 7.8).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HTTP_LIMITS, HttpListener } from '../../src/http/listener.ts';
import { askPlainly } from '../../src/http/plain-request.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { exchange, problemIn, untilClosed } from '../helpers/raw-http.ts';

const H2C =
  'Host: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n';
const WEB_SOCKET = 'Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
const JSON_BODY = 'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}';

async function listening(context: TestContext, setUp: (listener: HttpListener) => void): Promise<number> {
  const listener = new HttpListener({
    address: { host: '127.0.0.1', port: 0 },
    limits: HTTP_LIMITS,
    log: new LogRecorder(),
  });
  listener.app.get('/', async () => 'hello');
  listener.app.post('/echo', async ({ body }) => body);
  setUp(listener);
  context.after(() => listener.close());
  return ((await listener.listen()).plain as AddressInfo).port;
}

/** As a door that speaks something of its own at one path. */
function openDoor(listener: HttpListener): void {
  listener.takeUpgrades({
    wants: ({ url, headers }) => url === '/door' && headers.upgrade === 'websocket',
    upgrade: (_request, socket, head) => socket.end(`mine ${head}`),
  });
}

/** As Node before 22.21 has it: by the time one is told of an upgrade, the connection is no longer HTTP. */
async function oldNode(context: TestContext): Promise<number> {
  let server: Server | undefined;
  await listening(context, (listener) => {
    ({ server } = listener);
  });
  const other = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const [first, ...lines] = text.slice(0, end).split('\r\n');
      const [method, url] = first!.split(' ');
      const rawHeaders = lines.flatMap((line) => line.split(': '));
      socket.removeAllListeners('data');
      socket.readableFlowing = null;
      const request = { method, url, httpVersion: '1.1', rawHeaders } as IncomingMessage;
      askPlainly(server!, request, socket, bytes.subarray(end + 4));
    });
  });
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  context.after(() => other.close());
  return (other.address() as AddressInfo).port;
}

for (const [name, open] of [
  ['with a door', (context: TestContext) => listening(context, openDoor)],
  ['without one', (context: TestContext) => listening(context, () => {})],
  ['after the connection was taken from HTTP', oldNode],
] as const) {
  test(`other protocols are not spoken, and their requests are answered: ${name}`, async (context) => {
    const port = await open(context);
    const close = 'Connection: close\r\n';
    assert.match(await exchange(port, `GET / HTTP/1.1\r\n${H2C}${close}\r\n`), /^HTTP\/1\.1 200 OK[\s\S]*hello$/);
    const post = await exchange(port, `POST /echo HTTP/1.1\r\n${H2C}${close}${JSON_BODY}`);
    assert.match(post, /^HTTP\/1\.1 200 OK[\s\S]*\{"a":1\}$/);
    const lost = await exchange(port, `GET /none HTTP/1.1\r\n${WEB_SOCKET}${close}\r\n`);
    assert.deepEqual(problemIn(lost), { status: 404, code: 'api/not-found', type: 'application/problem+json' });
    const odd = await exchange(port, `GET / HTTP/1.1\r\nHost: h\r\n${H2C}${close}\r\n`);
    assert.equal(problemIn(odd).status, 400, 'two hosts');
  });

  test(`a body that comes later is read: ${name}`, async (context) => {
    const port = await open(context);
    const socket = connect(port, '127.0.0.1');
    const answer = untilClosed(socket);
    await once(socket, 'connect');
    const text = `POST /echo HTTP/1.1\r\n${H2C}Connection: close\r\n${JSON_BODY}`;
    for (const part of [text.slice(0, -5), text.slice(-5, -2), text.slice(-2)]) {
      socket.write(part);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.match(await answer, /^HTTP\/1\.1 200 OK[\s\S]*\{"a":1\}$/);
  });
}

test('what the door wants is its own', async (context) => {
  const port = await listening(context, openDoor);
  assert.equal(await exchange(port, `GET /door HTTP/1.1\r\n${WEB_SOCKET}\r\nmore`), 'mine more');
});
