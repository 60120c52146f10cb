/**
 * The audio tag header of FLV 10.1, annex E.4.2: format, rate, size and channels in one byte.
 */
import { PeerError } from '../base/errors.ts';
import type { AudioCodec, Frame } from '../media/frame.ts';
import { readMp3Header } from '../media/mp3.ts';
import { SOUND_CODECS, SOUND_FORMAT_AAC, soundFormatOf } from '../media/sound.ts';
import { FLV_FAULT, type TagNotes } from './flv-frame.ts';

const AAC_CONFIG = 0;
const AAC_RAW = 1;
const AAC_HEADER = 2;
/** What FLV demands for AAC, whatever the stream is: 44.1 kHz, 16 bits, stereo. */
const AAC_SOUND = 0xaf;

/** Each header byte as the configuration of the frames that carry it; made when first seen. */
const soundConfigs: (Frame | undefined)[] = new Array(256).fill(undefined);

/** Reads a header other than sound format 9. `body` has one byte at least. */
export function readLegacyAudio(body: Buffer, notes: TagNotes): void {
  const sound = body[0]!;
  const format = sound >> 4;
  if (format === SOUND_FORMAT_AAC) {
    const packetType = body[1];
    if (packetType === undefined) throw new PeerError(FLV_FAULT, 'aac tag of 1 byte');
    if (packetType === AAC_RAW) notes.unit('delta', 'aac', AAC_HEADER);
    else if (packetType === AAC_CONFIG) notes.unit('config', 'aac', AAC_HEADER);
    else notes.opaque(AAC_HEADER);
    return;
  }
  const codec = SOUND_CODECS[format];
  if (codec === undefined) {
    notes.opaque(1);
    return;
  }
  notes.unit('delta', codec, 1);
  if (codec !== 'opus') notes.config = soundConfig(sound, codec);
}

/** The configuration that the header byte `sound` amounts to. It has no message of its own: each message carries it. */
export function soundConfig(sound: number, codec: AudioCodec): Frame {
  let config = soundConfigs[sound];
  if (config === undefined) {
    config = { kind: 'audio', role: 'config', codec, dts: 0, pts: 0, size: 1, data: Buffer.of(sound), track: 0 };
    soundConfigs[sound] = config;
  }
  return config;
}

/** Codecs that have a form of their own without a FourCC. */
export const LEGACY_AUDIO: ReadonlySet<string> = new Set<AudioCodec>(['aac', 'mp3', 'g711a', 'g711u', 'speex', 'pcm']);

/** The body of a frame of a `LEGACY_AUDIO` codec; nothing for a configuration that each message repeats. */
export function writeLegacyAudio(frame: Frame): Buffer | undefined {
  if (frame.codec === 'aac') {
    return Buffer.concat([Buffer.of(AAC_SOUND, frame.role === 'config' ? AAC_CONFIG : AAC_RAW), frame.data]);
  }
  if (frame.role === 'config') return undefined;
  const sound = soundOf(frame);
  return sound === undefined ? undefined : Buffer.concat([Buffer.of(sound), frame.data]);
}

/** The header byte of a frame that is not AAC. PCM without a configuration could be anything, so it has none. */
function soundOf(frame: Frame): number | undefined {
  const config = frame.config;
  if (config?.codec === frame.codec && config.data.length === 1) return config.data[0];
  switch (frame.codec) {
    case 'g711a':
      return soundFormatOf(7, 0, 16, 1);
    case 'g711u':
      return soundFormatOf(8, 0, 16, 1);
    case 'speex':
      return soundFormatOf(11, 0, 16, 1);
    case 'mp3': {
      const header = readMp3Header(frame.data);
      if (header === undefined) return undefined;
      if (header.sampleRate === 8000) return soundFormatOf(14, 0, 16, header.channels);
      return soundFormatOf(2, header.sampleRate, 16, header.channels);
    }
    default:
      return undefined;
  }
}
