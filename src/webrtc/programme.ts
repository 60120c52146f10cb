/**
 * What a viewer gets of a stream: which of its media as they are, and which in another codec.
 */
import type { Clock } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import type { Codec } from '../media/frame.ts';
import { carriedByMatroska } from '../media/picture-bridge/matroska.ts';
import type { RenditionCodec } from '../relay/rendition.ts';
import type { Source } from '../relay/source.ts';
import type { Stream } from '../relay/stream.ts';
import { bestFor, COMMON_PROFILE, type WantedMedia } from './codec-choice.ts';
import { lackOfPictures, REORDERED } from './lack-of-pictures.ts';
import type { Wanted } from './negotiation.ts';
import type { RemoteDescription } from './remote-description.ts';
import { rtpFormatOf } from './rtp-formats.ts';
import { settledFacts } from './stream-facts.ts';
import { bridgeFor } from './watchable.ts';

export interface Programme {
  readonly wanted: Wanted;
  /** What the stream is translated into first. */
  readonly renditions: readonly RenditionCodec[];
}

export interface Broadcast {
  readonly clock: Clock;
  readonly stream: Stream;
  /** Pictures that the viewer cannot show may be re-encoded. */
  readonly reencodes: boolean;
  readonly rendition: (stream: Stream, ...to: readonly RenditionCodec[]) => Source;
}

const REENCODED: WantedMedia = { codec: 'h264', profile: COMMON_PROFILE };
/** Browsers that lack it are many. */
const RARE: ReadonlySet<Codec> = new Set(['hevc']);

/** `remote`: the client's offer; undefined: it waits for ours. Throws `RefusedError` when there is nothing that it could be shown. */
export async function programmeOf(
  { clock, stream, reencodes, rendition }: Broadcast,
  remote: RemoteDescription | undefined,
): Promise<Programme> {
  const { video, audio } = await settledFacts(stream, clock);
  const { reordered } = stream.order;
  const may = reencodes && video !== undefined && carriedByMatroska(video.codec);
  if (reordered && !may) throw new RefusedError(REORDERED.code, REORDERED.reason);
  const pictures = may && (reordered || lacks(video, remote));
  if (pictures) {
    const { failure } = rendition(stream, 'h264');
    if (failure !== undefined) {
      const { code, reason } = lackOfPictures(failure, reordered);
      throw new RefusedError(code, reason);
    }
  }
  const bridge = bridgeFor(audio?.codec);
  const sound = bridge === undefined ? audio : { codec: bridge };
  if (video === undefined && sound === undefined) {
    throw new RefusedError('stream/not-found', 'The stream has shown nothing yet.');
  }
  const renditions: RenditionCodec[] = [];
  if (pictures) renditions.push('h264');
  if (bridge !== undefined) renditions.push(bridge);
  return { wanted: { video: pictures ? REENCODED : video, audio: sound && carried(sound) }, renditions };
}

/** Would the client have H.264, and has it nothing for `video`? */
function lacks(video: WantedMedia, remote: RemoteDescription | undefined): boolean {
  if (remote === undefined) return RARE.has(video.codec);
  const sections = remote.sections.filter(({ kind, off }) => kind === 'video' && !off);
  const shows = (wanted: WantedMedia) => sections.some((section) => bestFor(wanted, section) !== undefined);
  return !shows(video) && shows(REENCODED);
}

/** Sound that RTP cannot carry is left out: a picture without it is better than none. */
function carried(sound: { readonly codec: Codec }): { readonly codec: Codec } | undefined {
  return rtpFormatOf(sound.codec) === undefined ? undefined : sound;
}
