import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SITE_POLICY, sitePage } from '../../src/http/site-page.ts';
import { WEB_FILES } from '../../src/http/static-files.ts';
import type { Greeting } from '../../src/http/views.ts';

const OPEN: Greeting = { version: '1.2.3', rtmpPort: 1935, webrtc: true, app: 'live', webControlled: false };

function page(
  changes: Partial<Greeting> = {},
  host: string | undefined = 'media.example:8080',
  secure = false,
): string {
  return sitePage({ ...OPEN, ...changes }, { host, localAddress: '::ffff:192.0.2.1', secure });
}

test('the page shows addresses under the name by which the visitor came', () => {
  const shown = page();
  assert.match(shown, /<code>rtmp:\/\/media\.example\/live<\/code>/);
  assert.match(shown, /<code>test<\/code>/);
  assert.match(shown, /-bf 0 .* -f flv &quot;rtmp:\/\/media\.example\/live\/test&quot;/);
  assert.match(shown, /ffplay &quot;rtmp:\/\/media\.example\/live\/test&quot;/);
  assert.match(shown, /<code data-path="live\/test\/whip">http:\/\/media\.example:8080\/live\/test\/whip<\/code>/);
  assert.match(shown, /<code data-path="live\/test\/whep">http:\/\/media\.example:8080\/live\/test\/whep<\/code>/);
  assert.match(page({}, 'media.example', true), />https:\/\/media\.example\/live\/test\/whip</);
});

test('the port is named where it is not the usual one', () => {
  assert.match(page({ rtmpPort: 19_350 }, 'm.example'), /rtmp:\/\/m\.example:19350\/live/);
  assert.match(page({}, '[2001:db8::1]:8080'), /rtmp:\/\/\[2001:db8::1\]\/live/);
  assert.match(page({}, '[2001:db8::1]:8080'), /http:\/\/\[2001:db8::1\]:8080\/live\/test\/whip/);
});

test('without RTMP it shows RTMPS, and without both it says so', () => {
  const secure = { rtmpPort: undefined, rtmpsPort: 1936 };
  assert.match(page(secure), /rtmps:\/\/media\.example:1936\/live/);
  assert.match(page({ ...secure, rtmpsPort: 443 }), /rtmps:\/\/media\.example\/live/);
  assert.match(page({ rtmpPort: undefined }), /RTMP is switched off/);
});

test('without WebRTC it offers browsers nothing', () => {
  const shown = page({ webrtc: false });
  assert.match(shown, /WebRTC is switched off/);
  assert.doesNotMatch(shown, /whip|whep|<form|id="watch"|id="publish"/);
  assert.match(shown, /id="streams"/);
});

test('it says where HTTPS is, or how to have it', () => {
  assert.match(page({ httpsPort: 8443 }), /href="https:\/\/media\.example:8443\/"/);
  assert.match(page({ httpsPort: 443 }), /href="https:\/\/media\.example\/"/);
  assert.match(page(), /http\.tlsListen/);
});

test('an odd Host header is not repeated; the address where the call arrived stands in', () => {
  for (const host of ['<script>', 'a"b', "a'b", 'a b', 'a/b', 'a@b', 'a:b', '', 'x'.repeat(300)]) {
    assert.match(page({}, host), /rtmp:\/\/192\.0\.2\.1\/live/, host);
  }
  const visit = { host: undefined, localAddress: '::1', secure: false };
  assert.match(sitePage(OPEN, visit), /rtmp:\/\/\[::1\]\/live/);
});

test('text from the configuration is escaped', () => {
  for (const webControlled of [false, true]) {
    const shown = page({ app: `<b>"&'`, version: '<i>', webControlled });
    assert.match(shown, /rtmp:\/\/media\.example\/&lt;b&gt;&quot;&amp;&#39;/);
    assert.ok(!shown.includes('<b>') && !shown.includes('<i>') && !shown.includes(`"&'`));
  }
});

test('under a web site the page sends its visitors there, and has no list', () => {
  const shown = page({ webControlled: true });
  assert.match(shown, /web site decides/);
  assert.match(shown, /rtmp:\/\/media\.example\/live\?SESSION&amp;ROOM&amp;KEY/);
  assert.match(shown, /whip\?channel_id=CHANNEL&amp;userID=USER/);
  assert.doesNotMatch(shown, /id="streams"|value="live\/test"/);
  assert.match(page({ partlyControlled: true }), /controls are not listed/);
  assert.doesNotMatch(page(), /controls are not listed/);
});

test('the policy lets in the own files, and nothing that is written into the page', () => {
  assert.match(SITE_POLICY, /default-src 'none'/);
  assert.match(SITE_POLICY, /frame-ancestors 'none'/);
  assert.doesNotMatch(SITE_POLICY, /unsafe|https?:|\*|data:/);
  for (const webControlled of [false, true]) {
    const shown = page({ webControlled });
    assert.doesNotMatch(shown, /<style|style=|\son\w+=|@import|url\(|javascript:/i);
    const scripts = [...shown.matchAll(/<script[^>]*>([^<]*)/g)];
    assert.deepEqual(
      scripts.map(([whole]) => whole),
      ['<script type="module" src="web/page.js">'],
    );
    const files = [...shown.matchAll(/(?:src|href)="(web\/[^"]*)"/g)].map(([, path]) => path!.slice(4));
    assert.ok(files.length >= 4);
    for (const file of files)
      assert.ok(
        WEB_FILES.some((name) => name === file),
        file,
      );
  }
});

test('a screen reader finds language, title, main content, and a name for each field', () => {
  const shown = page();
  assert.match(shown, /<html lang="en">/);
  assert.match(shown, /<title>[^<]+<\/title>/);
  assert.match(shown, /<main>[\s\S]*<\/main>/);
  const [home, ...views] = shown.split('<section ');
  for (const part of [home!, ...views]) assert.equal(part.match(/<h1/g)?.length, 1);
  assert.ok(
    views.every((view) => /^id="\w+" hidden>/.test(view)),
    'one view at a time',
  );
  for (const [, id] of shown.matchAll(/<input id="([^"]+)"/g))
    assert.ok(shown.includes(`<label for="${id}">`), String(id));
  assert.match(shown, /role="status"/);
  for (const [image] of shown.matchAll(/<img[^>]*>/g)) assert.match(image, /alt=/);
});
