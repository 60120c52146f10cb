/**
 * A whole town on virtual time: sites, a server that may die, and all who come to it. `live` lets it live from a seed.
 */
import type { Millis } from '../../src/base/clock.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';
import { Source } from './broadcast.ts';
import { applications, cast, rtmpOptions } from './cast.ts';
import { Dice } from './dice.ts';
import { Disk } from './disk.ts';
import { House } from './house.ts';
import { type Link, TCP_GIVES_UP } from './link.ts';
import { LoginLaws } from './login-laws.ts';
import { Person, type Street } from './person.ts';
import { PresenceLaws } from './presence-laws.ts';
import { Record, type Violation } from './record.ts';
import { ReportLaws } from './report-laws.ts';
import { MOODS, TownSite } from './web.ts';
import { type Laws, witness } from './witness.ts';

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** The last that happened. */
  readonly trace: readonly string[];
  /** How much life there was. */
  readonly counts: Readonly<{ [what: string]: number }>;
}

const TICK: Millis = 250;
const HOST_NAMES = ['one.example', 'two.example', 'three.example'];
const HOOKS = ['webLogin', 'webLogout', 'webStatus'] as const;
/** Longer than any pause between two tries. */
const QUIET: Millis = 400_000;
/** A question that was broken off is not asked a second time after this. */
const LAST_TIMERS: Millis = 1_000;
/** An orderly stop: goodbyes, the sites' deadline, the disk. */
const STOP: Millis = 16_000;

export class Town implements Street {
  readonly clock = new VirtualClock();
  readonly record = new Record(this.clock);
  readonly #dice: Dice;
  readonly #disk: Disk;
  readonly #sites: readonly TownSite[];
  readonly #options;
  readonly #laws: Laws;
  readonly #people: Person[];
  readonly #sources: Source[] = [];
  readonly #rtmp;
  readonly #counts = { kills: 0, stops: 0 };
  #house: House | undefined;
  #houses = 0;
  #lastIp = 0;

  constructor(seed: number) {
    const dice = new Dice(seed);
    this.#dice = dice;
    this.#disk = new Disk(dice.fork());
    this.#sites = HOST_NAMES.map((host) => new TownSite(host, this.clock, dice.fork()));
    this.#options = applications(this.#sites);
    const siteOf = (app: string) => {
      const url = this.#options.get(app)?.webLogin;
      return this.#sites.find(({ options }) => options.webLogin === url);
    };
    this.#laws = {
      record: this.record,
      logins: new LoginLaws(this.record, this.#options, siteOf),
      reports: new ReportLaws(this.record, siteOf),
      presence: new PresenceLaws(this.record),
    };
    this.#rtmp = rtmpOptions(dice);
    this.#people = cast([...this.#options.keys()], dice).map((plan) => new Person(plan, this, dice.fork()));
  }

  /** A day in the town, and the night after it. */
  async live(): Promise<void> {
    const day = this.#dice.between(25, 90) * 1_000;
    this.#open();
    this.#plan(day);
    await this.#pass(day);
    this.#evening();
    await this.#pass(QUIET);
    // somebody who was paused when the line broke is only found out by TCP
    if (this.#house !== undefined && this.#house.peers.size > 0) await this.#pass(TCP_GIVES_UP);
    if (this.record.violation === undefined) await this.#night();
  }

  get counts(): Outcome['counts'] {
    return {
      people: this.#people.length,
      ...this.#laws.presence.counts,
      ...this.#laws.logins.counts,
      ...this.#laws.reports.counts,
      ...this.#counts,
    };
  }

  async #pass(time: Millis): Promise<void> {
    const end = this.clock.now() + time;
    while (this.clock.now() < end && this.record.violation === undefined) {
      await this.clock.run(TICK);
      const house = this.#house;
      if (house === undefined) continue;
      this.#laws.presence.check(house, this.#people, this.clock.now());
      this.#laws.reports.check(this.clock.now());
      for (const site of this.#sites) for (const hook of HOOKS) site.troubled(hook);
    }
  }

  /** What happens when, until the evening. */
  #plan(day: Millis): void {
    const dice = this.#dice;
    const at = (then: () => void) => this.clock.after(dice.between(0, day - 1), then);
    for (const person of this.#people) {
      person.staying = dice.chance(0.6);
      at(() => person.come());
      for (let left = dice.between(0, 3); left > 0; left--) {
        at(() => person.leave());
        at(() => person.come());
      }
    }
    for (const site of this.#sites) {
      site.strictness = dice.chance(0.5) ? 0 : dice.fraction() * 0.1;
      for (let left = dice.between(0, 6); left > 0; left--) {
        const hook = dice.pick(HOOKS);
        const mood = dice.pick(MOODS);
        at(() => {
          this.trace(`${site.host} ${hook} is ${mood}`);
          site.turn(hook, mood);
        });
        at(() => site.turn(hook, 'quick'));
      }
    }
    for (let left = dice.between(0, 2); left > 0; left--)
      at(() => this.clock.jumpWall(dice.pick([-3_600_000, 7_200_000])));
    if (dice.chance(0.5)) {
      at(() => (this.#disk.mood = dice.pick(['slow', 'full'])));
      at(() => (this.#disk.mood = 'quick'));
    }
    if (dice.chance(0.5)) at(() => this.#kill());
    if (dice.chance(0.2)) at(() => this.#kill());
    if (dice.chance(0.3)) at(() => void this.#stop());
  }

  /** All go home, all sites and disks are well. */
  #evening(): void {
    if (this.record.violation !== undefined) return;
    this.trace('evening');
    for (const site of this.#sites) {
      site.strictness = 0;
      for (const hook of HOOKS) site.turn(hook, 'quick');
    }
    this.#disk.mood = 'quick';
    for (const person of this.#people) {
      person.staying = false;
      person.leave();
    }
  }

  /** Nothing is left but what beats for ever; then not even that. */
  async #night(): Promise<void> {
    const house = this.#house!;
    const { registry, hub, peers, control, world, audiences } = house;
    const left = {
      sessions: registry.size,
      streams: hub.size,
      audiences: audiences.size,
      connections: peers.size,
      counted: world.counts.open,
      logouts: control.logoutsOwed,
      lines: this.#disk.owed().size,
    };
    for (const [what, count] of Object.entries(left)) {
      if (count !== 0) this.record.violate('when all have gone nothing is left', `${count} ${what}`);
    }
    const { accepted, closed } = this.#laws.presence.counts;
    if (accepted !== closed) this.record.violate('each connection is closed once', `${closed} of ${accepted}`);
    this.#laws.logins.conclude();
    this.#laws.presence.conclude(house);
    const beating = 1 + this.#sites.length;
    for (let patience = 40; house.clock.pending !== beating && patience > 0; patience--) await this.clock.run(TICK / 5);
    if (house.clock.pending !== beating)
      this.record.violate('no timer is left', `${house.clock.pending}, not ${beating}`);
    await this.#stop(false);
    await this.clock.run(LAST_TIMERS);
    if (house.clock.pending !== 0) this.record.violate('no timer is left', `${house.clock.pending} after the stop`);
  }

  #open(): void {
    this.trace('the server starts');
    const house: House = new House({
      number: ++this.#houses,
      clock: this.clock,
      dice: this.#dice.fork(),
      sites: this.#sites,
      disk: this.#disk,
      rtmp: this.#rtmp,
      control: { applications: this.#options, anyApplication: undefined },
      witness: witness(this.#laws, this.clock, this.#disk, () => house),
    });
    this.#house = house;
    this.#laws.logins.begins(house, this.#disk.owed());
    this.#laws.reports.begins(house);
    void house.start();
  }

  #openSoon(): void {
    this.#house = undefined;
    this.clock.after(this.#dice.between(400, 4_000), () => this.#open());
  }

  #kill(): void {
    const house = this.#house;
    if (house?.state !== 'open') return;
    this.trace('the server is killed');
    this.#counts.kills++;
    for (const { address } of house.peers.keys()) this.#laws.presence.closed(address.ip);
    house.kill();
    this.#laws.logins.killed(this.#disk.owed(), this.#disk.troubledAt);
    this.#openSoon();
  }

  async #stop(again = true): Promise<void> {
    const house = this.#house;
    if (house?.state !== 'open') return;
    this.trace('the server stops');
    this.#counts.stops++;
    const began = this.clock.now();
    let stopped = false;
    const stopping = house.stop().then(() => {
      stopped = true;
    });
    if (!again) {
      for (let left = STOP / TICK; !stopped && left > 0; left--) await this.clock.run(TICK);
      if (!stopped) this.record.violate('a stop comes to its end', 'not in time');
      return;
    }
    await stopping;
    this.#laws.logins.stopped(house);
    // the next one finds what is on the disk, which may have been full all the while
    this.#laws.logins.killed(this.#disk.owed(), this.#disk.troubledAt);
    const took = this.clock.now() - began;
    if (took > STOP) this.record.violate('a stop comes to its end', `${took} ms`);
    const noTimer = () => {
      if (house.timers !== 0) this.record.violate('no timer is left', `${house.timers} after a stop`);
    };
    this.clock.after(LAST_TIMERS, noTimer);
    if (house.registry.size + house.hub.size + house.peers.size > 0)
      this.record.violate('a stop leaves nobody', 'inside');
    this.trace('the server has stopped');
    this.#openSoon();
  }

  // what people see of the town

  enter(link: Link, person: Person): void {
    const { ip } = person;
    this.clock.after(1, () => {
      if (this.#house?.accept(link, ip) !== true) link.serverDied();
      else this.#laws.presence.accepted(ip, person);
    });
  }

  newSource(stream: string, ip: string): Source {
    const source = new Source(this.#sources.length, stream, ip, this.#dice.fork());
    this.#sources.push(source);
    this.#laws.presence.publishes(source);
    return source;
  }

  source(id: number): Source | undefined {
    return this.#sources[id];
  }

  newIp(): string {
    const n = ++this.#lastIp;
    return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  }

  trace(text: string): void {
    this.record.trace(text);
  }

  violate(law: string, text: string): void {
    this.record.violate(law, text);
  }

  saw(person: Person, source: Source, number: number): void {
    this.#laws.presence.saw(person, source, source.sent[number]!, this.clock.now());
  }
}

/** Lets the town of `seed` live, and tells what became of it. */
export async function simulate(seed: number): Promise<Outcome> {
  const town = new Town(seed);
  await town.live();
  const { violation, lines } = town.record;
  return { seed, violation, trace: lines, counts: town.counts };
}
