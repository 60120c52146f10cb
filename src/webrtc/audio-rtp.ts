/**
 * Opus (RFC 7587) and G.711 (RFC 3551 section 4.5.14) as RTP payloads: a packet is a unit.
 */
import type { Frame } from '../media/frame.ts';
import { readOpusConfig, writeOpusConfig } from '../media/opus.ts';
import { readSound, soundFormatOf } from '../media/sound.ts';
import type { RtpCodec } from './negotiated.ts';
import type { AccessUnit, Depacketizer, RtpPacket, RtpPayload } from './rtp.ts';

const OPUS_RATE = 48_000;
const G711_RATE = 8000;
/** Mono and stereo; more channels have no standard form. */
const MAX_OPUS_CHANNELS = 2;
/** FLV has no bits for 8 kHz: its lowest rate stands for it. */
const FLV_LOWEST_RATE = 5512;

export function packetizeOpus(frame: Frame, maxSize: number): readonly RtpPayload[] {
  const config = frame.config && readOpusConfig(frame.config.data);
  return config !== undefined && config.channels > MAX_OPUS_CHANNELS ? [] : onePayload(frame.data, maxSize);
}

/** Nothing for stereo or other rates than 8 kHz, which the static payload types do not have. */
export function packetizeG711(frame: Frame, maxSize: number): readonly RtpPayload[] {
  const sound = frame.config?.data[0];
  const { sampleRate, channels } = sound === undefined ? { sampleRate: G711_RATE, channels: 1 } : readSound(sound);
  return sampleRate !== G711_RATE || channels !== 1 ? [] : onePayload(frame.data, maxSize);
}

/** Nothing when the unit is larger than a packet: audio cannot be cut. */
function onePayload(data: Buffer, maxSize: number): readonly RtpPayload[] {
  return data.length === 0 || data.length > maxSize ? [] : [{ parts: [data], size: data.length, marker: false }];
}

class AudioDepacketizer implements Depacketizer {
  readonly broken = false;
  #config: Buffer | undefined;

  /** `config` goes out with the first unit. */
  constructor(config: Buffer) {
    this.#config = config;
  }

  push(packet: RtpPacket): readonly AccessUnit[] {
    if (packet.payload.length === 0) return [];
    const unit = { timestamp: packet.timestamp, key: false, data: Buffer.from(packet.payload), config: this.#config };
    this.#config = undefined;
    return [unit];
  }
}

/** What the packets hold may be mono even when two channels are agreed, as they are always: a decoder makes two of it. */
export function opusDepacketizer({ channels }: RtpCodec): Depacketizer {
  return new AudioDepacketizer(writeOpusConfig({ channels, preSkip: 0, inputRate: OPUS_RATE }));
}

/** With the sound byte as configuration. */
export function g711Depacketizer({ codec }: RtpCodec): Depacketizer {
  const format = codec === 'g711a' ? 7 : 8;
  return new AudioDepacketizer(Buffer.of(soundFormatOf(format, FLV_LOWEST_RATE, 16, 1)));
}
