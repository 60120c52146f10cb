/**
 * One life of the server: the real rooms, joined as the roof joins them, behind in-memory connections. Can be stopped, or killed.
 */
import { type Millis, pause, type Timer } from '../../src/base/clock.ts';
import type { LogFields, Logger } from '../../src/base/log.ts';
import { fraction } from '../../src/base/random.ts';
import { type ControlOptions, SessionControl } from '../../src/control/session-control.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { Hub } from '../../src/relay/hub.ts';
import { Audiences } from '../../src/rtmp/audiences.ts';
import type { RtmpOptions } from '../../src/rtmp/options.ts';
import { RtmpPeer } from '../../src/rtmp/peer.ts';
import { ReadPacer } from '../../src/rtmp/read-pacer.ts';
import { newCounts, type RtmpWorld } from '../../src/rtmp/world.ts';
import type { Admission, Gate, Verdict } from '../../src/session/gate.ts';
import { SessionRegistry } from '../../src/session/registry.ts';
import type { Session } from '../../src/session/session.ts';
import type { VirtualClock } from '../helpers/virtual-clock.ts';
import type { Dice } from './dice.ts';
import type { Disk } from './disk.ts';
import type { Link } from './link.ts';
import { MortalClock } from './mortal-clock.ts';
import { type TownSite, TownWeb, type WebWitness } from './web.ts';

/** Who watches what happens inside. */
export interface HouseWitness extends WebWitness {
  comes(admission: Admission): void;
  judged(admission: Admission, verdict: Verdict): void;
  opened(session: Session, verdict: Verdict): void;
  abandoned(verdict: Verdict): void;
  left(session: Session): void;
  logged(level: 'debug' | 'info' | 'warn' | 'error', fields: LogFields, text: string): void;
  /** The server is done with a connection. */
  closed(ip: string): void;
}

export interface HouseParts {
  readonly number: number;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly sites: readonly TownSite[];
  readonly disk: Disk;
  readonly rtmp: RtmpOptions;
  readonly control: ControlOptions;
  readonly witness: HouseWitness;
}

/** As in src/server.ts and src/rtmp/server.ts. */
const GOODBYE: Millis = 2_500;
const GOODBYE_STEP: Millis = 20;
const CHECK: Millis = 1_000;

export class House {
  readonly number: number;
  readonly clock: MortalClock;
  readonly registry = new SessionRegistry();
  readonly hub: Hub;
  readonly audiences: Audiences;
  readonly control: SessionControl;
  readonly world: RtmpWorld;
  readonly peers = new Map<RtmpPeer, Link>();
  readonly startedAt: Millis;
  state: 'starting' | 'open' | 'leaving' | 'stopped' | 'dead' = 'starting';
  leavingAt: Millis = 0;
  readonly #witness: HouseWitness;
  readonly #gone: () => void;
  readonly #diskBusy: () => boolean;
  #checks: Timer | undefined;
  #lastNumber = 0;

  constructor({ number, clock, dice, sites, disk, rtmp, control, witness }: HouseParts) {
    this.number = number;
    this.#witness = witness;
    this.startedAt = clock.now();
    this.clock = new MortalClock(clock);
    this.hub = new Hub(() => ({
      ...GOP_DEFAULTS,
      enabled: rtmp.gopCache,
      maxBytes: rtmp.gopCacheSize,
      maxMicros: rtmp.gopCacheTime * 1_000,
    }));
    this.audiences = new Audiences(this.clock, (stream) => stream);
    const random = (count: number) => dice.bytes(count);
    const { file, gone, busy } = disk.file(this.clock);
    this.#gone = gone;
    this.#diskBusy = busy;
    const web = new TownWeb(number, clock, this.clock, dice.fork(), sites, witness);
    const log = new TownLog(witness, {});
    this.control = new SessionControl(control, {
      registry: this.registry,
      clock: this.clock,
      log,
      webClient: () => web,
      random: () => fraction(random),
      journal: file,
    });
    this.world = {
      version: 'sim',
      options: rtmp,
      clock: this.clock,
      log,
      hub: this.hub,
      registry: this.registry,
      gate: new WatchedGate(this.control.gate, witness, this.clock),
      audiences: this.audiences,
      pacer: new ReadPacer(this.clock, 0, 0),
      counts: newCounts(),
      random,
      nextNumber: () => ++this.#lastNumber,
      writeWindow: () => rtmp.writeWindow,
      observeJoin: () => {},
    };
  }

  async start(): Promise<void> {
    await this.control.start();
    this.state = 'open';
    this.#checks = this.clock.every(CHECK, () => {
      for (const peer of this.peers.keys()) peer.check();
    });
  }

  /** Takes a connection; false: nobody listens. */
  accept(link: Link, ip: string): boolean {
    if (this.state !== 'open') return false;
    const { counts } = this.world;
    counts.accepted += 1;
    counts.open += 1;
    const peer = new RtmpPeer(
      this.world,
      { door: 'rtmp', ip, openedAt: this.world.clock.now() },
      (events) => link.open(events),
      () => {
        counts.open -= 1;
        this.peers.delete(peer);
        this.#witness.closed(ip);
      },
    );
    this.peers.set(peer, link);
    return true;
  }

  /** As `kill -9` does it. */
  kill(): void {
    this.state = 'dead';
    this.clock.kill();
    this.#gone();
    for (const link of this.peers.values()) link.serverDied();
  }

  /** Timers that somebody has begun and not ended; the disk's own is its own affair. */
  get timers(): number {
    return this.clock.pending - (this.#diskBusy() ? 1 : 0);
  }

  /** As SIGTERM does it. */
  async stop(): Promise<void> {
    this.state = 'leaving';
    this.leavingAt = this.clock.now();
    for (const peer of [...this.peers.keys()]) peer.drain('The server is shutting down; connect again in a moment.');
    const deadline = this.clock.now() + GOODBYE;
    while (this.peers.size > 0 && this.clock.now() < deadline) await pause(this.clock, GOODBYE_STEP);
    await this.control.stop();
    this.#checks?.cancel();
    // the process ends here, whatever the disk is still at
    this.#gone();
    this.state = 'stopped';
  }
}

/** The real gate, with somebody beside it who writes down what it says. */
class WatchedGate implements Gate {
  readonly #gate: Gate;
  readonly #witness: HouseWitness;
  readonly #clock: MortalClock;

  constructor(gate: Gate, witness: HouseWitness, clock: MortalClock) {
    this.#gate = gate;
    this.#witness = witness;
    this.#clock = clock;
  }

  async admit(request: Admission): Promise<Verdict> {
    this.#witness.comes(request);
    const verdict = await this.#gate.admit(request);
    if (this.#clock.alive) this.#witness.judged(request, verdict);
    return verdict;
  }

  abandon(verdict: Verdict): void {
    this.#witness.abandoned(verdict);
    this.#gate.abandon(verdict);
  }

  opened(session: Session, verdict: Verdict): void {
    this.#witness.opened(session, verdict);
    this.#gate.opened(session, verdict);
  }

  farewell(session: Session): void {
    this.#witness.left(session);
    this.#gate.farewell(session);
  }

  published(session: Session): void {
    this.#gate.published(session);
  }

  mayTakeOver(session: Session, holder: Session): boolean {
    return this.#gate.mayTakeOver(session, holder);
  }
}

class TownLog implements Logger {
  readonly #witness: HouseWitness;
  readonly #fields: LogFields;

  constructor(witness: HouseWitness, fields: LogFields) {
    this.#witness = witness;
    this.#fields = fields;
  }

  debug(fields: LogFields, text: string): void {
    this.#witness.logged('debug', { ...this.#fields, ...fields }, text);
  }

  info(fields: LogFields, text: string): void {
    this.#witness.logged('info', { ...this.#fields, ...fields }, text);
  }

  warn(fields: LogFields, text: string): void {
    this.#witness.logged('warn', { ...this.#fields, ...fields }, text);
  }

  error(fields: LogFields, text: string): void {
    this.#witness.logged('error', { ...this.#fields, ...fields }, text);
  }

  child(fields: LogFields): Logger {
    return new TownLog(this.#witness, { ...this.#fields, ...fields });
  }
}
