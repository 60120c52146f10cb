/**
 * AAC of any kind to samples at 48 kHz, by an ffmpeg of the machine: one process for a stream, told nothing but sound.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { AAC_RATES, type AacConfig } from '../aac.ts';
import { FRAME } from '../aac-lc/bands.ts';
import type { Micros } from '../frame.ts';
import { OPUS_RATE } from './libopus.ts';

/** Bytes that wait for a process that does not read; units beyond are dropped. */
const MAX_WAITING = 64 << 10;
/** Of what it says last. */
const MAX_COMPLAINT = 400;
/** Units written of which nothing came back. */
const MAX_UNANSWERED = 400;
/** The longest unit that an ADTS header can announce, header included. */
const MAX_ADTS = 8191;
const ADTS_HEADER = 7;
const SAMPLE_BYTES = 4;

export interface ForeignSound {
  /** The first `count` samples of each plane, valid during the call, and when they begin. */
  samples(planes: readonly Float32Array[], count: number, time: Micros): void;
  /** Once; not after `close`. `found`: there is such a program, and it ran. */
  ended(found: boolean, text: string): void;
}

export class FfmpegDecoder {
  readonly #config: AacConfig;
  readonly #channels: number;
  readonly #events: ForeignSound;
  readonly #child: ChildProcessWithoutNullStreams;
  /** Samples that a unit becomes. */
  readonly #unitSamples: number;
  /** Of the units whose samples are still to come. */
  #times: Micros[] = [];
  /** Samples that came of the first of these. */
  #taken = 0;
  #rest = Buffer.alloc(0);
  #complaint = '';
  #over = false;

  /** `program`: name or path; it is run without a shell. The core's rate is one of `AAC_RATES`. */
  constructor(program: string, config: AacConfig, channels: number, events: ForeignSound) {
    this.#config = config;
    this.#channels = channels;
    this.#events = events;
    this.#unitSamples = (FRAME * OPUS_RATE) / config.coreRate;
    const quick = '-hide_banner -nostats -loglevel error -fflags nobuffer -probesize 32 -analyzeduration 0';
    const output = `-vn -f f32le -ar ${OPUS_RATE} -ac ${channels} -flush_packets 1 pipe:1`;
    this.#child = spawn(program, `${quick} -f aac -i pipe:0 ${output}`.split(' '));
    this.#child.on('error', (error) => this.#end(false, error.message));
    this.#child.on('close', () => this.#end(true, this.#complaint.trim() || 'ffmpeg has ended'));
    // a process that is gone is told of by its end
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#child.stderr.on('data', (text: Buffer) => {
      this.#complaint = (this.#complaint + text.toString('utf8')).slice(-MAX_COMPLAINT);
    });
  }

  write(unit: Uint8Array, time: Micros): void {
    if (this.#over || unit.length + ADTS_HEADER > MAX_ADTS || this.#child.stdin.writableLength > MAX_WAITING) return;
    if (this.#times.length > MAX_UNANSWERED) {
      this.#end(true, 'ffmpeg answers nothing');
      return;
    }
    this.#times.push(time);
    this.#child.stdin.write(Buffer.concat([this.#header(unit.length + ADTS_HEADER), unit]));
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

  /** ADTS (ISO/IEC 14496-3, 1.A.2.2), without a check sum. */
  #header(size: number): Buffer {
    const rate = AAC_RATES.indexOf(this.#config.coreRate);
    const channels = this.#config.channels > 2 && !this.#config.ps ? this.#config.channels : this.#coreChannels();
    const layout = channels === 8 ? 7 : channels;
    return Buffer.of(
      0xff,
      0xf1,
      ((this.#config.objectType - 1) << 6) | (rate << 2) | (layout >> 2),
      ((layout & 3) << 6) | (size >> 11),
      (size >> 3) & 0xff,
      ((size & 7) << 5) | 0x1f,
      0xfc,
    );
  }

  /** Parametric stereo makes two channels of one. */
  #coreChannels(): number {
    return this.#config.ps ? 1 : this.#config.channels;
  }

  #read(bytes: Buffer): void {
    if (this.#over) return;
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frame = SAMPLE_BYTES * this.#channels;
    const count = Math.floor(all.length / frame);
    const planes = Array.from({ length: this.#channels }, () => new Float32Array(count));
    for (let i = 0, at = 0; i < count; i++) {
      for (const plane of planes) {
        plane[i] = all.readFloatLE(at);
        at += SAMPLE_BYTES;
      }
    }
    this.#rest = Buffer.from(all.subarray(count * frame));
    const first = this.#times[0];
    if (count === 0 || first === undefined) return;
    this.#events.samples(planes, count, first + (this.#taken * 1e6) / OPUS_RATE);
    this.#taken += count;
    while (this.#taken >= this.#unitSamples && this.#times.length > 1) {
      this.#taken -= this.#unitSamples;
      this.#times.shift();
    }
  }
}
