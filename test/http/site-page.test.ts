import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { HELLO_POLICY, helloPage } from '../../src/http/hello-page.ts';
import type { Greeting } from '../../src/http/views.ts';

const OPEN: Greeting = { version: '1.2.3', rtmpPort: 1935, app: 'live', webControlled: false };

test('the page shows addresses under the name by which the visitor came', () => {
  const page = helloPage(OPEN, 'media.example:8080', '192.0.2.1');
  assert.match(page, /<dd><code>rtmp:\/\/media\.example\/live<\/code>/);
  assert.match(page, /<dd><code>test<\/code>/);
  assert.match(page, /-f flv "rtmp:\/\/media\.example\/live\/test"/);
  assert.match(page, /ffplay "rtmp:\/\/media\.example\/live\/test"/);
});

test('the port is named where it is not the usual one', () => {
  assert.match(helloPage({ ...OPEN, rtmpPort: 19_350 }, 'm.example', undefined), /rtmp:\/\/m\.example:19350\/live/);
  assert.match(helloPage(OPEN, '[2001:db8::1]:8080', undefined), /rtmp:\/\/\[2001:db8::1\]\/live/);
});

test('without RTMP it shows RTMPS, and without both it says so', () => {
  const secure = { ...OPEN, rtmpPort: undefined, rtmpsPort: 1936 };
  assert.match(helloPage(secure, 'm.example', undefined), /rtmps:\/\/m\.example:1936\/live/);
  assert.match(helloPage({ ...secure, rtmpsPort: 443 }, 'm.example', undefined), /rtmps:\/\/m\.example\/live/);
  assert.match(helloPage({ ...OPEN, rtmpPort: undefined }, 'm.example', undefined), /RTMP is switched off/);
});

test('an odd Host header is not repeated; the address where the call arrived stands in', () => {
  for (const host of ['<script>', 'a"b', "a'b", 'a b', 'a/b', 'a@b', 'a:b', '', undefined, 'x'.repeat(300)]) {
    const page = helloPage(OPEN, host, '::ffff:192.0.2.1');
    assert.match(page, /rtmp:\/\/192\.0\.2\.1\/live/, String(host));
  }
  assert.match(helloPage(OPEN, undefined, '::1'), /rtmp:\/\/\[::1\]\/live/);
});

test('text from the configuration is escaped', () => {
  const page = helloPage({ ...OPEN, app: `<b>"&'`, version: '<i>' }, 'h', undefined);
  assert.match(page, /rtmp:\/\/h\/&lt;b&gt;&quot;&amp;&#39;/);
  assert.ok(!page.includes('<b>') && !page.includes('<i>'));
});

test('under a web site the page sends its visitors there', () => {
  const page = helloPage({ ...OPEN, webControlled: true }, 'h', undefined);
  assert.match(page, /web site decides/);
  assert.match(page, /rtmp:\/\/h\/live\?SESSION&amp;ROOM&amp;KEY/);
});

test('the policy allows the style of the page, no script, and nothing fetched', () => {
  const page = helloPage(OPEN, 'h', undefined);
  const style = /<style>([\s\S]*)<\/style>/.exec(page)![1]!;
  assert.ok(HELLO_POLICY.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`));
  assert.match(HELLO_POLICY, /default-src 'none'/);
  assert.ok(!/<script|style=|\son\w+=|src=|href=|@import|url\(/i.test(page));
});

test('a screen reader finds language, title, one main heading and main content', () => {
  const page = helloPage(OPEN, 'h', undefined);
  assert.match(page, /<html lang="en">/);
  assert.match(page, /<title>[^<]+<\/title>/);
  assert.equal(page.match(/<h1/g)?.length, 1);
  assert.match(page, /<main>[\s\S]*<\/main>/);
});
