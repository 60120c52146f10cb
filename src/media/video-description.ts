/**
 * Configurations and key frames of the video codecs, in words. Profile names as the specifications have them.
 */
import { readAv1Config, readAv1Sequence } from './av1.ts';
import type { Frame, VideoCodec } from './frame.ts';
import { type AvcSps, readAvcConfig, readAvcSps } from './h264.ts';
import { HEVC_NAL, type HevcConfig, readHevcConfig, readHevcSps } from './hevc.ts';
import { readSorensonSize } from './sorenson.ts';
import { readVp8Size, readVp9Size, readVpxConfig } from './vpx.ts';

export interface VideoDescription {
  readonly kind: 'video';
  readonly track: number;
  readonly codec: VideoCodec | 'other';
  /** RFC 6381 name, as the codecs parameter of a media type has it: `avc1.64001f`. */
  readonly rfc6381?: string | undefined;
  readonly profile?: string | undefined;
  readonly level?: string | undefined;
  /** Pixels shown. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly fps?: number | undefined;
  readonly bitDepth?: number | undefined;
  /** Pictures are decoded in another order than shown, which WebRTC viewers cannot have. Undefined: the stream does not say. */
  readonly bFrames?: boolean | undefined;
}

type VideoFacts = Omit<VideoDescription, 'kind' | 'track' | 'codec'>;

/** Describes the track that `frame` belongs to: a configuration, or a key frame of a codec that names its size there. */
export function describeVideo(frame: Frame): VideoDescription {
  const { track, data } = frame;
  const codec = frame.codec as VideoCodec | 'other';
  const config = frame.role === 'config' ? data : frame.config?.data;
  const facts = (): VideoFacts | undefined => {
    switch (codec) {
      case 'h264':
        return config && describeAvc(config);
      case 'hevc':
        return config && describeHevc(config);
      case 'av1':
        return config && describeAv1(config);
      case 'vp8':
      case 'vp9':
        return describeVpx(codec, config, frame.role === 'key' ? data : undefined);
      case 'flv1':
        return readSorensonSize(data);
      default:
        return undefined;
    }
  };
  return { kind: 'video', track, codec, ...facts() };
}

const AVC_PROFILES: ReadonlyMap<number, string> = new Map([
  [44, 'CAVLC 4:4:4 Intra'],
  [66, 'Baseline'],
  [77, 'Main'],
  [88, 'Extended'],
  [100, 'High'],
  [110, 'High 10'],
  [122, 'High 4:2:2'],
  [244, 'High 4:4:4 Predictive'],
]);

function describeAvc(data: Buffer): VideoFacts | undefined {
  const config = readAvcConfig(data);
  if (config === undefined) return undefined;
  const { profile, compatibility, level } = config;
  const sps = config.sps[0] && readAvcSps(config.sps[0]);
  return {
    rfc6381: `avc1.${hex(profile, 2)}${hex(compatibility, 2)}${hex(level, 2)}`,
    profile: avcProfile(profile, compatibility),
    level: avcLevel(profile, compatibility, level),
    ...(sps && pictureOf(sps)),
  };
}

function avcProfile(profile: number, compatibility: number): string | undefined {
  const CONSTRAINT_SET_1 = 0x40;
  if (profile === 66 && (compatibility & CONSTRAINT_SET_1) !== 0) return 'Constrained Baseline';
  return AVC_PROFILES.get(profile);
}

function avcLevel(profile: number, compatibility: number, level: number): string {
  const CONSTRAINT_SET_3 = 0x10;
  const is1b = level === 9 || (level === 11 && profile < 100 && (compatibility & CONSTRAINT_SET_3) !== 0);
  return is1b ? '1b' : (level / 10).toFixed(1);
}

function pictureOf({ width, height, fps, bitDepth, bFrames }: AvcSps): VideoFacts {
  return { width, height, fps, bitDepth, bFrames };
}

const HEVC_PROFILES: ReadonlyMap<number, string> = new Map([
  [1, 'Main'],
  [2, 'Main 10'],
  [3, 'Main Still Picture'],
  [4, 'Range Extensions'],
  [9, 'Screen Content'],
]);

function describeHevc(data: Buffer): VideoFacts | undefined {
  const config = readHevcConfig(data);
  if (config === undefined) return undefined;
  const unit = config.parameterSets.find(({ type }) => type === HEVC_NAL.sps)?.units[0];
  return {
    rfc6381: hevcName(config),
    profile: HEVC_PROFILES.get(config.profile),
    level: (config.level / 30).toFixed(1),
    fps: config.fps,
    bitDepth: config.bitDepth,
    ...(unit && readHevcSps(unit)),
  };
}

/** ISO/IEC 14496-15, annex E.3: compatibility flags with the last one first, constraint bytes without trailing zeros. */
function hevcName(config: HevcConfig): string {
  let flags = 0;
  for (let bit = 0; bit < 32; bit++) flags = flags * 2 + ((config.compatibility >>> bit) & 1);
  let used = config.constraints.length;
  while (used > 0 && config.constraints[used - 1] === 0) used -= 1;
  const constraints = [...config.constraints.subarray(0, used)].map((byte) => `.${byte.toString(16).toUpperCase()}`);
  const space = ['', 'A', 'B', 'C'][config.profileSpace]!;
  const tier = config.highTier ? 'H' : 'L';
  return `hvc1.${space}${config.profile}.${flags.toString(16).toUpperCase()}.${tier}${config.level}${constraints.join('')}`;
}

function describeAv1(data: Buffer): VideoFacts | undefined {
  const config = readAv1Config(data);
  if (config === undefined) return undefined;
  const { profile, level, highTier, bitDepth, sequenceHeader } = config;
  return {
    rfc6381: `av01.${profile}.${decimal(level)}${highTier ? 'H' : 'M'}.${decimal(bitDepth)}`,
    profile: ['Main', 'High', 'Professional'][profile],
    level: level === 31 ? undefined : `${2 + (level >> 2)}.${level & 3}`,
    bitDepth,
    ...(sequenceHeader && readAv1Sequence(sequenceHeader)),
  };
}

function describeVpx(codec: 'vp8' | 'vp9', record: Buffer | undefined, keyFrame: Buffer | undefined): VideoFacts {
  const config = record && readVpxConfig(record);
  const name = codec === 'vp8' ? 'vp08' : 'vp09';
  return {
    rfc6381: config && `${name}.${decimal(config.profile)}.${decimal(config.level)}.${decimal(config.bitDepth)}`,
    profile: config && `Profile ${config.profile}`,
    level: config !== undefined && config.level > 0 ? (config.level / 10).toFixed(1) : undefined,
    bitDepth: config?.bitDepth,
    ...(keyFrame && (codec === 'vp8' ? readVp8Size(keyFrame) : readVp9Size(keyFrame))),
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function decimal(value: number): string {
  return value.toString().padStart(2, '0');
}
