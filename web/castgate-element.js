// @ts-check
/**
 * What the two elements have in common: an address, a state that is shown and told, statistics once a second, an orderly end.
 */
import { sessionAddress } from './address.js';
import { Connection } from './connection.js';
import { make } from './dom.js';
import { elementStyle } from './element-style.js';
import { figureRows, Meter } from './meter.js';
import { problemOf } from './problem.js';

/** @typedef {'idle' | 'starting' | import('./connection.js').ConnectionState} ElementState */
/** @typedef {import('./problem.js').Problem} Problem */
/** @typedef {import('./meter.js').Figures} Figures */

const EVERY_SECOND = 1_000;
/** The server that these modules came from. */
const SERVER = new URL('..', import.meta.url).href;

/** @type {Readonly<Record<ElementState, string>>} */
const WORDS = {
  idle: '',
  starting: 'Starting…',
  connecting: 'Connecting…',
  live: 'Live',
  waiting: 'Waiting for the stream…',
  reconnecting: 'The connection was lost. Connecting again…',
  ended: 'Ended',
};

export class CastgateElement extends HTMLElement {
  static observedAttributes = ['src', 'token'];

  /** @type {ShadowRoot} */
  #root = this.attachShadow({ mode: 'open' });
  #drawn = false;
  /** @type {ElementState} */
  #state = 'idle';
  /** @type {Connection | undefined} */
  #connection;
  /** @type {Promise<void> | undefined} */
  #last;
  #timer = 0;
  /** Which start this is; an older one that was waited for counts no more. */
  #turn = 0;
  #status = make('p', { part: 'status', role: 'status' });
  #error = make('div', { part: 'error', role: 'alert', hidden: true });
  #figures = make('dl', { part: 'stats', hidden: true });

  /** Which door of the server. */
  get door() {
    return /** @type {import('./address.js').Door} */ ('whep');
  }

  /** `idle`, `starting`, `connecting`, `live`, `waiting`, `reconnecting` or `ended`. */
  get state() {
    return this.#state;
  }

  /** The browser's own connection, while there is one. */
  get peerConnection() {
    return this.#connection?.pc;
  }

  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(value) {
    this.setAttribute('src', value);
  }

  get token() {
    return this.getAttribute('token') ?? '';
  }

  set token(value) {
    this.setAttribute('token', value);
  }

  /** Is there a wish to publish or to play? */
  get active() {
    return this.#state !== 'idle' && this.#state !== 'ended';
  }

  connectedCallback() {
    if (!this.#drawn) {
      this.#drawn = true;
      this.#root.adoptedStyleSheets = [elementStyle()];
      this.#root.append(...this.draw(this.#status, this.#error, this.#figures));
      this.stateChanged();
    }
    window.addEventListener('pagehide', this.#leave);
    window.addEventListener('pageshow', this.#comeBack);
    if (this.hasAttribute('autoplay') && this.src !== '') void this.start();
  }

  disconnectedCallback() {
    window.removeEventListener('pagehide', this.#leave);
    window.removeEventListener('pageshow', this.#comeBack);
    this.stop();
  }

  /**
   * @param {string} _name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(_name, before, now) {
    if (before !== now && this.active && this.isConnected) {
      this.stop();
      void this.start();
    }
  }

  /** Begins, or does nothing when it has begun. Resolves when it has ended; never rejects: see `castgate-error`. */
  async start() {
    if (this.active) return;
    const turn = ++this.#turn;
    const current = () => turn === this.#turn;
    this.#showError(undefined);
    this.#enter('starting');
    try {
      const address = sessionAddress(this.src, this.door, SERVER);
      const options = await this.begin(current);
      if (!current() || options === undefined) return;
      const connection = new Connection({
        ...{ address, token: this.token, ...options },
        onState: (state, problem, wait) => current() && this.#heard(state, problem, wait),
      });
      this.#connection = connection;
      // the server has one publisher of a name, and the one before may be just leaving
      await this.#last;
      this.#last = connection.run();
      await this.#last;
    } catch (error) {
      if (current()) this.fail(problemOf(error));
    }
  }

  /** Ends. The server is told. */
  stop() {
    this.#turn++;
    this.#connection?.stop();
    this.#connection = undefined;
    this.finish();
    this.#enter('idle');
  }

  /** Goes on with a new session and what `begin` took for the old one. */
  again() {
    this.#turn++;
    this.#connection?.stop();
    this.#connection = undefined;
    this.#enter('idle');
    void this.start();
  }

  #leave = () => {
    if (this.active) this.stop();
  };

  /** @param {PageTransitionEvent} event */
  #comeBack = ({ persisted }) => {
    if (persisted && this.hasAttribute('autoplay')) void this.start();
  };

  /**
   * What the element shows. The three are kept by this class.
   * @param {HTMLElement} status
   * @param {HTMLElement} error
   * @param {HTMLElement} figures
   * @returns {Node[]}
   */
  draw(status, error, figures) {
    return [status, error, figures];
  }

  /**
   * Gets ready; undefined: not now.
   * @param {() => boolean} _current is this start still wanted?
   * @returns {Promise<Pick<import('./connection.js').ConnectionOptions, 'prepare' | 'amendOffer' | 'amendAnswer'> | undefined>}
   */
  async begin(_current) {
    return undefined;
  }

  /** Gives up what `begin` took. */
  finish() {}

  stateChanged() {}

  /** @param {Figures} _figures */
  measured(_figures) {}

  /**
   * Ends with words.
   * @param {Problem} problem
   */
  fail(problem) {
    this.#turn++;
    this.#connection?.stop();
    this.#connection = undefined;
    this.finish();
    this.#showError(problem);
    this.#enter('ended', problem);
    this.#tell('castgate-error', errorDetail(problem, true));
  }

  /**
   * Another state without a change of the connection.
   * @param {'live' | 'waiting'} state
   */
  seems(state) {
    if (state !== this.#state) this.#enter(state);
  }

  /**
   * @param {import('./connection.js').ConnectionState} state
   * @param {Problem | undefined} problem
   * @param {number} _wait
   */
  #heard(state, problem, _wait) {
    if (state === 'ended' && problem !== undefined) return this.fail(problem);
    // between two tries for the same reason nothing changes for those who look
    const again = state === 'connecting' && (this.#state === 'waiting' || this.#state === 'reconnecting');
    if (!again && state !== this.#state) this.#enter(state, problem);
    if (problem !== undefined) this.#tell('castgate-error', errorDetail(problem, false));
  }

  /**
   * @param {ElementState} state
   * @param {Problem} [problem]
   */
  #enter(state, problem) {
    if (state === this.#state) return;
    this.#state = state;
    this.dataset['state'] = state;
    const words =
      state === 'reconnecting' && problem !== undefined ? `${problem.message} Connecting again…` : WORDS[state];
    this.#status.textContent = state === 'ended' && problem !== undefined ? '' : words;
    this.#status.dataset['state'] = state;
    clearInterval(this.#timer);
    if (state === 'live' || state === 'waiting') this.#measure();
    this.stateChanged();
    this.#tell('castgate-state', { state, message: problem?.message ?? words });
  }

  #meter = new Meter('play');
  /** @type {RTCPeerConnection | undefined} */
  #metered;

  #measure() {
    const look = async () => {
      const pc = this.peerConnection;
      if (pc === undefined) return;
      if (pc !== this.#metered) {
        this.#metered = pc;
        this.#meter = new Meter(this.door === 'whip' ? 'publish' : 'play');
      }
      const figures = this.#meter.read(await pc.getStats());
      if (pc !== this.peerConnection) return;
      const rows = figureRows(figures).map(([name, value]) =>
        make('div', {}, make('dt', {}, name), make('dd', {}, value)),
      );
      this.#figures.replaceChildren(...rows);
      this.measured(figures);
      this.#tell('castgate-stats', figures);
    };
    this.#timer = setInterval(look, EVERY_SECOND);
    void look();
  }

  /** @param {Problem | undefined} problem */
  #showError(problem) {
    this.#error.hidden = problem === undefined;
    this.#error.replaceChildren();
    if (problem === undefined) return;
    this.#error.append(make('strong', {}, problem.message));
    if (problem.fix !== '') this.#error.append(make('p', {}, problem.fix));
  }

  /**
   * @param {string} name
   * @param {object} detail
   */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/**
 * @param {Problem} problem
 * @param {boolean} final will it be tried no more?
 */
function errorDetail({ code, message, fix, status }, final) {
  return { code, message, fix, status, final };
}
