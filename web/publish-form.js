// @ts-check
/**
 * What a publisher chooses. Each choice is an attribute of the element, so that there is one place to look.
 */
import { listDevices } from './capture.js';
import { make } from './dom.js';

/** @typedef {readonly (readonly [value: string, words: string])[]} Choices */

/**
 * @typedef {object} Field
 * @property {string} attribute
 * @property {string} label
 * @property {string} initial
 * @property {Choices} choices
 * @property {boolean} [live] may it change while live?
 * @property {'videoinput' | 'audioinput'} [devices] more choices: these
 * @property {readonly string[]} [sources] shown for these only
 */

/** @type {readonly Field[]} */
export const FIELDS = [
  {
    ...{ attribute: 'source', label: 'Picture', initial: 'camera' },
    choices: [
      ['camera', 'Camera'],
      ['screen', 'Screen, window or tab'],
      ['none', 'None, sound only'],
    ],
  },
  {
    ...{ attribute: 'camera', label: 'Camera', initial: '', live: true, devices: 'videoinput', sources: ['camera'] },
    choices: [['', 'Default camera']],
  },
  {
    ...{ attribute: 'microphone', label: 'Microphone', initial: '', live: true, devices: 'audioinput' },
    choices: [
      ['', 'Default microphone'],
      ['off', 'None'],
    ],
  },
  {
    ...{ attribute: 'size', label: 'Picture size', initial: '1280x720', sources: ['camera', 'screen'] },
    choices: [
      ['1920x1080', '1920 × 1080'],
      ['1280x720', '1280 × 720'],
      ['960x540', '960 × 540'],
      ['640x360', '640 × 360'],
    ],
  },
  {
    ...{ attribute: 'frame-rate', label: 'Frame rate', initial: '30', sources: ['camera', 'screen'] },
    choices: [
      ['60', '60 fps'],
      ['30', '30 fps'],
      ['24', '24 fps'],
      ['15', '15 fps'],
    ],
  },
  {
    ...{ attribute: 'bitrate', label: 'Bitrate, at most', initial: '2500', live: true, sources: ['camera', 'screen'] },
    choices: [
      ['8000', '8 Mbit/s'],
      ['6000', '6 Mbit/s'],
      ['4000', '4 Mbit/s'],
      ['2500', '2.5 Mbit/s'],
      ['1500', '1.5 Mbit/s'],
      ['800', '800 kbit/s'],
      ['400', '400 kbit/s'],
    ],
  },
  {
    ...{ attribute: 'codec', label: 'Codec', initial: 'h264', sources: ['camera', 'screen'] },
    choices: [
      ['h264', 'H.264 (all players)'],
      ['vp8', 'VP8'],
      ['vp9', 'VP9'],
      ['av1', 'AV1'],
    ],
  },
];

export class PublishForm {
  #host;
  /** @type {ReadonlyMap<Field, HTMLSelectElement>} */
  #selects;
  /** @type {HTMLElement} */
  element;

  /**
   * @param {HTMLElement} host whose attributes are set
   */
  constructor(host) {
    this.#host = host;
    this.#selects = new Map(FIELDS.map((field) => [field, this.#select(field)]));
    const rows = [...this.#selects].map(([{ label }, select]) =>
      make('label', { part: 'field' }, make('span', {}, label), select),
    );
    this.element = make('div', { part: 'form' }, ...rows);
  }

  /** @param {boolean} live */
  show(live) {
    const source = this.#host.getAttribute('source') ?? 'camera';
    for (const [field, select] of this.#selects) {
      const value = this.#host.getAttribute(field.attribute) ?? field.initial;
      if (![...select.options].some((option) => option.value === value))
        select.append(make('option', { value }, value));
      select.value = value;
      select.disabled = live && field.live !== true;
      const row = /** @type {HTMLElement} */ (select.parentElement);
      row.hidden = field.sources?.includes(source) === false;
    }
  }

  /** Names the devices, as far as the browser does. */
  async refresh() {
    const known = await listDevices();
    for (const [field, select] of this.#selects) {
      if (field.devices === undefined) continue;
      const named = known.filter(
        ({ kind, deviceId, label }) => kind === field.devices && deviceId !== '' && label !== '',
      );
      const some = named.filter(({ deviceId }) => deviceId !== 'default' && deviceId !== 'communications');
      const all = [...field.choices, ...some.map(({ deviceId, label }) => /** @type {const} */ ([deviceId, label]))];
      const { value } = select;
      select.replaceChildren(...all.map(([each, words]) => make('option', { value: each }, words)));
      select.value = all.some(([each]) => each === value) ? value : '';
    }
  }

  /** @param {Field} field */
  #select({ attribute, choices }) {
    const select = make('select', { part: 'select', name: attribute });
    select.append(...choices.map(([value, words]) => make('option', { value }, words)));
    select.addEventListener('change', () => this.#host.setAttribute(attribute, select.value));
    return select;
  }
}
