/**
 * The door to libopus: WebAssembly inside one module, nothing to load or build.
 */
import {
  Application,
  createDecoder,
  createEncoder,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
} from 'libopus-wasm';

export type OpusEncoder = Pick<OpusEncoderHandle, 'encodeFloat' | 'getLookahead' | 'free'>;
export type OpusDecoder = Pick<OpusDecoderHandle, 'decodeFloat' | 'decodePacketLossFloat' | 'free'>;

/** All coding is at 48 kHz. */
export const OPUS_RATE = 48_000;
/** Samples of a packet: 20 ms, what browsers send and expect. */
export const OPUS_PACKET = 960;

/** Five of ten: the next steps cost twice as much and are not heard at these bitrates. */
const COMPLEXITY = 5;
const BITRATE = { 1: 64_000, 2: 128_000 } as const;

/** Music and speech alike, 2.5 ms behind its input. */
export function makeOpusEncoder(channels: 1 | 2): Promise<OpusEncoder> {
  return createEncoder({
    application: Application.RestrictedLowDelay,
    bitrate: BITRATE[channels],
    complexity: COMPLEXITY,
    channels,
    sampleRate: OPUS_RATE,
    frameSize: OPUS_PACKET,
  });
}

export function makeOpusDecoder(channels: 1 | 2): Promise<OpusDecoder> {
  return createDecoder({ channels, sampleRate: OPUS_RATE });
}
