/**
 * The webStatus loop of one address: tells the site who is here, and does as it says.
 *
 * A fixed price, whatever the audience: one report each interval, on a grid of monotonic time, one under way at a time; rounds that
 * fall into a report that is still under way are left out and not made up for. When somebody begins or stops publishing, a report
 * goes within a second: at most `EARLY_BURST` in a row, one more for every two intervals. A round that comes shortly after
 * such a report is left out. So at 10 s it is 6 a minute in peace, and never more than 12.
 *
 * Nobody is disconnected unless the site names him: silence, nonsense and failures change nothing.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Session } from '../session/session.ts';
import { type ControlCounters, countIn, type HookObserver } from './counters.ts';
import { HookHealth, type HookState } from './hook-health.ts';
import { matchOrders } from './order-match.ts';
import { MAX_STATUS_ANSWER, type Order, readStatusReply, type StatusReply } from './status-reply.ts';
import type { WebAnswer, WebClient } from './web-client.ts';
import { SESSIONS_PER_SLICE, type SiteStatistics, StatusForm } from './web-status.ts';

export interface ReporterSettings {
  readonly client: WebClient;
  readonly interval: Millis;
  /** One request takes no longer; see also `patience`. */
  readonly timeout: Millis;
  /** Bytes a second, 0: unlimited. */
  readonly limitClientRateIn: number;
}

export interface ReporterParts {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: ControlCounters;
  readonly observe: HookObserver;
  /** Those whom this site is to know of, at this moment. */
  readonly sessions: () => Iterable<Session>;
}

/** The last answer that was read. */
export interface LastAnswer {
  /** `orders`, `denied`, `empty`, `nonsense`. */
  readonly kind: string;
  /** Wall time. */
  readonly at: Millis;
  /** Whatever the wall clock has done since. */
  readonly age: Millis;
}

export interface ReportState extends HookState {
  readonly lastAnswer: LastAnswer | undefined;
  /** Answers since the start, by kind. */
  readonly answers: ReadonlyMap<string, number>;
  readonly reports: number;
  /** In the last report: sessions, and bytes. */
  readonly sessions: number;
  readonly bytes: number;
  /** Sessions disconnected by order of the site. */
  readonly orders: number;
}

const EARLY_DELAY: Millis = 500;
const EARLY_BURST = 3;
/** A round this soon after a report, or within half an interval, is left out. More would be too much: sites forget after 40 s. */
const ROUND_TOO_SOON: Millis = 5_000;
/** What a site may take for a report: a start, and well more than the 2 ms that the vendor's script needs for each session. */
const PATIENCE_BASE: Millis = 10_000;
const PATIENCE_PER_SESSION: Millis = 5;

export class Reporter {
  readonly #parts: ReporterParts;
  readonly #health: HookHealth;
  #settings: ReporterSettings;
  #timer: Timer | undefined;
  #early: Timer | undefined;
  /** When the next round is due. */
  #due: Millis = 0;
  #sentAt = Number.NEGATIVE_INFINITY;
  #tokens = EARLY_BURST;
  #tokensAt: Millis = 0;
  #underWay: Promise<void> | undefined;
  /** Somebody began or stopped while a report was under way. */
  #again = false;
  #running = false;
  #whenDone: (() => void) | undefined;
  #reports = 0;
  #sessions = 0;
  #bytes = 0;
  #orders = 0;
  #lastAnswer: { readonly kind: string; readonly at: Millis; readonly tick: Millis } | undefined;
  readonly #answers = new Map<string, number>();

  constructor(settings: ReporterSettings, parts: ReporterParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#health = new HookHealth('webStatus', parts.clock, parts.log);
  }

  /** New settings; the grid begins anew when the interval is another. */
  configure(settings: ReporterSettings): void {
    this.#whenDone = undefined;
    const regrid = this.#running && settings.interval !== this.#settings.interval;
    this.#settings = settings;
    if (!regrid) return;
    this.#due = this.#parts.clock.now() + settings.interval;
    this.#arm();
  }

  /** The first report goes at once, so that a fault shows at the start. */
  start(): void {
    this.#running = true;
    this.#due = this.#parts.clock.now();
    this.#tokensAt = this.#due;
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#early?.cancel();
    this.#early = undefined;
  }

  /** Nobody new will come: reports until a round without anybody, then stops and calls `whenDone`; `configure` calls it back. */
  retire(whenDone: () => void): void {
    this.#whenDone = whenDone;
    if (!this.#running) whenDone();
  }

  /** No more rounds, but a last report if the site still believes somebody to be here. */
  async finish(): Promise<void> {
    this.stop();
    await this.#underWay;
    if (this.#sessions === 0) return;
    this.#underWay = this.#report();
    await this.#underWay;
  }

  /** Somebody began or stopped publishing. */
  hurry(): void {
    if (!this.#running || this.#early !== undefined) return;
    this.#early = this.#parts.clock.after(EARLY_DELAY, () => {
      this.#early = undefined;
      if (this.#underWay !== undefined) this.#again = true;
      else if (this.#takeToken()) {
        this.#parts.counters.reportsEarly++;
        this.#begin();
      }
    });
  }

  state(): ReportState {
    const last = this.#lastAnswer;
    return {
      ...this.#health.state(),
      lastAnswer: last && { kind: last.kind, at: last.at, age: this.#parts.clock.now() - last.tick },
      answers: this.#answers,
      reports: this.#reports,
      sessions: this.#sessions,
      bytes: this.#bytes,
      orders: this.#orders,
    };
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(Math.max(0, this.#due - this.#parts.clock.now()), () => this.#round());
  }

  #round(): void {
    const { interval } = this.#settings;
    const now = this.#parts.clock.now();
    // A timer may fire a little early, and much too late; in both cases the grid stays.
    this.#due += Math.max(1, Math.ceil((now + 1 - this.#due) / interval)) * interval;
    this.#arm();
    if (this.#underWay !== undefined) this.#parts.counters.reportsSkipped++;
    else if (now - this.#sentAt >= Math.min(interval / 2, ROUND_TOO_SOON)) this.#begin();
  }

  #takeToken(): boolean {
    const now = this.#parts.clock.now();
    const earned = (now - this.#tokensAt) / (2 * this.#settings.interval);
    this.#tokens = Math.min(EARLY_BURST, this.#tokens + earned);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #begin(): void {
    this.#underWay = this.#report().finally(() => {
      this.#underWay = undefined;
      if (this.#again) this.hurry();
      this.#again = false;
      if (this.#whenDone === undefined || this.#sessions > 0) return;
      this.stop();
      this.#whenDone();
    });
  }

  /** Never rejects. */
  async #report(): Promise<void> {
    const { clock, log, observe, url } = this.#parts;
    const { client } = this.#settings;
    this.#sentAt = clock.now();
    try {
      const form = await this.#form();
      this.#reports++;
      this.#sessions = form.users + form.rtpSessions;
      const body = form.body;
      this.#bytes = body.length;
      if (form.cleaned > 0)
        log.warn({ hook: 'webStatus', rows: form.cleaned }, 'text in the report had to be made safe');
      const request = { url, form: body, deadline: this.#patience(), maxBody: MAX_STATUS_ANSWER };
      const begun = clock.now();
      const answer = await client.send({ hook: 'webStatus', ...request });
      const understood = this.#read(answer);
      observe('webStatus', clock.now() - begun, understood ? 'ok' : 'failed');
    } catch (err) {
      log.error({ hook: 'webStatus', code: 'server/bug', err }, 'a report could not be made');
      this.#fail('server/bug', 'castgate could not make the report; its log says why');
    }
  }

  /** Written in slices between which everybody else has a turn. */
  async #form(): Promise<StatusForm> {
    const { clock, sessions } = this.#parts;
    const present = [...sessions()];
    const form = new StatusForm(present, clock.now(), this.#statistics(present));
    while (form.write(SESSIONS_PER_SLICE)) await new Promise<void>((resolve) => clock.soon(resolve));
    return form;
  }

  #statistics(present: readonly Session[]): SiteStatistics {
    let publishers = 0;
    for (const session of present) if (session.stream?.doing === 'publish') publishers++;
    const { limitClientRateIn } = this.#settings;
    return { appInstanceInfo: 'castgate', limitClientRateIn, sessions: present.length, publishers };
  }

  /** A hanging request must not keep the next two rounds from a site that has come back. */
  #patience(): Millis {
    const { interval, timeout } = this.#settings;
    return Math.min(timeout, Math.max(1.9 * interval, PATIENCE_BASE + PATIENCE_PER_SESSION * this.#sessions));
  }

  /** Did the site say whom it wants gone, be it nobody? */
  #read(answer: WebAnswer): boolean {
    if (!answer.ok) return this.#fail(answer.code, answer.words);
    const reply = readStatusReply(answer.body);
    const { clock } = this.#parts;
    this.#lastAnswer = { kind: reply.kind, at: clock.wallTime(), tick: clock.now() };
    countIn(this.#answers, reply.kind);
    if (reply.kind !== 'orders') return this.#fail(...trouble(reply));
    this.#health.succeeded();
    this.#carryOut(reply.users, reply.sessions);
    return true;
  }

  #fail(code: string, words: string): false {
    this.#health.failed(code, words);
    return false;
  }

  /** To whoever is here now: an answer may be late, and its names are still the site's wish. */
  #carryOut(users: readonly Order[], sessions: readonly Order[]): void {
    const { log } = this.#parts;
    for (const { session, reason } of matchOrders(users, sessions, this.#parts.sessions())) {
      this.#orders++;
      const { id, app, name } = session;
      log.info({ id, app, session: name, reason }, 'the site disconnects');
      session.disconnect(reason);
    }
  }
}

/** Why an answer gives no control, for the site's owner. */
function trouble(reply: Exclude<StatusReply, { kind: 'orders' }>): [code: string, words: string] {
  if (reply.kind === 'empty') {
    const cause = "usually this server's address is not on the site's webStatus list";
    return ['web/empty', `the answer is empty: ${cause}; enable webStatus there, or log in once as a broadcaster`];
  }
  if (reply.kind === 'denied') {
    const cure = "enable webStatus in the site's settings and allow this server's address there";
    return ['web/denied', `the site denies the report (${reply.text || 'no reason given'}): ${cure}`];
  }
  return ['web/answer', `${reply.reason}; nobody is disconnected for it`];
}
