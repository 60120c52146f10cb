/**
 * The page at `/` of the public door. Without scripts it is a page to read; with those of `web` it plays and publishes, too.
 */
import { isIP } from 'node:net';
import type { Greeting } from './views.ts';

const RTMP_PORT = 1935;
const RTMPS_PORT = 443;
const HTTPS_PORT = 443;

/** Content-Security-Policy of the page: its own files, and nothing that is written into it. */
export const SITE_POLICY = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self'`,
  `img-src 'self'`,
  `connect-src 'self'`,
  'media-src blob:',
  `base-uri 'none'`,
  `form-action 'self'`,
  `frame-ancestors 'none'`,
].join('; ');

/** How the visitor came. */
export interface Visit {
  /** The Host header. */
  readonly host: string | undefined;
  /** Where the call arrived; used when the header is odd. */
  readonly localAddress: string | undefined;
  /** By HTTPS? */
  readonly secure: boolean;
}

export function sitePage(greeting: Greeting, visit: Visit): string {
  const [host, port] = hostOf(visit.host) ?? [bracketed(visit.localAddress ?? 'localhost'), ''];
  const origin = `${visit.secure ? 'https' : 'http'}://${host}${port}`;
  const webrtc = greeting.webrtc === true;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>castgate on ${escaped(host)}</title>
<link rel="icon" href="web/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="web/page.css">
<script type="module" src="web/page.js"></script>
</head>
<body>
<header>
<a class="name" href="."><img src="web/icon.svg" alt="">castgate</a>
<p>A live media server. It is running.</p>
</header>
<main>
<div id="home">
<h1>Live on ${escaped(host)}</h1>
${streamList(greeting)}
${webrtc ? forms(greeting) : '<p>Browsers cannot publish or watch here: WebRTC is switched off.</p>'}
${instructions(greeting, host, origin)}
</div>
${webrtc ? views(greeting, host) : ''}
</main>
<p id="told" role="status"></p>
<footer>castgate ${escaped(greeting.version)}</footer>
</body>
</html>
`;
}

function streamList({ webControlled, partlyControlled }: Greeting): string {
  const decided =
    '<p>A web site decides who may publish and watch here, so nothing is listed. Its pages have the links.</p>';
  if (webControlled) return decided;
  const others = '<p class="lead">Streams that a web site controls are not listed.</p>';
  return `<p id="summary" role="status">Open <a href="streams.json">streams.json</a> to see what is live.</p>
<ul id="streams" class="streams" aria-label="Live streams"></ul>
${partlyControlled === true ? others : ''}`;
}

function forms({ app, webControlled }: Greeting): string {
  const example = webControlled ? `${app}/STREAM?KEY` : `${app}/test`;
  const form = (view: string, title: string, words: string, verb: string): string => `<form class="card" action=".">
<h2>${title}</h2>
<p>${words}</p>
<label for="${view}-source">Stream</label>
<div class="row"><input id="${view}-source" name="${view}" required autocapitalize="none" autocomplete="off" spellcheck="false" ${
    webControlled ? `placeholder="${escaped(example)}"` : `value="${escaped(example)}"`
  }><button>${verb}</button></div>
</form>`;
  return `<div class="pair">
${form('watch', 'Watch', 'In this browser.', 'Watch')}
${form('publish', 'Publish', 'Camera, microphone or screen, from this browser.', 'Publish')}
</div>`;
}

function views({ httpsPort }: Greeting, host: string): string {
  const https = `https://${host}${httpsPort === HTTPS_PORT ? '' : `:${httpsPort}`}/`;
  const there =
    httpsPort === undefined
      ? 'Switch HTTPS on with <code>http.tlsListen</code>, or open this page as <code>localhost</code>.'
      : `Open <a id="https" href="${escaped(https)}">${escaped(https)}</a> instead.`;
  return `<section id="watch" hidden>
<p><a href=".">All streams</a></p>
<h1 id="watch-title">Watch</h1>
</section>
<section id="publish" hidden>
<p><a href=".">All streams</a></p>
<h1 id="publish-title">Publish</h1>
<p id="insecure" class="notice" hidden>Browsers give camera, microphone and screen to pages of HTTPS only. ${there}</p>
<p id="on-air" class="notice" hidden>You are live. <a id="on-air-link" href="." target="_blank" rel="noopener">Watch it in another tab</a>.</p>
</section>`;
}

function instructions(greeting: Greeting, host: string, origin: string): string {
  const address = rtmpAddress(greeting, host);
  return [
    '<h2>With other programs</h2>',
    greeting.webControlled
      ? `<p>Take server address and stream name from the web site: they end with a session and a key after <code>?</code>, which belong
to you. The lines below show their shape.</p>`
      : '<p>Choose any stream name; these lines use <code>test</code>.</p>',
    address === undefined ? '<p>RTMP is switched off here.</p>' : rtmpLines(greeting, address),
    greeting.webrtc === true ? whipLines(greeting, origin) : '',
  ].join('\n');
}

function rtmpLines({ webControlled }: Greeting, address: string): string {
  const stream = webControlled ? 'STREAM' : 'test';
  const server = webControlled ? `${address}?SESSION&ROOM&KEY` : address;
  const whole = `"${server}/${stream}"`;
  return `<h3>Publish with OBS by RTMP</h3>
<p>Settings, Stream, Service: Custom. For viewers in browsers switch B-frames off: tune <code>zerolatency</code> of x264, or 0
B-frames of other encoders.</p>
<dl>
<dt>Server</dt><dd>${copied(server, 'the server')}</dd>
<dt>Stream key</dt><dd>${copied(stream, 'the stream key')}</dd>
</dl>
<h3>Publish with ffmpeg</h3>
${copied(`ffmpeg -re -i movie.mp4 -c:v libx264 -preset veryfast -bf 0 -g 60 -pix_fmt yuv420p -c:a aac -f flv ${whole}`, 'the line for ffmpeg')}
<h3>Watch with ffplay or VLC</h3>
${copied(`ffplay ${whole}`, 'the line for ffplay')}
<p>VLC opens the same address under Media, Open Network Stream.</p>`;
}

function whipLines({ app, webControlled }: Greeting, origin: string): string {
  const path = `${app}/${webControlled ? 'STREAM' : 'test'}`;
  const query = webControlled ? '?channel_id=CHANNEL&userID=USER' : '';
  const token = webControlled ? `<dt>Bearer token</dt><dd>${copied('KEY', 'the bearer token')}</dd>` : '';
  const at = (door: string, what: string) => copied(`${origin}/${path}/${door}`, what, `${path}/${door}`, query);
  return `<h3>Publish with OBS 30 or newer by WHIP</h3>
<p>Settings, Stream, Service: WHIP.</p>
<dl><dt>Server</dt><dd>${at('whip', 'the WHIP address')}</dd>${token}</dl>
<h3>Watch with a WHEP player</h3>
${at('whep', 'the WHEP address')}`;
}

/** Text to be copied. `path`: the script puts the origin that the browser knows in front of it. */
function copied(text: string, what: string, path?: string, query = ''): string {
  const data = path === undefined ? '' : ` data-path="${escaped(path + query)}"`;
  return `<div class="copy" data-what="${what}"><code${data}>${escaped(text + query)}</code></div>`;
}

/** Address of the example application, by the protocol that is on; `undefined`: neither is. */
function rtmpAddress({ rtmpPort, rtmpsPort, app }: Greeting, host: string): string | undefined {
  if (rtmpPort !== undefined) return `rtmp://${host}${rtmpPort === RTMP_PORT ? '' : `:${rtmpPort}`}/${app}`;
  if (rtmpsPort !== undefined) return `rtmps://${host}${rtmpsPort === RTMPS_PORT ? '' : `:${rtmpsPort}`}/${app}`;
  return undefined;
}

/** The host in the header, and its port with the colon; `undefined` when missing or malformed. */
function hostOf(header: string | undefined): readonly [host: string, port: string] | undefined {
  const [, host, port = ''] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253})(:\d{1,5})?$/i.exec(header ?? '') ?? [];
  return host === undefined ? undefined : [host, port];
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
