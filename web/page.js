// @ts-check
/**
 * The page of the server: what is live, a player, a publisher. It works without this, too, as a page to read.
 */
import { hasQuery, linkedStream, streamLink, streamTitle } from './address.js';
import { make } from './dom.js';
import { codecName } from './meter.js';

/**
 * @typedef {object} LiveTrack
 * @property {string} kind
 * @property {string} codec
 * @property {number} [width]
 * @property {number} [height]
 * @property {number} [fps]
 */

/**
 * @typedef {object} LiveStream
 * @property {string} app
 * @property {string} name
 * @property {boolean} bFrames for RTMP players only
 * @property {readonly LiveTrack[]} tracks
 */

const LIST_EVERY = 4_000;
const COPIED_FOR = 1_500;
const LIST = new URL('../streams.json', import.meta.url);

const { view, source } = linkedStream(location.search);

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no ${id}`);
  return element;
}

addCopyButtons();
completeAddresses();
if (view === 'home' || document.getElementById(view) === null) showHome();
else {
  byId('home').hidden = true;
  byId(view).hidden = false;
  const title = streamTitle(source);
  document.title = `${title} – ${document.title}`;
  byId(`${view}-title`).textContent = title;
  await (view === 'watch' ? showPlayer() : showPublisher());
}

async function showPlayer() {
  await import('./castgate-play.js');
  byId('watch').append(make('castgate-play', { src: source, controls: true, autoplay: true, muted: true }));
}

async function showPublisher() {
  byId('insecure').hidden = window.isSecureContext;
  await import('./castgate-publish.js');
  const publisher = make('castgate-publish', { src: source, controls: true });
  publisher.addEventListener('castgate-state', (event) => {
    const { state } = /** @type {CustomEvent} */ (event).detail;
    byId('on-air').hidden = state !== 'live' || hasQuery(source);
  });
  const link = /** @type {HTMLAnchorElement} */ (byId('on-air-link'));
  link.href = `?watch=${source}`;
  byId('publish').append(publisher, byId('on-air'));
}

function showHome() {
  const list = document.getElementById('streams');
  if (list === null) return;
  const summary = byId('summary');
  let shown = '';
  const look = async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(LIST, { cache: 'no-store' });
      const text = await response.text();
      if (!response.ok || text === shown) return;
      shown = text;
      const { streams } = /** @type {{ streams: readonly LiveStream[] }} */ (JSON.parse(text));
      list.replaceChildren(...streams.map(rowOf));
      const { length } = streams;
      summary.textContent =
        length === 0 ? 'Nothing is live now.' : length === 1 ? 'One stream is live.' : `${length} streams are live.`;
    } catch {
      shown = '';
      summary.textContent = 'The server cannot be reached. Trying again…';
    }
  };
  setInterval(look, LIST_EVERY);
  document.addEventListener('visibilitychange', look);
  void look();
}

/** @param {LiveStream} stream */
function rowOf({ app, name, bFrames, tracks }) {
  const facts = tracks.map(({ codec, width, height, fps }) =>
    [codecName(codec), width && height ? `${width}×${height}` : '', fps ? `${Math.round(fps)} fps` : '']
      .filter(Boolean)
      .join(' '),
  );
  const warning = bFrames ? ['with B-frames: for RTMP players only'] : [];
  return make(
    'li',
    {},
    make('a', { href: streamLink('watch', app, name) }, `${app}/${name}`),
    make('span', {}, [...facts, ...warning].join(', ')),
  );
}

/** Behind a proxy only the browser knows how this server is called. */
function completeAddresses() {
  const base = new URL('..', import.meta.url).href;
  for (const element of document.querySelectorAll('[data-path]')) {
    element.textContent = base + element.getAttribute('data-path');
  }
}

function addCopyButtons() {
  for (const line of document.querySelectorAll('.copy')) {
    const code = line.querySelector('code');
    if (code === null) continue;
    const label = `Copy ${line.getAttribute('data-what') ?? 'this'}`;
    const button = make('button', { type: 'button', 'aria-label': label }, 'Copy');
    button.addEventListener('click', async () => {
      const done = await copied(code);
      button.textContent = done ? 'Copied' : 'Selected';
      byId('told').textContent = done ? 'Copied.' : 'Selected; copy it with the keyboard.';
      setTimeout(() => {
        button.textContent = 'Copy';
        byId('told').textContent = '';
      }, COPIED_FOR);
    });
    line.append(button);
  }
}

/**
 * Pages without HTTPS have no clipboard; what is selected can be copied the old way.
 * @param {HTMLElement} code
 */
async function copied(code) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return document.execCommand('copy');
  }
}
