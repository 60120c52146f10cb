/**
 * What must hold of webStatus: how often, one at a time, exactly those who are here; and of the orders that come back.
 */
import type { Millis } from '../../src/base/clock.ts';
import type { WebAnswer } from '../../src/control/web-client.ts';
import type { Session } from '../../src/session/session.ts';
import type { House } from './house.ts';
import { type PhpArray, readReport } from './php-report.ts';
import type { Record } from './record.ts';
import type { Call, Order, TownSite } from './web.ts';

const MINUTE: Millis = 60_000;
const MOST_IN_A_MINUTE = 12;
/** The longest that one may take, and a round. */
const LONGEST_GAP: Millis = 31_000;

interface Line {
  inFlight: number;
  sentAt: Millis[];
}

export class ReportLaws {
  readonly counts = { reports: 0, orders: 0 };
  readonly #record: Record;
  readonly #siteOf: (app: string) => TownSite | undefined;
  readonly #orders = new Map<string, Order>();
  readonly #carriedOut = new Set<string>();
  #house: House | undefined;
  #lines = new Map<string, Line>();
  /** Who came or left at this very moment, and may be in a report or not. */
  #movedAt = new Map<Session, Millis>();

  constructor(record: Record, siteOf: (app: string) => TownSite | undefined) {
    this.#record = record;
    this.#siteOf = siteOf;
  }

  begins(house: House): void {
    this.#house = house;
    this.#lines = new Map();
    this.#movedAt = new Map();
  }

  moved(session: Session, now: Millis): void {
    this.#movedAt.set(session, now);
  }

  asked(call: Call, now: Millis): void {
    if (call.hook !== 'webStatus') return;
    this.counts.reports++;
    const line = this.#line(call);
    if (line.inFlight > 0) this.#record.violate('one report at a time', call.url);
    line.inFlight++;
    line.sentAt = [...line.sentAt.filter((at) => at > now - MINUTE), now];
    if (line.sentAt.length > MOST_IN_A_MINUTE) {
      this.#record.violate('reports have a fixed price', `${line.sentAt.length} in a minute`);
    }
    try {
      this.#compare(call.site, readReport(call.form!).users, now);
    } catch (error) {
      this.#record.violate('every report can be read', `${error}`);
    }
  }

  settled(call: Call, answer: WebAnswer, now: Millis): void {
    if (call.hook !== 'webStatus') return;
    this.#line(call).inFlight--;
    if (!answer.ok) return;
    for (const order of call.orders) {
      order.deliveredAt = now;
      this.#orders.set(`${order.site.host} ${order.number}`, order);
      this.#record.trace(`${order.site.host} orders ${order.name} out (${order.number})`);
      if (!order.binding) continue;
      const meant = [...this.#house!.registry].filter((session) => this.#isMeant(order, session));
      const house = this.#house!;
      house.clock.after(1, () => {
        for (const session of meant) {
          if (session.state !== 'closing' && house.registry.byId(session.id) !== undefined) {
            this.#record.violate('orders are carried out', `${order.text}: ${session.name} stays`);
          }
        }
      });
    }
  }

  /** The server says that it disconnects `name` in `app` for `reason`. */
  disconnects(id: string, app: string, name: string, reason: string): void {
    this.counts.orders++;
    const number = /\((\d+)\)$/.exec(reason)?.[1];
    const order = this.#orders.get(`${this.#siteOf(app)?.host} ${number}`);
    const what = `${name} in ${app}: ${reason}`;
    if (order === undefined || order.name !== name) this.#record.violate('nobody goes without an order', what);
    const key = `${id} ${reason}`;
    if (this.#carriedOut.has(key)) this.#record.violate('each order is carried out once', what);
    this.#carriedOut.add(key);
  }

  /** About every second, while the server is open. */
  check(now: Millis): void {
    if (this.#house?.state !== 'open' || now - this.#house.startedAt < LONGEST_GAP) return;
    for (const [url, { sentAt }] of this.#lines) {
      if (now - (sentAt.at(-1) ?? 0) > LONGEST_GAP) this.#record.violate('reports go on whatever comes back', url);
    }
  }

  #compare(site: TownSite, users: PhpArray, now: Millis): void {
    const house = this.#house!;
    const named = new Map<string, Session[]>();
    for (const session of house.registry) {
      if (this.#siteOf(session.app) !== site) continue;
      named.set(session.name, [...(named.get(session.name) ?? []), session]);
    }
    for (const [name, sessions] of named) {
      const row = users.get(name);
      const certain = sessions.filter((session) => this.#movedAt.get(session) !== now);
      if (row === undefined) {
        if (certain.length > 0) this.#record.violate('whoever is here is reported', `${name} to ${site.host}`);
      } else if (!sessions.some((session) => describes(row as PhpArray, session, now))) {
        this.#record.violate('reports tell what is', `${name} to ${site.host}`);
      } else if (
        sessions.some(({ role }) => role === 'broadcaster') &&
        (row as PhpArray).get('role') !== '1' &&
        certain.length === sessions.length
      ) {
        this.#record.violate('a broadcaster outranks viewers of the same name', name);
      }
    }
    for (const [key, row] of users) {
      if ((row as PhpArray).get('session') !== key) this.#record.violate('reports tell what is', `key ${key}`);
      if (named.has(key)) continue;
      const justLeft = [...this.#movedAt].some(([session, at]) => session.name === key && at === now);
      if (!justLeft) this.#record.violate('whoever has left is not reported', `${key} to ${site.host}`);
    }
  }

  #isMeant({ site, name }: Order, session: Session): boolean {
    return session.name === name && this.#siteOf(session.app) === site;
  }

  #line({ url }: Call): Line {
    let line = this.#lines.get(url);
    if (line === undefined) {
      line = { inFlight: 0, sentAt: [] };
      this.#lines.set(url, line);
    }
    return line;
  }
}

function describes(row: PhpArray, session: Session, now: Millis): boolean {
  return (
    row.get('username') === '' &&
    row.get('role') === (session.role === 'broadcaster' ? '1' : '0') &&
    row.get('rooms') === session.room &&
    row.get('ip') === session.ip &&
    row.get('cam') === (session.hasVideo ? 1 : 0) &&
    row.get('mic') === (session.hasAudio ? 1 : 0) &&
    row.get('startTime') === String(session.startedAt) &&
    row.get('runSeconds') === Math.floor((now - session.startedTick) / 1_000)
  );
}
