/**
 * Which codecs travel in RTP here, under which names descriptions speak of them, and who writes and reads their payloads.
 */
import type { Codec } from '../media/frame.ts';
import { g711Depacketizer, opusDepacketizer, packetizeG711, packetizeOpus } from './audio-rtp.ts';
import { av1Depacketizer, packetizeAv1 } from './av1-rtp.ts';
import { h264Depacketizer, packetizeH264 } from './h264-rtp.ts';
import { hevcDepacketizer, packetizeHevc } from './hevc-rtp.ts';
import type { RtpCodec } from './negotiated.ts';
import type { Depacketizer, Packetize } from './rtp.ts';
import { packetizeVp8, vp8Depacketizer } from './vp8-rtp.ts';
import { packetizeVp9, vp9Depacketizer } from './vp9-rtp.ts';

export interface RtpFormat {
  readonly kind: 'audio' | 'video';
  readonly codec: Codec;
  /** As its specification writes it in `a=rtpmap`; read without regard to case. */
  readonly encoding: string;
  /** Hz. */
  readonly clockRate: number;
  /** As `a=rtpmap` has them, where 1 is not written. */
  readonly channels: number;
  /** The payload type that needs no `a=rtpmap` (RFC 3551 section 6). */
  readonly staticType?: number;
  readonly packetize: Packetize;
  readonly depacketizer: (codec: RtpCodec) => Depacketizer;
}

const VIDEO = { kind: 'video', clockRate: 90_000, channels: 1 } as const;
const OPUS = { kind: 'audio', clockRate: 48_000, channels: 2 } as const;
const G711 = { kind: 'audio', clockRate: 8_000, channels: 1 } as const;
const asG711 = { packetize: packetizeG711, depacketizer: g711Depacketizer };

/** In the order that refusals name them. */
export const RTP_FORMATS: readonly RtpFormat[] = [
  { ...VIDEO, codec: 'h264', encoding: 'H264', packetize: packetizeH264, depacketizer: h264Depacketizer },
  { ...VIDEO, codec: 'vp8', encoding: 'VP8', packetize: packetizeVp8, depacketizer: vp8Depacketizer },
  { ...VIDEO, codec: 'vp9', encoding: 'VP9', packetize: packetizeVp9, depacketizer: vp9Depacketizer },
  { ...VIDEO, codec: 'av1', encoding: 'AV1', packetize: packetizeAv1, depacketizer: av1Depacketizer },
  { ...VIDEO, codec: 'hevc', encoding: 'H265', packetize: packetizeHevc, depacketizer: hevcDepacketizer },
  { ...OPUS, codec: 'opus', encoding: 'opus', packetize: packetizeOpus, depacketizer: opusDepacketizer },
  { ...G711, codec: 'g711u', encoding: 'PCMU', staticType: 0, ...asG711 },
  { ...G711, codec: 'g711a', encoding: 'PCMA', staticType: 8, ...asG711 },
];

const BY_CODEC: ReadonlyMap<Codec, RtpFormat> = new Map(RTP_FORMATS.map((format) => [format.codec, format]));
const BY_ENCODING: ReadonlyMap<string, RtpFormat> = new Map(
  RTP_FORMATS.map((format) => [format.encoding.toLowerCase(), format]),
);
const BY_STATIC_TYPE: ReadonlyMap<number, RtpFormat> = new Map(
  RTP_FORMATS.flatMap((format) => (format.staticType === undefined ? [] : [[format.staticType, format] as const])),
);

/** How a codec travels in RTP; undefined when it does not. */
export function rtpFormatOf(codec: Codec): RtpFormat | undefined {
  return BY_CODEC.get(codec);
}

/** `encoding`: lower case. */
export function rtpFormatNamed(encoding: string): RtpFormat | undefined {
  return BY_ENCODING.get(encoding);
}

/** Of a payload type that no `a=rtpmap` explains. */
export function staticRtpFormat(payloadType: number): RtpFormat | undefined {
  return BY_STATIC_TYPE.get(payloadType);
}

export function packetizerOf(codec: Codec): Packetize | undefined {
  return BY_CODEC.get(codec)?.packetize;
}

export function depacketizerOf(codec: RtpCodec): Depacketizer | undefined {
  return BY_CODEC.get(codec.codec)?.depacketizer(codec);
}
