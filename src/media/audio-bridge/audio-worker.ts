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
    this.#send(1);
  }

  sound(sound: Sound): void {
    this.#sounds.push(sound);
    // what comes from beside the worker comes between writes
    if (!this.#busy) this.#send(0);
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

  #send(done: number): void {
    if (this.#over) return;
    const sounds = this.#sounds;
    this.#sounds = [];
    post(
      { kind: 'sound', stream: this.#stream, done, sounds },
      sounds.map(({ data }) => data.buffer),
    );
  }
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
    const { stream } = message;
    if (message.kind === 'start') streams.set(stream, new WorkedStream(stream, message.to, message.ffmpeg));
    else if (message.kind === 'write') await streams.get(stream)?.write(message.sound);
    else {
      streams.get(stream)?.close();
      streams.delete(stream);
    }
  }
  working = false;
}

port.on('message', (message: ToWorker) => {
  messages.push(message);
  if (!working) void work();
});
