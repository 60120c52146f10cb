/**
 * AAC to Opus: decoded, brought to 48 kHz, cut into 20 ms, encoded. What is not AAC-LC goes to an ffmpeg, when the machine has one.
 */
import { PeerError } from '../../base/errors.ts';
import { AAC_RATES, type AacConfig, readAacConfig } from '../aac.ts';
import { FRAME } from '../aac-lc/bands.ts';
import { AacDecoder } from '../aac-lc/decoder.ts';
import { BitReader } from '../bits.ts';
import type { Micros } from '../frame.ts';
import { writeOpusConfig } from '../opus.ts';
import { Resampler } from '../resampler.ts';
import type { Bridge, BridgeEvents, Sound } from './bridge.ts';
import { FfmpegDecoder } from './ffmpeg-decoder.ts';
import { makeOpusEncoder, OPUS_PACKET, OPUS_RATE, type OpusEncoder } from './libopus.ts';
import { SoundLine } from './sound-line.ts';

const MAIN = 1;
const LOW_COMPLEXITY = 2;
const LONG_TERM_PREDICTION = 4;
const RATE_ESCAPE = 15;
/** Damaged units in a row, about two seconds, before it is given up. */
const MAX_DAMAGED = 100;
const WHICH = 'set the encoder to AAC-LC, or install ffmpeg on the server';

export class AacToOpus implements Bridge {
  readonly #events: BridgeEvents;
  readonly #ffmpeg: string;
  #config: AacConfig | undefined;
  #channels: 1 | 2 = 2;
  #decoder: AacDecoder | undefined;
  #foreign: FfmpegDecoder | undefined;
  /** No ffmpeg is to be had, or it failed; it is tried once. */
  #alone = false;
  #resampler: Resampler | undefined;
  #encoder: OpusEncoder | undefined;
  #line: SoundLine | undefined;
  #mixed = new Float32Array(0);
  #damaged = 0;

  /** `ffmpeg`: its name or path. */
  constructor(ffmpeg: string, events: BridgeEvents) {
    this.#ffmpeg = ffmpeg;
    this.#events = events;
  }

  async write({ config, time, data }: Sound): Promise<void> {
    if (config) await this.#configure(Buffer.from(data.buffer, data.byteOffset, data.length), time);
    else if (this.#foreign !== undefined) this.#foreign.write(data, time);
    else if (this.#decoder !== undefined) this.#decode(this.#decoder, data, time);
  }

  close(): void {
    this.#foreign?.close();
    this.#foreign = undefined;
    this.#decoder = undefined;
    this.#encoder?.free();
    this.#encoder = undefined;
  }

  async #configure(data: Buffer, time: Micros): Promise<void> {
    const config = readAacConfig(data);
    if (config === undefined) throw new PeerError('media/aac', 'the configuration is cut off');
    // one worker serves all streams: filters and blocks are made for rates that sound comes in, not for whatever can be written down
    if (!AAC_RATES.includes(config.coreRate)) {
      throw new PeerError('media/aac', `a sampling rate of ${config.coreRate} Hz, which no AAC has`);
    }
    this.#config = config;
    this.#foreign?.close();
    this.#foreign = undefined;
    this.#decoder = undefined;
    if (config.objectType > LONG_TERM_PREDICTION || config.objectType < MAIN) {
      throw new PeerError('media/aac-profile', `AAC object type ${config.objectType}: ${WHICH}`);
    }
    if (hasShortFrames(data))
      throw new PeerError('media/aac-profile', `AAC in frames of 960 samples: set the encoder to 1,024`);
    await this.#open(config.channels === 1 ? 1 : 2, time);
    if (config.objectType === LOW_COMPLEXITY && (!config.sbr || this.#alone)) this.#decodeHere(config);
    else this.#decodeBeside(config);
  }

  /** The second half, for as many channels. */
  async #open(channels: 1 | 2, time: Micros): Promise<void> {
    if (this.#encoder === undefined || this.#channels !== channels) {
      this.#encoder?.free();
      this.#channels = channels;
      this.#encoder = await makeOpusEncoder(channels);
      this.#mixed = new Float32Array(channels * OPUS_PACKET);
      this.#line = new SoundLine(OPUS_RATE, channels, OPUS_PACKET, {
        block: (planes, start) => this.#encode(planes, start),
      });
    }
    const preSkip = this.#encoder.getLookahead();
    const header = writeOpusConfig({ channels, preSkip, inputRate: OPUS_RATE });
    this.#events.sound({ config: true, time, data: Uint8Array.from(header) });
  }

  #decodeHere(config: AacConfig): void {
    this.#decoder = new AacDecoder(config.coreRate, this.#channels);
    const same = config.coreRate === OPUS_RATE;
    this.#resampler = same ? undefined : new Resampler(config.coreRate, OPUS_RATE, this.#channels, FRAME);
  }

  #decodeBeside(config: AacConfig): void {
    if (this.#alone) throw new PeerError('media/aac-profile', `AAC of object type ${config.objectType}: ${WHICH}`);
    const foreign = new FfmpegDecoder(this.#ffmpeg, config, this.#channels, {
      samples: (planes, count, time) => this.#line!.push(planes, count, time),
      ended: (found, text) => this.#ended(foreign, found, text),
    });
    this.#foreign = foreign;
  }

  #ended(foreign: FfmpegDecoder, found: boolean, text: string): void {
    if (this.#foreign !== foreign) return;
    this.#foreign = undefined;
    this.#alone = true;
    const config = this.#config!;
    // without its upper octave HE-AAC is dull, and better than silence
    if (config.objectType === LOW_COMPLEXITY) this.#decodeHere(config);
    else if (found) this.#events.failed('media/ffmpeg', text);
    else this.#events.failed('media/aac-profile', `AAC of object type ${config.objectType}: ${WHICH}`);
  }

  #decode(decoder: AacDecoder, unit: Uint8Array, time: Micros): void {
    let planes: readonly Float32Array[];
    let foreign = false;
    try {
      planes = decoder.decode(unit);
      this.#damaged = 0;
      // HE-AAC that its configuration says nothing of
      foreign = decoder.sbr;
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      foreign = error.code === 'media/aac-profile';
      if (++this.#damaged > MAX_DAMAGED) throw error;
      planes = decoder.conceal();
    }
    if (foreign && !this.#alone) {
      this.#decoder = undefined;
      this.#decodeBeside(this.#config!);
    }
    if (this.#resampler === undefined) {
      this.#line!.push(planes, FRAME, time);
      return;
    }
    const resampled = this.#resampler.run(planes, FRAME);
    const start = time + (this.#resampler.first * 1e6) / decoder.sampleRate;
    this.#line!.push(resampled, this.#resampler.count, start);
  }

  #encode(planes: readonly Float32Array[], start: Micros): void {
    const encoder = this.#encoder;
    if (encoder === undefined) return;
    const mixed = this.#mixed;
    const channels = this.#channels;
    for (let channel = 0; channel < channels; channel++) {
      const plane = planes[channel]!;
      for (let i = 0; i < OPUS_PACKET; i++) mixed[i * channels + channel] = plane[i]!;
    }
    // what a decoder gives for this packet begins that much earlier
    const time = start - (encoder.getLookahead() * 1e6) / OPUS_RATE;
    const packet = encoder.encodeFloat(mixed);
    this.#events.sound({ config: false, time, data: packet as Uint8Array<ArrayBuffer> });
  }
}

/** frameLengthFlag of GASpecificConfig (ISO/IEC 14496-3, 4.4.1), which only digital radio sets; looked for where no extension is in front. */
function hasShortFrames(data: Buffer): boolean {
  const reader = new BitReader(data);
  const objectType = reader.bits(5);
  if (reader.bits(4) === RATE_ESCAPE) reader.skip(24);
  reader.skip(4);
  return objectType <= LONG_TERM_PREDICTION && reader.flag();
}
