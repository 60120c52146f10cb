// @ts-check
/**
 * Where a stream is published and played, from what people have: `live/test`, the same with a query of the web site, or a whole URL.
 */
import { Problem } from './problem.js';

/**
 * @typedef {'whip' | 'whep'} Door
 */

/**
 * The WHIP or WHEP URL that `source` means.
 * @param {string} source `app/stream`, `app/stream?query`, or a URL, which is taken as it is
 * @param {Door} door
 * @param {string} server base URL of the server, for sources that are no URL
 * @returns {string}
 */
export function sessionAddress(source, door, server) {
  const text = source.trim();
  if (/^https?:\/\//i.test(text)) return new URL(text).href;
  const { path, query } = parts(text);
  const steps = path.split('/').filter((step) => step !== '' && step !== '_definst_');
  if (steps.at(-1) === door) steps.pop();
  if (steps.length < 2) {
    throw new Problem('browser/address', `“${path}” is not the address of a stream.`, {
      fix: 'Write application and stream, such as live/test.',
    });
  }
  return new URL(`${[...steps, door].join('/')}${query === '' ? '' : `?${query}`}`, server).href;
}

/**
 * For people: without the query, which may hold a key.
 * @param {string} source
 */
export function streamTitle(source) {
  const { path } = parts(source.trim().replace(/^https?:\/\/[^/]*/i, ''));
  const title = path.replace(/^\/+|\/+(?:whip|whep)?\/*$/g, '');
  try {
    return decodeURIComponent(title);
  } catch {
    return title;
  }
}

/** @param {string} source */
export function hasQuery(source) {
  return source.includes('?');
}

/**
 * What the query of a page asks for: `?watch=live/test`, with all that follows as a web site writes it, or percent-encoded as forms do.
 * @param {string} search of the page's address
 * @returns {{ readonly view: 'home' | 'watch' | 'publish', readonly source: string }}
 */
export function linkedStream(search) {
  const [, view, value] = /^\?(watch|publish)=(.*)$/s.exec(search) ?? [];
  if (value === undefined || value === '') return { view: 'home', source: '' };
  const shown = /** @type {'watch' | 'publish'} */ (view);
  if (value.includes('/')) return { view: shown, source: value };
  const field = new URLSearchParams(search).get(shown) ?? '';
  return { view: shown, source: field };
}

/**
 * The link to a stream of a known name.
 * @param {'watch' | 'publish'} view
 * @param {string} app
 * @param {string} name
 */
export function streamLink(view, app, name) {
  return `?${view}=${[...app.split('/'), name].map(encodeURIComponent).join('/')}`;
}

/**
 * @param {string} text
 */
function parts(text) {
  const safe = text.replaceAll('#', '%23');
  const mark = safe.indexOf('?');
  return mark < 0
    ? { path: safe, query: '' }
    : // the vendor's pages hang the door behind the query
      { path: safe.slice(0, mark), query: safe.slice(mark + 1).replace(/\/(?:whip|whep)\/*$/, '') };
}
