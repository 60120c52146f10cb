/**
 * The page at `/` of the public door. One document without scripts, images or anything fetched.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Greeting } from './views.ts';

const RTMP_PORT = 1935;
const RTMPS_PORT = 443;

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 44rem; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p { margin: .5rem 0; }
.up { color: light-dark(#0b6b3a, #6fdc9d); font-weight: 600; }
dl { display: grid; gap: .25rem 1rem; grid-template-columns: max-content 1fr; margin: .75rem 0; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .95em/1.5 ui-monospace, monospace; }
pre { background: light-dark(#f1f3f5, #24282d); border-radius: .4rem; margin: .75rem 0; overflow-wrap: anywhere; padding: .75rem 1rem; white-space: pre-wrap; }
footer { color: light-dark(#55595e, #a6abb1); font-size: .9rem; margin-top: 3rem; }
`;

/** Content-Security-Policy of the page: nothing but its own style. */
export const HELLO_POLICY = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** `hostHeader`: how the visitor called this server; `localAddress`: where the call arrived, used when the header is odd. */
export function helloPage(
  greeting: Greeting,
  hostHeader: string | undefined,
  localAddress: string | undefined,
): string {
  const host = hostOf(hostHeader) ?? bracketed(localAddress ?? 'localhost');
  const address = rtmpAddress(greeting, host);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>castgate on ${escaped(host)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>castgate, a live media server</h1>
<p class="up">It is running.</p>
${address === undefined ? '<p>RTMP is switched off here.</p>' : instructions(greeting, address)}
</main>
<footer>castgate ${escaped(greeting.version)}</footer>
</body>
</html>
`;
}

function instructions({ webControlled }: Greeting, address: string): string {
  const stream = webControlled ? 'STREAM' : 'test';
  const full = `${address}/${stream}`;
  const origin = webControlled
    ? `<p>A web site decides who may publish and watch here. Take server address and stream name from that site:
they end with a session and a key after <code>?</code>, which belong to you. The lines below show their shape.</p>`
    : '<p>Choose any stream name; these lines use <code>test</code>.</p>';
  const server = webControlled ? `${address}?SESSION&ROOM&KEY` : address;
  const watched = webControlled ? `${address}?SESSION&ROOM&KEY/${stream}` : full;
  return `${origin}
<h2>Publish with OBS</h2>
<p>Settings, Stream, Service: Custom.</p>
<dl>
<dt>Server</dt><dd><code>${escaped(server)}</code></dd>
<dt>Stream key</dt><dd><code>${escaped(stream)}</code></dd>
</dl>
<h2>Publish with ffmpeg</h2>
<pre><code>ffmpeg -re -i movie.mp4 -c:v libx264 -preset veryfast -g 60 -c:a aac -f flv "${escaped(watched)}"</code></pre>
<h2>Watch</h2>
<pre><code>ffplay "${escaped(watched)}"</code></pre>
<p>VLC opens the same address under Media, Open Network Stream.</p>`;
}

/** Address of the example application, by the protocol that is on; `undefined`: neither is. */
function rtmpAddress({ rtmpPort, rtmpsPort, app }: Greeting, host: string): string | undefined {
  if (rtmpPort !== undefined) return `rtmp://${host}${rtmpPort === RTMP_PORT ? '' : `:${rtmpPort}`}/${app}`;
  if (rtmpsPort !== undefined) return `rtmps://${host}${rtmpsPort === RTMPS_PORT ? '' : `:${rtmpsPort}`}/${app}`;
  return undefined;
}

/** The host in the header, without its port; `undefined` when missing or malformed. */
function hostOf(header: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i.exec(header ?? '')?.[1];
}

function bracketed(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d)/i, '');
  return isIP(plain) === 6 ? `[${plain}]` : plain;
}

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES.get(character)!);
}
