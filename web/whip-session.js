// @ts-check
/**
 * One session of WHIP (RFC 9725) or WHEP over HTTP: asked for, looked after, given back.
 */
import { Problem, UNREACHABLE } from './problem.js';
import { iceServers } from './sdp.js';

/** Nobody waits longer for what a server says about a session that it has. */
const LONGEST_ANSWER = 5_000;

/**
 * Asks for a session. Throws `Problem`, or what an aborted fetch throws.
 * @param {string} address
 * @param {string} offer
 * @param {{ readonly token: string, readonly signal: AbortSignal }} options
 */
export async function openSession(address, offer, { token, signal }) {
  const credentials = token === '' ? {} : { authorization: `Bearer ${token}` };
  const headers = { ...credentials, 'content-type': 'application/sdp' };
  const response = await fetch(address, { method: 'POST', headers, body: offer, signal });
  const body = await response.text();
  if (response.status !== 201) throw refusal(response, body);
  return new WhipSession(response, body, credentials);
}

class WhipSession {
  /** @type {Readonly<Record<string, string>>} */
  #credentials;
  /** @type {string | undefined} */
  #location;
  /** @type {string} */
  #etag;

  /**
   * @param {Response} response
   * @param {string} answer
   * @param {Readonly<Record<string, string>>} credentials
   */
  constructor(response, answer, credentials) {
    const location = response.headers.get('location');
    this.answer = answer;
    this.iceServers = iceServers(response.headers.get('link'));
    this.#location = location === null ? undefined : new URL(location, response.url).href;
    this.#etag = response.headers.get('etag') ?? '*';
    this.#credentials = credentials;
  }

  /**
   * Why it has ended; undefined: it has not, or the server does not tell. Never rejects.
   * @param {AbortSignal} signal
   * @returns {Promise<Problem | undefined>}
   */
  async fate(signal) {
    const location = this.#location;
    if (location === undefined) return undefined;
    try {
      return await inTime(signal, async (signal) => {
        const response = await fetch(location, { headers: this.#credentials, cache: 'no-store', signal });
        if (response.status !== 404) return undefined;
        this.#location = undefined;
        return refusal(response, await response.text());
      });
    } catch {
      return undefined;
    }
  }

  /**
   * Sends new credentials of ICE; answers the server's.
   * @param {string} fragment
   * @param {AbortSignal} signal
   */
  async restart(fragment, signal) {
    const location = this.#location;
    if (location === undefined) throw new Problem(UNREACHABLE, 'The server named no session.');
    const headers = {
      ...this.#credentials,
      'content-type': 'application/trickle-ice-sdpfrag',
      'if-match': this.#etag,
    };
    return inTime(signal, async (signal) => {
      const response = await fetch(location, { method: 'PATCH', headers, body: fragment, signal });
      const body = await response.text();
      if (response.status !== 200) throw refusal(response, body);
      this.#etag = response.headers.get('etag') ?? '*';
      return body;
    });
  }

  /** Gives it back, even while the page goes. Nobody waits for it to work. */
  async close() {
    if (this.#location === undefined) return;
    try {
      await fetch(this.#location, { method: 'DELETE', headers: this.#credentials, keepalive: true });
    } catch {
      // the server finds out by itself within seconds
    }
  }
}

/**
 * Asks with a signal that is aborted with `outer`, or when the answer takes too long; `AbortSignal.any` is too new.
 * @template T
 * @param {AbortSignal} outer
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @returns {Promise<T>}
 */
async function inTime(outer, ask) {
  const either = new AbortController();
  const end = () => either.abort();
  const timer = setTimeout(end, LONGEST_ANSWER);
  outer.addEventListener('abort', end);
  if (outer.aborted) end();
  try {
    return await ask(either.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', end);
  }
}

/**
 * @param {Response} response
 * @param {string} body
 */
function refusal(response, body) {
  const { status, headers } = response;
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  if (/\bjson\b/.test(headers.get('content-type') ?? '')) {
    try {
      const { code, detail, title, fix } = JSON.parse(body);
      if (typeof code === 'string') {
        return new Problem(code, String(detail ?? title ?? code), { fix: String(fix ?? ''), status, retryAfter });
      }
    } catch {
      // some other server's own JSON
    }
  }
  return new Problem('browser/refused', `The server refused: ${status} ${response.statusText}`.trim(), {
    status,
    retryAfter,
  });
}
