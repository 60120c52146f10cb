/**
 * Which of a client's payload formats we take, and which one suits a stream (RFC 6184, 7587, 7741, 7798, 9628, RTP for AV1).
 */
import { RefusedError } from '../base/errors.ts';
import type { Codec } from '../media/frame.ts';
import type { RtpCodec } from './negotiated.ts';
import type { RemoteSection } from './remote-section.ts';
import { RTP_FORMATS, rtpFormatNamed, rtpFormatOf } from './rtp-formats.ts';
import type { PayloadFormat } from './sdp-formats.ts';

/** What is to be sent. `profile` is as the format writes it: `profile-level-id` of H.264, `profile-id` of VP9 and H.265, `profile` of AV1. */
export interface WantedMedia {
  readonly codec: Codec;
  readonly profile?: string | undefined;
}

/** With RTCP on the same port these mean RTCP when the marker bit is set (RFC 5761 section 4). */
const FIRST_RTCP = 64;
const LAST_RTCP = 95;
/** The packetization mode that we write. */
const NON_INTERLEAVED = '1';
/** Below every rank of a client that names that mode. */
const FORGOTTEN_MODE = 0.5;
/** Pictures out of order, which needs the interleaved mode, are not put together. */
const INTERLEAVED = '2';
/** Formats that say nothing about what a client can show. */
const SUPPORTING = new Set(['rtx', 'red', 'ulpfec', 'flexfec-03', 'cn', 'telephone-event', '']);
/** Names of formats in a refusal, at most. */
const MAX_NAMED = 12;

/** All that we can receive, in the client's order. */
export function receivable(section: RemoteSection): readonly RtpCodec[] {
  const codecs: RtpCodec[] = [];
  for (const format of section.formats) {
    const known = rtpFormatNamed(format.encoding);
    if (known === undefined || known.kind !== section.kind || known.clockRate !== format.clockRate) continue;
    if (isRtcp(format.payloadType) || format.parameters.get('packetization-mode') === INTERLEAVED) continue;
    const { codec, clockRate, channels } = known;
    const { payloadType, parameters, feedback } = format;
    codecs.push({ codec, payloadType, clockRate, channels, parameters, feedback, rtx: rtxOf(section, format) });
  }
  return codecs;
}

/** The payload type that repeats what `format` lost (RFC 4588 section 8). */
function rtxOf({ formats }: RemoteSection, { payloadType }: PayloadFormat): number | undefined {
  const apt = String(payloadType);
  const rtx = formats.find(({ encoding, parameters }) => encoding === 'rtx' && parameters.get('apt') === apt);
  return rtx === undefined || isRtcp(rtx.payloadType) ? undefined : rtx.payloadType;
}

function isRtcp(payloadType: number): boolean {
  return payloadType >= FIRST_RTCP && payloadType <= LAST_RTCP;
}

/** The format that suits `wanted` best, the client's order deciding between equals; undefined when none does. */
export function bestFor(wanted: WantedMedia, section: RemoteSection): RtpCodec | undefined {
  let best: RtpCodec | undefined;
  let bestRank = 0;
  for (const codec of receivable(section)) {
    const rank = codec.codec === wanted.codec ? rankOf(wanted, codec.parameters) : 0;
    if (rank > bestRank) [best, bestRank] = [codec, rank];
  }
  return best;
}

/** 0: unusable. */
function rankOf({ codec, profile }: WantedMedia, parameters: ReadonlyMap<string, string>): number {
  if (codec === 'h264') return rankH264(profile, parameters);
  // a decoder is made for one profile of VP9; one for a higher profile of AV1 shows the lower ones
  if (codec === 'vp9') return (parameters.get('profile-id') ?? '0') === (profile ?? '0') ? 1 : 0;
  if (codec === 'av1') {
    const offered = parameters.get('profile') ?? '0';
    return offered < (profile ?? '0') ? 0 : offered === (profile ?? '0') ? 2 : 1;
  }
  if (codec === 'hevc') return (parameters.get('profile-id') ?? '1') === (profile ?? '1') ? 2 : 1;
  return 1;
}

/** RFC 6184 section 8.1: what is not said is Baseline of level 1. */
const UNSAID_PROFILE = '42000a';
/** Constrained Baseline of level 3.1, which every browser plays. */
export const COMMON_PROFILE = '42e01f';
const BASELINE = '42';
const MAIN = '4d';

/**
 * Units larger than a packet need packetization mode 1. Who says nothing means mode 0 (RFC 6184 section 8.1) or has forgotten it, and
 * is taken at his best when there is nothing better. No browser names High, and those tried show it under Constrained Baseline: the
 * profile only says which of several to take.
 */
function rankH264(profile: string | undefined, parameters: ReadonlyMap<string, string>): number {
  const mode = parameters.get('packetization-mode');
  if (mode === undefined) return FORGOTTEN_MODE;
  if (mode !== NON_INTERLEAVED) return 0;
  const offered = parameters.get('profile-level-id') ?? UNSAID_PROFILE;
  const wanted = profile ?? COMMON_PROFILE;
  if (offered.slice(0, 2) === wanted.slice(0, 2)) return isConstrained(offered) === isConstrained(wanted) ? 6 : 5;
  if (offered.startsWith(BASELINE)) return isConstrained(offered) ? 4 : 3;
  return offered.startsWith(MAIN) ? 2 : 1;
}

/** The second of the constraint flags: of Baseline only what Main has, too. */
function isConstrained(profileLevelId: string): boolean {
  return (Number.parseInt(profileLevelId.slice(2, 4), 16) & 0x40) !== 0;
}

/** The formats of a section by name, as words for a refusal. */
export function offeredNames({ formats }: RemoteSection): string {
  const names = new Set(formats.map(({ encoding }) => encoding).filter((encoding) => !SUPPORTING.has(encoding)));
  const shown = [...names].slice(0, MAX_NAMED).map((name) => rtpFormatNamed(name)?.encoding ?? name);
  return shown.length === 0 ? 'none that has a name' : shown.join(', ');
}

/** `H264, VP8, …`: what a publisher may send. */
export function acceptedNames(kind: 'audio' | 'video'): string {
  return RTP_FORMATS.filter((format) => format.kind === kind)
    .map(({ encoding }) => encoding)
    .join(', ');
}

/** Of a codec that has no form as RTP. */
export function uncarriedWords(codec: Codec): string {
  const fix = codec === 'aac' ? 'It has to be translated to Opus first' : 'Publish H.264 or VP8, with AAC or Opus';
  return `The stream is ${codec}, which WebRTC cannot carry. ${fix}.`;
}

/** Throws `RefusedError` that says why `codec` cannot be watched by the client of `section`, and what can be done. */
export function refuseCodec(codec: Codec, section: RemoteSection): never {
  const format = rtpFormatOf(codec);
  if (format === undefined) throw new RefusedError('webrtc/codecs', uncarriedWords(codec));
  const offered = offeredNames(section);
  if (codec === 'h264' && section.formats.some(({ encoding }) => encoding === 'h264')) {
    const words = `The stream is H264; the client offers ${offered} without packetization-mode=1, which pictures larger than a packet need`;
    throw new RefusedError('webrtc/codecs', `${words}. Offer H264 with packetization-mode=1.`);
  }
  const fix =
    format.kind === 'video'
      ? 'Use a browser that plays it, or publish H.264, which all play'
      : 'Use a client that plays it, or ask for the picture alone';
  throw new RefusedError('webrtc/codecs', `The stream is ${format.encoding}; the client offers ${offered}. ${fix}.`);
}
