/**
 * All WebRTC viewers of one source who get the same packets: one subscriber, however many they are.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Codec, Frame } from '../media/frame.ts';
import type { Source } from '../relay/source.ts';
import type { Subscriber, Subscription } from '../relay/stream.ts';
import { KeyFrameSupply } from './key-frame-supply.ts';
import type { Negotiated, RtpMedia } from './negotiated.ts';
import type { RingLimits } from './packet-ring.ts';
import { RtpClock } from './rtp-clock.ts';
import { packetizerOf } from './rtp-formats.ts';
import { writeExtensions } from './rtp-header.ts';
import { RtpTrack, type TrackKind } from './rtp-track.ts';
import type { NtpClock } from './sender-report.ts';
import { SendingTimeline } from './sending-timeline.ts';
import type { SrtpFanOut } from './srtp-fan-out.ts';
import type { SrtpKeys } from './srtp-keys.ts';
import { Viewer, type ViewerEvents, type ViewerHome } from './viewer.ts';

/** One set for the whole process, as every session has keys of its own. For the SDP. */
export interface SendingSources {
  readonly video: number;
  readonly videoRtx: number;
  readonly audio: number;
  readonly cname: string;
}

/** What all audiences share. */
export interface AudienceWorld {
  readonly clock: Clock;
  readonly ntp: NtpClock;
  readonly random: (count: number) => Buffer;
  readonly fanOut: SrtpFanOut;
  readonly sources: SendingSources;
  readonly counts: AudienceCounts;
  /** Bytes of one plain packet, at most. */
  readonly packetBytes: number;
}

/** Plain numbers of all audiences, those that are gone included. */
export interface AudienceCounts {
  /** Publishers were asked for a key frame. */
  keyFrameRequests: number;
  /** Viewers got the key frame of the cache again. */
  restarts: number;
  /** Packets that viewers asked for again, and those of them that they were sent. */
  nacks: number;
  retransmitted: number;
  /** Key frames that viewers asked for. */
  pictureRequests: number;
}

/** Ring of the picture: a second and a half for lost packets, or the whole group since the key frame. Of sound: for lost packets. */
const VIDEO_RING = { minSlots: 256, maxSlots: 8_192, keep: 1_500_000 } as const;
const AUDIO_RING = { minSlots: 64, maxSlots: 2_048, keep: 1_500_000 } as const;
/** A newcomer far behind the live edge is worth a new key frame, if the publisher can make one. */
const ASK_BEHIND = 2_000_000;
/** A viewer gets the cached key frame again this often at most, and not before the group has been shown. */
const RESTART_INTERVAL: Millis = 1_000;
/** What RTX adds to a packet (RFC 4588). */
const RTX_BYTES = 2;
/** Every beat, a part of the viewers is reported to. */
const BEATS_PER_REPORT = 20;

/** What packets look like but for what is each viewer's own: all that sets one audience of a source apart from another. */
export interface AudienceForm {
  readonly video: MediaForm | undefined;
  readonly audio: MediaForm | undefined;
}

export interface MediaForm {
  readonly codec: Codec;
  /** Hz; follows from the codec. */
  readonly clockRate: number;
  /** Identifier of the extension that has pictures shown at once; undefined: nothing is said about that. */
  readonly playoutDelay: number | undefined;
}

/** `delays`: with the extension, if it was agreed. */
export function audienceForm({ video, audio }: Negotiated, delays: boolean): AudienceForm {
  return { video: video && mediaForm(video, delays), audio: audio && mediaForm(audio, false) };
}

function mediaForm({ codecs, extensions }: RtpMedia, delays: boolean): MediaForm {
  const { codec, clockRate } = codecs[0]!;
  return { codec, clockRate, playoutDelay: delays ? extensions.playoutDelay : undefined };
}

export function formName({ video, audio }: AudienceForm): string {
  return `${video?.codec} ${video?.playoutDelay} ${audio?.codec}`;
}

export class RtpAudience implements Subscriber {
  readonly #world: AudienceWorld;
  readonly #home: ViewerHome;
  readonly #viewers: Viewer[] = [];
  readonly #video: RtpTrack | undefined;
  readonly #audio: RtpTrack | undefined;
  readonly #timeline = new SendingTimeline();
  readonly #supply: KeyFrameSupply;
  readonly #subscription: Subscription;
  readonly #onEmpty: () => void;
  /** A key frame has come since the publisher began; what comes before is of no use. */
  #anchored = false;
  #beat = 0;

  constructor(world: AudienceWorld, source: Source, form: AudienceForm, onEmpty: () => void) {
    this.#world = world;
    this.#onEmpty = onEmpty;
    this.#video = form.video && this.#track('video', form.video, VIDEO_RING);
    this.#audio = form.audio && this.#track('audio', form.audio, AUDIO_RING);
    this.#home = this.#makeHome();
    this.#supply = new KeyFrameSupply(() => {
      world.counts.keyFrameRequests += 1;
      this.#subscription.requestKeyFrame();
    });
    // first, as the frames of the cache may show that a key frame is wanted
    this.#subscription = source.subscribe(this);
    const replay = source.replay();
    // a configuration may be as old as the stream
    const newest = replay.findLast((frame) => frame.role !== 'config' && this.#trackOf(frame) !== undefined);
    if (newest !== undefined) this.#timeline.anchor(newest, world.clock.now());
    for (const frame of replay) this.write(frame);
  }

  get viewers(): number {
    return this.#viewers.length;
  }

  /** A viewer of the form of this audience. It is sent something as soon as it has a path. */
  join(negotiated: Negotiated, keys: SrtpKeys, events: ViewerEvents): Viewer {
    const media = [
      { track: this.#video, media: negotiated.video },
      { track: this.#audio, media: negotiated.audio },
    ].filter(
      (part): part is { track: RtpTrack; media: RtpMedia } => part.track !== undefined && part.media !== undefined,
    );
    const viewer = new Viewer(this.#home, this.#world.fanOut.batch.keysOf(keys), events, media);
    this.#viewers.push(viewer);
    if (viewer.video !== undefined) this.#video?.cursors.push(viewer.video);
    if (viewer.audio !== undefined) this.#audio?.cursors.push(viewer.audio);
    return viewer;
  }

  write(frame: Frame): void {
    const track = this.#trackOf(frame);
    if (track === undefined) return;
    if (frame.codec !== track.codec) {
      this.#changed();
      return;
    }
    if (frame.role === 'config') return;
    const key = track.kind === 'video' && frame.role === 'key';
    if (track.kind === 'video' && !this.#anchored && !key) return;
    const now = this.#world.clock.now();
    if (!track.write(frame, this.#timeline.shiftOf(track.kind, frame, now))) return;
    if (key) {
      this.#anchored = true;
      this.#supply.answered(track.ring, now);
    } else if (track.kind === 'video') {
      this.#supply.grown(track.ring, now);
    }
    this.#world.fanOut.wake(track);
  }

  began(): void {
    this.#timeline.began();
    this.#anchored = false;
    if (this.#video !== undefined) this.#supply.forget(this.#video.ring);
    for (const viewer of [...this.#viewers]) viewer.events.began();
  }

  ended(): void {
    this.#video?.forget();
    for (const viewer of [...this.#viewers]) viewer.events.ended();
  }

  /** Several times a second. */
  beat(now: Millis): void {
    this.#beat = (this.#beat + 1) % BEATS_PER_REPORT;
    const viewers = this.#viewers;
    for (let at = 0; at < viewers.length; at++) {
      const viewer = viewers[at]!;
      if (at % BEATS_PER_REPORT === this.#beat || !viewer.reported) viewer.report(now);
      if (viewer.video?.waits && viewer.path !== undefined) this.#supply.ask(now);
    }
  }

  #trackOf(frame: Frame): RtpTrack | undefined {
    if (frame.track !== 0 || frame.codec === 'metadata' || frame.codec === 'other') return undefined;
    if (frame.kind === 'video') return this.#video;
    return frame.kind === 'audio' ? this.#audio : undefined;
  }

  #track(kind: TrackKind, media: MediaForm, ring: Omit<RingLimits, 'packetBytes'>): RtpTrack {
    const { sources, random, packetBytes } = this.#world;
    const { codec, clockRate, playoutDelay } = media;
    const packetize = packetizerOf(codec);
    if (packetize === undefined) throw new TypeError(`${codec} was agreed and has no form as RTP`);
    const form = {
      ...{ kind, codec, ssrc: sources[kind], packetize },
      clock: new RtpClock(clockRate, random(4).readUInt32BE()),
      // shown as soon as decoded: least and most delay of zero
      keyExtensions:
        playoutDelay === undefined ? undefined : writeExtensions([{ id: playoutDelay, value: Buffer.alloc(3) }]),
    };
    return new RtpTrack(form, { ...ring, packetBytes });
  }

  #makeHome(): ViewerHome {
    const { clock, ntp, random, fanOut, sources, counts, packetBytes } = this.#world;
    return {
      counts,
      batch: fanOut.batch,
      cname: sources.cname,
      rtxSsrc: sources.videoRtx,
      scratch: Buffer.alloc(packetBytes + RTX_BYTES),
      now: () => clock.now(),
      ntp: () => ntp.now(),
      firstIndex: () => random(2).readUInt16BE() >> 1,
      reached: (viewer) => this.#start(viewer),
      wantsKeyFrame: (viewer) => this.#wantsKeyFrame(viewer),
      leave: (viewer) => this.#leave(viewer),
    };
  }

  /**
   * The picture at the key frame, or with the next one; the sound with what comes now. A burst of it would fill the client's buffer,
   * which sound leaves at its own pace, and put it behind the picture for seconds.
   */
  #start(viewer: Viewer): void {
    const now = this.#world.clock.now();
    const { video, audio } = viewer;
    if (video !== undefined && this.#video !== undefined) {
      const pictured = this.#video.start(video);
      if (!pictured || this.#video.lag(video) > ASK_BEHIND) this.#supply.ask(now);
      if (pictured) this.#world.fanOut.wake(this.#video);
    }
    if (audio === undefined || this.#audio === undefined) return;
    this.#audio.start(audio);
  }

  #wantsKeyFrame(viewer: Viewer): void {
    const track = this.#video;
    const cursor = viewer.video;
    if (track === undefined || cursor === undefined) return;
    const { keyAt } = track.ring;
    // one is on its way
    if (keyAt >= 0 && !cursor.waits && cursor.position <= keyAt) return;
    const now = this.#world.clock.now();
    this.#supply.ask(now);
    if (keyAt < 0 || !this.#supply.inVain(now)) return;
    const shown = (track.ring.timeOf(track.ring.end - 1) - track.ring.timeOf(keyAt)) / 1000;
    if (now - viewer.restartedAt < Math.max(RESTART_INTERVAL, shown)) return;
    viewer.restartedAt = now;
    this.#world.counts.restarts += 1;
    cursor.moveTo(keyAt);
    this.#world.fanOut.wake(track);
  }

  #changed(): void {
    for (const viewer of [...this.#viewers]) viewer.tellChanged();
  }

  #leave(viewer: Viewer): void {
    if (!remove(this.#viewers, viewer)) return;
    if (viewer.video !== undefined && this.#video !== undefined) remove(this.#video.cursors, viewer.video);
    if (viewer.audio !== undefined && this.#audio !== undefined) remove(this.#audio.cursors, viewer.audio);
    if (this.#viewers.length > 0) return;
    this.#subscription.close();
    this.#onEmpty();
  }
}

function remove<Item>(list: Item[], item: Item): boolean {
  const at = list.indexOf(item);
  if (at < 0) return false;
  list.splice(at, 1);
  return true;
}
