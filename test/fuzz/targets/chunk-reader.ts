/** What comes behind a handshake. However it is cut, the same messages, the same refusal, and bounded memory. */
import assert from 'node:assert/strict';
import { PeerError } from '../../../src/base/errors.ts';
import { ChunkReader } from '../../../src/rtmp/chunk-reader.ts';
import { MESSAGE, type Message, readUserControl, splitAggregate } from '../../../src/rtmp/messages.ts';
import type { FuzzTarget } from '../target.ts';

const MAX_MESSAGE = 64 << 10;
/** Two messages of full length are all that may be under way. */
const MAX_HELD = 2 * MAX_MESSAGE;

interface Outcome {
  readonly messages: readonly Message[];
  readonly refusal: string | undefined;
}

export const target: FuzzTarget = {
  name: 'chunk-reader',
  run(bytes) {
    const whole = read(bytes, bytes.length);
    for (const step of [1, 7, 1460]) assert.deepEqual(read(bytes, step), whole);
    for (const message of whole.messages) look(message);
  },
};

/** Reads `bytes` fed `step` at a time, each piece spoilt when it was read. */
function read(bytes: Buffer, step: number): Outcome {
  const reader = new ChunkReader({ maxMessage: MAX_MESSAGE });
  const messages: Message[] = [];
  try {
    for (let at = 0; at < bytes.length; at += step) {
      const piece = Buffer.from(bytes.subarray(at, at + step));
      reader.feed(piece);
      for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
      piece.fill(0xee);
      if (at % 4096 < step) assert.ok(reader.partialBytes <= MAX_HELD, `${reader.partialBytes} bytes held`);
    }
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { messages, refusal: error.code };
  }
  return { messages, refusal: undefined };
}

function look(message: Message): void {
  assert.ok(message.body.length <= MAX_MESSAGE);
  try {
    if (message.typeId === MESSAGE.UserControl) readUserControl(message.body);
    else splitAggregate(message);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
  }
}
