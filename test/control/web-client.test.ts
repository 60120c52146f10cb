import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type LookupFunction,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { createSecureContext } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../src/base/clock.ts';
import { NodeWebClient, type WebAnswer, type WebRequest } from '../../src/control/web-client.ts';
import { isPassing, readEndpoint, type WebFault } from '../../src/control/web-fault.ts';
import { selfSigned } from '../helpers/self-signed.ts';
import { settled } from '../helpers/virtual-clock.ts';

const cleanup: (() => void)[] = [];
afterEach(() => {
  while (cleanup.length > 0) cleanup.pop()!();
});

async function listening(server: NetServer, host = '127.0.0.1', onPort = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(onPort, host, resolve);
  });
  cleanup.push(() => {
    if ('closeAllConnections' in server) (server as Server).closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const web = async (listener: RequestListener) => `http://127.0.0.1:${await listening(createServer(listener))}`;

/** A server that says what it likes. */
const raw = async (talk: (socket: Socket) => void) => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => talk(socket));
  });
  const port = await listening(server);
  cleanup.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${port}`;
};

function client(route: { connectTo?: string; localAddress?: string } = {}, lookUp?: LookupFunction): NodeWebClient {
  const made = new NodeWebClient({ connectTo: '', localAddress: '', ...route }, systemClock, lookUp);
  cleanup.push(() => made.close());
  return made;
}

function ask(url: string, more: Partial<WebRequest> = {}, by = client()): Promise<WebAnswer> {
  return by.send({ hook: 'webLogin', url, deadline: 5_000, maxBody: 65_536, ...more });
}

function assertFault(answer: WebAnswer, code: string, words: RegExp): WebFault {
  assert.equal(answer.ok, false);
  const { ok, ...rest } = answer as WebFault;
  assert.equal(rest.code, code);
  assert.match(rest.words, words);
  assert.doesNotMatch(JSON.stringify(answer), /SECRET/, 'a query never shows');
  return answer as WebFault;
}

describe('an answer', () => {
  it('comes back as bytes, from a plain GET without forwarding headers, cookies or compression', async () => {
    let seen: { method: string | undefined; url: string | undefined; headers: object } | undefined;
    const url = await web((request, response) => {
      seen = { method: request.method, url: request.url, headers: request.headers };
      response.end('login=1\t\t');
    });
    const answer = await ask(`${url}/in.php?s=a&p[]=b`);
    assert.ok(answer.ok);
    assert.equal(answer.body.toString(), 'login=1\t\t');
    assert.equal(seen?.method, 'GET');
    assert.equal(seen?.url, '/in.php?s=a&p[]=b');
    assert.deepEqual(Object.keys(seen?.headers ?? {}).sort(), [
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  it('to a form is asked for by POST', async () => {
    const url = await web((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.end(`${request.method} ${request.headers['content-type']} ${Buffer.concat(parts)}`);
      });
    });
    const answer = await ask(url, { form: Buffer.from('users=a%3A0') });
    assert.ok(answer.ok);
    assert.equal(answer.body.toString(), 'POST application/x-www-form-urlencoded users=a%3A0');
  });

  it('may be exactly as long as the limit, and not a byte longer', async () => {
    const url = await web((request, response) => {
      response.write(Buffer.alloc(1_000));
      response.end(Buffer.alloc(Number(request.url!.slice(1)) - 1_000));
    });
    const fits = await ask(`${url}/4096`, { maxBody: 4_096 });
    assert.ok(fits.ok && fits.body.length === 4_096);
    assertFault(await ask(`${url}/4097`, { maxBody: 4_096 }), 'web/too-large', /more than 4 KiB/);
  });

  it('announced as longer than the limit is not waited for', async () => {
    const url = await raw((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n'));
    assertFault(await ask(url), 'web/too-large', /more than 64 KiB/);
  });

  it('without end is cut off at the limit', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(16_384, 0x61)));
      };
      socket.on('drain', more);
      more();
    });
    assertFault(await ask(url), 'web/too-large', /more than 64 KiB/);
  });
});

describe('the deadline is absolute', () => {
  const quick = { deadline: 150 };

  it('when nobody answers', async () => {
    const url = await raw(() => {});
    const answer = assertFault(await ask(`${url}/?SECRET`, quick), 'web/timeout', /waiting for the answer/);
    assert.equal(answer.status, undefined);
    assert.equal(isPassing(answer), false, 'a slow site is not asked twice');
  });

  it('when a head drips', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write('X-More: 1\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    assertFault(await ask(url, quick), 'web/timeout', /waiting for the answer/);
  });

  it('when a body drips: the status is known then', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const drip = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    assert.equal(assertFault(await ask(url, quick), 'web/timeout', /reading the answer/).status, 200);
  });

  it('and ends the connection, so that nothing piles up', async () => {
    const gone = Promise.withResolvers<void>();
    const url = await raw((socket) => socket.on('close', () => gone.resolve()));
    await ask(url, quick);
    await gone.promise;
  });
});

describe('refused in words', () => {
  it('a redirect, naming where it leads without its query', async () => {
    let asked = 0;
    const url = await web((_request, response) => {
      asked++;
      response.writeHead(301, { Location: 'https://www.site.example/in.php?s=SECRET' }).end();
    });
    const answer = await ask(`${url}/?SECRET`);
    assertFault(answer, 'web/redirect', /redirects to https:\/\/www\.site\.example\/in\.php; configure/);
    assert.equal(asked, 1);
    assert.equal(isPassing(answer as WebFault), false);
  });

  it('a relative redirect, and one that cannot be read', async () => {
    const url = await web((request, response) => {
      response.writeHead(302, { Location: request.url === '/a' ? '/wp-login.php?SECRET' : 'http://[' }).end();
    });
    assertFault(await ask(`${url}/a`), 'web/redirect', /redirects to http:\/\/127\.0\.0\.1:\d+\/wp-login\.php;/);
    assertFault(await ask(`${url}/b`), 'web/redirect', /an address that cannot be read/);
  });

  for (const [status, words, passing] of [
    [500, /error log/, true],
    [502, /error log/, true],
    [403, /firewall or security plugin/, false],
    [404, /does not exist/, false],
    [204, /check the configured address/, false],
    [304, /check the configured address/, false],
  ] as const) {
    it(`HTTP ${status}`, async () => {
      const url = await web((_request, response) => response.writeHead(status).end());
      const answer = assertFault(await ask(url), 'web/status', words);
      assert.equal(answer.status, status);
      assert.equal(isPassing(answer), passing);
    });
  }

  it('compression that was not asked for', async () => {
    const url = await web((_request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)));
    });
    assert.equal(assertFault(await ask(url), 'web/answer', /compresses/).status, 200);
  });

  it('a reset, before and in the middle of the answer', async () => {
    const before = await raw((socket) => socket.resetAndDestroy());
    assert.ok(isPassing(assertFault(await ask(`${before}/?SECRET`), 'web/unreachable', /broke off/)));
    const amid = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nlogin');
      setImmediate(() => socket.resetAndDestroy());
    });
    assert.ok(isPassing(assertFault(await ask(amid), 'web/unreachable', /broke off/)));
    const short = await raw((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nlogin=1'));
    assertFault(await ask(short), 'web/unreachable', /broke off/);
  });

  it('a closed port', async () => {
    const server = createTcpServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    assert.ok(isPassing(assertFault(await ask(`http://127.0.0.1:${port}/?SECRET`), 'web/unreachable', /refuses/)));
  });

  it('something that is not HTTP, and heads without end', async () => {
    const rtmp = await raw((socket) => socket.end(Buffer.alloc(3_000, 3)));
    assertFault(await ask(rtmp), 'web/answer', /does not speak HTTP/);
    const heads = await raw((socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`));
    assertFault(await ask(heads), 'web/answer', /does not speak HTTP/);
  });

  it('TLS where there is none', async () => {
    const url = await web((_request, response) => response.end());
    assertFault(await ask(url.replace('http:', 'https:')), 'web/unreachable', /does not speak TLS/);
  });

  it('an address that is none', async () => {
    for (const url of ['', 'site.example/?SECRET', 'ftp://127.0.0.1/?SECRET', 'http://127.0.0.1:99999/?SECRET']) {
      assertFault(await ask(url), 'web/unreachable', /configured address/);
    }
  });

  it('everything, once it is closed; and what is open is broken off', async () => {
    const arrived = Promise.withResolvers<void>();
    const url = await raw(() => arrived.resolve());
    const by = client();
    const open = ask(url, {}, by);
    await arrived.promise;
    by.close();
    assertFault(await open, 'web/unreachable', /shutting down/);
    assertFault(await ask(url, {}, by), 'web/unreachable', /shutting down/);
  });
});

describe('the way', () => {
  it('leads to connectTo, while the Host header keeps its name', async () => {
    const url = await web((request, response) => response.end(request.headers.host));
    const port = new URL(url).port;
    const answer = await ask('http://site.invalid/in.php', {}, client({ connectTo: `127.0.0.1:${port}` }));
    assert.ok(answer.ok && answer.body.toString() === 'site.invalid');
    const kept = await ask(`http://site.invalid:${port}/in.php`, {}, client({ connectTo: '127.0.0.1' }));
    assert.ok(kept.ok && kept.body.toString() === `site.invalid:${port}`);
  });

  it('over TLS keeps the name of the certificate, which must be a good one', async () => {
    const pair = selfSigned();
    const names: string[] = [];
    const server = createHttpsServer({
      ...pair,
      SNICallback: (name, answer) => {
        names.push(name);
        answer(null, createSecureContext(pair));
      },
    });
    const port = await listening(server);
    const answer = await ask('https://site.invalid/?SECRET', {}, client({ connectTo: `127.0.0.1:${port}` }));
    assertFault(answer, 'web/unreachable', /certificate of site\.invalid is not accepted/);
    assert.deepEqual(names, ['site.invalid']);
  });

  it('leaves from localAddress', async () => {
    const url = await web((request, response) => response.end(request.socket.remoteAddress));
    const answer = await ask(url, {}, client({ localAddress: '127.0.0.9' }));
    assert.ok(answer.ok && answer.body.toString() === '127.0.0.9');
    const wrong = await ask(url, {}, client({ localAddress: '192.0.2.1' }));
    assertFault(wrong, 'web/unreachable', /localAddress is not an address of this server/);
  });

  it('stays in one address family', async (context) => {
    const families: (string | undefined)[] = [];
    const listener: RequestListener = (request, response) => {
      families.push(request.socket.remoteFamily);
      response.setHeader('Connection', 'close').end();
    };
    const port = Number(new URL(await web(listener)).port);
    const by = client();
    const again = () => ask(`http://localhost:${port}/`, {}, by);
    assert.ok((await again()).ok);
    const other = createServer(listener);
    try {
      await listening(other, '::1', port);
    } catch (error) {
      context.skip(`no IPv6 here: ${error}`);
      return;
    }
    assert.ok((await again()).ok);
    assert.ok((await again()).ok);
    assert.deepEqual(families, ['IPv4', 'IPv4', 'IPv4']);
  });

  it('takes the other family when the one it stayed in leads nowhere any more', async (context) => {
    const both = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    const by = client({}, (_host, { family }, answer) => {
      answer(
        null,
        both.filter((one) => family === 0 || one.family === family),
      );
    });
    const listener: RequestListener = (_request, response) => response.setHeader('Connection', 'close').end();
    const first = createServer(listener);
    const port = await listening(first);
    const again = () => ask(`http://site.invalid:${port}/`, {}, by);
    assert.ok((await again()).ok);
    await new Promise((resolve) => first.close(resolve));
    try {
      await listening(createServer(listener), '::1', port);
    } catch (error) {
      context.skip(`no IPv6 here: ${error}`);
      return;
    }
    assertFault(await again(), 'web/unreachable', /refuses the connection/);
    assert.ok((await again()).ok);
  });

  it('is kept open between requests, and a connection found dead is replaced without a word', async () => {
    const sockets = new Set<Socket>();
    let requests = 0;
    const url = await web((request, response) => {
      sockets.add(request.socket);
      requests++;
      if (requests === 3) request.socket.resetAndDestroy();
      else response.end(String(requests));
    });
    const by = client();
    for (const [expected, connections] of [
      ['1', 1],
      ['2', 1],
      ['4', 2],
    ] as const) {
      const answer = await ask(url, { form: Buffer.from('users=') }, by);
      assert.ok(answer.ok);
      assert.equal(answer.body.toString(), expected);
      assert.equal(sockets.size, connections);
      await settled();
    }
  });
});

describe('connectTo', () => {
  it('is an address with or without a port', () => {
    assert.deepEqual(readEndpoint('192.0.2.1'), { ip: '192.0.2.1' });
    assert.deepEqual(readEndpoint('192.0.2.1:8080'), { ip: '192.0.2.1', port: 8080 });
    assert.deepEqual(readEndpoint('2001:db8::1'), { ip: '2001:db8::1' });
    assert.deepEqual(readEndpoint('[2001:db8::1]'), { ip: '2001:db8::1' });
    assert.deepEqual(readEndpoint('[2001:db8::1]:443'), { ip: '2001:db8::1', port: 443 });
    for (const wrong of ['site.example', '192.0.2.1:', '192.0.2.1:0', '192.0.2.1:65536', '[::1', '']) {
      assert.throws(() => readEndpoint(wrong), RangeError, wrong);
    }
  });
});
