/**
 * What does it cost to make a frame of a published message? Paid once per message, whatever the audience. And to write one that came
 * by another way?
 */
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';
import { aacBody, amfString, avcBody, frame, metadataBody } from '../../test/helpers/frames.ts';
import { print, secondsPerRound } from './measure.ts';

const ROUNDS = 100_000;
const AUDIO = 8;
const VIDEO = 9;
const DATA = 18;

const hevc = Buffer.concat([Buffer.from('a168766331000028', 'hex'), Buffer.alloc(6000)]);
const opus = Buffer.concat([Buffer.from('914f707573', 'hex'), Buffer.alloc(160)]);
const tracks = Buffer.concat([Buffer.from('a6036876633101', 'hex'), Buffer.alloc(6000)]);
const metadata = Buffer.concat([amfString('@setDataFrame'), metadataBody()]);

const messages: [string, number, Buffer][] = [
  ['AVC picture', VIDEO, avcBody('delta', 6000, 80)],
  ['AAC unit', AUDIO, aacBody('delta', 340)],
  ['HEVC picture, enhanced', VIDEO, hevc],
  ['HEVC picture, second track', VIDEO, tracks],
  ['Opus packet, enhanced', AUDIO, opus],
  ['AVC configuration', VIDEO, avcBody('config')],
  ['onMetaData', DATA, metadata],
];

for (const [name, typeId, body] of messages) {
  const reader = new FlvReader();
  reader.frameFromFlv(VIDEO, 0, avcBody('config'));
  reader.frameFromFlv(AUDIO, 0, aacBody('config'));
  let bytes = 0;
  const seconds = secondsPerRound(() => {
    for (let i = 0; i < ROUNDS; i++) bytes += reader.frameFromFlv(typeId, i, body)!.data.length;
  });
  if (bytes === 0) throw new Error(`${name} came out empty`);
  print({ name: `read ${name}`, value: (seconds / ROUNDS) * 1e9, unit: 'ns' });
}

/** As a publisher sends them: one reader, audio and video mixed. */
const reader = new FlvReader();
const video = avcBody('delta', 6000, 80);
const audio = aacBody('delta', 340);
const mixed = secondsPerRound(() => {
  for (let i = 0; i < ROUNDS; i += 2) {
    reader.frameFromFlv(VIDEO, i, video);
    reader.frameFromFlv(AUDIO, i, audio);
  }
});
print({ name: 'read AVC and AAC by turns', value: (mixed / ROUNDS) * 1e9, unit: 'ns' });

const written = secondsPerRound(() => {
  for (let i = 0; i < 1000; i++) {
    flvFromFrame(frame('video', 'delta', i, { data: video }));
  }
});
print({ name: 'write a picture that came by another way', value: (written / 1000) * 1e9, unit: 'ns' });
