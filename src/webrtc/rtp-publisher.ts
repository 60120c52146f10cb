/**
 * A publisher that sends RTP: its packets become frames of a stream, and it is told what was lost, when a key picture is needed and
 * how much it may send.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Publication, Publisher, Stream } from '../relay/stream.ts';
import { FrameTrack } from './frame-track.ts';
import { MediaTimeline } from './media-timeline.ts';
import type { Negotiated, RtpCodec } from './negotiated.ts';
import type { WebRtcOptions } from './options.ts';
import { ReceiverFeedback } from './receiver-feedback.ts';
import { readRtcp } from './rtcp.ts';
import type { AccessUnit } from './rtp.ts';
import { readRtpHeader } from './rtp-header.ts';
import { RtpReceiver, type SourceStats, type SourceTotals } from './rtp-receiver.ts';
import { type Layer, RtpSources } from './rtp-sources.ts';
import { LayerChoice } from './simulcast.ts';

export interface RtpPublisherParts {
  readonly stream: Stream;
  readonly negotiated: Negotiated;
  readonly options: Pick<WebRtcOptions, 'maxPublishBitrate'>;
  readonly clock: Clock;
  readonly events: RtpPublisherEvents;
  /** Why whoever has the stream must go; undefined: it may stay. */
  readonly takeover?: string | undefined;
}

export interface RtpPublisherEvents {
  /** To be encrypted and sent. */
  rtcp(compound: Buffer): void;
  /** Another publisher took the name. */
  evicted(reason: string): void;
  /** A frame was relayed. */
  media?(kind: 'audio' | 'video'): void;
}

/** Layers are compared so often. */
const LAYERS_EVERY: Millis = 500;

export class RtpPublisher implements Publisher {
  readonly #parts: RtpPublisherParts;
  readonly #publication: Publication;
  readonly #sources: RtpSources;
  readonly #timeline = new MediaTimeline();
  readonly #audio: LayerChoice;
  readonly #video: LayerChoice;
  readonly #audioTrack: FrameTrack;
  readonly #videoTrack: FrameTrack;
  readonly #feedback: ReceiverFeedback;
  /** Of sources that have left. */
  readonly #past: SourceTotals = { packets: 0, lost: 0, recovered: 0, nacks: 0, plis: 0 };
  #layersAt: Millis = 0;
  #closed = false;

  /** Takes the stream. Throws `RefusedError` when somebody has it and may stay. */
  constructor(parts: RtpPublisherParts) {
    const { stream, negotiated, options, clock, events, takeover } = parts;
    this.#parts = parts;
    this.#sources = new RtpSources(negotiated, {
      came: (layer, ssrc, codec) => this.#came(layer, ssrc, codec),
      left: (receiver) => this.#left(receiver),
    });
    const { layers } = this.#sources;
    this.#audio = new LayerChoice(layers.filter(({ media }) => media.kind === 'audio'));
    this.#video = new LayerChoice(layers.filter(({ media }) => media.kind === 'video'));
    this.#feedback = new ReceiverFeedback({
      negotiated,
      maxBitrate: options.maxPublishBitrate,
      clock,
      send: (compound) => events.rtcp(compound),
      receivers: () => this.#receivers(),
      check: (now) => this.#checkLayers(now),
    });
    // viewers that wait are told at once, and may ask for a key picture
    this.#publication = stream.publish(this, takeover);
    this.#audioTrack = new FrameTrack('audio', this.#publication);
    this.#videoTrack = new FrameTrack('video', this.#publication);
  }

  get hasVideo(): boolean {
    return this.#videoTrack.begun;
  }

  get hasAudio(): boolean {
    return this.#audioTrack.begun;
  }

  /** Takes one decrypted packet; its memory is the caller's again afterwards. Whatever is no RTP of this session is dropped. */
  rtp(packet: Buffer): void {
    const header = readRtpHeader(packet);
    if (header === undefined || this.#closed) return;
    const now = this.#parts.clock.now();
    this.#feedback.arrived(packet, now);
    const route = this.#sources.route(packet, header, now);
    if (route === undefined) return;
    const { receiver, repeats } = route;
    const payload = packet.subarray(header.payloadStart, header.payloadEnd);
    if (repeats === undefined) {
      receiver.take({ ...header, payload }, packet.length, now, false);
    } else if (payload.length >= 2) {
      // RFC 4588 section 4: the number of the original stands in front of its payload
      const { payloadType } = repeats;
      const sequence = payload.readUInt16BE(0);
      const original = { ...header, payloadType, sequence, ssrc: receiver.ssrc, payload: payload.subarray(2) };
      receiver.take(original, packet.length, now, true);
    }
  }

  /** Takes one decrypted compound. */
  rtcp(compound: Buffer): void {
    if (this.#closed) return;
    const now = this.#parts.clock.now();
    for (const item of readRtcp(compound)) {
      if (item.type === 'sr') {
        const receiver = this.#sources.receiverOf(item.ssrc);
        receiver?.reception?.reported(item.ntp, now);
        receiver?.clock.report(item.ntp, item.timestamp);
      } else if (item.type === 'bye') {
        for (const ssrc of item.sources) this.#sources.goodbye(ssrc);
      }
    }
  }

  requestKeyFrame(): void {
    const { active } = this.#video;
    if (active === undefined || this.#closed) return;
    this.#feedback.wantKey(active);
    this.#feedback.askForKey(active, this.#parts.clock.now());
  }

  evicted(reason: string): void {
    this.#parts.events.evicted(reason);
  }

  /** All sources, those of layers that nobody gets as well. */
  stats(): SourceStats[] {
    return this.#receivers().map((receiver) => {
      const { active } = receiver.media.kind === 'video' ? this.#video : this.#audio;
      return receiver.stats(receiver === active, this.#feedback.requested(receiver));
    });
  }

  /** Of all sources that there have been. */
  totals(): SourceTotals {
    const totals = { ...this.#past };
    for (const stats of this.stats()) add(totals, stats);
    return totals;
  }

  /** Leaves the stream. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#feedback.close();
    this.#publication.close();
  }

  #checkLayers(now: Millis): void {
    if (now < this.#layersAt) return;
    this.#layersAt = now + LAYERS_EVERY;
    for (const choice of [this.#audio, this.#video]) {
      choice.check(now);
      if (choice.next !== undefined) this.#feedback.wantKey(choice.next);
    }
  }

  #receivers(): RtpReceiver[] {
    return this.#sources.layers.flatMap(({ receiver }) => receiver ?? []);
  }

  #came(layer: Layer, ssrc: number, codec: RtpCodec): RtpReceiver {
    const { kind } = layer.media;
    const receiver = new RtpReceiver(layer, ssrc, codec, this.#timeline.source(codec.clockRate, kind === 'audio'), {
      unit: (from, unit) => this.#unit(from, unit),
      broken: (from) => this.#feedback.wantKey(from),
    });
    this.#feedback.came(receiver);
    return receiver;
  }

  #left(receiver: RtpReceiver): void {
    add(this.#past, receiver.stats(false, this.#feedback.requested(receiver)));
    this.#timeline.leave(receiver.clock);
    this.#feedback.left(receiver);
    this.#video.left(receiver);
    this.#audio.left(receiver);
  }

  #unit(receiver: RtpReceiver, unit: AccessUnit): void {
    const { kind } = receiver.media;
    const { codec } = receiver.codec;
    if (unit.key) {
      this.#feedback.keyCame(receiver);
      receiver.measure(unit);
    }
    const choice = kind === 'video' ? this.#video : this.#audio;
    if (this.#closed || !choice.passes(receiver, unit)) return;
    const track = kind === 'video' ? this.#videoTrack : this.#audioTrack;
    track.write(codec, unit, receiver.config, receiver.clock.time(unit.timestamp, this.#parts.clock.now()));
    this.#parts.events.media?.(kind);
  }
}

function add(totals: SourceTotals, { packets, lost, recovered, nacks, plis }: SourceTotals): void {
  totals.packets += packets;
  totals.lost += lost;
  totals.recovered += recovered;
  totals.nacks += nacks;
  totals.plis += plis;
}
