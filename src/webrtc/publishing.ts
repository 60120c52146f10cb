/**
 * What a publishing client does: its packets become frames of a stream.
 */
import type { Millis } from '../base/clock.ts';
import type { SourceQuality } from '../session/quality.ts';
import type { Negotiated } from './negotiated.ts';
import type { Activity, ActivityContext, MediaQuality } from './peer.ts';
import { RtpPublisher } from './rtp-publisher.ts';
import type { SourceStats, SourceTotals } from './rtp-receiver.ts';
import type { LastWords } from './signalling.ts';
import type { WebRtcSession } from './webrtc-session.ts';
import type { WebRtcWorld } from './world.ts';

/** Said to whoever has the stream now. */
const TAKEN_OVER = 'Another encoder with the same credentials took over this stream.';

export class Publishing implements Activity {
  readonly bytesSent = 0;
  readonly #world: WebRtcWorld;
  readonly #session: WebRtcSession;
  readonly #name: string;
  readonly #publisher: RtpPublisher;
  #heardAt: Millis;
  /** What of it the world's counts hold. */
  #counted: SourceTotals | undefined;

  /** Throws `RefusedError` when somebody else has the stream and may keep it. */
  constructor(world: WebRtcWorld, negotiated: Negotiated, { session, rtcp, dismiss }: ActivityContext) {
    const { hub, registry, clock, options } = world;
    this.#world = world;
    this.#session = session;
    this.#name = session.stream!.name;
    this.#heardAt = clock.now();
    this.#publisher = new RtpPublisher({
      stream: hub.stream(session.app, this.#name),
      negotiated,
      options,
      clock,
      events: {
        rtcp,
        evicted: (reason) => dismiss('access/taken-over', reason),
        media: (kind) => {
          if (kind === 'video') world.counts.videoFrames += 1;
          else world.counts.audioFrames += 1;
        },
      },
      takeover: takeover(world, session, this.#name),
    });
    registry.claim(session, this.#name);
  }

  quality(): MediaQuality {
    const sources = this.#publisher.stats();
    const relayed = sources.filter(({ active }) => active);
    const codecs = (['video', 'audio'] as const).flatMap(
      (kind) => relayed.find((source) => source.kind === kind) ?? [],
    );
    return { codecs: codecs.map(({ codec }) => codec), receiving: sources.map(sourceQuality) };
  }

  path(): void {}

  rtp(packet: Buffer): void {
    this.#heardAt = this.#world.clock.now();
    this.#publisher.rtp(packet);
    this.#session.hasVideo = this.#publisher.hasVideo;
    this.#session.hasAudio = this.#publisher.hasAudio;
  }

  rtcp(compound: Buffer): void {
    this.#publisher.rtcp(compound);
  }

  check(): LastWords | undefined {
    this.#count();
    const { clock, options } = this.#world;
    if (clock.now() - this.#heardAt <= options.publishTimeout) return undefined;
    return { code: 'webrtc/silent', reason: 'No media came for too long.' };
  }

  close(): void {
    this.#count();
    this.#world.registry.release(this.#session, this.#name);
    this.#publisher.close();
    this.#world.gate.published(this.#session);
  }

  /** Brings the world's counts up to date. */
  #count(): void {
    const { ingest } = this.#world.counts;
    const totals = this.#publisher.totals();
    for (const name of ['packets', 'lost', 'recovered', 'nacks', 'plis'] as const) {
      ingest[name] += totals[name] - (this.#counted?.[name] ?? 0);
    }
    this.#counted = totals;
  }
}

function sourceQuality(stats: SourceStats): SourceQuality {
  const { kind, codec, rid, active, packets, lost, recovered, jitter, rtt, plis } = stats;
  const { bitrate, nacks, frames, keyFrames, width, height } = stats;
  return {
    ...{ kind, codec, layer: rid, relayed: active, packets, packetsLost: lost, packetsRecovered: recovered },
    ...{ jitterMillis: jitter, rttMillis: recovered > 0 ? rtt : undefined, bitrate, nacks, keyFrameRequests: plis },
    ...{ frames, keyFrames, width, height },
  };
}

/** Why the one who publishes `name` now must go; undefined when there is nobody or it may stay. */
export function takeover(
  { registry, gate }: Pick<WebRtcWorld, 'registry' | 'gate'>,
  session: WebRtcSession,
  name: string,
): string | undefined {
  const holder = registry.publisherOf(session.app, name);
  if (holder === undefined || holder === session) return undefined;
  return gate.mayTakeOver(session, holder) ? TAKEN_OVER : undefined;
}
