/**
 * The bridge between AAC and Opus: one worker for all streams, begun for the first and ended after the last. Should it fail, its streams
 * are told, and the next one gets a new worker.
 */
import { Worker } from 'node:worker_threads';
import type { Clock, Millis, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { BridgedCodec, Transcoder, TranscoderEvents, Transcoders } from '../transcoder.ts';
import type { Sound } from './bridge.ts';
import { BridgedStream, type StreamOwner } from './bridged-stream.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** A worker without streams is kept for those who come back. */
const LINGER: Millis = 5000;
/** A failed worker is followed by the next after this, and twice as long each time. */
const FIRST_PAUSE: Millis = 500;
const LONGEST_PAUSE: Millis = 30_000;
/** Who lived this long had no lasting trouble. */
const STABLE: Millis = 60_000;
/** A worker that leaves writes unanswered for so long is stuck. */
const MAX_SILENCE: Millis = 5000;
/** To end in good order. */
const GRACE: Millis = 1000;
/** Of JavaScript; what WebAssembly needs comes on top, about 100 kB a stream. */
const MAX_HEAP_MB = 256;

export interface TranscoderOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Name or path of the ffmpeg that is asked for what is not AAC-LC. Default `ffmpeg`, wherever PATH has it. */
  readonly ffmpeg?: string;
  /** Script of the worker, for tests that want a bad one. */
  readonly script?: URL;
}

export interface TranscoderCounts {
  /** Now. */
  streams: number;
  started: number;
  failed: number;
  /** Configurations and units that went to the worker, and how many of these it is done with. */
  unitsIn: number;
  answered: number;
  unitsOut: number;
  /** Units in that the worker was too busy for. */
  dropped: number;
  workers: number;
}

export interface AudioBridge extends Transcoders {
  readonly counts: Readonly<TranscoderCounts>;
  /** Ends all streams without a word, and the worker. */
  close(): Promise<void>;
}

export function makeTranscoders(options: TranscoderOptions): AudioBridge {
  return new SharedWorker(options);
}

class SharedWorker implements AudioBridge, StreamOwner {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ffmpeg: string;
  readonly #script: URL;
  readonly #streams = new Map<number, BridgedStream>();
  readonly counts: TranscoderCounts = {
    streams: 0,
    started: 0,
    failed: 0,
    unitsIn: 0,
    answered: 0,
    unitsOut: 0,
    dropped: 0,
    workers: 0,
  };
  #lastId = 0;
  #worker: Worker | undefined;
  #born: Millis = 0;
  #answered: Millis = 0;
  #unanswered = 0;
  #pause: Millis = FIRST_PAUSE;
  /** Until it fires there is no new worker. */
  #waiting: Timer | undefined;
  #lingering: Timer | undefined;
  #closed = false;

  constructor({ clock, log, ffmpeg = 'ffmpeg', script }: TranscoderOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#ffmpeg = ffmpeg;
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#script = script ?? new URL(`audio-worker.${ending}`, import.meta.url);
  }

  start(to: BridgedCodec, events: TranscoderEvents): Transcoder {
    const stream = new BridgedStream(++this.#lastId, to, this, events);
    if (this.#closed) return stream;
    this.#streams.set(stream.id, stream);
    this.counts.streams = this.#streams.size;
    this.counts.started++;
    this.#lingering?.cancel();
    this.#lingering = undefined;
    if (this.#worker !== undefined) this.#introduce(stream);
    else if (this.#waiting === undefined) this.#begin();
    return stream;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting?.cancel();
    for (const stream of this.#streams.values()) stream.close();
    this.#lingering?.cancel();
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    const message: ToWorker = { kind: 'end' };
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage(message);
    // it goes by itself, when what it started is gone
    const grace = this.#clock.after(GRACE, () => void worker.terminate());
    await gone;
    grace.cancel();
  }

  send(stream: BridgedStream, sound: Sound): boolean {
    const worker = this.#worker;
    if (worker === undefined) return false;
    if (this.#unanswered === 0) this.#answered = this.#clock.now();
    this.#unanswered++;
    this.counts.unitsIn++;
    const message: ToWorker = { kind: 'write', stream: stream.id, sound };
    worker.postMessage(message, [sound.data.buffer]);
    return true;
  }

  dropped(): void {
    this.counts.dropped++;
    if (this.#unanswered > 0 && this.#clock.now() - this.#answered > MAX_SILENCE) {
      this.#fail(this.#worker, 'it answers nothing');
    }
  }

  closed(stream: BridgedStream): void {
    this.#streams.delete(stream.id);
    this.counts.streams = this.#streams.size;
    if (this.#worker === undefined) return;
    const message: ToWorker = { kind: 'close', stream: stream.id };
    this.#worker.postMessage(message);
    if (this.#streams.size === 0) this.#lingering ??= this.#clock.after(LINGER, () => this.#end());
  }

  #begin(): void {
    const worker = new Worker(this.#script, { name: 'audio', resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
    worker.on('message', (message: FromWorker) => this.#hear(worker, message));
    worker.on('error', (error) => this.#fail(worker, String(error)));
    worker.on('exit', (code) => this.#fail(worker, `it ended with ${code}`));
    this.#worker = worker;
    this.#born = this.#clock.now();
    this.#unanswered = 0;
    this.counts.workers++;
    for (const stream of this.#streams.values()) this.#introduce(stream);
  }

  #introduce(stream: BridgedStream): void {
    const message: ToWorker = { kind: 'start', stream: stream.id, to: stream.to, ffmpeg: this.#ffmpeg };
    this.#worker!.postMessage(message);
    stream.pump();
  }

  #hear(worker: Worker, message: FromWorker): void {
    if (worker !== this.#worker) return;
    const stream = this.#streams.get(message.stream);
    this.#answered = this.#clock.now();
    if (message.kind === 'sounds') {
      this.#unanswered -= message.done;
      this.counts.answered += message.done;
      this.counts.unitsOut += message.sounds.length;
      stream?.hear(message.done, message.sounds);
    } else {
      this.counts.failed++;
      stream?.fail(message.code, message.text);
    }
  }

  /** Nobody came back. */
  #end(): void {
    this.#lingering = undefined;
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  /** All streams lose their sound, and nothing else. */
  #fail(worker: Worker | undefined, text: string): void {
    if (worker === undefined || worker !== this.#worker) return;
    this.#worker = undefined;
    void worker.terminate();
    this.#lingering?.cancel();
    this.#lingering = undefined;
    const now = this.#clock.now();
    if (now - this.#born > STABLE) this.#pause = FIRST_PAUSE;
    this.#waiting = this.#clock.after(this.#pause, () => {
      this.#waiting = undefined;
      if (this.#streams.size > 0) this.#begin();
    });
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    this.#log.error({ code: 'media/transcoder', streams: this.#streams.size, reason: text }, 'the audio worker failed');
    for (const stream of [...this.#streams.values()]) {
      this.counts.failed++;
      stream.fail('media/transcoder', `the audio worker failed: ${text}`);
    }
  }
}
