// @ts-check
/**
 * What a connection does, in figures, from the browser's statistics.
 */

/**
 * @typedef {object} Figures
 * @property {number} seconds since the measuring began
 * @property {number} videoBitrate bits a second, as are the other rates
 * @property {number} audioBitrate
 * @property {number} fps pictures a second, sent or decoded
 * @property {number} width of the pictures; 0: there are none
 * @property {number} height
 * @property {string} videoCodec such as `H264`; empty: none
 * @property {string} audioCodec
 * @property {number | undefined} roundTrip milliseconds
 * @property {number | undefined} loss part of the packets that got lost, 0 to 1
 * @property {number | undefined} jitter milliseconds; of a player
 * @property {number | undefined} buffered milliseconds from the network to the screen; of a player
 * @property {number | undefined} freezes how often the picture stood still; of a player
 * @property {string} limited by what quality is held down, `cpu` or `bandwidth`; of a publisher
 * @property {number} bytes in all
 */

/** @typedef {Readonly<Record<string, any>>} Entry */

/** Turns reports into figures; keeps the last one, as rates need two. */
export class Meter {
  #kind;
  #began = performance.now();
  /** @type {ReadonlyMap<string, Entry>} */
  #last = new Map();

  /** @param {'publish' | 'play'} kind */
  constructor(kind) {
    this.#kind = kind;
  }

  /**
   * @param {{ forEach(each: (entry: Entry) => void): void }} report
   * @returns {Figures}
   */
  read(report) {
    /** @type {Map<string, Entry>} */
    const entries = new Map();
    report.forEach((entry) => {
      entries.set(entry['id'], entry);
    });
    const video = this.#media(entries, 'video');
    const audio = this.#media(entries, 'audio');
    const pair = [...entries.values()].find((entry) => entry['type'] === 'candidate-pair' && entry['nominated']);
    const remote = entries.get(video?.['remoteId'] ?? audio?.['remoteId']);
    const roundTrip = pair?.['currentRoundTripTime'] ?? remote?.['roundTripTime'];
    const figures = {
      seconds: Math.round((performance.now() - this.#began) / 1_000),
      videoBitrate: this.#bitrate(video),
      audioBitrate: this.#bitrate(audio),
      fps: Math.round(video?.['framesPerSecond'] ?? 0),
      width: video?.['frameWidth'] ?? 0,
      height: video?.['frameHeight'] ?? 0,
      videoCodec: codecOf(video, entries),
      audioCodec: codecOf(audio, entries),
      roundTrip: millis(roundTrip),
      loss: this.#kind === 'publish' ? remote?.['fractionLost'] : this.#lost(video ?? audio),
      jitter: this.#kind === 'publish' ? undefined : millis((video ?? audio)?.['jitter']),
      buffered: this.#buffered(video ?? audio),
      freezes: video?.['freezeCount'],
      limited: String(video?.['qualityLimitationReason'] ?? 'none').replace('none', ''),
      bytes: bytesOf(video) + bytesOf(audio),
    };
    this.#last = entries;
    return figures;
  }

  /**
   * @param {ReadonlyMap<string, Entry>} entries
   * @param {string} kind
   */
  #media(entries, kind) {
    const type = this.#kind === 'publish' ? 'outbound-rtp' : 'inbound-rtp';
    return [...entries.values()].find((entry) => entry['type'] === type && entry['kind'] === kind);
  }

  /**
   * How much a counter rose, and within how many seconds.
   * @param {Entry | undefined} entry
   * @param {(entry: Entry) => number} count
   */
  #risen(entry, count) {
    const before = entry && this.#last.get(entry['id']);
    if (entry === undefined || before === undefined) return { by: 0, seconds: 0 };
    return { by: count(entry) - count(before), seconds: (entry['timestamp'] - before['timestamp']) / 1_000 };
  }

  /** @param {Entry | undefined} entry */
  #bitrate(entry) {
    const { by, seconds } = this.#risen(entry, bytesOf);
    return seconds > 0 ? Math.max(0, Math.round((by * 8) / seconds)) : 0;
  }

  /** @param {Entry | undefined} entry */
  #lost(entry) {
    const lost = this.#risen(entry, (now) => now['packetsLost'] ?? 0).by;
    const all = lost + this.#risen(entry, (now) => now['packetsReceived'] ?? 0).by;
    return all > 0 ? Math.max(0, lost) / all : undefined;
  }

  /** @param {Entry | undefined} entry */
  #buffered(entry) {
    const delay = this.#risen(entry, (now) => now['jitterBufferDelay'] ?? 0).by;
    const emitted = this.#risen(entry, (now) => now['jitterBufferEmittedCount'] ?? 0).by;
    return emitted > 0 ? millis(delay / emitted) : undefined;
  }
}

/** @param {Entry | undefined} entry */
function bytesOf(entry) {
  return entry?.['bytesSent'] ?? entry?.['bytesReceived'] ?? 0;
}

/**
 * @param {Entry | undefined} entry
 * @param {ReadonlyMap<string, Entry>} entries
 */
function codecOf(entry, entries) {
  return String(entries.get(entry?.['codecId'])?.['mimeType'] ?? '').replace(/^\w+\//, '');
}

/** @param {number | undefined} seconds */
function millis(seconds) {
  return seconds === undefined ? undefined : Math.round(seconds * 1_000);
}

/**
 * As people write it.
 * @param {string} codec in any case
 */
export function codecName(codec) {
  const name = codec.toUpperCase().replace(/^(?:H26|HEVC$)/, (found) => (found === 'HEVC' ? 'H.265' : 'H.26'));
  return name === 'OPUS' ? 'Opus' : name;
}

/** @param {number} bits a second */
export function bitrateText(bits) {
  return bits >= 1_000_000 ? `${(bits / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(bits / 1_000)} kbit/s`;
}

/** @param {number} seconds */
export function durationText(seconds) {
  const two = (/** @type {number} */ count) => String(Math.floor(count)).padStart(2, '0');
  const rest = `${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds >= 3_600 ? `${Math.floor(seconds / 3_600)}:${rest}` : rest;
}

/**
 * Rows for people.
 * @param {Figures} figures
 * @returns {readonly (readonly [string, string])[]}
 */
export function figureRows(figures) {
  const { fps, width, height, videoCodec, audioCodec, roundTrip, loss, jitter, buffered, freezes, limited } = figures;
  /** @type {[string, string | undefined][]} */
  const rows = [
    ['Picture', width > 0 ? `${width}×${height}, ${fps} fps` : undefined],
    ['Video', videoCodec === '' ? undefined : `${codecName(videoCodec)}, ${bitrateText(figures.videoBitrate)}`],
    ['Sound', audioCodec === '' ? undefined : `${codecName(audioCodec)}, ${bitrateText(figures.audioBitrate)}`],
    ['Round trip', roundTrip === undefined ? undefined : `${roundTrip} ms`],
    ['Lost', loss === undefined ? undefined : `${(loss * 100).toFixed(1)} %`],
    ['Jitter', jitter === undefined ? undefined : `${jitter} ms`],
    ['Buffered', buffered === undefined ? undefined : `${buffered} ms`],
    ['Freezes', freezes === undefined ? undefined : String(freezes)],
    ['Limited by', limited === '' ? undefined : limited],
    ['Time', durationText(figures.seconds)],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [/** @type {const} */ ([name, value])]));
}
