import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { AdminAccess } from '../../src/http/access.ts';
import { AdminTown, fakeSession } from '../helpers/admin-town.ts';

const TOKEN = 'a-long-and-random-token';

test('every page but /healthz wants the token, also pages that are not there', async () => {
  const town = new AdminTown({ token: TOKEN });
  const pages = ['/', '/v1', '/v1/sessions', '/v1/sessions/x', '/v1/streams', '/v1/streams/a/b', '/v1/applications'];
  for (const url of [...pages, '/metrics', '/readyz', '/none']) {
    const without = await town.get(url);
    assert.deepEqual([without.statusCode, without.json().code], [401, 'api/unauthorized'], url);
    assert.match(String(without.headers['www-authenticate']), /^Bearer/, url);
    const given = await town.get(url, { authorization: `Bearer ${TOKEN}` });
    assert.notEqual(given.statusCode, 401, url);
  }
  assert.equal((await town.get('/healthz')).statusCode, 200);
});

test('a DELETE without the token disconnects nobody', async () => {
  const town = new AdminTown({ token: TOKEN });
  const [session] = town.enter(fakeSession());
  assert.equal((await town.call('DELETE', `/v1/sessions/${session!.id}`)).statusCode, 401);
  assert.equal(session!.farewells.length, 0);
  const bearer = { authorization: `bearer ${TOKEN}` };
  assert.equal((await town.call('DELETE', `/v1/sessions/${session!.id}`, bearer)).statusCode, 204);
});

test('only the whole token in the right header opens', async () => {
  const town = new AdminTown({ token: TOKEN });
  const headers = [
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer x ${TOKEN}`,
    `Basic ${Buffer.from(`admin:${TOKEN}`).toString('base64')}`,
    TOKEN,
    'Bearer',
    'Bearer ',
    '',
  ];
  for (const authorization of headers) {
    assert.equal((await town.get('/v1', { authorization })).statusCode, 401, authorization);
  }
  for (const url of [`/v1?token=${TOKEN}`, `/v1?access_token=${TOKEN}`]) {
    assert.equal((await town.get(url)).statusCode, 401, url);
  }
  assert.equal((await town.get('/v1', { cookie: `token=${TOKEN}` })).statusCode, 401);
  assert.ok(!JSON.stringify(town.log.lines).includes(TOKEN));
});

test('without a token it stands on loopback addresses only', () => {
  for (const listen of [':9998', '0.0.0.0:9998', '[::]:9998', '192.0.2.1:9998', 'admin.example:9998']) {
    assert.throws(
      () => new AdminTown({ listen }),
      (error) => error instanceof RefusedError && error.code === 'config/invalid' && /admin\.token/.test(error.message),
      listen,
    );
    assert.doesNotThrow(() => new AdminTown({ listen, token: TOKEN }), listen);
  }
  for (const listen of ['127.0.0.1:0', '127.9.9.9:0', 'localhost:0', '[::1]:0']) {
    assert.doesNotThrow(() => new AdminTown({ listen }), listen);
  }
  assert.throws(() => new AdminTown({ listen: 'nonsense' }), /admin\.listen/);
});

test('it answers only to its own names', async () => {
  const town = new AdminTown({ hosts: ['Admin.Example'] });
  const ours = [
    'localhost',
    'localhost:9998',
    '127.0.0.1:9998',
    '127.5.0.1',
    '[::1]:1',
    'admin.example',
    'ADMIN.example:443',
  ];
  for (const host of ours) assert.equal((await town.get('/v1', { host })).statusCode, 200, host);
  const foreign = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.0.2.1',
    'a b',
    'localhost:x',
    '[::1',
  ];
  for (const host of [...foreign, 'user@localhost', 'localhost/']) {
    const answer = await town.get('/v1', { host });
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'api/host'], host);
  }
});

test('it answers to the address it was called by, when it listens on all', () => {
  const access = new AdminAccess({ listen: ':1', token: TOKEN, hosts: [] }, { host: '', port: 1 });
  assert.doesNotThrow(() => access.checkOrigin({ host: '192.0.2.9:1' }, '192.0.2.9'));
  assert.doesNotThrow(() => access.checkOrigin({ host: '192.0.2.9:1' }, '::ffff:192.0.2.9'));
  assert.doesNotThrow(() => access.checkOrigin({ host: '[2001:db8::1]:1' }, '2001:db8::1'));
  assert.throws(() => access.checkOrigin({ host: '' }, '192.0.2.9'), RefusedError);
  assert.throws(() => access.checkOrigin({ host: '192.0.2.8:1' }, '192.0.2.9'), RefusedError);
  assert.throws(() => access.checkOrigin({ host: 'rebound.example:1' }, '192.0.2.9'), RefusedError);
});

test('pages of other origins may not call, with or without the token', async () => {
  const town = new AdminTown({ token: TOKEN });
  const [session] = town.enter(fakeSession());
  const authorization = `Bearer ${TOKEN}`;
  const foreign = [
    'http://evil.example',
    'null',
    'http://localhost:1',
    'http://localhost',
    'file://',
    'https://localhost:9998.evil',
  ];
  for (const origin of foreign) {
    const answer = await town.call('DELETE', `/v1/sessions/${session!.id}`, { origin, authorization });
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'api/host'], origin);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
  assert.equal(session!.farewells.length, 0);
  for (const origin of ['http://localhost:9998', 'https://LOCALHOST:9998']) {
    assert.equal((await town.get('/v1', { origin, authorization })).statusCode, 200, origin);
  }
});
