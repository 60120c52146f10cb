/**
 * What a publisher is told: which packets lack (NACK), that a key picture is needed (PLI, or FIR where only that was agreed upon),
 * when its packets came (transport-wide feedback), how much it may send (REMB), and how it is received (receiver reports).
 *
 * Where arrival times are told, the publisher's own estimate rules, and a limit is only what the operator allows; browsers take the
 * smaller of both. Where they are not, the limit follows the losses.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import { ArrivalRecord } from './arrival-record.ts';
import { BandwidthEstimate } from './bandwidth-estimate.ts';
import { KeyFrameRequests } from './key-frame-requests.ts';
import type { Negotiated } from './negotiated.ts';
import { type ReportBlock, type RtcpItem, writeRtcp } from './rtcp.ts';
import { extensionNumber } from './rtp-header.ts';
import type { RtpReceiver } from './rtp-receiver.ts';

export interface FeedbackParts {
  readonly negotiated: Negotiated;
  /** Bits a second. */
  readonly maxBitrate: number;
  readonly clock: Clock;
  readonly send: (compound: Buffer) => void;
  readonly receivers: () => readonly RtpReceiver[];
  /** Called each `CHECK_EVERY`, before receivers are looked at. */
  readonly check: (now: Millis) => void;
}

/** Packets may overtake one another by this time before anything is asked for. */
const CHECK_EVERY: Millis = 20;
/** The draft's section 4 asks for 50 to 250 ms. */
const ARRIVALS_EVERY: Millis = 60;
const LIMIT_EVERY: Millis = 500;
const REPORT_EVERY: Millis = 1_000;
/** Who we are in RTCP: a session has one receiver. */
const OWN_SSRC = 1;
const CNAME = 'castgate';

export class ReceiverFeedback {
  readonly #parts: FeedbackParts;
  readonly #requests = new Map<RtpReceiver, KeyFrameRequests>();
  /** Of the extension; undefined where arrival times were not agreed upon. */
  readonly #arrivalsId: number | undefined;
  readonly #arrivals = new ArrivalRecord();
  readonly #tellsLimit: boolean;
  readonly #estimate: BandwidthEstimate;
  #expected = 0;
  #received = 0;
  #timer: Timer | undefined;
  #arrivalsAt: Millis = 0;
  #limitAt: Millis = 0;
  #reportAt: Millis = 0;

  constructor(parts: FeedbackParts) {
    const { negotiated, maxBitrate } = parts;
    this.#parts = parts;
    const media = [negotiated.audio, negotiated.video].filter((each) => each !== undefined);
    const codecs = media.flatMap((each) => each.codecs);
    const tellsArrivals = codecs.some(({ feedback }) => feedback.transportCc);
    this.#arrivalsId = tellsArrivals ? media.map((each) => each.extensions.transportCc).find(Boolean) : undefined;
    this.#tellsLimit = codecs.some(({ feedback }) => feedback.remb);
    this.#estimate = new BandwidthEstimate(maxBitrate);
  }

  /** A packet came, whatever it is; its header is whole. The first sets the clock going. */
  arrived(packet: Buffer, now: Millis): void {
    if (this.#arrivalsId !== undefined) {
      const sequence = extensionNumber(packet, this.#arrivalsId);
      if (sequence !== undefined) this.#arrivals.take(sequence & 0xffff, now);
    }
    if (this.#timer !== undefined) return;
    this.#reportAt = now + REPORT_EVERY;
    this.#timer = this.#parts.clock.every(CHECK_EVERY, () => this.#check());
  }

  close(): void {
    this.#timer?.cancel();
  }

  came(receiver: RtpReceiver): void {
    if (receiver.media.kind === 'video') this.#requests.set(receiver, new KeyFrameRequests(this.#parts.clock.now()));
  }

  left(receiver: RtpReceiver): void {
    this.#requests.delete(receiver);
  }

  /** Key pictures that `receiver` was asked for. */
  requested(receiver: RtpReceiver): number {
    return this.#requests.get(receiver)?.count ?? 0;
  }

  /** A key picture is needed: it is asked for as soon as the pace allows. */
  wantKey(receiver: RtpReceiver): void {
    this.#requests.get(receiver)?.want();
  }

  keyCame(receiver: RtpReceiver): void {
    this.#requests.get(receiver)?.answered();
  }

  /** Asks for a key picture that is wanted, if the pace allows. */
  askForKey(receiver: RtpReceiver, now: Millis): void {
    const { pli, fir } = receiver.codec.feedback;
    const requests = this.#requests.get(receiver);
    if (requests === undefined || !(pli || fir) || !requests.due(now)) return;
    const media = receiver.ssrc;
    const number = requests.count & 0xff;
    this.#send(
      pli ? { type: 'pli', sender: OWN_SSRC, media } : { type: 'fir', sender: OWN_SSRC, requests: [{ media, number }] },
    );
  }

  #check(): void {
    const now = this.#parts.clock.now();
    this.#parts.check(now);
    const receivers = this.#parts.receivers();
    for (const receiver of receivers) {
      receiver.check(now);
      const lost = receiver.due(now);
      if (lost.length > 0) this.#send({ type: 'nack', sender: OWN_SSRC, media: receiver.ssrc, lost });
      this.askForKey(receiver, now);
    }
    if (this.#arrivalsId !== undefined && now >= this.#arrivalsAt) {
      this.#arrivalsAt = now + ARRIVALS_EVERY;
      this.#tellArrivals(receivers);
    }
    if (this.#tellsLimit && now >= this.#limitAt) {
      this.#limitAt = now + LIMIT_EVERY;
      this.#tellLimit(receivers);
    }
    if (now >= this.#reportAt) {
      this.#reportAt = now + REPORT_EVERY;
      this.#report(receivers, now);
    }
  }

  #tellArrivals(receivers: readonly RtpReceiver[]): void {
    const media = receivers[0]?.ssrc ?? 0;
    for (;;) {
      const feedback = this.#arrivals.feedback(OWN_SSRC, media);
      if (feedback === undefined) return;
      this.#send(feedback);
    }
  }

  #tellLimit(receivers: readonly RtpReceiver[]): void {
    const { maxBitrate } = this.#parts;
    const bitrate = this.#arrivalsId === undefined ? this.#estimate.bitrate : maxBitrate;
    this.#send({ type: 'remb', sender: OWN_SSRC, bitrate, media: receivers.map(({ ssrc }) => ssrc) });
  }

  #report(receivers: readonly RtpReceiver[], now: Millis): void {
    const receptions = receivers.flatMap(({ reception }) => reception ?? []);
    let expected = 0;
    let received = 0;
    let bitrate = 0;
    for (const reception of receptions) {
      expected += reception.expected;
      received += reception.packets;
      bitrate += reception.bitrate;
    }
    const expectedNow = expected - this.#expected;
    this.#estimate.update(expectedNow, expectedNow - (received - this.#received), bitrate);
    this.#expected = expected;
    this.#received = received;
    const blocks = receptions.map((reception) => reception.block(now));
    this.#send({ type: 'sdes', sources: [{ ssrc: OWN_SSRC, cname: CNAME }] }, blocks);
  }

  /** Behind a report, as a compound begins with one unless the client has agreed to do without. */
  #send(item: RtcpItem, blocks: readonly ReportBlock[] = []): void {
    this.#parts.send(writeRtcp([{ type: 'rr', ssrc: OWN_SSRC, blocks }, item]));
  }
}
