/**
 * What browsers can have of a stream, and what not and why, told before one asks.
 */
import type { Codec } from '../media/frame.ts';
import type { BridgedCodec } from '../media/transcoder.ts';
import type { Stream } from '../relay/stream.ts';
import { uncarriedWords } from './codec-choice.ts';
import { REORDERED } from './lack-of-pictures.ts';
import { rtpFormatOf } from './rtp-formats.ts';
import { streamFacts } from './stream-facts.ts';

export interface Watchable {
  readonly watchable: boolean;
  /** What is lacking: all of it, or the sound alone. Undefined: nothing. */
  readonly lack?: { readonly code: string; readonly reason: string } | undefined;
}

/**
 * The rendition whose sound viewers get; undefined: none, it goes as it is. Opus has one, which does nothing, so that they go on hearing when
 * the next publisher sends AAC.
 */
export function bridgeFor(codec: Codec | undefined): BridgedCodec | undefined {
  return codec === 'aac' || codec === 'opus' ? 'opus' : undefined;
}

/** As the stream is now; `reencodes`: its pictures may be re-encoded. Which codecs one browser has is between it and its offer. */
export function watchable(stream: Pick<Stream, 'replay' | 'order'>, reencodes: boolean): Watchable {
  if (stream.order.reordered && !reencodes) return { watchable: false, lack: REORDERED };
  const { video, audio } = streamFacts(stream);
  if (video !== undefined && rtpFormatOf(video.codec) === undefined)
    return { watchable: false, lack: lackOf(video.codec) };
  const sound = bridgeFor(audio?.codec) ?? audio?.codec;
  if (sound === undefined || rtpFormatOf(sound) !== undefined) return { watchable: (video ?? sound) !== undefined };
  return { watchable: video !== undefined, lack: lackOf(sound) };
}

function lackOf(codec: Codec) {
  return { code: 'webrtc/codecs', reason: uncarriedWords(codec) };
}
