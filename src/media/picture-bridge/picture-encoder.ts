/**
 * The pictures of one stream on their way through ffmpeg: from key frame to key frame, never more than it can take, and with another
 * process after one that failed.
 *
 * What is written in the turn that begins a run is the past, which is decoded only: pictures come from the live edge on.
 */
import type { Clock, Millis, Timer } from '../../base/clock.ts';
import type { Frame, Micros } from '../frame.ts';
import type { Transcoder, TranscoderEvents } from '../transcoder.ts';
import { describeVideo } from '../video-description.ts';
import { FfmpegEncoder } from './ffmpeg-encoder.ts';
import type { EncodedPicture } from './flv-tags.ts';
import { carriedByMatroska } from './matroska.ts';

/** ffmpeg may be this far behind; then pictures are left out, up to a key frame that finds it nearly level. */
const MAX_LAG: Micros = 1_500_000;
const LEVEL: Micros = 1_000_000;
/** The same in bytes that wait for it, beyond those it began with. */
const MAX_WAITING = 8 << 20;
/** Later than this, pictures are of no use: sound is that far ahead. */
const MAX_LATE: Micros = 1_800_000;
/** Nothing has come for this much of the stream: it is stuck. */
const MAX_SILENCE: Micros = 6_000_000;
/** A step of time that asks for a new run; and what one run may last, as FLV counts 31 bits of milliseconds. */
const LEAP: Micros = 5_000_000;
const MAX_RUN: Micros = 2 ** 30 * 1_000;
/** A failed process is followed by the next after this, and twice as long each time. */
const FIRST_PAUSE: Millis = 500;
/** Failures, and times of being too slow, with less than `STABLE` in between: then it is given up. */
const MAX_STRIKES = 3;
const STABLE: Millis = 60_000;
/** What pictures of unknown pace are taken for. */
const USUAL_INTERVAL: Micros = 1e6 / 30;
/** Publishers choose their times, and the encoder spreads its bits by them. */
const MIN_INTERVAL: Micros = 1e6 / 120;
const MAX_INTERVAL: Micros = 1e6 / 5;
/** Enough of a stream to tell its frame rate and bitrate. */
const MEASURED: Micros = 500_000;
/** Of the original's, as this encoder is a quick one. */
const BITRATE_FACTOR = 1.25;
const MIN_BITRATE = 500_000;
const MAX_BITRATE = 8_000_000;

/** Plain numbers of all encoders. */
export interface PictureCounts {
  /** Streams with a process, now. */
  running: number;
  /** Processes. */
  started: number;
  /** Streams given up. */
  failed: number;
  framesIn: number;
  framesOut: number;
  /** Frames in that ffmpeg was too slow for, or out that came too late. */
  dropped: number;
}

/** What an encoder asks of those who have them all. */
export interface PictureHome {
  readonly clock: Clock;
  readonly program: string;
  readonly counts: PictureCounts;
  /** A process runs from now on. */
  began(run: FfmpegEncoder): void;
}

export class PictureEncoder implements Transcoder {
  readonly #home: PictureHome;
  readonly #events: TranscoderEvents;
  #run: FfmpegEncoder | undefined;
  /** Frames of the turn that begins a run; a key frame first. */
  #gathered: Frame[] = [];
  #gathering: Timer | undefined;
  /** The original's, which the run was begun with. */
  #record: Buffer | undefined;
  /** What is 0 for ffmpeg. */
  #base: Micros = 0;
  /** The last frame that came; the last that ffmpeg was given; the last that it gave. Decode time of the first two. */
  #seen: Micros = 0;
  #given: Micros = 0;
  #shown: Micros = 0;
  #maxWaiting = MAX_WAITING;
  /** Left out until a key frame: going in, and coming out. */
  #shut = false;
  #late = false;
  #config: Frame | undefined;
  #strikes = 0;
  #struckAt: Millis = Number.NEGATIVE_INFINITY;
  #resting: Millis = Number.NEGATIVE_INFINITY;
  #over = false;

  constructor(home: PictureHome, events: TranscoderEvents) {
    this.#home = home;
    this.#events = events;
  }

  write(frame: Frame): void {
    // key frames bring their configuration
    if (this.#over || frame.role === 'config') return;
    if (this.#runs && this.#breaks(frame)) this.#stop();
    if (frame.role === 'key' && !this.#runs && this.#home.clock.now() >= this.#resting) this.#begin(frame);
    if (!this.#runs) return;
    this.#seen = frame.dts;
    if (this.#run === undefined) this.#gathered.push(frame);
    else this.#give(this.#run, frame);
  }

  /** Idempotent. */
  close(): void {
    this.#over = true;
    this.#stop();
  }

  get #runs(): boolean {
    return this.#run !== undefined || this.#gathering !== undefined;
  }

  /** It does not go on from the frames before. */
  #breaks(frame: Frame): boolean {
    if (Math.abs(frame.dts - this.#seen) > LEAP || frame.pts < this.#base) return true;
    if (frame.dts - this.#base > MAX_RUN && frame.role === 'key') return true;
    return !recordOf(frame).equals(this.#record!);
  }

  #begin(key: Frame): void {
    this.#record = recordOf(key);
    // a composition time may be negative
    this.#base = Math.min(key.dts, key.pts);
    this.#gathering = this.#home.clock.soon(() => this.#start());
  }

  #start(): void {
    this.#gathering = undefined;
    const frames = this.#gathered;
    this.#gathered = [];
    const first = frames[0]!;
    const span = frames.at(-1)!.dts - this.#base;
    const { width = 0, height = 0, fps } = describeVideo(first);
    const interval = intervalOf(frames, span, fps);
    const { program, counts } = this.#home;
    const run = new FfmpegEncoder(
      {
        program,
        track: { codec: first.codec, record: this.#record!, width, height, interval },
        from: span,
        maxBitrate: maxBitrate(frames, span),
      },
      {
        picture: (picture) => this.#take(run, picture),
        ended: (found, text) => this.#ended(run, found, text),
      },
    );
    counts.started += 1;
    counts.running += 1;
    this.#home.began(run);
    this.#run = run;
    this.#shut = false;
    this.#late = false;
    this.#shown = this.#base + span;
    for (const frame of frames) this.#pass(run, frame);
    this.#maxWaiting = run.waiting + MAX_WAITING;
  }

  #give(run: FfmpegEncoder, frame: Frame): void {
    if (this.#shut) {
      if (frame.dts - this.#shown > MAX_SILENCE && this.#given - this.#shown > MAX_LAG) {
        this.#ended(run, true, 'ffmpeg answers nothing');
        return;
      }
      if (frame.role === 'key' && this.#given - this.#shown <= LEVEL && run.waiting === 0) {
        this.#shut = false;
        // what was left out is no lag
        this.#shown = frame.dts;
      }
    } else if (this.#given - this.#shown > MAX_LAG || run.waiting > this.#maxWaiting) {
      this.#shut = true;
      this.#strike('this machine is too slow to re-encode it');
      if (this.#over) return;
    }
    if (this.#shut) this.#home.counts.dropped += 1;
    else this.#pass(run, frame);
  }

  #pass(run: FfmpegEncoder, frame: Frame): void {
    this.#given = frame.dts;
    this.#home.counts.framesIn += 1;
    run.write(frame.pts - this.#base, frame.role === 'key', frame.data);
  }

  #take(run: FfmpegEncoder, { config, key, time, data }: EncodedPicture): void {
    if (this.#run !== run) return;
    const { counts } = this.#home;
    if (config) {
      if (this.#config?.data.equals(data) === true) return;
      this.#config = this.#frame('config', this.#base, data);
      this.#events.frame(this.#config);
      return;
    }
    const shown = this.#base + time;
    this.#shown = Math.max(this.#shown, shown);
    this.#late = this.#seen - shown > MAX_LATE || (this.#late && !key);
    if (this.#late) {
      counts.dropped += 1;
      return;
    }
    counts.framesOut += 1;
    this.#events.frame(this.#frame(key ? 'key' : 'delta', shown, data));
  }

  #frame(role: Frame['role'], time: Micros, data: Buffer): Frame {
    const config = role === 'config' ? undefined : this.#config;
    return { kind: 'video', role, codec: 'h264', dts: time, pts: time, size: data.length, data, track: 0, config };
  }

  #ended(run: FfmpegEncoder, found: boolean, text: string): void {
    if (this.#run !== run) return;
    this.#stop();
    if (!found) this.#fail(text);
    else this.#strike(text);
    this.#resting = this.#home.clock.now() + FIRST_PAUSE * 2 ** (this.#strikes - 1);
  }

  #strike(text: string): void {
    const now = this.#home.clock.now();
    if (now - this.#struckAt > STABLE) this.#strikes = 0;
    this.#struckAt = now;
    this.#strikes += 1;
    if (this.#strikes > MAX_STRIKES) this.#fail(text);
  }

  #fail(text: string): void {
    this.close();
    this.#home.counts.failed += 1;
    this.#events.failed('media/encoder', text);
  }

  /** The next key frame begins anew. */
  #stop(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#gathered = [];
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.#home.counts.running -= 1;
    run.close();
  }
}

/** Is it a picture that can be re-encoded? */
export function encodable({ kind, codec, track }: Pick<Frame, 'kind' | 'codec' | 'track'>): boolean {
  return kind === 'video' && track === 0 && carriedByMatroska(codec);
}

const NO_RECORD = Buffer.alloc(0);

function recordOf({ config }: Frame): Buffer {
  return config?.data ?? NO_RECORD;
}

function intervalOf(frames: readonly Frame[], span: Micros, fps: number | undefined): Micros {
  const told = fps === undefined ? USUAL_INTERVAL : 1e6 / fps;
  const interval = span < MEASURED ? told : span / (frames.length - 1);
  return Math.min(MAX_INTERVAL, Math.max(MIN_INTERVAL, interval));
}

function maxBitrate(frames: readonly Frame[], span: Micros): number {
  if (span < MEASURED) return MAX_BITRATE;
  const bytes = frames.reduce((sum, { size }) => sum + size, 0);
  const wanted = ((bytes * 8 * 1e6) / span) * BITRATE_FACTOR;
  return Math.round(Math.min(MAX_BITRATE, Math.max(MIN_BITRATE, wanted)));
}
