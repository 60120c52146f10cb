// @ts-check
/**
 * `<castgate-publish src="live/test" controls>`: publishes camera, microphone or screen by WHIP. See docs/web-elements.md.
 */
import { capture, release } from './capture.js';
import { CastgateElement } from './castgate-element.js';
import { make } from './dom.js';
import { Problem, problemOf } from './problem.js';
import { FIELDS, PublishForm } from './publish-form.js';
import { bitrateOf, send, wishOf } from './publish-settings.js';
import { withStartBitrate } from './sdp.js';

/** @typedef {import('./capture.js').Kind} Kind */

/** Bits a second, before it is known what the way to the server can bear. */
const MAX_START_BITRATE = 1_200_000;

export class CastgatePublish extends CastgateElement {
  static observedAttributes = [
    ...CastgateElement.observedAttributes,
    'controls',
    ...FIELDS.map(({ attribute }) => attribute),
  ];

  #video = make('video', { part: 'video', playsinline: true, autoplay: true, 'aria-label': 'Preview' });
  #form = new PublishForm(this);
  #go = make('button', { part: 'button primary', type: 'button', onclick: () => this.#toggle() });
  #look = make('button', { part: 'button', type: 'button', onclick: () => this.#togglePreview() });
  #mute = make('button', { part: 'button', type: 'button', onclick: () => this.#enable('audio') }, 'Mute');
  #hide = make('button', { part: 'button', type: 'button', onclick: () => this.#enable('video') }, 'Hide picture');
  #bar = make('div', { part: 'bar' }, this.#go, this.#look, this.#mute, this.#hide);
  #live = make('span', { part: 'badge', hidden: true }, 'Live');
  #figures = /** @type {HTMLElement | undefined} */ (undefined);
  /** @type {MediaStream | undefined} */
  #media;
  /** Given by the page, which keeps it. */
  #given = false;
  /** Which capture is the newest. */
  #captures = 0;

  get door() {
    return /** @type {const} */ ('whip');
  }

  /** What is shown and sent. Set a stream of your own (a canvas, a mixer) to publish that. */
  get media() {
    return this.#media;
  }

  set media(stream) {
    this.#drop();
    this.#given = stream !== undefined;
    this.#hold(stream);
    if (this.active) this.again();
  }

  /**
   * @param {HTMLElement} status
   * @param {HTMLElement} error
   * @param {HTMLElement} figures
   */
  draw(status, error, figures) {
    this.#figures = figures;
    this.#video.muted = true;
    const stage = make('div', { part: 'stage' }, this.#video, this.#live, status);
    const player = make('div', { part: 'player' }, stage, this.#bar);
    void this.#form.refresh().then(() => this.#form.show(this.active));
    return [make('div', { part: 'layout' }, make('div', {}, player, error, figures), this.#form.element)];
  }

  connectedCallback() {
    super.connectedCallback();
    navigator.mediaDevices?.addEventListener?.('devicechange', this.#devicesChanged);
  }

  disconnectedCallback() {
    navigator.mediaDevices?.removeEventListener?.('devicechange', this.#devicesChanged);
    super.disconnectedCallback();
  }

  #devicesChanged = () => void this.#form.refresh();

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (CastgateElement.observedAttributes.includes(name)) return super.attributeChangedCallback(name, before, now);
    this.#form.show(this.active);
    if (name === 'controls') this.stateChanged();
    else if (name === 'bitrate') void this.#setBitrate();
    else if (name !== 'codec') void this.#change(name, before);
  }

  /** Shows what would be sent, without sending it. */
  async preview() {
    if (this.#media !== undefined) return;
    try {
      await this.#take();
    } catch (error) {
      this.fail(problemOf(error));
    }
  }

  /** @param {() => boolean} current */
  async begin(current) {
    if (this.#media === undefined) await this.#take();
    if (!current()) return undefined;
    const media = this.#media;
    if (media === undefined) return undefined;
    const start = Math.min(MAX_START_BITRATE, bitrateOf(this) / 2);
    return {
      amendAnswer: (/** @type {string} */ answer) => withStartBitrate(answer, start),
      prepare: (/** @type {RTCPeerConnection} */ pc) => {
        for (const track of media.getTracks()) send(pc, track, media, this);
      },
    };
  }

  finish() {
    this.#drop();
  }

  stateChanged() {
    const { active, state } = this;
    const controls = this.hasAttribute('controls');
    this.#bar.hidden = !controls;
    this.#form.element.hidden = !controls;
    this.#go.textContent = active ? 'Stop' : 'Go live';
    this.#go.dataset['active'] = String(active);
    this.#look.hidden = active;
    this.#live.hidden = state !== 'live';
    if (this.#figures !== undefined) this.#figures.hidden = !(active && state === 'live' && controls);
    this.#form.show(active);
    this.#showMedia();
  }

  #toggle() {
    if (this.active) this.stop();
    else void this.start();
  }

  #togglePreview() {
    if (this.#media === undefined) void this.preview();
    else this.#drop();
  }

  async #setBitrate() {
    const sender = this.#sender('video');
    if (sender === undefined) return;
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.maxBitrate = bitrateOf(this);
    await sender.setParameters(parameters).catch(() => {});
  }

  /** @param {string} kind */
  #sender(kind) {
    return this.peerConnection?.getSenders().find(({ track }) => track?.kind === kind);
  }

  /**
   * Another device or size, while something is shown already.
   * @param {string} attribute
   * @param {string | null} before
   */
  async #change(attribute, before) {
    const media = this.#media;
    if (media === undefined || this.#given) return;
    const kind = attribute === 'microphone' ? 'audio' : 'video';
    try {
      if (!this.active) {
        this.#drop();
        await this.#take();
      } else if (attribute === 'camera' || attribute === 'microphone')
        await this.#replace(media, kind, before === 'off');
    } catch (error) {
      this.fail(problemOf(error));
    }
  }

  /**
   * @param {MediaStream} media
   * @param {Kind} kind
   * @param {boolean} fromOff there was none on purpose
   */
  async #replace(media, kind, fromOff) {
    const wish = wishOf(this);
    const old = media.getTracks().filter((track) => track.kind === kind);
    if (kind === 'audio' && wish.microphone === 'off') {
      for (const track of old) track.enabled = false;
      this.#showMedia();
      return;
    }
    // who has muted himself stays so
    const enabled = fromOff || old.every((track) => track.enabled);
    // some telephones open one camera at a time
    for (const track of old) track.stop();
    const fresh = await capture(wish, [kind]);
    if (this.#media !== media) return release(fresh);
    for (const track of old) media.removeTrack(track);
    for (const track of fresh.getTracks()) {
      track.enabled = enabled;
      media.addTrack(track);
      this.#guard(track);
      const sender = this.#sender(kind);
      // sound that was not agreed on with the server needs a new session
      if (sender === undefined) this.again();
      else await sender.replaceTrack(track);
    }
    this.#showMedia();
  }

  async #take() {
    const turn = ++this.#captures;
    const stream = await capture(wishOf(this));
    // somebody stopped it, or wanted another one, while the user was asked
    if (turn !== this.#captures || !this.isConnected) return release(stream);
    this.#hold(stream);
    await this.#form.refresh();
    this.#form.show(this.active);
  }

  /** @param {MediaStream | undefined} stream */
  #hold(stream) {
    this.#media = stream;
    this.#video.srcObject = stream ?? null;
    for (const track of stream?.getTracks() ?? []) this.#guard(track);
    this.#showMedia();
  }

  /**
   * A device that is pulled out, or a screen that is shared no more.
   * @param {MediaStreamTrack} track
   */
  #guard(track) {
    track.addEventListener('ended', () => {
      if (this.#media?.getTracks().includes(track) !== true) return;
      const screen = track.kind === 'video' && this.getAttribute('source') === 'screen';
      const what = screen ? 'The screen is shared no more.' : 'The camera or the microphone is gone.';
      this.fail(new Problem('browser/ended', what, { fix: 'Start again when it is back.' }));
    });
  }

  #drop() {
    this.#captures++;
    if (!this.#given) release(this.#media);
    if (!this.#given || !this.isConnected) this.#hold(undefined);
  }

  #showMedia() {
    const media = this.#media;
    this.#look.textContent = media === undefined ? 'Preview' : 'Close preview';
    for (const [button, kind, on, off] of /** @type {const} */ ([
      [this.#mute, 'audio', 'Mute', 'Unmute'],
      [this.#hide, 'video', 'Hide picture', 'Show picture'],
    ])) {
      const [track] = media?.getTracks().filter((each) => each.kind === kind) ?? [];
      button.hidden = track === undefined || !this.active;
      button.textContent = track?.enabled === false ? off : on;
    }
  }

  /** @param {Kind} kind */
  #enable(kind) {
    for (const track of this.#media?.getTracks() ?? []) if (track.kind === kind) track.enabled = !track.enabled;
    this.#showMedia();
  }
}

if (customElements.get('castgate-publish') === undefined) customElements.define('castgate-publish', CastgatePublish);
