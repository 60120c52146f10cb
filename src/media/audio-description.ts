/**
 * Configurations and frame headers of the audio codecs, in words.
 */
import { readAacConfig } from './aac.ts';
import { readAc3Header } from './ac3.ts';
import { readFlacConfig } from './flac.ts';
import type { AudioCodec, Frame } from './frame.ts';
import { readMp3Header } from './mp3.ts';
import { readOpusConfig } from './opus.ts';
import { readSound } from './sound.ts';

export interface AudioDescription {
  readonly kind: 'audio';
  readonly track: number;
  readonly codec: AudioCodec | 'other';
  readonly rfc6381?: string | undefined;
  readonly profile?: string | undefined;
  /** Hz, as heard. */
  readonly sampleRate?: number | undefined;
  readonly channels?: number | undefined;
}

type AudioFacts = Omit<AudioDescription, 'kind' | 'track' | 'codec'>;

/** Describes the track that `frame` belongs to: a configuration, or a coded frame of a codec without one. */
export function describeAudio(frame: Frame): AudioDescription {
  const { track, data } = frame;
  const codec = frame.codec as AudioCodec | 'other';
  const config = frame.role === 'config' ? data : frame.config?.data;
  const facts = (): AudioFacts | undefined => {
    switch (codec) {
      case 'aac':
        return config && describeAac(config);
      case 'opus':
        return { rfc6381: 'opus', sampleRate: 48_000, channels: config && readOpusConfig(config)?.channels };
      case 'flac': {
        const flac = config && readFlacConfig(config);
        return { rfc6381: 'flac', sampleRate: flac?.sampleRate, channels: flac?.channels };
      }
      case 'ac3':
      case 'eac3':
        return { rfc6381: codec === 'ac3' ? 'ac-3' : 'ec-3', ...readAc3Header(data) };
      case 'mp3':
        return describeMp3(data, config);
      case 'g711a':
      case 'g711u':
      case 'speex':
      case 'pcm':
        return config && describeSound(config);
      default:
        return undefined;
    }
  };
  return { kind: 'audio', track, codec, ...facts() };
}

const AAC_PROFILES: ReadonlyMap<number, string> = new Map([
  [1, 'Main'],
  [2, 'LC'],
  [3, 'SSR'],
  [4, 'LTP'],
  [23, 'LD'],
  [39, 'ELD'],
  [42, 'xHE'],
]);

function describeAac(data: Buffer): AudioFacts | undefined {
  const config = readAacConfig(data);
  if (config === undefined) return undefined;
  const { objectType, sampleRate, channels, sbr, ps } = config;
  const profile = ps ? 'HE v2' : sbr ? 'HE' : AAC_PROFILES.get(objectType);
  const type = ps ? 29 : sbr ? 5 : objectType;
  return { rfc6381: `mp4a.40.${type}`, profile, sampleRate, channels: channels === 0 ? undefined : channels };
}

function describeMp3(data: Buffer, sound: Buffer | undefined): AudioFacts {
  const header = readMp3Header(data);
  if (header === undefined) return { rfc6381: 'mp3', ...(sound && describeSound(sound)) };
  return { rfc6381: 'mp3', sampleRate: header.sampleRate, channels: header.channels };
}

function describeSound(config: Buffer): AudioFacts | undefined {
  if (config.length !== 1) return undefined;
  const { sampleRate, channels } = readSound(config[0]!);
  return { sampleRate, channels };
}
