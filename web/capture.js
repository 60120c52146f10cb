// @ts-check
/**
 * Camera, microphone and screen, and why there are none.
 */
import { Problem } from './problem.js';

/**
 * @typedef {object} Wish
 * @property {'camera' | 'screen' | 'none'} source of the picture
 * @property {string} camera device; empty: any
 * @property {string} microphone device; empty: any; `off`: none
 * @property {number} width
 * @property {number} height
 * @property {number} frameRate
 * @property {MediaTrackConstraints} video more about the picture
 * @property {MediaTrackConstraints} audio more about the sound
 */

/** @typedef {'video' | 'audio'} Kind */

/**
 * Asks the browser, and so the user. Throws `Problem`.
 * @param {Wish} wish
 * @param {readonly Kind[]} [kinds] leave out what is not wanted
 * @returns {Promise<MediaStream>}
 */
export async function capture(wish, kinds = ['video', 'audio']) {
  const media = devices();
  const sound = kinds.includes('audio') && wish.microphone !== 'off';
  const picture = kinds.includes('video') && wish.source !== 'none';
  if (!picture && !sound) throw new Problem('browser/nothing', 'Neither picture nor sound is chosen.');
  const screen = picture && wish.source === 'screen';
  const microphone = sound && { ...device(wish.microphone), ...wish.audio };
  if (!screen) {
    await present(media, picture, sound);
    return told('camera', () => media.getUserMedia({ video: picture && pictureOf(wish), audio: microphone }));
  }
  // the sound of what is shown only when no microphone is
  const stream = await told('screen', () => media.getDisplayMedia({ video: pictureOf(wish), audio: !sound }));
  if (!sound) return stream;
  try {
    await present(media, false, true);
    const voice = await told('camera', () => media.getUserMedia({ video: false, audio: microphone }));
    return new MediaStream([...stream.getTracks(), ...voice.getTracks()]);
  } catch (error) {
    release(stream);
    throw error;
  }
}

/** @param {MediaStream | undefined} stream */
export function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * What there is; names come only when the user has allowed its use.
 * @returns {Promise<readonly MediaDeviceInfo[]>}
 */
export async function listDevices() {
  return (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
}

/** @param {Wish} wish */
function pictureOf({ source, camera, width, height, frameRate, video }) {
  return {
    width: { ideal: width },
    height: { ideal: height },
    frameRate: { ideal: frameRate },
    ...(source === 'camera' ? device(camera) : {}),
    ...video,
  };
}

/** @param {string} id */
function device(id) {
  return id === '' ? {} : { deviceId: { exact: id } };
}

function devices() {
  if (!window.isSecureContext || navigator.mediaDevices?.getUserMedia === undefined) {
    throw new Problem('browser/insecure', 'Browsers give camera, microphone and screen to secure pages only.', {
      fix: `Open this page by HTTPS, or as localhost on the same machine. It is at ${location.origin} now.`,
    });
  }
  return navigator.mediaDevices;
}

/**
 * Throws when a device is missing: the browser itself does not say which.
 * @param {MediaDevices} media
 * @param {boolean} camera
 * @param {boolean} microphone
 */
async function present(media, camera, microphone) {
  const kinds = new Set((await media.enumerateDevices()).map(({ kind }) => kind));
  const missing = [
    ...(camera && !kinds.has('videoinput') ? ['camera'] : []),
    ...(microphone && !kinds.has('audioinput') ? ['microphone'] : []),
  ];
  if (missing.length === 0) return;
  throw new Problem('browser/no-device', `No ${missing.join(' and no ')} was found.`, {
    fix: `Connect one, or choose to publish without ${missing.length > 1 ? 'them' : 'it'}.`,
  });
}

/**
 * @param {'camera' | 'screen'} what
 * @param {() => Promise<MediaStream>} ask
 * @returns {Promise<MediaStream>}
 */
async function told(what, ask) {
  try {
    return await ask();
  } catch (error) {
    throw deviceProblem(/** @type {Error} */ (error), what);
  }
}

/**
 * The browser's refusal in words.
 * @param {{ readonly name: string, readonly message: string }} error
 * @param {'camera' | 'screen'} what
 */
export function deviceProblem({ name, message }, what) {
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return what === 'screen'
        ? new Problem('browser/denied', 'Sharing the screen was not allowed.', {
            fix: 'Start again, and choose a screen, a window or a tab.',
          })
        : new Problem('browser/denied', 'Camera or microphone was not allowed.', {
            fix: 'Allow both for this page in the settings beside the address, then start again.',
          });
    case 'NotFoundError':
      return new Problem('browser/no-device', 'Camera or microphone was not found.', {
        fix: 'Connect it, or choose another one.',
      });
    case 'NotReadableError':
    case 'AbortError':
      return new Problem('browser/busy-device', 'Camera or microphone cannot be read.', {
        fix: 'Another program may be using it: close that, then start again.',
      });
    case 'OverconstrainedError':
      return new Problem(
        'browser/constraints',
        'The device that was chosen is not there, or cannot do what was asked of it.',
        {
          fix: 'Choose another device or another picture size.',
        },
      );
    default:
      return new Problem('browser/device', message || name);
  }
}
