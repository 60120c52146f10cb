// @ts-check
/**
 * What went wrong, in words for people and a code for programs.
 */

/** Codes of the server (docs/errors.md) and of this library, which begin with `browser/`. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{ fix?: string | undefined, status?: number | undefined, retryAfter?: number | undefined }} [more]
   *   `status` of HTTP, when a server said it; `retryAfter` in milliseconds
   */
  constructor(code, message, { fix = '', status, retryAfter } = {}) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.fix = fix;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The server's answer is no answer at all, or the network is down. */
export const UNREACHABLE = 'browser/unreachable';
/** It answers, and no media gets through. */
export const BLOCKED = 'browser/blocked';
/** Media went, and goes no more. */
export const LOST = 'browser/lost';

/** What a new try may mend: the network's own faults, and these. */
const PASSING = new Set([
  UNREACHABLE,
  BLOCKED,
  LOST,
  'access/busy',
  'access/shutdown',
  'access/web',
  'stream/changed',
  'stream/not-found',
  'web/answer',
]);

/**
 * Is it worth trying again? Somebody who was refused or sent away is not.
 * @param {Problem} problem
 */
export function isPassing({ code, status, retryAfter }) {
  if (PASSING.has(code) || retryAfter !== undefined || (status !== undefined && status >= 500)) return true;
  // how a session ended, not why one was refused
  return /^webrtc\/(?:timeout|lost|silent|closed|session)$/.test(code);
}

/**
 * @param {unknown} error
 * @returns {Problem}
 */
export function problemOf(error) {
  if (error instanceof Problem) return error;
  const message = error instanceof Error ? error.message : String(error);
  // fetch says no more than that
  if (error instanceof TypeError) {
    return new Problem(UNREACHABLE, 'The server cannot be reached.', {
      fix: 'Look at the network and at the address.',
    });
  }
  return new Problem('browser/failed', message);
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/**
 * Milliseconds before the next try: twice as long each time, and not all clients at once.
 * @param {number} failures so far, from 0
 * @param {number} chance from 0 to 1
 */
export function backoff(failures, chance = Math.random()) {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) * (0.75 + chance / 2);
}
