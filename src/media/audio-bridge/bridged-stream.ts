/**
 * A stream as the main thread sees it: frames wait here, a few are with the worker, and what comes back becomes frames again.
 */
import type { Frame, Micros } from '../frame.ts';
import type { BridgedCodec, Transcoder, TranscoderEvents } from '../transcoder.ts';
import type { Sound } from './bridge.ts';

/** Sound that may wait for the worker; older is dropped. */
const MAX_BACKLOG: Micros = 500_000;
/** The same in frames, for timestamps that make no sense. */
const MAX_WAITING = 256;
/** Frames that the worker may have at once. */
const MAX_WITH_WORKER = 8;

/** What a stream asks of those who own the worker. */
export interface StreamOwner {
  /** Sends to the worker; false while there is none. */
  send(stream: BridgedStream, sound: Sound): boolean;
  dropped(): void;
  closed(stream: BridgedStream): void;
}

export class BridgedStream implements Transcoder {
  readonly id: number;
  readonly to: BridgedCodec;
  readonly #from: BridgedCodec;
  readonly #owner: StreamOwner;
  readonly #events: TranscoderEvents;
  #waiting: Frame[] = [];
  #withWorker = 0;
  #configured: Frame | undefined;
  #config: Frame | undefined;
  #over = false;

  constructor(id: number, to: BridgedCodec, owner: StreamOwner, events: TranscoderEvents) {
    this.id = id;
    this.to = to;
    this.#from = to === 'opus' ? 'aac' : 'opus';
    this.#owner = owner;
    this.#events = events;
  }

  write(frame: Frame): void {
    if (this.#over || frame.codec !== this.#from) return;
    const config = frame.role === 'config' ? frame : frame.config;
    if (config !== undefined && config !== this.#configured) {
      // servers repeat configurations; only a new one starts a decoder anew
      if (this.#configured?.data.equals(config.data) !== true) this.#waiting.push(config);
      this.#configured = config;
    }
    if (frame.role !== 'config') this.#waiting.push(frame);
    this.#trim(frame.pts);
    this.pump();
  }

  /** Hands over what waits, as far as the worker keeps up. */
  pump(): void {
    while (this.#withWorker < MAX_WITH_WORKER && this.#waiting.length > 0) {
      const { role, pts, data } = this.#waiting[0]!;
      const sound = { config: role === 'config', time: pts, data: new Uint8Array(data) };
      if (!this.#owner.send(this, sound)) return;
      this.#waiting.shift();
      this.#withWorker++;
    }
  }

  /** What the worker answers to `done` writes. */
  hear(done: number, sounds: readonly Sound[]): void {
    this.#withWorker -= done;
    for (const sound of sounds) {
      if (this.#over) return;
      const frame = this.#frame(sound);
      if (sound.config) this.#config = frame;
      this.#events.frame(frame);
    }
    this.pump();
  }

  fail(code: string, text: string): void {
    if (this.#over) return;
    this.close();
    this.#events.failed(code, text);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    this.#owner.closed(this);
  }

  /** Drops units from the oldest on; configurations stay. */
  #trim(newest: Micros): void {
    for (let at = 0; at < this.#waiting.length; ) {
      const { role, pts } = this.#waiting[at]!;
      if (newest - pts <= MAX_BACKLOG && this.#waiting.length <= MAX_WAITING) return;
      if (role === 'config') at++;
      else {
        this.#waiting.splice(at, 1);
        this.#owner.dropped();
      }
    }
  }

  #frame({ config, time, data }: Sound): Frame {
    return {
      kind: 'audio',
      role: config ? 'config' : 'delta',
      codec: this.to,
      dts: time,
      pts: time,
      size: data.length,
      data: Buffer.from(data.buffer, data.byteOffset, data.length),
      track: 0,
      config: config ? undefined : this.#config,
    };
  }
}
