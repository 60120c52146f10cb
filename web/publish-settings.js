// @ts-check
/**
 * What the attributes of `<castgate-publish>` mean for the browser.
 */
import { Problem } from './problem.js';
import { orderedCodecs } from './sdp.js';

const SIZE = { width: 1_280, height: 720 };
const FRAME_RATE = 30;
/** Kilobits a second. */
const VIDEO_BITRATE = 2_500;
const AUDIO_BITRATE = 96;
const LEAST_BITRATE = 50;

/**
 * What to ask camera, microphone or screen for.
 * @param {Element} element
 * @returns {import('./capture.js').Wish}
 */
export function wishOf(element) {
  const value = (/** @type {string} */ name) => element.getAttribute(name) ?? '';
  const [, width, height] = /^(\d+)x(\d+)$/.exec(value('size')) ?? [];
  const source = value('source');
  return {
    source: source === 'screen' || source === 'none' ? source : 'camera',
    camera: value('camera'),
    microphone: value('microphone'),
    width: Number(width ?? SIZE.width),
    height: Number(height ?? SIZE.height),
    frameRate: Number(value('frame-rate')) || FRAME_RATE,
    video: constraintsOf('video', value('video')),
    audio: constraintsOf('audio', value('audio')),
  };
}

/**
 * Of the picture, at most: bits a second.
 * @param {Element} element
 */
export function bitrateOf(element) {
  return kilobits(element, 'bitrate', VIDEO_BITRATE);
}

/**
 * Sends a track as the element wants it.
 * @param {RTCPeerConnection} pc
 * @param {MediaStreamTrack} track
 * @param {MediaStream} media
 * @param {Element} element
 */
export function send(pc, track, media, element) {
  const picture = track.kind === 'video';
  const maxBitrate = picture ? bitrateOf(element) : kilobits(element, 'audio-bitrate', AUDIO_BITRATE);
  const transceiver = pc.addTransceiver(track, {
    direction: 'sendonly',
    streams: [media],
    sendEncodings: [{ maxBitrate }],
  });
  if (!picture) return;
  const screen = element.getAttribute('source') === 'screen';
  track.contentHint = element.getAttribute('content-hint') ?? (screen ? 'detail' : 'motion');
  const { sender } = transceiver;
  const degradationPreference = /** @type {RTCDegradationPreference} */ (
    element.getAttribute('degradation') ?? (screen ? 'maintain-resolution' : 'balanced')
  );
  // not all browsers know it
  void sender.setParameters({ ...sender.getParameters(), degradationPreference }).catch(() => {});
  const codecs = RTCRtpReceiver.getCapabilities?.('video')?.codecs ?? [];
  try {
    transceiver.setCodecPreferences?.(orderedCodecs(codecs, element.getAttribute('codec') ?? 'h264'));
  } catch {
    // the browser's own order will do
  }
}

/**
 * @param {Element} element
 * @param {string} attribute
 * @param {number} initial
 */
function kilobits(element, attribute, initial) {
  return Math.max(LEAST_BITRATE, Number(element.getAttribute(attribute)) || initial) * 1_000;
}

/**
 * @param {string} attribute
 * @param {string} text JSON; empty: none
 * @returns {MediaTrackConstraints}
 */
function constraintsOf(attribute, text) {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('browser/attribute', `The attribute “${attribute}” holds no JSON.`);
  }
}
