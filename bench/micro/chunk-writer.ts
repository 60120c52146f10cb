/**
 * How long does it take to write a message for all players, and to lay a header in front of a body that is in its place?
 */
import {
  CHUNK_STREAM,
  headerBytes,
  messageSize,
  writeHeaderInto,
  writeMessage,
  writeMessageInto,
} from '../../src/rtmp/chunk-writer.ts';
import { MESSAGE } from '../../src/rtmp/messages.ts';
import { print, secondsPerRound } from './measure.ts';

const ROUNDS = 1000;

function nanosEach(name: string, write: () => void): void {
  const seconds = secondsPerRound(() => {
    for (let i = 0; i < ROUNDS; i++) write();
  });
  print({ name, value: (seconds / ROUNDS) * 1e9, unit: 'ns' });
}

const message = { typeId: MESSAGE.Video, streamId: 1, timestamp: 40, body: Buffer.alloc(12_000, 0x27) };
const target = Buffer.alloc(messageSize(message.body.length, message.timestamp, 128, CHUNK_STREAM.video));

for (const chunkSize of [65_536, 4096, 128]) {
  nanosEach(`12 kB into place, chunks of ${chunkSize}`, () => {
    writeMessageInto(target, 0, message, chunkSize, CHUNK_STREAM.video);
  });
}
nanosEach('12 kB into a buffer of its own, chunks of 4096', () => {
  writeMessage(message, 4096, CHUNK_STREAM.video);
});
nanosEach('a header alone', () => {
  writeHeaderInto(target, 0, CHUNK_STREAM.video, message.typeId, 1, message.timestamp, message.body.length);
});
nanosEach('a header with extended timestamp', () => {
  const timestamp = 0x0100_0000;
  headerBytes(timestamp, CHUNK_STREAM.video);
  writeHeaderInto(target, 0, CHUNK_STREAM.video, message.typeId, 1, timestamp, message.body.length);
});
