/**
 * What a newcomer needs to start: the latest metadata and configurations, and the frames since the last key frame, bounded in
 * bytes, in time and in number. Over a bound the group is forgotten, never the configurations.
 */
import type { Frame, Micros } from '../media/frame.ts';

export interface GopLimits {
  /** Keep frames since the last key frame at all; without it newcomers wait for the next one. Default true. */
  readonly enabled: boolean;
  /** Payload bytes of one group, at most. Default 16 MiB. */
  readonly maxBytes: number;
  /** Length of one group, at most. Default 10 s. */
  readonly maxMicros: Micros;
  /** Frames of one group, at most: the publisher chooses sizes and times, and may choose none. Default 16384. */
  readonly maxFrames: number;
  /** Bytes of one configuration or metadata frame kept, at most. Default 64 KiB. */
  readonly maxConfigBytes: number;
  /** Configurations kept, at most: one for each kind, codec and track. Default 16. */
  readonly maxConfigs: number;
}

export const GOP_DEFAULTS: GopLimits = {
  enabled: true,
  maxBytes: 16 << 20,
  maxMicros: 10_000_000,
  maxFrames: 16_384,
  maxConfigBytes: 64 << 10,
  maxConfigs: 16,
};

/** Audio-only streams keep this much, so that a newcomer hears something at once. */
const AUDIO_ONLY_MICROS: Micros = 1_000_000;

export class GopCache {
  readonly #limits: GopLimits;
  #configs: readonly Frame[] = [];
  /** The configurations that the group began with. */
  #first: readonly Frame[] = [];
  #frames: Frame[] = [];
  #bytes = 0;
  /** A key frame began the group; false while the stream has shown no video, or the group was forgotten. */
  #anchored = false;
  #hasVideo = false;

  constructor(limits: GopLimits) {
    this.#limits = limits;
  }

  /** Payload bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Frame): void {
    if (frame.role === 'config') {
      this.#keepConfig(frame);
      return;
    }
    if (!this.#limits.enabled) return;
    if (frame.kind === 'video') {
      if (!this.#hasVideo) {
        this.#hasVideo = true;
        this.#forget();
      }
      if (frame.role === 'key' && frame.track === 0) {
        this.#forget();
        this.#anchored = true;
      }
      if (this.#anchored) this.#append(frame);
      return;
    }
    if (frame.kind === 'audio' && !this.#hasVideo) {
      const oldest = this.#frames[0];
      if (oldest !== undefined && frame.dts - oldest.dts > AUDIO_ONLY_MICROS) this.#forget();
      this.#append(frame);
    } else if (this.#anchored) {
      this.#append(frame);
    }
  }

  /** The configurations that the group began with, then the group, with those that changed in it where they changed. */
  replay(): readonly Frame[] {
    return this.#frames.length === 0 ? this.#configs : [...this.#first, ...this.#frames];
  }

  /** In force now. */
  configs(): readonly Frame[] {
    return this.#configs;
  }

  clear(): void {
    this.#configs = [];
    this.#hasVideo = false;
    this.#forget();
  }

  #keepConfig(frame: Frame): void {
    if (frame.size > this.#limits.maxConfigBytes) return;
    const known = this.#configs.some((config) => sameSlot(config, frame));
    if (!known && this.#configs.length >= this.#limits.maxConfigs) return;
    this.#configs = withConfig(this.#configs, frame);
    if (this.#frames.length === 0) return;
    // what replaces another must reach a newcomer at the same place; what replaces none may as well come first
    if (known) this.#append(frame);
    else this.#first = withConfig(this.#first, frame);
  }

  #append(frame: Frame): void {
    const first = this.#frames[0];
    const late = first !== undefined && Math.abs(frame.dts - first.dts) > this.#limits.maxMicros;
    const full = this.#frames.length >= this.#limits.maxFrames || this.#bytes + frame.size > this.#limits.maxBytes;
    if (late || full) {
      this.#forget();
      return;
    }
    if (first === undefined) this.#first = this.#configs;
    this.#frames.push(frame);
    this.#bytes += frame.size;
  }

  #forget(): void {
    // a new array: whoever is replaying the old one keeps it whole
    this.#frames = [];
    this.#bytes = 0;
    this.#anchored = false;
  }
}

/** One configuration replaces another of the same kind, role in the stream and track; a codec change replaces too. */
function sameSlot(a: Frame, b: Frame): boolean {
  return a.kind === b.kind && a.track === b.track && (a.codec === 'metadata') === (b.codec === 'metadata');
}

/** A new list: somebody may be replaying the old one. Metadata leads, as players size their window by it. */
function withConfig(configs: readonly Frame[], frame: Frame): readonly Frame[] {
  const at = configs.findIndex((known) => sameSlot(known, frame));
  if (at >= 0) return configs.with(at, frame);
  return frame.kind === 'data' ? [frame, ...configs] : [...configs, frame];
}
