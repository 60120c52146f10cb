/**
 * The worker: runs the bridges of all streams, one write after the other. Waits for messages and does nothing else.
 */
import { parentPort } from 'node:worker_threads';
import { PeerError } from '../../base/errors.ts';
import type { BridgedCodec } from '../transcoder.ts';
import { AacToOpus } from './aac-to-opus.ts';
import type { Bridge, BridgeEvents, Sound } from './bridge.ts';
import { OpusToAac } from './opus-to-aac.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

const port = parentPort!;

/** One stream's bridge, and what came out since the last message. */
class WorkedStream implements BridgeEvents {
  readonly #stream: number;
  readonly #bridge: Bridge;
  #sounds: Sound[] = [];
  #busy = false;
  #over = false;

  constructor(stream: number, to: BridgedCodec, ffmpeg: string) {
    this.#stream = stream;
    this.#bridge = to === 'opus' ? new AacToOpus(ffmpeg, this) : new OpusToAac(this);
  }

  async write(sound: Sound): Promise<void> {
    if (this.#over) return;
    this.#busy = true;
    try {
      await this.#bridge.write(sound);
    } catch (error) {
      const known = error instanceof PeerError;
      this.failed(known ? error.code : 'media/transcoder', known ? error.message : String(error));
    }
    this.#busy = false;
  }

  /** What came out since it was asked last. */
  take(): readonly Sound[] {
    const sounds = this.#sounds;
    this.#sounds = [];
    return sounds;
  }

  sound(sound: Sound): void {
    this.#sounds.push(sound);
    // what comes from beside the worker comes between writes
    if (!this.#busy && !this.#over) postSounds(this.#stream, 0, this.take());
  }

  failed(code: string, text: string): void {
    if (this.#over) return;
    this.close();
    post({ kind: 'failed', stream: this.#stream, code, text }, []);
  }

  close(): void {
    this.#over = true;
    this.#bridge.close();
  }
}

function postSounds(stream: number, done: 0 | 1, sounds: readonly Sound[]): void {
  post(
    { kind: 'sounds', stream, done, sounds },
    sounds.map(({ data }) => data.buffer),
  );
}

function post(message: FromWorker, transfers: ArrayBuffer[]): void {
  port.postMessage(message, transfers);
}

const streams = new Map<number, WorkedStream>();
const messages: ToWorker[] = [];
let working = false;

async function work(): Promise<void> {
  working = true;
  for (let message = messages.shift(); message !== undefined; message = messages.shift()) {
    switch (message.kind) {
      case 'start':
        streams.set(message.stream, new WorkedStream(message.stream, message.to, message.ffmpeg));
        break;
      case 'write': {
        const worked = streams.get(message.stream);
        await worked?.write(message.sound);
        // of streams that are over as well: it is how the main thread knows that all is well
        postSounds(message.stream, 1, worked?.take() ?? []);
        break;
      }
      case 'close':
        streams.get(message.stream)?.close();
        streams.delete(message.stream);
        break;
      case 'end':
        for (const worked of streams.values()) worked.close();
        port.close();
        break;
    }
  }
  working = false;
}

port.on('message', (message: ToWorker) => {
  messages.push(message);
  if (!working) void work();
});
