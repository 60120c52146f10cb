/**
 * The sound byte: FLV 10.1's one-byte description of audio (annex E.4.2), which is all the configuration that MP3, G.711, Speex and PCM
 * ever get. Bits: 4 format, 2 rate, 1 sample size, 1 channels.
 */
import type { AudioCodec } from './frame.ts';

export const SOUND_FORMAT_AAC = 10;

/** Codec by sound format, AAC apart; 13 is Opus without a configuration, as some servers and encoders have it. */
export const SOUND_CODECS: readonly (AudioCodec | undefined)[] = [
  'pcm', // 0: as the sender's machine has it
  undefined, // 1: ADPCM
  'mp3',
  'pcm', // 3: little endian
  undefined, // 4 to 6: Nellymoser
  undefined,
  undefined,
  'g711a',
  'g711u',
  undefined, // 9: the enhanced header
  undefined, // 10: AAC
  'speex',
  undefined,
  'opus',
  'mp3', // 14: at 8 kHz
  undefined, // 15: of the device
];

const RATES = [5512, 11_025, 22_050, 44_100] as const;

export interface Sound {
  readonly codec: AudioCodec | undefined;
  /** Hz. */
  readonly sampleRate: number;
  /** Bits of a sample before compression. */
  readonly sampleSize: 8 | 16;
  readonly channels: 1 | 2;
}

/** Takes the sound byte apart. The rates that a format fixes count, not the bits that contradict them. */
export function readSound(sound: number): Sound {
  const format = sound >> 4;
  const sampleSize = (sound & 2) === 0 ? 8 : 16;
  const channels = (sound & 1) === 0 ? 1 : 2;
  const rate = RATES[(sound >> 2) & 3]!;
  switch (format) {
    case 7:
    case 8:
      // the lowest rate stands for the 8 kHz of G.711
      return { codec: SOUND_CODECS[format], sampleRate: rate === RATES[0] ? 8000 : rate, sampleSize: 16, channels };
    case 11:
      return { codec: 'speex', sampleRate: 16_000, sampleSize: 16, channels: 1 };
    case 13:
      return { codec: 'opus', sampleRate: 48_000, sampleSize: 16, channels };
    case 14:
      return { codec: 'mp3', sampleRate: 8000, sampleSize, channels };
    default:
      return { codec: SOUND_CODECS[format], sampleRate: rate, sampleSize, channels };
  }
}

/** A sound byte; a rate that FLV has no bits for becomes the nearest one above, or 44.1 kHz. */
export function soundFormatOf(format: number, sampleRate: number, sampleSize: 8 | 16, channels: number): number {
  const rate = RATES.findIndex((known) => known >= sampleRate);
  return (format << 4) | ((rate < 0 ? 3 : rate) << 2) | (sampleSize === 16 ? 2 : 0) | (channels > 1 ? 1 : 0);
}
