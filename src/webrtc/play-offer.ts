/**
 * What we offer a client that waits for an offer, as Wowza's players do.
 */
import { RefusedError } from '../base/errors.ts';
import { COMMON_PROFILE, uncarriedWords, type WantedMedia } from './codec-choice.ts';
import type { Negotiated, RtcpFeedback, RtpCodec, RtpExtensions, RtpMedia } from './negotiated.ts';
import type { Wanted } from './negotiation.ts';
import { rtpFormatOf } from './rtp-formats.ts';
import { NO_FEEDBACK } from './sdp-formats.ts';

const VIDEO_PAYLOAD_TYPE = 96;
const VIDEO_RTX_PAYLOAD_TYPE = 97;
const AUDIO_PAYLOAD_TYPE = 111;
const PLAYED_FEEDBACK: RtcpFeedback = { ...NO_FEEDBACK, nack: true, pli: true, fir: true };
const OFFERED_EXTENSIONS: RtpExtensions = { mid: 1 };

/** One payload type for each kind. Throws `RefusedError` (webrtc/codecs) when WebRTC cannot carry the stream. */
export function offerFor({ audio, video }: Wanted): Negotiated {
  return {
    audio:
      audio && offeredMedia(audio, '0', { payloadType: AUDIO_PAYLOAD_TYPE, rtx: undefined, feedback: NO_FEEDBACK }),
    video:
      video &&
      offeredMedia(video, '1', {
        payloadType: VIDEO_PAYLOAD_TYPE,
        rtx: VIDEO_RTX_PAYLOAD_TYPE,
        feedback: PLAYED_FEEDBACK,
      }),
  };
}

function offeredMedia(
  { codec, profile }: WantedMedia,
  mid: string,
  numbers: Pick<RtpCodec, 'payloadType' | 'rtx' | 'feedback'>,
): RtpMedia {
  const format = rtpFormatOf(codec);
  if (format === undefined) throw new RefusedError('webrtc/codecs', uncarriedWords(codec));
  const { kind, clockRate, channels } = format;
  const parameters = new Map(OFFERED_PARAMETERS.get(codec));
  if (profile !== undefined && codec === 'av1') parameters.set('profile', profile);
  if (profile !== undefined && (codec === 'vp9' || codec === 'hevc')) parameters.set('profile-id', profile);
  const offered: RtpCodec = { codec, clockRate, channels, parameters, ...numbers };
  return { kind, mid, codecs: [offered], extensions: OFFERED_EXTENSIONS, sources: [], rids: [] };
}

const OFFERED_PARAMETERS: ReadonlyMap<string, readonly (readonly [string, string])[]> = new Map([
  [
    'h264',
    [
      ['level-asymmetry-allowed', '1'],
      ['packetization-mode', '1'],
      // whatever the stream is: no browser takes an offer of High, and those tried show it all the same
      ['profile-level-id', COMMON_PROFILE],
    ],
  ],
  [
    'opus',
    [
      ['minptime', '10'],
      ['useinbandfec', '1'],
      ['sprop-stereo', '1'],
    ],
  ],
]);
