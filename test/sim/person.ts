/**
 * One who publishes or watches, with our client engine, and with manners of his own.
 */

import type { Clock, Millis } from '../../src/base/clock.ts';
import { PeerError } from '../../src/base/errors.ts';
import { type ClientEvent, RtmpClient } from '../../src/rtmp/client.ts';
import { phpUrlEncode } from '../../src/session/address.ts';
import { Eye, markOf, type Source } from './broadcast.ts';
import type { Dice } from './dice.ts';
import { Link, type LinkQuality } from './link.ts';

/**
 * honest: as it should be. slow: a thin line. stalling: a line that jams now and then. deaf: stops reading. handshake: goes no
 * further than half a handshake. hasty: leaves before the login is decided. silent: says it publishes, and does not. twice: asks to
 * publish again. babbling: sends nonsense. pausing: pauses and goes on. back: loses the line and is back at once under its name.
 */
export type Habit =
  | 'honest'
  | 'slow'
  | 'stalling'
  | 'deaf'
  | 'handshake'
  | 'hasty'
  | 'silent'
  | 'twice'
  | 'babbling'
  | 'pausing'
  | 'back';

export interface Plan {
  readonly does: 'publish' | 'play';
  readonly habit: Habit;
  readonly app: string;
  readonly session: string;
  readonly room: string;
  readonly key: string;
  readonly broadcaster: string;
  readonly stream: string;
}

/** Where people live. */
export interface Street {
  readonly clock: Clock;
  /** Comes to the server's door; the far end is told when nobody opens. */
  enter(link: Link, person: Person): void;
  newSource(stream: string, ip: string): Source;
  source(id: number): Source | undefined;
  newIp(): string;
  trace(text: string): void;
  violate(law: string, text: string): void;
  saw(person: Person, source: Source, number: number): void;
}

/** What the server may close a connection for without an order of the site. */
const OWN_FAULTS: Readonly<Partial<Record<Habit, readonly string[]>>> = {
  slow: ['rtmp/slow-viewer', 'rtmp/dead-peer', 'rtmp/timeout'],
  stalling: ['rtmp/slow-viewer', 'rtmp/dead-peer', 'rtmp/timeout'],
  deaf: ['rtmp/slow-viewer', 'rtmp/timeout', 'rtmp/dead-peer'],
  handshake: ['rtmp/timeout'],
  silent: ['rtmp/dead-peer', 'rtmp/timeout'],
  twice: ['rtmp/sequence'],
  back: ['rtmp/dead-peer', 'rtmp/timeout', 'rtmp/slow-viewer'],
};
const ALL = ['metadata', 'avc', 'aac'] as const;
const SOUND = ['metadata', 'aac'] as const;
const NARROW: ReadonlySet<Habit> = new Set<Habit>(['slow', 'stalling', 'deaf']);
const STRONG: LinkQuality = { latency: 20, rate: 10_000, window: 4 << 20, cut: false };
/** A data message of the server's own, before the first picture. */
const NOT_MEDIA = '|RtmpSampleAccess';
const RETURN: Millis = 1_500;

export class Person {
  readonly plan: Plan;
  ip = '';
  link: Link | undefined;
  state: 'away' | 'coming' | 'connected' | 'ready' | 'leaving' = 'away';
  readyAt: Millis = 0;
  source: Source | undefined;
  eye: Eye;
  quality: LinkQuality = STRONG;
  /** What the server said when it said no, or goodbye. */
  told: string | undefined;
  /** Comes again when the connection ends. */
  staying = false;
  readonly #street: Street;
  readonly #dice: Dice;
  #engine: RtmpClient | undefined;
  #visit = 0;

  constructor(plan: Plan, street: Street, dice: Dice) {
    this.plan = plan;
    this.#street = street;
    this.#dice = dice;
    this.eye = new Eye(this.fullStream);
  }

  get fullStream(): string {
    return `${this.plan.app}/${this.plan.stream}`;
  }

  /** Nothing about this one or its line is out of order. */
  get healthy(): boolean {
    return this.plan.habit === 'honest';
  }

  excuses(code: string): boolean {
    if (this.plan.habit === 'babbling') return code.startsWith('rtmp/');
    return OWN_FAULTS[this.plan.habit]?.includes(code) === true;
  }

  come(): void {
    if (this.state !== 'away') return;
    const { app, session, room, key, broadcaster, stream, does, habit } = this.plan;
    const visit = ++this.#visit;
    const dice = this.#dice;
    this.state = 'coming';
    this.told = undefined;
    this.eye = new Eye(this.fullStream);
    this.ip = this.#street.newIp();
    const latency = dice.between(1, 80);
    const rate = habit === 'slow' ? dice.between(1, 12) : STRONG.rate;
    const window = NARROW.has(habit) ? dice.between(4_000, 40_000) : STRONG.window;
    this.quality = { latency, rate, window, cut: dice.chance(0.5) };
    const link = new Link(this.#street.clock, dice.fork(), this.quality, {
      received: (bytes) => {
        if (visit === this.#visit) this.#received(bytes);
      },
      ended: () => {
        if (visit === this.#visit) this.#ended();
      },
    });
    this.link = link;
    const query = [session, room, key, broadcaster, '7'].map(phpUrlEncode).join('&');
    const marker = dice.chance(0.5) ? '&videowhisper' : '';
    this.#engine = new RtmpClient({
      random: (count) => dice.bytes(count),
      does,
      tcUrl: `rtmp://castgate.example/${app}?${query}${marker}`,
      stream,
      chunkSize: dice.pick([128, 4_096, 65_536]),
      handshake: dice.pick(['simple', 'digest']),
      enhanced: dice.chance(0.3),
    });
    this.#street.trace(`${this.name} comes`);
    this.#street.enter(link, this);
    if (habit === 'handshake') {
      link.send(this.#engine.drain()[0]!.subarray(0, dice.between(1, 1_500)));
      return;
    }
    this.#flush();
    if (habit === 'hasty') this.#later(dice.between(20, 600), () => this.leave());
    if (habit === 'stalling') this.#jam();
  }

  get name(): string {
    const { habit, does, app, session } = this.plan;
    return `${session}@${this.ip} (${habit}, ${does === 'publish' ? 'publishes' : 'plays'} ${app})`;
  }

  /** Goes, in one of the ways in which people go. */
  leave(): void {
    const { link } = this;
    if (link === undefined || this.state === 'away' || this.state === 'leaving') return;
    const manner = this.#dice.pick(['stop', 'finish', 'reset', 'vanish'] as const);
    this.#street.trace(`${this.name} leaves: ${manner}`);
    this.#faltered();
    this.state = 'leaving';
    if (manner === 'stop') {
      this.#engine!.stop();
      this.#flush();
      link.finish();
    } else if (manner === 'finish') link.finish();
    else if (manner === 'reset') link.reset();
    else link.vanish();
    this.#gone();
  }

  #gone(): void {
    this.state = 'away';
    this.source = undefined;
    this.#visit++;
    this.#later(RETURN + this.#dice.between(0, 2_000), () => {
      if (this.staying) this.come();
    });
  }

  #ended(): void {
    this.#faltered();
    this.link!.finish();
    this.#gone();
  }

  /** What it sends from here on may not arrive. */
  #faltered(): void {
    if (this.source !== undefined) this.source.healthy = false;
  }

  /** Does something later, if this visit lasts; `always` for what begins a visit. */
  #later(delay: Millis, then: () => void): void {
    const visit = this.#visit;
    this.#street.clock.after(delay, () => {
      if (visit === this.#visit) then();
    });
  }

  #received(bytes: Buffer): void {
    try {
      this.#engine!.feed(bytes);
      for (let event = this.#engine!.next(); event !== undefined; event = this.#engine!.next()) this.#event(event);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#street.violate('the server speaks RTMP', `${this.name}: ${error.message}`);
    }
    this.#flush();
  }

  #event(event: ClientEvent): void {
    if (event.type === 'connected') this.state = 'connected';
    else if (event.type === 'ready') this.#ready();
    else if (event.type === 'media') this.#see(event);
    else if (event.type === 'refused') {
      this.#street.trace(`${this.name} is told: ${event.code} ${event.description}`);
      this.told ??= event.description;
      this.#faltered();
      this.source = undefined;
      // polite clients hang up; the server does so anyhow
      if (this.#dice.chance(0.5)) this.#later(this.#dice.between(10, 500), () => this.link!.finish());
    }
  }

  #see({ message }: Extract<ClientEvent, { type: 'media' }>): void {
    if (message.body.includes(NOT_MEDIA)) return;
    const mark = markOf(message);
    const source = mark && this.#street.source(mark.source);
    const number = mark?.number ?? -1;
    const complaint = this.eye.see(source, message, number, this.healthy && source?.healthy === true);
    if (complaint !== undefined) this.#street.violate('viewers see what was sent', `${this.name}: ${complaint}`);
    if (source !== undefined) this.#street.saw(this, source, number);
  }

  #ready(): void {
    this.state = 'ready';
    this.readyAt = this.#street.clock.now();
    const { does, habit } = this.plan;
    const dice = this.#dice;
    if (does === 'publish') this.#beginBroadcast();
    if (habit === 'twice') this.#later(dice.between(500, 5_000), () => this.#say('publish', this.plan.stream, 'live'));
    if (habit === 'deaf') this.#later(dice.between(100, 3_000), () => this.link!.deaf(true));
    if (habit === 'babbling')
      this.#later(dice.between(100, 5_000), () => this.link!.send(dice.bytes(dice.between(10, 3_000))));
    if (habit === 'pausing') this.#later(dice.between(300, 3_000), () => this.#pause(true));
    if (habit === 'back') this.#later(dice.between(1_000, 9_000), () => this.#comeBack());
  }

  /** The line is lost, and the same one is here again before the server can know. */
  #comeBack(): void {
    this.#street.trace(`${this.name} loses its line and is back`);
    this.#faltered();
    this.link!.vanish();
    this.state = 'away';
    this.source = undefined;
    this.come();
  }

  #pause(paused: boolean): void {
    if (!paused) this.eye.again();
    this.#say('pause', paused, 0);
    this.#later(this.#dice.between(300, 3_000), () => this.#pause(!paused));
  }

  #jam(): void {
    this.#later(this.#dice.between(500, 8_000), () => {
      this.#faltered();
      this.link!.jam(true);
      this.#later(this.#dice.between(200, 9_000), () => {
        this.link!.jam(false);
        this.#jam();
      });
    });
  }

  #beginBroadcast(): void {
    const source = this.#street.newSource(this.fullStream, this.ip);
    this.source = source;
    source.healthy = this.healthy;
    if (this.plan.habit === 'silent') return;
    const dice = this.#dice;
    for (const kind of source.audioOnly ? SOUND : ALL) this.#publish(source, kind, 0);
    const step = dice.between(60, 150);
    let round = 0;
    const go = () => {
      if (this.source !== source) return;
      if (round % 2 === 0 && !source.audioOnly) this.#publish(source, source.nextPicture(), 0);
      this.#publish(source, 'audio', step);
      if (dice.chance(0.01)) this.#publish(source, 'metadata', 0);
      round++;
      this.#later(step, go);
    };
    go();
  }

  #publish(source: Source, kind: Parameters<Source['next']>[0], step: Millis): void {
    const { typeId, timestamp, body } = source.next(kind, this.#street.clock.now(), step);
    this.#engine!.write(typeId, timestamp, body);
    this.#flush();
  }

  #say(name: string, ...args: Parameters<RtmpClient['send']> extends [string, ...infer Rest] ? Rest : never): void {
    this.#engine!.send(name, ...args);
    this.#flush();
  }

  #flush(): void {
    for (const bytes of this.#engine!.drain()) this.link!.send(bytes);
  }
}
