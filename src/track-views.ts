/**
 * The tracks of a stream as the HTTP doors show them.
 */
import type { TrackView } from './http/views.ts';
import { describeStream } from './media/codec-description.ts';
import type { Stream } from './relay/stream.ts';

/** As far as known by now. */
export function trackViews(stream: Stream): readonly TrackView[] {
  const { video, audio, others } = describeStream(stream.replay());
  return [video, audio, ...others].filter((track) => track !== undefined);
}
