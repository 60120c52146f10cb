/**
 * RTP timestamps of several sources on one timeline, so that lips and voice belong together. Each source begins where its first
 * packet arrived; sender reports then say which timestamps belong to the same moment (RFC 3550 section 6.4.1), and sources are
 * moved there a little with every picture, never back in time.
 */
import type { Millis } from '../base/clock.ts';
import type { Micros } from '../media/frame.ts';
import type { NtpTime } from './rtcp.ts';
import { RtpClock } from './rtp-clock.ts';

/** What sources may be apart; reports are no more exact than this. */
const TOLERANCE: Micros = 10_000;
/** Sources further apart than this have clocks that know nothing of each other. */
const MAX_APART: Micros = 5_000_000;
/** A timestamp that goes ahead of the arrivals by more, or back by more, starts anew. */
const MAX_AHEAD: Micros = 10_000_000;
const MAX_BACK: Micros = 1_000_000;
/** Of the time between two pictures, what may be added or taken away to move the source. */
const MAX_SHIFT = 0.5;
/** A report speaks of about now. */
const MAX_REPORT_SECONDS = 60;
const MICROS: Micros = 1e6;

export class MediaTimeline {
  readonly #clocks: SourceClock[] = [];
  #start: Millis | undefined;

  /** `leads`: others are moved to it, as audio has no room to move. `rate`: ticks a second. */
  source(rate: number, leads: boolean): SourceClock {
    const clock = new SourceClock(rate, leads, {
      sinceStart: (now) => {
        this.#start ??= now;
        return (now - this.#start) * 1000;
      },
      leader: () => this.#leader(),
    });
    this.#clocks.push(clock);
    return clock;
  }

  leave(clock: SourceClock): void {
    const at = this.#clocks.indexOf(clock);
    if (at >= 0) this.#clocks.splice(at, 1);
  }

  /** The source that others follow, as soon as reports have told of it. */
  #leader(): SourceClock | undefined {
    return (
      this.#clocks.find((clock) => clock.leads && clock.behindNtp !== undefined) ??
      this.#clocks.find((clock) => clock.behindNtp !== undefined)
    );
  }
}

interface Surroundings {
  /** The time of arrivals. */
  sinceStart(now: Millis): Micros;
  leader(): SourceClock | undefined;
}

export class SourceClock {
  readonly leads: boolean;
  readonly #rate: number;
  readonly #around: Surroundings;
  #clock: RtpClock | undefined;
  /** From the source's own time to the timeline's. */
  #offset: Micros = 0;
  /** From the source's own time to NTP time. */
  #ntpOffset: Micros | undefined;
  #lastTimestamp = 0;
  #lastOwn: Micros = 0;
  #lastArrival: Micros = 0;
  #moving = false;

  constructor(rate: number, leads: boolean, around: Surroundings) {
    this.leads = leads;
    this.#rate = rate;
    this.#around = around;
  }

  /** How far the timeline lies behind NTP time, by this source; undefined before its first report. */
  get behindNtp(): Micros | undefined {
    return this.#ntpOffset === undefined ? undefined : this.#ntpOffset - this.#offset;
  }

  /** A packet arrived. The first says where the source begins. */
  begin(timestamp: number, now: Millis): void {
    if (this.#clock !== undefined) return;
    this.#clock = new RtpClock(this.#rate, timestamp);
    this.#lastTimestamp = timestamp;
    this.#lastArrival = this.#around.sinceStart(now);
    this.#offset = this.#lastArrival;
  }

  /** The time of a unit. They come in the order of their packets. */
  time(timestamp: number, now: Millis): Micros {
    this.begin(timestamp, now);
    const own = this.#clock!.micros(timestamp);
    const arrival = this.#around.sinceStart(now);
    const step = own - this.#lastOwn;
    const passed = arrival - this.#lastArrival;
    if (step < -MAX_BACK || step > passed + MAX_AHEAD) this.#startAnew(own, passed);
    else if (step > 0) this.#move(step);
    this.#lastTimestamp = timestamp;
    this.#lastOwn = own;
    this.#lastArrival = arrival;
    return own + this.#offset;
  }

  /** A sender report came: `timestamp` and `ntp` are the same moment. */
  report(ntp: NtpTime, timestamp: number): void {
    if (this.#clock === undefined || ntp.seconds === 0) return;
    const ahead = (timestamp - this.#lastTimestamp) | 0;
    if (Math.abs(ahead) > MAX_REPORT_SECONDS * this.#rate) return;
    const ntpMicros = ntp.seconds * MICROS + (ntp.fraction * MICROS) / 2 ** 32;
    this.#ntpOffset = ntpMicros - this.#lastOwn - (ahead * MICROS) / this.#rate;
  }

  /** After a jump of the timestamps, as much time has passed as on our clock. */
  #startAnew(own: Micros, passed: Micros): void {
    this.#offset += this.#lastOwn + Math.max(0, passed) - own;
    this.#ntpOffset = undefined;
    this.#moving = false;
  }

  #move(step: Micros): void {
    const leader = this.#around.leader();
    if (leader === undefined || leader === this || this.#ntpOffset === undefined) return;
    const apart = this.#ntpOffset - leader.behindNtp! - this.#offset;
    if (Math.abs(apart) > MAX_APART) return;
    if (!this.#moving && Math.abs(apart) <= TOLERANCE) return;
    const room = step * MAX_SHIFT;
    this.#moving = Math.abs(apart) > room;
    this.#offset += Math.max(-room, Math.min(room, apart));
  }
}
