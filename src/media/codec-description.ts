/**
 * What a stream is, in words for people, the admin interface and the log. Anything goes in; what cannot be read is left out.
 */
import { type AudioDescription, describeAudio } from './audio-description.ts';
import type { Frame } from './frame.ts';
import { describeVideo, type VideoDescription } from './video-description.ts';

export type TrackDescription = VideoDescription | AudioDescription;

export interface StreamDescription {
  /** The first video track. */
  readonly video: VideoDescription | undefined;
  /** The first audio track. */
  readonly audio: AudioDescription | undefined;
  /** All further tracks, by track number. */
  readonly others: readonly TrackDescription[];
}

/**
 * Describes the stream that `frames` come from: its configurations, or better its replay, since some codecs tell their size or rate in
 * the coded frames only. Never throws.
 */
export function describeStream(frames: Iterable<Frame>): StreamDescription {
  const telling = new Map<string, Frame>();
  for (const message of frames) {
    consider(message, telling);
    for (const frame of message.others ?? []) consider(frame, telling);
  }
  const tracks = [...telling.values()].map(describeTrack).sort((a, b) => a.track - b.track);
  const video = tracks.find((track) => track.kind === 'video');
  const audio = tracks.find((track) => track.kind === 'audio');
  return { video, audio, others: tracks.filter((track) => track !== video && track !== audio) };
}

/** Keeps `frame` when it tells more about its track than what was kept: the last configuration, else the first frame that is key. */
function consider(frame: Frame, telling: Map<string, Frame>): void {
  if (frame.kind === 'data' || frame.codec === 'metadata') return;
  const slot = `${frame.kind} ${frame.track}`;
  const known = telling.get(slot);
  const more = known === undefined ? 1 : value(frame) - value(known);
  if (more > 0 || (more === 0 && frame.role === 'config')) telling.set(slot, frame);
}

function value(frame: Frame): number {
  // VP8 and VP9 have no size in their configuration, the frame names it
  const sizeless = frame.codec === 'vp8' || frame.codec === 'vp9';
  const rank = frame.role === 'config' ? 2 : frame.role === 'key' ? (sizeless ? 3 : 1) : 0;
  return frame.codec === 'other' ? rank - 3 : rank;
}

function describeTrack(frame: Frame): TrackDescription {
  return frame.kind === 'video' ? describeVideo(frame) : describeAudio(frame);
}
