/**
 * Which codecs have an RTP payload format here, and under which names descriptions speak of them.
 */
import type { AudioCodec, Codec, VideoCodec } from '../media/frame.ts';
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
  readonly codec: VideoCodec | AudioCodec;
  /** As `a=rtpmap` has it; read without regard to case. */
  readonly name: string;
  /** Hz. */
  readonly clockRate: number;
  /** As `a=rtpmap` has them, of audio; 1 is not written. */
  readonly channels: number | undefined;
  /** For those that need no `a=rtpmap` (RFC 3551 section 6). */
  readonly staticType: number | undefined;
  readonly packetize: Packetize;
  readonly depacketizer: (codec: RtpCodec) => Depacketizer;
}

const VIDEO = { kind: 'video', clockRate: 90_000, channels: undefined, staticType: undefined } as const;
const G711 = {
  ...({ kind: 'audio', clockRate: 8000, channels: 1 } as const),
  ...{ packetize: packetizeG711, depacketizer: g711Depacketizer },
};

export const RTP_FORMATS: readonly RtpFormat[] = [
  { ...VIDEO, codec: 'h264', name: 'H264', packetize: packetizeH264, depacketizer: h264Depacketizer },
  { ...VIDEO, codec: 'vp8', name: 'VP8', packetize: packetizeVp8, depacketizer: vp8Depacketizer },
  { ...VIDEO, codec: 'vp9', name: 'VP9', packetize: packetizeVp9, depacketizer: vp9Depacketizer },
  { ...VIDEO, codec: 'av1', name: 'AV1', packetize: packetizeAv1, depacketizer: av1Depacketizer },
  { ...VIDEO, codec: 'hevc', name: 'H265', packetize: packetizeHevc, depacketizer: hevcDepacketizer },
  {
    ...{ kind: 'audio', codec: 'opus', name: 'opus', clockRate: 48_000, channels: 2, staticType: undefined },
    ...{ packetize: packetizeOpus, depacketizer: opusDepacketizer },
  },
  { ...G711, codec: 'g711u', name: 'PCMU', staticType: 0 },
  { ...G711, codec: 'g711a', name: 'PCMA', staticType: 8 },
];

const BY_CODEC: ReadonlyMap<Codec, RtpFormat> = new Map(RTP_FORMATS.map((format) => [format.codec, format]));
const BY_NAME: ReadonlyMap<string, RtpFormat> = new Map(
  RTP_FORMATS.map((format) => [format.name.toLowerCase(), format]),
);

export function rtpFormatOf(codec: Codec): RtpFormat | undefined {
  return BY_CODEC.get(codec);
}

/** `name`: of an `a=rtpmap` line. */
export function rtpFormatNamed(name: string): RtpFormat | undefined {
  return BY_NAME.get(name.toLowerCase());
}

export function packetizerOf(codec: Codec): Packetize | undefined {
  return BY_CODEC.get(codec)?.packetize;
}

export function depacketizerOf(codec: RtpCodec): Depacketizer | undefined {
  return BY_CODEC.get(codec.codec)?.depacketizer(codec);
}
