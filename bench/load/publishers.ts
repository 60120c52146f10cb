/**
 * A process of light publishers. Each sends the test stream at its own pace over and over, and writes the time of
 * sending into every video message. Several begin spread over one group of pictures, so that key frames do not pile up.
 */
import { connect, type Socket } from 'node:net';
import { LOOP_MS, readTestStream } from './test-stream.ts';
import {
  clientEcho,
  clientHello,
  micros,
  PUBLISH_CHUNK,
  publishRequest,
  RAW_CHUNK,
  rawHello,
  SERVER_HANDSHAKE_SIZE,
  stamp,
  type Template,
  template,
} from './wire.ts';

/** Answer: {}, when all are live. */
export interface PublishQuestion {
  readonly ask: 'publish';
  readonly file: string;
  readonly port: number;
  readonly app: string;
  readonly raw: boolean;
  readonly count: number;
  /** Leave the video out: a stream that costs next to nothing, for connection tests. */
  readonly audioOnly: boolean;
}

const START_TIMEOUT_MS = 15_000;
const GROUP_MS = 2_000;
const TICK_MS = 1;
const VIDEO = 9;

interface Step {
  readonly time: number;
  readonly template: Template;
}

interface Publisher {
  readonly socket: Socket;
  /** When the stream's time was 0, microseconds. */
  readonly startedAt: number;
  next: number;
  loop: number;
}

function publish(question: PublishQuestion): Promise<object> {
  const { file, raw, count, audioOnly } = question;
  const stream = readTestStream(file);
  const chunk = raw ? RAW_CHUNK : PUBLISH_CHUNK;
  const wanted = (type: number): boolean => !audioOnly || type !== VIDEO;
  const configs = stream.configs
    .filter((tag) => wanted(tag.type))
    .map((tag) => template(tag.type, tag.payload, chunk, false));
  const steps = stream.tags
    .filter((tag) => wanted(tag.type))
    .map((tag) => ({ time: tag.time, template: template(tag.type, tag.payload, chunk, tag.type === VIDEO) }));
  const live: Publisher[] = [];
  setInterval(() => {
    const now = micros();
    for (const publisher of live) advance(publisher, steps, now, chunk);
  }, TICK_MS);
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`only ${live.length} of ${count} publishers were let in`)),
      START_TIMEOUT_MS,
    );
    for (let index = 0; index < count; index++) {
      const socket = open(question, index, () => {
        const startedAt = micros() + ((index * GROUP_MS) / count) * 1000;
        for (const config of configs) socket.write(stamp(config, 0, 0));
        live.push({ socket, startedAt, next: 0, loop: 0 });
        if (live.length < count) return;
        clearTimeout(late);
        resolve({});
      });
      socket.on('error', (error) => reject(new Error(`publisher ${index}: ${error.message}`)));
    }
  });
}

/** Send all that is due. */
function advance(publisher: Publisher, steps: readonly Step[], now: number, chunk: number): void {
  for (;;) {
    const step = steps[publisher.next]!;
    const time = publisher.loop * LOOP_MS + step.time;
    if (publisher.startedAt + time * 1000 > now) return;
    sendChunks(publisher.socket, stamp(step.template, time, micros()), chunk);
    publisher.next++;
    if (publisher.next === steps.length) {
      publisher.next = 0;
      publisher.loop++;
    }
  }
}

/** librtmp, which OBS is built on, gives each chunk to the socket for itself, and so does this. */
function sendChunks(socket: Socket, message: Buffer, chunk: number): void {
  // A header of 12 bytes before the first chunk, of one byte before each other.
  let start = 0;
  let end = 12 + chunk;
  while (start < message.length) {
    socket.write(message.subarray(start, end));
    start = end;
    end += 1 + chunk;
  }
}

/** Connect and ask to publish stream `index`; `onLive` when the server has said yes. */
function open(question: PublishQuestion, index: number, onLive: () => void): Socket {
  const { port, app, raw } = question;
  let received = 0;
  let said = '';
  let isLive = false;
  const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => {
    socket.write(raw ? rawHello('publish', index) : clientHello());
    if (raw) onLive();
  });
  socket.on('data', (bytes: Buffer) => {
    if (isLive) return;
    const before = received;
    received += bytes.length;
    if (before < SERVER_HANDSHAKE_SIZE && received >= SERVER_HANDSHAKE_SIZE) {
      socket.write(clientEcho());
      socket.write(publishRequest(port, app, `s${index}`));
    }
    said += bytes.toString('latin1', Math.max(0, SERVER_HANDSHAKE_SIZE - before));
    isLive = said.includes('NetStream.Publish.Start');
    if (isLive) onLive();
  });
  return socket;
}

process.on('message', async (question: PublishQuestion) => {
  try {
    process.send!(await publish(question));
  } catch (error) {
    process.send!({ error: String(error) });
  }
});
process.once('disconnect', () => process.exit(0));
