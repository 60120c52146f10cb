/**
 * The WebRTC audiences of all sources, made for the first viewer of a form and gone with the last.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import type { Source } from '../relay/source.ts';
import type { Negotiated } from './negotiated.ts';
import {
  type AudienceCounts,
  type AudienceForm,
  type AudienceWorld,
  audienceForm,
  formName,
  RtpAudience,
  type SendingSources,
} from './rtp-audience.ts';
import { NtpClock } from './sender-report.ts';
import { SrtpFanOut } from './srtp-fan-out.ts';
import type { SrtpKeys } from './srtp-keys.ts';
import type { Viewer, ViewerEvents } from './viewer.ts';

export interface RtpAudiencesSetup {
  readonly clock: Clock;
  /** Random bytes. */
  readonly random: (count: number) => Buffer;
  /** Bytes of one UDP payload, at most: `WebRtcOptions.maxDatagram`. */
  readonly maxDatagram: number;
}

const BEAT: Millis = 50;
/**
 * Audiences of one source, each of which has packets and rings of its own. Clients choose the identifier of an extension: who would need
 * one more audience for that does without the extension, and that makes at most one more for each choice of media.
 */
const MAX_AUDIENCES = 8;
/** The longer tag, of GCM, and the number that RTX adds. */
const OVERHEAD = 16 + 2;
const CNAME_BYTES = 12;

export class RtpAudiences {
  readonly sources: SendingSources;
  readonly counts: AudienceCounts = {
    keyFrameRequests: 0,
    restarts: 0,
    nacks: 0,
    retransmitted: 0,
    pictureRequests: 0,
  };
  readonly #world: AudienceWorld;
  readonly #bySource = new Map<Source, Map<string, RtpAudience>>();
  /** One timer for all. */
  #beat: Timer | undefined;

  constructor({ clock, random, maxDatagram }: RtpAudiencesSetup) {
    // three numbers that differ
    const ssrc = (random(4).readUInt32BE() & ~3) >>> 0;
    this.sources = {
      video: ssrc,
      videoRtx: ssrc + 1,
      audio: ssrc + 2,
      cname: random(CNAME_BYTES).toString('base64url'),
    };
    this.#world = {
      ...{ clock, random, ntp: new NtpClock(clock), fanOut: new SrtpFanOut(clock) },
      ...{ sources: this.sources, counts: this.counts, packetBytes: maxDatagram - OVERHEAD },
    };
  }

  /** `negotiated`: with the one codec of each kind that is sent. The viewer gets media as soon as its `path` is set. */
  join(source: Source, negotiated: Negotiated, keys: SrtpKeys, events: ViewerEvents): Viewer {
    return this.#of(source, negotiated).join(negotiated, keys, events);
  }

  /** RTP sent to all viewers since the start, retransmissions included. */
  get packets(): number {
    return this.#world.fanOut.batch.packets;
  }

  /** Viewers of all sources. */
  get viewers(): number {
    let sum = 0;
    for (const audiences of this.#bySource.values()) for (const audience of audiences.values()) sum += audience.viewers;
    return sum;
  }

  #of(source: Source, negotiated: Negotiated): RtpAudience {
    let audiences = this.#bySource.get(source);
    if (audiences === undefined) {
      audiences = new Map();
      this.#bySource.set(source, audiences);
    }
    const form = fittingForm(audiences, negotiated);
    const name = formName(form);
    let audience = audiences.get(name);
    if (audience === undefined) {
      audience = new RtpAudience(this.#world, source, form, () => this.#gone(source, name));
      audiences.set(name, audience);
    }
    const { clock } = this.#world;
    this.#beat ??= clock.every(BEAT, () => this.#beatAll(clock.now()));
    return audience;
  }

  #gone(source: Source, name: string): void {
    const audiences = this.#bySource.get(source);
    audiences?.delete(name);
    if (audiences?.size === 0) this.#bySource.delete(source);
    if (this.#bySource.size > 0) return;
    this.#beat?.cancel();
    this.#beat = undefined;
  }

  #beatAll(now: Millis): void {
    for (const audiences of this.#bySource.values()) for (const audience of audiences.values()) audience.beat(now);
  }
}

function fittingForm(audiences: ReadonlyMap<string, RtpAudience>, negotiated: Negotiated): AudienceForm {
  const form = audienceForm(negotiated, true);
  return audiences.size < MAX_AUDIENCES || audiences.has(formName(form)) ? form : audienceForm(negotiated, false);
}
