import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { SiteServer } from '../../src/http/http-server.ts';
import { SITE_POLICY } from '../../src/http/site-page.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { exchange } from '../helpers/raw-http.ts';

const greeting = () => ({ version: '1.2.3', rtmpPort: 1935, webrtc: true, app: 'live', webControlled: false });

function site(listen = '127.0.0.1:0') {
  return new SiteServer({ listen, tlsListen: '' }, { log: new LogRecorder(), greeting });
}

test('the page comes light, guarded and uncached', async () => {
  const answer = await site().app.inject({ url: '/', headers: { host: 'media.example' } });
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(answer.headers['content-security-policy'], SITE_POLICY);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.match(answer.body, /rtmp:\/\/media\.example\/live/);
  assert.ok(Buffer.byteLength(answer.body) < 8_192);
});

test('there is nothing else, and no way into the admin interface', async () => {
  const { app } = site();
  for (const url of ['/favicon.ico', '/robots.txt', '/v1/sessions', '/metrics', '/healthz', '/%2e%2e/v1']) {
    const answer = await app.inject(url);
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'api/not-found'], url);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
  }
  assert.equal((await app.inject({ method: 'POST', url: '/' })).statusCode, 405);
});

test('another protocol adds its routes, and answers with problems as the rest does', async () => {
  const server = site();
  server.register(async (app) => {
    app.addContentTypeParser('application/sdp', { parseAs: 'string' }, async (_request: unknown, body: string) => body);
    app.post('/:app/:stream/whip', async ({ body }, reply) => reply.code(201).type('application/sdp').send(body));
  });
  const post = (type: string) =>
    server.app.inject({ method: 'POST', url: '/a/b/whip', headers: { 'content-type': type }, payload: 'v=0' });
  assert.deepEqual([(await post('application/sdp')).statusCode, (await post('application/sdp')).body], [201, 'v=0']);
  assert.equal((await post('text/html')).statusCode, 415);
  const wrong = await server.app.inject('/a/b/whip');
  assert.deepEqual([wrong.statusCode, wrong.headers['allow']], [405, 'POST']);
});

test('it listens where it was told, or nowhere', async (context) => {
  const server = site();
  const { plain: address } = await server.listen();
  context.after(() => server.close());
  assert.match(await exchange(address!.port, 'GET / HTTP/1.0\r\n\r\n'), /rtmp:\/\/127\.0\.0\.1\/live/);
  const quiet = site('');
  assert.equal((await quiet.listen()).plain, undefined);
  await quiet.close();
});

test('a connection that came in elsewhere is served as its own', async (context) => {
  const server = site('');
  await server.listen();
  context.after(() => server.close());
  const other = createServer({ pauseOnConnect: true }, (socket) => {
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      server.server.emit('connection', socket);
      socket.resume();
    });
    socket.resume();
  });
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  context.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const get = `GET / HTTP/1.1\r\nHost: media.example:${port}\r\n`;
  const answer = await exchange(port, `${get}\r\n${get}Connection: close\r\n\r\n`);
  assert.equal(answer.match(/rtmp:\/\/media\.example\/live<\/code>/g)?.length, 2);
});
