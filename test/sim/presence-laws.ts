/**
 * What must hold inside the server at any time: sessions, connections and streams agree, nobody is closed without a cause, and
 * media reaches those who are well, in time.
 */
import type { Millis } from '../../src/base/clock.ts';
import type { LogFields } from '../../src/base/log.ts';
import type { Session } from '../../src/session/session.ts';
import { isPicture, type Sent, type Source } from './broadcast.ts';
import type { House } from './house.ts';
import type { Person } from './person.ts';
import type { Record } from './record.ts';

/** From one who is well to another, at most: two ways with jitter, one write window, and the beat of the reads. */
export const DELIVERY: Millis = 700;
/** Bytes a millisecond. */
const ENOUGH_FOR_SOUND = 6;
/** The time in which a client hears what became of it. */
const NEWS: Millis = 1_500;
const MAY_FOLLOW_SILENCE = new Set(['rtmp/timeout', 'rtmp/dead-peer', 'rtmp/slow-viewer']);
/** From the decision to close a connection until it is gone: last words take a second, and somebody looks once a second. */
const FAREWELL: Millis = 3_000;
/** Answers to what somebody asked, who stays. */
const NO_CLOSING = /^(?:publish refused|play refused|the stream did not go live)$/;

export class PresenceLaws {
  readonly counts = { accepted: 0, closed: 0, messages: 0 };
  readonly #record: Record;
  readonly #people = new Map<string, Person>();
  readonly #publishers = new Map<string, Source>();
  readonly #missing = new Map<Person, Millis>();
  /** Connections that the server has said it closes, and when. */
  readonly #closing = new Map<string, Millis>();
  /** Everybody there ever was, by application. */
  readonly #names = new Map<string, Set<string>>();

  constructor(record: Record) {
    this.#record = record;
  }

  accepted(ip: string, person: Person): void {
    this.counts.accepted++;
    this.#people.set(ip, person);
  }

  publishes(source: Source): void {
    this.#publishers.set(source.ip, source);
  }

  /** A line of the log that bears a code: is there a cause for it? */
  logged(house: House, level: string, fields: LogFields, text: string, now: Millis): void {
    const code = fields['code'];
    if (level === 'error' && code !== 'web/journal') {
      const { err } = fields as { err?: Error };
      this.#record.violate('the server makes no faults', `${text}: ${err?.stack ?? ''}`);
    }
    const ip = fields['ip'];
    if (typeof code !== 'string' || typeof ip !== 'string' || NO_CLOSING.test(text)) return;
    this.#record.trace(`${ip} ${text} (${code})`);
    this.#closing.set(ip, now);
    if (text === 'refused') return;
    const person = this.#people.get(ip)!;
    const gone = person.ip !== ip || person.state === 'away';
    if (code === 'access/disconnected') return;
    if (code === 'access/shutdown' && house.state === 'leaving') return;
    if (code === 'access/taken-over' && this.#rivals(person, ip)) return;
    // who was told no may stay and do nothing
    if (MAY_FOLLOW_SILENCE.has(code) && (gone || person.told !== undefined)) return;
    if (code === 'rtmp/slow-viewer' && this.#couldFollow(person))
      this.#record.violate('slow viewers skip pictures', ip);
    if (!person.excuses(code))
      this.#record.violate('nobody is closed without a cause', `${person.name} ${ip}: ${code}`);
  }

  saw(person: Person, source: Source, { at, number }: Sent, now: Millis): void {
    this.counts.messages++;
    if (person.healthy && source.endedAt !== undefined && person.readyAt > source.endedAt + NEWS) {
      this.#record.violate('nobody sees a show that is over', `${person.name}: ${source.id}:${number}`);
    }
    if (!person.healthy || !source.healthy || at < person.readyAt || now - at <= DELIVERY) return;
    this.#record.violate('media waits for nobody', `${person.name}: ${source.id}:${number} took ${now - at} ms`);
  }

  opened({ app, name }: Session): void {
    const names = this.#names.get(app);
    if (names === undefined) this.#names.set(app, new Set([name]));
    else names.add(name);
  }

  left({ ip }: Session, now: Millis): void {
    const source = this.#publishers.get(ip);
    if (source !== undefined) source.endedAt = now;
  }

  closed(ip: string): void {
    this.counts.closed++;
    this.#closing.delete(ip);
  }

  /** When all have gone. */
  conclude({ registry }: House): void {
    for (const [app, names] of this.#names) {
      for (const name of names) {
        if (registry.named(app, name).length > 0)
          this.#record.violate('who has gone is forgotten', `${name} in ${app}`);
      }
    }
  }

  /** Several times a second. */
  check(house: House, people: readonly Person[], now: Millis): void {
    this.#sessions(house);
    for (const { address } of house.peers.keys()) {
      const since = this.#closing.get(address.ip) ?? now;
      if (now - since > FAREWELL) this.#record.violate('who is sent away is gone soon', address.ip);
    }
    const sessions = new Map([...house.registry].map((session) => [session.ip, session]));
    for (const person of people) this.#person(house, person, sessions.get(person.ip), now);
  }

  #sessions(house: House): void {
    const { registry, hub, peers, world } = house;
    const ids = new Set([...peers.keys()].map(({ id }) => id));
    const published = new Map<string, number>();
    for (const session of registry) {
      if (!ids.has(session.id)) this.#record.violate('each session has a connection', session.name);
      if (session.stream?.doing !== 'publish') continue;
      const name = `${session.app}\n${session.stream.name}`;
      published.set(name, (published.get(name) ?? 0) + 1);
      if (session.role !== 'broadcaster') this.#record.violate('viewers never publish', session.name);
    }
    for (const [key, count] of published) {
      const [app = '', name = ''] = key.split('\n');
      if (count > 1) this.#record.violate('a stream has one publisher', name);
      if (hub.find(app, name)?.live !== true) this.#record.violate('who publishes is live', name);
    }
    for (const { app, name, live, idle } of hub) {
      if (live && !published.has(`${app}\n${name}`)) this.#record.violate('what is live has a publisher', name);
      if (idle) this.#record.violate('streams that nobody uses are gone', name);
    }
    if (world.counts.open !== peers.size) this.#record.violate('connections are counted', `${world.counts.open}`);
  }

  #person(house: House, person: Person, session: Session | undefined, now: Millis): void {
    const inside = (person.state === 'connected' || person.state === 'ready') && person.told === undefined;
    if (!person.healthy || !inside || session !== undefined) this.#missing.delete(person);
    else if (!this.#missing.has(person)) this.#missing.set(person, now);
    else if (now - this.#missing.get(person)! > NEWS) this.#record.violate('who was let in is here', person.name);
    if (person.state === 'ready' && person.told === undefined && session !== undefined)
      this.#watches(house, person, now);
  }

  #watches(house: House, person: Person, now: Millis): void {
    const { app, stream, does } = person.plan;
    if (does !== 'play' || !person.healthy || now - person.readyAt < 2 * DELIVERY) return;
    const publisher = house.registry.publisherOf(app, stream);
    const source = publisher && this.#publishers.get(publisher.ip);
    if (source?.healthy !== true) return;
    const due = source.sent.findLast(({ at, kind }) => at <= now - DELIVERY && isPicture(kind));
    if (due === undefined) return;
    const { eye } = person;
    const seen = eye.source === source ? eye.picture : undefined;
    // without a cache a newcomer waits for the next key frame
    const begun = seen !== undefined || house.world.options.gopCache;
    if (begun && (seen?.number ?? -1) < due.number) {
      const has = seen === undefined ? 'nothing' : `${seen.number}`;
      this.#record.violate('who is well misses nothing', `${person.name} has ${has} of ${source.id}:${due.number}`);
    }
  }

  /** Did anybody else, or the same one later, come with the same right to the stream? */
  #rivals(person: Person, ip: string): boolean {
    for (const [otherIp, { fullStream, plan }] of this.#people) {
      if (otherIp !== ip && fullStream === person.fullStream && plan.key === person.plan.key) return true;
    }
    return false;
  }

  /** What this one watched was thin enough for its line, if it skips pictures. */
  #couldFollow({ plan, quality, fullStream }: Person): boolean {
    if (plan.habit !== 'slow' || quality.rate < ENOUGH_FOR_SOUND) return false;
    for (const { stream, large, ip } of this.#publishers.values()) {
      // what a jam lets go all at once may be more than anybody may be behind
      const bursts = large || this.#people.get(ip)!.plan.habit === 'stalling';
      if (stream === fullStream && bursts) return false;
    }
    return true;
  }
}
