/**
 * Pictures that browsers cannot show, re-encoded by an ffmpeg of the machine: a process for each stream that somebody watches.
 */
import type { Clock } from '../../base/clock.ts';
import type { Frame } from '../frame.ts';
import type { PictureTranscoders, Transcoder, TranscoderEvents } from '../transcoder.ts';
import { type FfmpegEncoder, tryFfmpeg } from './ffmpeg-encoder.ts';
import { encodable, type PictureCounts, PictureEncoder, type PictureHome } from './picture-encoder.ts';

export interface PictureEncodersOptions {
  readonly clock: Clock;
  /** Name or path of the program. Default `ffmpeg`, wherever PATH has it. */
  readonly program?: string;
}

export class PictureEncoders implements PictureTranscoders, PictureHome {
  readonly clock: Clock;
  readonly program: string;
  readonly counts: PictureCounts = { running: 0, started: 0, failed: 0, framesIn: 0, framesOut: 0, dropped: 0 };
  readonly #processes = new Set<FfmpegEncoder>();
  readonly #encoders = new Set<PictureEncoder>();
  #able = false;

  constructor({ clock, program = 'ffmpeg' }: PictureEncodersOptions) {
    this.clock = clock;
    this.program = program;
  }

  /** The program has been seen to work. */
  get able(): boolean {
    return this.#able;
  }

  /** Tries the program, for `able`. Undefined: it works; else what is wrong with it. */
  async look(): Promise<string | undefined> {
    const wrong = await tryFfmpeg(this.program);
    this.#able = wrong === undefined;
    return wrong;
  }

  takes(frame: Frame): boolean {
    return encodable(frame);
  }

  start(events: TranscoderEvents): Transcoder {
    const encoder = new PictureEncoder(this, events);
    this.#encoders.add(encoder);
    return {
      write: (frame) => encoder.write(frame),
      close: () => {
        this.#encoders.delete(encoder);
        encoder.close();
      },
    };
  }

  began(run: FfmpegEncoder): void {
    this.#processes.add(run);
    void run.gone.then(() => this.#processes.delete(run));
  }

  /** Ends all without a word; no process is left when it resolves. */
  async close(): Promise<void> {
    for (const encoder of this.#encoders) encoder.close();
    this.#encoders.clear();
    await Promise.all([...this.#processes].map(({ gone }) => gone));
  }
}
