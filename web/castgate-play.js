// @ts-check
/**
 * `<castgate-play src="live/test" controls autoplay muted>`: plays a stream by WHEP. See docs/web-elements.md.
 */
import { CastgateElement } from './castgate-element.js';
import { icon, make } from './dom.js';
import { withStereo } from './sdp.js';

/** Nothing came for so many looks, one a second: the stream pauses. */
const QUIET_LOOKS = 3;

export class CastgatePlay extends CastgateElement {
  static observedAttributes = [...CastgateElement.observedAttributes, 'controls'];

  #video = make('video', { part: 'video', playsinline: true, autoplay: true });
  #unmute = make('button', { part: 'unmute', type: 'button', hidden: true, onclick: () => this.#setMuted(false) });
  #begin = make('button', { part: 'play', type: 'button', 'aria-label': 'Play', onclick: () => this.#pressed() });
  #stop = make('button', {
    part: 'button',
    type: 'button',
    'aria-label': 'Stop',
    title: 'Stop',
    onclick: () => this.stop(),
  });
  #mute = make('button', { part: 'button', type: 'button', onclick: () => this.#setMuted(!this.#video.muted) });
  #volume = make('input', {
    ...{ part: 'volume', type: 'range', min: '0', max: '1', step: '0.05', 'aria-label': 'Volume' },
    oninput: () => this.#setVolume(),
  });
  #more = make('button', {
    ...{ part: 'button', type: 'button', 'aria-label': 'Statistics', title: 'Statistics', 'aria-expanded': 'false' },
    onclick: () => this.#toggleFigures(),
  });
  #full = make('button', {
    ...{ part: 'button', type: 'button', 'aria-label': 'Full screen', title: 'Full screen' },
    onclick: () => this.#toggleFull(),
  });
  #bar = make(
    'div',
    { part: 'bar' },
    this.#stop,
    this.#mute,
    this.#volume,
    make('span', { class: 'gap' }),
    this.#more,
    this.#full,
  );
  #stage = make('div', { part: 'stage' });
  #figures = /** @type {HTMLElement | undefined} */ (undefined);
  #media = new MediaStream();
  #bytes = 0;
  #quiet = 0;

  /** The video element inside. */
  get video() {
    return this.#video;
  }

  get muted() {
    return this.#video.muted;
  }

  set muted(value) {
    this.#setMuted(value);
  }

  /** From 0 to 1. */
  get volume() {
    return this.#video.volume;
  }

  set volume(value) {
    this.#video.volume = value;
    this.#showSound();
  }

  /**
   * @param {HTMLElement} status
   * @param {HTMLElement} error
   * @param {HTMLElement} figures
   */
  draw(status, error, figures) {
    this.#figures = figures;
    this.#begin.append(icon('play'));
    this.#stop.append(icon('stop'));
    this.#more.append(icon('figures'));
    this.#full.append(icon('full'));
    this.#unmute.append(icon('muted'), 'Unmute');
    this.#video.muted = this.hasAttribute('muted');
    this.#video.addEventListener('volumechange', () => this.#showSound());
    this.#stage.append(this.#video, this.#begin, this.#unmute, status);
    return [make('div', { part: 'player' }, this.#stage, this.#bar), error, figures];
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (name === 'controls') this.stateChanged();
    else super.attributeChangedCallback(name, before, now);
  }

  async begin() {
    this.#quiet = 0;
    const buffer = Number(this.getAttribute('buffer') ?? Number.NaN);
    return {
      amendOffer: withStereo,
      prepare: (/** @type {RTCPeerConnection} */ pc) => {
        this.#media = new MediaStream();
        this.#bytes = 0;
        for (const kind of ['video', 'audio']) {
          const { receiver } = pc.addTransceiver(kind, { direction: 'recvonly' });
          if (Number.isFinite(buffer) && 'jitterBufferTarget' in receiver) receiver.jitterBufferTarget = buffer;
        }
        pc.addEventListener('track', ({ track }) => {
          this.#media.addTrack(track);
          void this.#show();
        });
      },
    };
  }

  finish() {
    this.#video.srcObject = null;
  }

  stateChanged() {
    const { active, state } = this;
    const controls = this.hasAttribute('controls');
    this.#begin.hidden = active || !controls;
    this.#bar.hidden = !controls;
    this.#stop.disabled = !active;
    this.#full.disabled = !active;
    if (state === 'idle' || state === 'ended') this.#setFigures(false);
    this.#more.disabled = !active;
    this.#showSound();
  }

  /** @param {import('./meter.js').Figures} figures */
  measured({ bytes }) {
    this.#quiet = bytes > this.#bytes ? 0 : this.#quiet + 1;
    this.#bytes = bytes;
    this.seems(this.#quiet < QUIET_LOOKS ? 'live' : 'waiting');
  }

  /** Somebody asked for it by hand, so sound is allowed. */
  #pressed() {
    if (!this.hasAttribute('muted')) this.#video.muted = false;
    void this.start();
    this.#stop.focus();
  }

  async #show() {
    const video = this.#video;
    // the last picture stays until there is a new one
    if (video.srcObject !== this.#media) video.srcObject = this.#media;
    try {
      await video.play();
    } catch (error) {
      // browsers let pages make no sound by themselves
      if (/** @type {Error} */ (error).name !== 'NotAllowedError' || video.muted) return;
      video.muted = true;
      await video.play().catch(() => {});
    }
  }

  /** @param {boolean} muted */
  #setMuted(muted) {
    const shown = !this.#unmute.hidden && this.shadowRoot?.activeElement === this.#unmute;
    this.#video.muted = muted;
    if (!muted && this.#video.volume === 0) this.#video.volume = 1;
    if (this.active && this.#video.srcObject !== null) void this.#video.play().catch(() => {});
    this.#showSound();
    if (shown) this.#mute.focus();
  }

  #setVolume() {
    const volume = Number(this.#volume.value);
    this.#video.volume = volume;
    this.#video.muted = volume === 0;
  }

  #showSound() {
    const { muted, volume } = this.#video;
    const label = muted ? 'Unmute' : 'Mute';
    this.#volume.value = String(muted ? 0 : volume);
    this.#mute.replaceChildren(icon(muted ? 'muted' : 'sound'));
    this.#mute.setAttribute('aria-label', label);
    this.#mute.title = label;
    this.#unmute.hidden = !(muted && this.state === 'live' && this.hasAttribute('controls'));
  }

  #toggleFigures() {
    this.#setFigures(this.#figures?.hidden === true);
  }

  /** @param {boolean} shown */
  #setFigures(shown) {
    if (this.#figures !== undefined) this.#figures.hidden = !shown;
    this.#more.setAttribute('aria-expanded', String(shown));
  }

  #toggleFull() {
    const player = this.#stage.parentElement;
    /** @type {HTMLVideoElement & { webkitEnterFullscreen?: () => void }} */
    const video = this.#video;
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else if (player?.requestFullscreen !== undefined) void player.requestFullscreen().catch(() => {});
    // on a telephone of Apple only the video itself can
    else video.webkitEnterFullscreen?.();
  }
}

if (customElements.get('castgate-play') === undefined) customElements.define('castgate-play', CastgatePlay);
