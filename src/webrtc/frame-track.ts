/**
 * One track of a stream, from units to frames: a configuration whenever it changes, and times that rise.
 */
import type { Codec, Frame, Micros } from '../media/frame.ts';
import type { Publication } from '../relay/stream.ts';
import type { AccessUnit } from './rtp.ts';

/** Between two frames, at least: what milliseconds can tell apart. */
const MIN_STEP: Micros = 1_000;

export class FrameTrack {
  readonly #kind: 'audio' | 'video';
  readonly #publication: Publication;
  #config: Frame | undefined;
  #last: Micros | undefined;

  constructor(kind: 'audio' | 'video', publication: Publication) {
    this.#kind = kind;
    this.#publication = publication;
  }

  /** Has a frame been written? */
  get begun(): boolean {
    return this.#last !== undefined;
  }

  /**
   * Relays `unit`, and `config` in front of it where that is new. Browsers send pictures in the order of decoding:
   * both times are `time`. It may have a fraction, as a tick of 90 kHz has.
   */
  write(codec: Codec, unit: AccessUnit, config: Buffer | undefined, time: Micros): void {
    const dts = this.#last === undefined ? time : Math.max(time, this.#last + MIN_STEP);
    this.#last = dts;
    const frame = { kind: this.#kind, codec, dts, pts: dts, track: 0 } as const;
    if (config === undefined) {
      this.#config = undefined;
    } else if (this.#config?.codec !== codec || !this.#config.data.equals(config)) {
      this.#config = { ...frame, role: 'config', size: config.length, data: config };
      this.#publication.write(this.#config);
    }
    const { data } = unit;
    const role = unit.key ? 'key' : 'delta';
    this.#publication.write({ ...frame, role, size: data.length, data, config: this.#config });
  }
}
