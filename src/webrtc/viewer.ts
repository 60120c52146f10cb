/**
 * One viewer of an audience: its places in the tracks, what it says by RTCP, and what it is told.
 */
import type { Millis } from '../base/clock.ts';
import type { RtpMedia } from './negotiated.ts';
import type { Path } from './path.ts';
import { Retransmission } from './retransmission.ts';
import { type NtpTime, type ReportBlock, type RtcpItem, readRtcp } from './rtcp.ts';
import type { Nack } from './rtcp-feedback.ts';
import type { RtpTrack } from './rtp-track.ts';
import { senderReports } from './sender-report.ts';
import type { SrtpBatch, ViewerKeys } from './srtp-batch.ts';
import { TrackCursor } from './track-cursor.ts';
import { BitrateMeter, roundTrip, TrackQuality, type ViewerStats } from './viewer-quality.ts';

export interface ViewerEvents {
  /** A compound for the client, not yet protected. */
  rtcp(compound: Buffer): void;
  /** The packets of a first key frame are on their way. Once. */
  pictured?(): void;
  /** The stream goes on in another codec than was agreed: nothing of it is sent any more. Once. */
  changed(): void;
  /** The publisher is back. */
  began(): void;
  /** The publisher has left; another may come. */
  ended(): void;
}

/** Plain numbers. */
export interface ViewerCounts {
  nacks: number;
  retransmitted: number;
  pictureRequests: number;
}

/** What a viewer asks of its audience. */
export interface ViewerHome {
  readonly batch: SrtpBatch;
  /** Of all viewers. */
  readonly counts: ViewerCounts;
  readonly cname: string;
  readonly rtxSsrc: number;
  /** Room for one packet. */
  readonly scratch: Buffer;
  now(): Millis;
  ntp(): NtpTime;
  /** Below 32,768. */
  firstIndex(): number;
  /** It can be reached, for the first time. */
  reached(viewer: Viewer): void;
  wantsKeyFrame(viewer: Viewer): void;
  leave(viewer: Viewer): void;
}

/** A viewer's part in one track. */
interface Share {
  readonly track: RtpTrack;
  readonly cursor: TrackCursor;
  readonly quality: TrackQuality;
  readonly retransmission: Retransmission | undefined;
}

export class Viewer {
  readonly events: ViewerEvents;
  readonly keys: ViewerKeys;
  readonly video: TrackCursor | undefined;
  readonly audio: TrackCursor | undefined;
  /** When it was last sent the cached key frame because it asked for one. */
  restartedAt: Millis = Number.NEGATIVE_INFINITY;
  readonly #home: ViewerHome;
  readonly #shares: readonly Share[];
  readonly #meter: BitrateMeter;
  #path: Path | undefined;
  #rtt: Millis = 0;
  #estimated = 0;
  #pli = 0;
  #freezes = 0;
  /** Where the group of pictures begins that was last asked in. */
  #frozenAt: number | undefined;
  #nack = 0;
  #reported = false;
  #changed = false;

  /** `media`: as it was agreed for each track. */
  constructor(
    home: ViewerHome,
    keys: ViewerKeys,
    events: ViewerEvents,
    media: readonly { readonly track: RtpTrack; readonly media: RtpMedia }[],
  ) {
    this.#home = home;
    this.keys = keys;
    this.events = events;
    this.#meter = new BitrateMeter(home.now());
    this.#shares = media.map(({ track, media }) => this.#share(track, media));
    this.video = this.#cursor('video');
    this.audio = this.#cursor('audio');
  }

  get path(): Path | undefined {
    return this.#path;
  }

  set path(path: Path | undefined) {
    const first = this.#path === undefined && path !== undefined;
    this.#path = path;
    if (first) this.#home.reached(this);
  }

  /** Bytes of RTP, headers and tags included. */
  get bytesSent(): number {
    let sum = 0;
    for (const { cursor, retransmission } of this.#shares) sum += cursor.wireBytes + (retransmission?.wireBytes ?? 0);
    return sum;
  }

  started(cursor: TrackCursor): void {
    if (cursor === this.video) this.events.pictured?.();
  }

  /** One compound, decrypted, whatever is in it. */
  rtcp(compound: Buffer): void {
    for (const item of readRtcp(compound)) this.#take(item);
  }

  /** A sender report has gone out. */
  get reported(): boolean {
    return this.#reported;
  }

  /** Tells the client what belongs together, as soon as it has been sent something. */
  report(now: Millis): void {
    const sent = this.#shares.filter(({ cursor }) => cursor.packets > 0);
    if (sent.length === 0) return;
    this.#reported = true;
    this.#meter.measure(this.bytesSent, now);
    const tracks = sent.map(({ track, cursor }) => ({
      ssrc: track.ssrc,
      clock: track.clock,
      packets: cursor.packets,
      bytes: cursor.bytes,
    }));
    this.events.rtcp(senderReports(tracks, this.#home.cname, this.#home.ntp(), now));
  }

  /** Nothing fits any more; said once. */
  tellChanged(): void {
    if (this.#changed) return;
    this.#changed = true;
    this.events.changed();
  }

  stats(): ViewerStats {
    const leading = this.#shares.find(({ track }) => track.kind === 'video') ?? this.#shares[0];
    let packets = 0;
    let reports = 0;
    let lost = 0;
    let loss = 0;
    let retransmitted = 0;
    for (const { cursor, quality, retransmission } of this.#shares) {
      packets += cursor.packets;
      reports += quality.reports;
      lost += quality.lost;
      loss = Math.max(loss, quality.loss);
      retransmitted += retransmission?.packets ?? 0;
    }
    return {
      reports,
      loss,
      lost,
      rttMillis: this.#rtt,
      jitterMillis: leading?.quality.jitterMillis ?? 0,
      bitrate: this.#meter.rate,
      estimatedBitrate: this.#estimated,
      packets: packets + retransmitted,
      bytes: this.bytesSent,
      retransmitted,
      pli: this.#pli,
      freezes: this.#freezes,
      nack: this.#nack,
    };
  }

  /** Idempotent; no event follows. */
  leave(): void {
    this.#home.leave(this);
  }

  #share(track: RtpTrack, { codecs }: RtpMedia): Share {
    const home = this.#home;
    const { payloadType, rtx, clockRate, feedback } = codecs[0]!;
    const cursor = new TrackCursor(this, payloadType, home.firstIndex());
    const form =
      rtx === undefined ? undefined : { ssrc: home.rtxSsrc, payloadType: rtx, firstIndex: home.firstIndex() };
    return {
      track,
      cursor,
      quality: new TrackQuality(clockRate),
      retransmission: feedback.nack
        ? new Retransmission(home.batch, track, cursor, track.kind === 'video' ? form : undefined, home.scratch)
        : undefined,
    };
  }

  #cursor(kind: string): TrackCursor | undefined {
    return this.#shares.find(({ track }) => track.kind === kind)?.cursor;
  }

  #take(item: RtcpItem): void {
    switch (item.type) {
      case 'rr':
      case 'sr':
        for (const block of item.blocks) this.#report(block);
        break;
      case 'nack':
        this.#resend(item);
        break;
      case 'pli':
      case 'fir':
        this.#countPicture();
        this.#home.wantsKeyFrame(this);
        break;
      case 'remb':
        this.#estimated = item.bitrate;
        break;
    }
  }

  #report(block: ReportBlock): void {
    this.#shares.find(({ track }) => track.ssrc === block.ssrc)?.quality.take(block);
    const trip = roundTrip(block, this.#home.ntp());
    if (trip !== undefined) this.#rtt = trip;
  }

  #countPicture(): void {
    this.#pli += 1;
    this.#home.counts.pictureRequests += 1;
    const shown = this.#shares.find(({ cursor }) => cursor === this.video);
    if (shown === undefined || shown.cursor.packets === 0) return;
    // a client repeats itself until the next key frame comes
    const { keyAt } = shown.track.ring;
    if (keyAt !== this.#frozenAt) this.#freezes += 1;
    this.#frozenAt = keyAt;
  }

  #resend({ media, lost }: Nack): void {
    const { counts } = this.#home;
    this.#nack += lost.length;
    counts.nacks += lost.length;
    const again = this.#shares.find(({ track }) => track.ssrc === media)?.retransmission;
    if (again === undefined) return;
    const before = again.packets;
    again.answer(lost, this.#home.now(), this.#meter.rate / 8, this.#rtt);
    counts.retransmitted += again.packets - before;
  }
}
