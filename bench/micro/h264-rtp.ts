/**
 * What does it cost to cut a frame into RTP payloads? Paid once per frame, whatever the audience.
 */
import type { Frame } from '../../src/media/frame.ts';
import { packetizerOf } from '../../src/webrtc/rtp-formats.ts';
import { AVC_CONFIG, avcUnit, frame } from '../../test/helpers/frames.ts';
import { print, secondsPerRound } from './measure.ts';

const MAX_SIZE = 1188;
const ROUNDS = 1000;

const config = frame('video', 'config', 0, { data: AVC_CONFIG });
const rows: readonly (readonly [string, Frame])[] = [
  ['H.264 key picture of 60 kB', frame('video', 'key', 0, { data: avcUnit('key', 60_000), config })],
  ['H.264 picture of 8 kB', frame('video', 'delta', 0, { data: avcUnit('delta', 8_000), config })],
  ['H.264 picture of 800 bytes', frame('video', 'delta', 0, { data: avcUnit('delta', 800), config })],
  ['VP8 picture of 8 kB', frame('video', 'delta', 0, { codec: 'vp8', data: Buffer.alloc(8_000) })],
  ['Opus packet', frame('audio', 'delta', 0, { codec: 'opus', data: Buffer.alloc(160) })],
];

for (const [name, one] of rows) {
  const packetize = packetizerOf(one.codec)!;
  let packets = 0;
  const seconds = secondsPerRound(() => {
    packets = 0;
    for (let i = 0; i < ROUNDS; i++) packets += packetize(one, MAX_SIZE).length;
  });
  print({ name: `${name}: ${packets / ROUNDS} packets, each`, value: (seconds / packets) * 1e9, unit: 'ns' });
}
