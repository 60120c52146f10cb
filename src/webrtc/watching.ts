/**
 * What a watching client does: it is one viewer of a stream's audience.
 */
import type { Millis } from '../base/clock.ts';
import type { Codec } from '../media/frame.ts';
import type { RenditionCodec } from '../relay/rendition.ts';
import type { Source } from '../relay/source.ts';
import type { Stream } from '../relay/stream.ts';
import type { SendingQuality } from '../session/quality.ts';
import { lackOfPictures, REORDERED } from './lack-of-pictures.ts';
import type { Negotiated } from './negotiated.ts';
import type { Path } from './path.ts';
import type { Activity, ActivityContext, MediaQuality } from './peer.ts';
import type { LastWords } from './signalling.ts';
import { streamFacts } from './stream-facts.ts';
import type { Viewer } from './viewer.ts';
import type { ViewerStats } from './viewer-quality.ts';
import { bridgeFor } from './watchable.ts';
import type { WebRtcWorld } from './world.ts';

/** What to watch, and as what. */
export interface Wish {
  readonly app: string;
  readonly stream: string;
  readonly negotiated: Negotiated;
  /** What the stream is translated into first. */
  readonly renditions: readonly RenditionCodec[];
  /** When it was asked for; monotonic. */
  readonly since: Millis;
}

export class Watching implements Activity {
  readonly #world: WebRtcWorld;
  readonly #stream: Stream;
  readonly #source: Source;
  readonly #reencoded: boolean;
  readonly #viewer: Viewer;
  readonly #codecs: readonly string[];
  /** Since when nobody publishes. */
  #waitingSince: Millis | undefined;
  #changed = false;
  /** Codecs that the client would have taken, had there been any of their kind. */
  readonly #idle: readonly Codec[];
  /** Frames of the stream when they were last looked for. */
  #looked = 0;

  constructor(world: WebRtcWorld, wish: Wish, { keys, rtcp }: ActivityContext) {
    const { hub, audiences, rendition, clock, observeJoin } = world;
    const { negotiated, since } = wish;
    this.#world = world;
    // asked again, as a stream that nobody used since the offer is another one now
    this.#stream = hub.stream(wish.app, wish.stream);
    if (!this.#stream.live) this.#waitingSince = clock.now();
    this.#source = rendition(this.#stream, ...wish.renditions);
    this.#reencoded = wish.renditions.includes('h264');
    this.#codecs = [negotiated.video, negotiated.audio].flatMap((media) => media?.codecs[0]?.codec ?? []);
    this.#idle = negotiated.idle ?? [];
    this.#viewer = audiences.join(this.#source, negotiated, keys, {
      rtcp,
      pictured: () => observeJoin(clock.now() - since),
      changed: () => {
        this.#changed = true;
      },
      began: () => {
        this.#waitingSince = undefined;
      },
      ended: () => {
        this.#waitingSince ??= clock.now();
      },
    });
  }

  get bytesSent(): number {
    return this.#viewer.bytesSent;
  }

  quality(): MediaQuality {
    return { codecs: this.#codecs, sending: sendingQuality(this.#viewer.stats()) };
  }

  path(path: Path): void {
    this.#viewer.path = path;
  }

  /** Viewers send none; what comes is probing. */
  rtp(): void {}

  rtcp(compound: Buffer): void {
    this.#viewer.rtcp(compound);
  }

  check(): LastWords | undefined {
    const { order, app } = this.#stream;
    const { clock, options, reencodes } = this.#world;
    const { failure } = this.#source;
    if (failure !== undefined) return lackOfPictures(failure, order.reordered);
    const reordered = order.reordered && !this.#reencoded;
    if (reordered && !reencodes(app)) return REORDERED;
    if (reordered || this.#changed) {
      return { code: 'stream/changed', reason: 'The stream goes on in another codec; play it again.' };
    }
    if (this.#gained()) {
      return { code: 'stream/changed', reason: 'The stream has sound or pictures now that it had not; play it again.' };
    }
    if (this.#waitingSince === undefined || options.playWait === 0) return undefined;
    if (clock.now() - this.#waitingSince <= options.playWait) return undefined;
    return { code: 'stream/not-found', reason: 'The stream has ended.' };
  }

  close(): void {
    this.#viewer.leave();
  }

  /** The stream shows what it lacked, as it would to who plays it now. */
  #gained(): boolean {
    const { live, counts } = this.#stream;
    const lacksSound = this.#viewer.audio === undefined;
    const frames = lacksSound ? counts.audioFrames : counts.videoFrames;
    if (this.#idle.length === 0 || !live || frames === this.#looked) return false;
    this.#looked = frames;
    const facts = streamFacts(this.#stream);
    const codec = lacksSound ? (bridgeFor(facts.audio?.codec) ?? facts.audio?.codec) : facts.video?.codec;
    return codec !== undefined && this.#idle.includes(codec);
  }
}

/** Figures of reports are zero until there is one, which would look like a perfect line. */
function sendingQuality(stats: ViewerStats): SendingQuality {
  const { loss, lost, rttMillis, jitterMillis, estimatedBitrate, retransmitted, pli, nack } = stats;
  const reported = stats.reports > 0;
  return {
    lossPercent: reported ? loss * 100 : undefined,
    packetsLost: reported ? lost : undefined,
    rttMillis: rttMillis > 0 ? rttMillis : undefined,
    jitterMillis: reported ? jitterMillis : undefined,
    bitrate: stats.bitrate,
    estimatedBitrate: estimatedBitrate > 0 ? estimatedBitrate : undefined,
    packetsSent: stats.packets,
    packetsRetransmitted: retransmitted,
    nacks: nack,
    keyFrameRequests: pli,
    freezes: stats.freezes,
  };
}
