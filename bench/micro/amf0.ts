/**
 * How many commands a second can be read and written? Each player that joins costs about ten.
 */

import { ecmaArray } from '../../src/rtmp/amf-value.ts';
import { readAmf0, writeAmf0 } from '../../src/rtmp/amf0.ts';
import { print, secondsPerRound } from './measure.ts';

const ROUNDS = 1000;

const CONNECT = [
  'connect',
  1,
  {
    app: 'live',
    type: 'nonprivate',
    flashVer: 'FMLE/3.0 (compatible; FMSc/1.0)',
    swfUrl: 'rtmp://example.org:1935/live',
    tcUrl: 'rtmp://example.org:1935/live',
  },
];
const METADATA = [
  'onMetaData',
  ecmaArray({
    duration: 0,
    width: 1920,
    height: 1080,
    videodatarate: 6000,
    framerate: 30,
    videocodecid: 7,
    audiodatarate: 160,
    audiosamplerate: 48000,
    audiosamplesize: 16,
    stereo: true,
    audiocodecid: 10,
    encoder: 'obs-output module',
  }),
];

for (const [name, values] of [['connect', CONNECT] as const, ['onMetaData', METADATA] as const]) {
  const bytes = writeAmf0(values);
  const read = secondsPerRound(() => {
    for (let i = 0; i < ROUNDS; i++) readAmf0(bytes);
  });
  print({ name: `read ${name}, ${bytes.length} bytes`, value: (read / ROUNDS) * 1e6, unit: 'us' });
  const write = secondsPerRound(() => {
    for (let i = 0; i < ROUNDS; i++) writeAmf0(values);
  });
  print({ name: `write ${name}`, value: (write / ROUNDS) * 1e6, unit: 'us' });
}
