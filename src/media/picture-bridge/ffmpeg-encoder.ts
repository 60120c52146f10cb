/**
 * An ffmpeg of the machine that makes H.264 without B-frames of whatever it is given: one process, told nothing but pictures.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import type { Millis } from '../../base/clock.ts';
import { PeerError } from '../../base/errors.ts';
import type { Micros } from '../frame.ts';
import { type EncodedPicture, FlvTags } from './flv-tags.ts';
import { type MatroskaTrack, matroskaFrameHead, matroskaHead } from './matroska.ts';

/** Of what it says last. */
const MAX_COMPLAINT = 400;
/** Whether it is there and able is seen within this time. */
const TRIAL: Millis = 10_000;
const SECOND: Micros = 1_000_000;
/** Threads of one encoder: more make pictures worse and one stream too greedy. */
const THREADS = 4;
/** At the start and each second from then on, whatever the frame rate; a little less, as fractions are not exact. */
const KEY_FRAMES = 'expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+0.999))';

export interface EncoderSetup {
  /** Name or path; it is run without a shell. */
  readonly program: string;
  readonly track: MatroskaTrack;
  /** Pictures before are decoded, and not encoded. */
  readonly from: Micros;
  /** Bits a second, at most. */
  readonly maxBitrate: number;
}

export interface EncoderEvents {
  picture(picture: EncodedPicture): void;
  /** Once; not after `close`. `found`: there is such a program, and it ran. */
  ended(found: boolean, text: string): void;
}

export class FfmpegEncoder {
  /** Resolves when the process is no more. */
  readonly gone: Promise<void>;
  readonly #events: EncoderEvents;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #tags = new FlvTags();
  #complaint = '';
  #over = false;

  constructor(setup: EncoderSetup, events: EncoderEvents) {
    this.#events = events;
    this.#child = spawn(setup.program, words(setup));
    this.gone = new Promise((resolve) => {
      this.#child.on('error', () => resolve());
      this.#child.on('close', () => resolve());
    });
    this.#child.on('error', (error) => this.#end(false, error.message));
    this.#child.on('close', () => this.#end(true, this.#complaint.trim() || 'ffmpeg has ended'));
    // a process that is gone is told of by its end
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#child.stderr.on('data', (text: Buffer) => {
      this.#complaint = (this.#complaint + text.toString('utf8')).slice(-MAX_COMPLAINT);
    });
    this.#child.stdin.write(matroskaHead(setup.track));
  }

  /** Bytes that it has not taken yet. */
  get waiting(): number {
    return this.#child.stdin.writableLength;
  }

  /** `time`: when it is shown, from 0 on. */
  write(time: Micros, key: boolean, data: Buffer): void {
    if (this.#over) return;
    const { stdin } = this.#child;
    stdin.cork();
    stdin.write(matroskaFrameHead(time, key, data.length));
    stdin.write(data);
    stdin.uncork();
  }

  /** Idempotent. */
  close(): void {
    this.#over = true;
    this.#child.kill('SIGKILL');
  }

  #end(found: boolean, text: string): void {
    if (this.#over) return;
    this.close();
    this.#events.ended(found, text);
  }

  #read(bytes: Buffer): void {
    try {
      for (const picture of this.#tags.push(bytes)) {
        if (this.#over) return;
        this.#events.picture(picture);
      }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#end(true, error.message);
    }
  }
}

/** Tries `program` out. Undefined: it can encode; else what is wrong with it. */
export function tryFfmpeg(program: string): Promise<string | undefined> {
  const trial = '-nostdin -v error -f lavfi -i color=size=64x64 -frames:v 1 -c:v libx264 -f null -';
  return new Promise((resolve) => {
    execFile(program, trial.split(' '), { timeout: TRIAL, killSignal: 'SIGKILL' }, (error, _, complaint) => {
      resolve(error === null ? undefined : (complaint.trim() || error.message).slice(-MAX_COMPLAINT));
    });
  });
}

/** Timestamps stay as they are. Frames of one picture after the other: a decoder with a thread for each would hold them back. */
function words({ from, maxBitrate }: EncoderSetup): readonly string[] {
  const quick = '-hide_banner -nostats -loglevel error -probesize 32 -analyzeduration 1 -thread_type slice';
  const picked = ['-vf', `select=gte(t\\,${from / SECOND}),scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p`];
  const quality = `-crf 23 -maxrate ${maxBitrate} -bufsize ${maxBitrate >> 1}`;
  const encoder = `-c:v libx264 -preset veryfast -tune zerolatency -profile:v baseline -bf 0 -threads ${THREADS}`;
  return [
    ...`${quick} -f matroska -copyts -i pipe:0 -an -sn`.split(' '),
    ...picked,
    ...`${encoder} ${quality} -force_key_frames ${KEY_FRAMES} -enc_time_base -1`.split(' '),
    ...'-f flv -flvflags no_duration_filesize -flush_packets 1 pipe:1'.split(' '),
  ];
}
