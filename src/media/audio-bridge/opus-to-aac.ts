/**
 * Opus to AAC-LC at 48 kHz: decoded, losses concealed, cut into frames, encoded.
 */
import { PeerError } from '../../base/errors.ts';
import { writeAacConfig } from '../aac.ts';
import { FRAME } from '../aac-lc/bands.ts';
import { AacEncoder } from '../aac-lc/encoder.ts';
import type { Micros } from '../frame.ts';
import { readOpusConfig } from '../opus.ts';
import type { Bridge, BridgeEvents, Sound } from './bridge.ts';
import { makeOpusDecoder, OPUS_RATE, type OpusDecoder } from './libopus.ts';
import { SoundLine } from './sound-line.ts';

const LOW_COMPLEXITY = 2;
const BITRATE = { 1: 80_000, 2: 144_000 } as const;
/** The grain of what a decoder can make up: 2.5 ms. */
const GRAIN = OPUS_RATE / 400;
/** A loss up to here is made up from what was heard before; it fades out by itself. */
const MAX_CONCEALED: Micros = 100_000;
/** Less than half of the shortest packet in use is no loss. */
const MIN_CONCEALED: Micros = 5000;
const MAX_PACKET = 5760;
/** Damaged packets in a row, about two seconds, before it is given up. */
const MAX_DAMAGED = 100;

export class OpusToAac implements Bridge {
  readonly #events: BridgeEvents;
  #channels: 1 | 2 = 2;
  #decoder: OpusDecoder | undefined;
  #encoder: AacEncoder | undefined;
  #line: SoundLine | undefined;
  readonly #planes = [new Float32Array(MAX_PACKET), new Float32Array(MAX_PACKET)];
  #damaged = 0;

  constructor(events: BridgeEvents) {
    this.#events = events;
  }

  async write({ config, time, data }: Sound): Promise<void> {
    if (config) {
      const header = readOpusConfig(Buffer.from(data.buffer, data.byteOffset, data.length));
      if (header === undefined || header.channels > 2 || header.channels < 1) {
        throw new PeerError('media/opus', 'Opus of other than one or two channels');
      }
      await this.#open(header.channels as 1 | 2, time);
    } else {
      // browsers send none
      if (this.#decoder === undefined) await this.#open(2, time);
      this.#decode(this.#decoder!, data, time);
    }
  }

  close(): void {
    this.#decoder?.free();
    this.#decoder = undefined;
  }

  async #open(channels: 1 | 2, time: Micros): Promise<void> {
    if (this.#decoder === undefined || this.#channels !== channels) {
      this.#decoder?.free();
      this.#channels = channels;
      this.#decoder = await makeOpusDecoder(channels);
      this.#encoder = new AacEncoder(OPUS_RATE, channels, BITRATE[channels]);
      this.#line = new SoundLine(OPUS_RATE, channels, FRAME, {
        block: (planes, start) => this.#encode(planes, start),
      });
    }
    const config = writeAacConfig(LOW_COMPLEXITY, OPUS_RATE, channels);
    this.#events.sound({ config: true, time, data: Uint8Array.from(config) });
  }

  #decode(decoder: OpusDecoder, packet: Uint8Array, time: Micros): void {
    const due = this.#line!.due;
    const lost = due === undefined ? 0 : time - due;
    if (lost >= MIN_CONCEALED && lost <= MAX_CONCEALED) {
      const size = Math.round((lost * OPUS_RATE) / 1e6 / GRAIN) * GRAIN;
      this.#push(decoder.decodePacketLossFloat(size), due!);
    }
    let samples: Float32Array;
    try {
      samples = decoder.decodeFloat(packet);
      this.#damaged = 0;
    } catch (error) {
      // libopus's own word for a packet that is none; an empty one does not get that far
      if (++this.#damaged > MAX_DAMAGED) throw new PeerError('media/opus', (error as Error).message);
      return;
    }
    this.#push(samples, time);
  }

  #push(samples: Float32Array, time: Micros): void {
    const channels = this.#channels;
    const count = samples.length / channels;
    for (let channel = 0; channel < channels; channel++) {
      const plane = this.#planes[channel]!;
      for (let i = 0; i < count; i++) plane[i] = samples[i * channels + channel]!;
    }
    this.#line!.push(this.#planes, count, time);
  }

  #encode(planes: readonly Float32Array[], start: Micros): void {
    const encoder = this.#encoder!;
    const time = start - (encoder.delay * 1e6) / OPUS_RATE;
    this.#events.sound({ config: false, time, data: encoder.encode(planes) });
  }
}
