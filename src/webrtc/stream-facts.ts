/**
 * What a stream carries now, as far as it has shown: what a viewer's offer is matched with.
 */
import { type Clock, type Millis, pause } from '../base/clock.ts';
import type { Codec, Frame } from '../media/frame.ts';
import { readAvcConfig } from '../media/h264.ts';
import type { Stream } from '../relay/stream.ts';

export interface StreamFacts {
  readonly video?: { readonly codec: Codec; readonly profile?: string | undefined } | undefined;
  readonly audio?: { readonly codec: Codec } | undefined;
}

/** A stream that has just begun shows the second kind of media within this time, or has none. */
const SETTLE: Millis = 2_000;
const LOOK_EVERY: Millis = 25;
/** So many frames of one kind from a publisher without any of the other: the other will not come. */
const FRAMES_ALONE = 45;

export function streamFacts(stream: Pick<Stream, 'replay'>): StreamFacts {
  let video: Frame | undefined;
  let audio: Frame | undefined;
  // a later configuration replaces an earlier one
  for (const frame of stream.replay()) {
    if (frame.codec === 'metadata' || frame.codec === 'other' || frame.track !== 0) continue;
    if (frame.kind === 'video' && (frame.role === 'config' || video === undefined)) video = frame;
    else if (frame.kind === 'audio' && (frame.role === 'config' || audio === undefined)) audio = frame;
  }
  return {
    video: video && { codec: video.codec, profile: profileOf(video) },
    audio: audio && { codec: audio.codec },
  };
}

/** The same, as soon as the stream has shown all it has; whatever it has shown by then after two seconds. */
export async function settledFacts(stream: Stream, clock: Clock): Promise<StreamFacts> {
  const deadline = clock.now() + SETTLE;
  for (;;) {
    const facts = streamFacts(stream);
    const { counts, countsBefore } = stream;
    if (facts.video !== undefined && facts.audio !== undefined) return facts;
    if (facts.video !== undefined && counts.videoFrames - countsBefore.videoFrames >= FRAMES_ALONE) return facts;
    if (facts.audio !== undefined && counts.audioFrames - countsBefore.audioFrames >= FRAMES_ALONE) return facts;
    if (clock.now() >= deadline || !stream.live) return facts;
    await pause(clock, LOOK_EVERY);
  }
}

/** `profile-level-id` of H.264, RFC 6184 section 8.1. */
function profileOf(frame: Frame): string | undefined {
  if (frame.codec !== 'h264' || frame.role !== 'config') return undefined;
  const config = readAvcConfig(frame.data);
  if (config === undefined) return undefined;
  return Buffer.of(config.profile, config.compatibility, config.level).toString('hex');
}
