// @ts-check
/**
 * A wish to publish or to play, kept up: through lost networks, streams that are not there yet, and servers that start anew; until it
 * is stopped, or the server says no.
 *
 *   connecting ──▶ live ──▶ reconnecting ──▶ live …        by a restart of ICE, else by a new session
 *       └─▶ waiting ──▶ connecting …                       the stream is not live
 *       └─▶ ended                                          refused, or sent away
 */
import { BLOCKED, backoff, isPassing, LOST, Problem, problemOf } from './problem.js';
import { restartedAnswer, restartFragment } from './sdp.js';
import { openSession } from './whip-session.js';

/** @typedef {'connecting' | 'live' | 'waiting' | 'reconnecting' | 'ended'} ConnectionState */

/**
 * @typedef {object} ConnectionOptions
 * @property {string} address of WHIP or WHEP
 * @property {string} token bearer token; empty: none
 * @property {(pc: RTCPeerConnection) => void} prepare adds what is sent or received
 * @property {(offer: string) => string} [amendOffer]
 * @property {(answer: string) => string} [amendAnswer]
 * @property {(state: ConnectionState, problem: Problem | undefined, wait: number) => void} onState `wait`: milliseconds to the next try
 */

const CONNECT_TIMEOUT = 15_000;
const RESTART_TIMEOUT = 8_000;
/** A path that is silent for this long is looked into. */
const DOUBT_AFTER = 3_000;
const LONGEST_GOODBYE = 2_000;
/** Our own earlier session may still stand in the way for a while, after a network was lost. */
const MAX_CROWDED = 8;
const DUPLICATE = 'access/duplicate';

export class Connection {
  #options;
  #abort = new AbortController();
  /** @type {RTCPeerConnection | undefined} */
  #pc;
  #failures = 0;
  #wasLive = false;

  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** The browser's own connection, while there is one. */
  get pc() {
    return this.#pc;
  }

  /** Goes on until `stop`, or until there is nothing to hope for. Never rejects. */
  async run() {
    const { signal } = this.#abort;
    const { onState } = this.#options;
    while (!signal.aborted) {
      onState('connecting', undefined, 0);
      const problem = await this.#attempt(signal);
      if (signal.aborted) return;
      const crowded = this.#wasLive && problem.code === DUPLICATE && this.#failures < MAX_CROWDED;
      if (!crowded && !isPassing(problem)) {
        onState('ended', problem, 0);
        return;
      }
      const wait = problem.retryAfter ?? (problem.code === 'stream/changed' ? 0 : backoff(this.#failures));
      this.#failures++;
      onState(problem.code === 'stream/not-found' ? 'waiting' : 'reconnecting', problem, wait);
      await pause(wait, signal);
    }
  }

  stop() {
    this.#abort.abort();
  }

  /**
   * From an offer to the end of the session.
   * @param {AbortSignal} signal
   * @returns {Promise<Problem>} why it ended
   */
  async #attempt(signal) {
    const { address, token, prepare, amendOffer = String, amendAnswer = String } = this.#options;
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    /** @type {Awaited<ReturnType<typeof openSession>> | undefined} */
    let session;
    try {
      this.#pc = pc;
      prepare(pc);
      const offer = { type: /** @type {const} */ ('offer'), sdp: amendOffer((await pc.createOffer()).sdp ?? '') };
      session = await openSession(address, offer.sdp, { token, signal });
      // not before: only now it is known where candidates may come from, and the server needs none
      if (session.iceServers.length > 0)
        pc.setConfiguration({ ...pc.getConfiguration(), iceServers: session.iceServers });
      await pc.setLocalDescription(offer);
      await pc.setRemoteDescription({ type: 'answer', sdp: amendAnswer(session.answer) });
      return await this.#stay(pc, session, signal);
    } catch (error) {
      return problemOf(error);
    } finally {
      const left = session?.close();
      pc.close();
      this.#pc = undefined;
      // or the next session would find this one in its place
      if (left !== undefined) await Promise.race([left, pause(LONGEST_GOODBYE)]);
    }
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {Awaited<ReturnType<typeof openSession>>} session
   * @param {AbortSignal} signal
   * @returns {Promise<Problem>}
   */
  async #stay(pc, session, signal) {
    if (!(await connected(pc, CONNECT_TIMEOUT, signal))) {
      const words = 'The server answers, but no media gets through.';
      const fix = 'A firewall may block UDP; try another network.';
      return (await session.fate(signal)) ?? new Problem(BLOCKED, words, { fix });
    }
    for (;;) {
      this.#failures = 0;
      this.#wasLive = true;
      this.#options.onState('live', undefined, 0);
      await doubtful(pc, signal);
      const lost = new Problem(LOST, 'The connection was lost.');
      if (signal.aborted) return lost;
      this.#options.onState('reconnecting', lost, 0);
      const fate = await session.fate(signal);
      if (fate !== undefined) return fate;
      if (signal.aborted || pc.connectionState === 'closed') return lost;
      if (!(await restarted(pc, session, signal))) return (await session.fate(signal)) ?? lost;
    }
  }
}

/**
 * Does a restart of ICE help?
 * @param {RTCPeerConnection} pc
 * @param {Awaited<ReturnType<typeof openSession>>} session
 * @param {AbortSignal} signal
 */
async function restarted(pc, session, signal) {
  try {
    const offer = await pc.createOffer({ iceRestart: true });
    const fragment = await session.restart(restartFragment(offer.sdp ?? ''), signal);
    await pc.setLocalDescription(offer);
    await pc.setRemoteDescription({ type: 'answer', sdp: restartedAnswer(session.answer, fragment) });
    return await connected(pc, RESTART_TIMEOUT, signal);
  } catch {
    return false;
  }
}

/**
 * Does it connect in time?
 * @param {RTCPeerConnection} pc
 * @param {number} patience
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
async function connected(pc, patience, signal) {
  const reached = await watched(pc, signal, patience, (state, over) =>
    state === 'connected' ? true : over || state === 'failed' || state === 'closed' ? false : undefined,
  );
  return reached === true;
}

/**
 * Until something is wrong with a connection.
 * @param {RTCPeerConnection} pc
 * @param {AbortSignal} signal
 */
async function doubtful(pc, signal) {
  const either = new AbortController();
  const end = () => either.abort();
  signal.addEventListener('abort', end);
  // another network: what is open may be of no use, and ICE would take long to notice
  window.addEventListener('online', end);
  if (signal.aborted) end();
  while (!either.signal.aborted) {
    const state = await watched(pc, either.signal, undefined, (now) => (now === 'connected' ? undefined : now));
    if (state !== 'disconnected') break;
    const better = await watched(pc, either.signal, DOUBT_AFTER, (now, over) =>
      now === 'connected' ? true : over || now !== 'disconnected' ? false : undefined,
    );
    if (!better) break;
  }
  signal.removeEventListener('abort', end);
  window.removeEventListener('online', end);
}

/**
 * Asks `look` now and at each change, until it answers; undefined when aborted.
 * @template T
 * @param {RTCPeerConnection} pc
 * @param {AbortSignal} signal
 * @param {number | undefined} patience milliseconds, after which `look` is told that it is over
 * @param {(state: RTCPeerConnectionState, over: boolean) => T | undefined} look
 * @returns {Promise<T | undefined>}
 */
function watched(pc, signal, patience, look) {
  return new Promise((resolve) => {
    const done = new AbortController();
    const consider = (over = false) => {
      const closed = transportOf(pc)?.state === 'closed';
      const answer = signal.aborted ? undefined : look(closed ? 'closed' : pc.connectionState, over);
      if (answer === undefined && !signal.aborted) return;
      done.abort();
      clearTimeout(timer);
      resolve(answer);
    };
    const timer = patience === undefined ? undefined : setTimeout(consider, patience, true);
    const listen = { signal: done.signal };
    pc.addEventListener('connectionstatechange', () => consider(), listen);
    // a server that says goodbye closes DTLS
    transportOf(pc)?.addEventListener('statechange', () => consider(), listen);
    signal.addEventListener('abort', () => consider(), listen);
    consider();
  });
}

/**
 * All media of a connection share one.
 * @param {RTCPeerConnection} pc
 */
function transportOf(pc) {
  const [first] = pc.getTransceivers();
  return first?.sender.transport ?? first?.receiver.transport;
}

/**
 * @param {number} millis
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function pause(millis, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, millis);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}
