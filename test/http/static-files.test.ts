import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SiteServer } from '../../src/http/http-server.ts';
import { WEB_FILES } from '../../src/http/static-files.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { sourceFiles } from '../helpers/sources.ts';

const FOLDER = new URL('../../web/', import.meta.url);

function site() {
  const greeting = () => ({ version: '1.2.3', app: 'live', webControlled: false });
  return new SiteServer({ listen: '', tlsListen: '' }, { log: new LogRecorder(), greeting }).app;
}

test('the list is what lies in the folder', () => {
  assert.deepEqual([...WEB_FILES], readdirSync(FOLDER).sort());
});

test('each file comes whole, with its type, for pages of any site', async () => {
  const app = site();
  for (const name of WEB_FILES) {
    const answer = await app.inject(`/web/${name}`);
    assert.equal(answer.statusCode, 200, name);
    assert.deepEqual(answer.rawPayload, readFileSync(new URL(name, FOLDER)), name);
    const type = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
    assert.equal(answer.headers['content-type'], type[name.split('.').at(-1) as keyof typeof type], name);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.equal(answer.headers['cross-origin-resource-policy'], 'cross-origin');
    assert.equal(answer.headers['cache-control'], 'no-cache');
  }
});

test('what a browser has already is not sent again', async () => {
  const app = site();
  const url = '/web/page.js';
  const etag = String((await app.inject(url)).headers['etag']);
  assert.match(etag, /^"[\w-]{22}"$/);
  assert.notEqual((await app.inject('/web/page.css')).headers['etag'], etag);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answer = await app.inject({ url, headers: { 'if-none-match': known } });
    assert.deepEqual([answer.statusCode, answer.body, answer.headers['etag']], [304, '', etag], known);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
  }
  assert.equal((await app.inject({ url, headers: { 'if-none-match': '"other"' } })).statusCode, 200);
});

test('HEAD says the same without the file', async () => {
  const app = site();
  const [get, head] = [await app.inject('/web/dom.js'), await app.inject({ method: 'HEAD', url: '/web/dom.js' })];
  assert.deepEqual([head.statusCode, head.body], [200, '']);
  for (const name of ['content-length', 'content-type', 'etag']) assert.equal(head.headers[name], get.headers[name]);
});

test('nothing else of the disk is there', async () => {
  const app = site();
  for (const path of [
    '',
    '../package.json',
    '%2e%2e/package.json',
    '..%2fpackage.json',
    'page.js/',
    'PAGE.JS',
    'page.js%00',
  ]) {
    const answer = await app.inject(`/web/${path}`);
    assert.equal(answer.statusCode, 404, path);
    assert.equal(answer.headers['content-type'], 'application/problem+json', path);
  }
  const post = await app.inject({ method: 'POST', url: '/web/page.js' });
  assert.deepEqual([post.statusCode, post.headers['allow']], [405, 'GET, HEAD']);
});

test('the modules are few, small, checked, and need nobody else', () => {
  const modules = sourceFiles('web/*.js');
  assert.ok(modules.length > 10);
  const size = WEB_FILES.reduce((sum, name) => sum + readFileSync(new URL(name, FOLDER)).length, 0);
  assert.ok(size < 96 << 10, `${size} bytes`);
  for (const { path, text, code, imports } of modules) {
    assert.match(text, /^\/\/ @ts-check\n\/\*\*\n \* \S/, path);
    assert.ok(text.split('\n').length <= 301, `${path} is long`);
    for (const { target } of imports) assert.match(target, /^web\//, path);
    assert.doesNotMatch(code, /\beval\(|\bnew Function\b|innerHTML|insertAdjacentHTML|\bconsole\.|localStorage/, path);
  }
});
