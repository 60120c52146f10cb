/**
 * Session control as the roof sees it: one object that is told what is configured and who is here, and gives a gate.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Gate } from '../session/gate.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { Session } from '../session/session.ts';
import { ANY, type Application, ApplicationSet, type ApplicationState, applicationState } from './application.ts';
import { type ControlCounters, controlCounters, type HookObserver } from './counters.ts';
import { type JournalFile, LogoutJournal, type Owed } from './logout-journal.ts';
import { MAX_LOGOUTS_WAITING } from './logout-queue.ts';
import type { SiteOptions } from './options.ts';
import { Reporter, type ReporterSettings } from './reporter.ts';
import { Site } from './site.ts';
import type { WebClient, WebRoute } from './web-client.ts';
import { WebGate } from './web-gate.ts';
import { sanitiseFileName } from './web-login.ts';

export interface ControlOptions {
  /** By name. When some are listed, all other names are refused. */
  readonly applications: ReadonlyMap<string, SiteOptions>;
  /** For every name, when none is listed. */
  readonly anyApplication: SiteOptions | undefined;
}

export interface ControlParts {
  readonly registry: SessionRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes the client of a route; throws `RangeError` when the route is none. */
  readonly webClient: (route: WebRoute) => WebClient;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Where logouts that are owed outlive the process; undefined: nowhere. */
  readonly journal: JournalFile | undefined;
  readonly observe?: HookObserver;
}

/** For the last lines of the journal to reach the disk. */
const CLOSE_LIMIT: Millis = 1_000;
const NAMES_PER_LINE = 8;

export class SessionControl {
  readonly counters: ControlCounters = controlCounters();
  readonly #parts: ControlParts;
  readonly #journal: LogoutJournal;
  readonly #gate: WebGate;
  readonly #clients = new Map<string, WebClient>();
  /** By webLogin and webLogout; those of former settings stay until all that stood under them are logged out. */
  readonly #sites = new Map<string, Site>();
  /** By webStatus. */
  readonly #reporters = new Map<string, Reporter>();
  #applications = new ApplicationSet([], undefined);
  /** Applications that are configured no more; their last sessions are still reported, and may be disconnected. */
  #former = new ApplicationSet([], undefined);
  /** Logouts of an earlier run that no application and no webLogout of these settings is for. */
  #orphans: readonly Owed[] = [];
  #started = false;

  constructor(options: ControlOptions, parts: ControlParts) {
    this.#parts = parts;
    this.#journal = new LogoutJournal(parts.journal, parts.clock, parts.log);
    this.#gate = new WebGate({
      registry: parts.registry,
      log: parts.log,
      random: parts.random,
      application: (name) => this.#applications.find(name),
      reporter: (app) => this.#reporterOf(app),
    });
    this.#apply(options);
  }

  get gate(): Gate {
    return this.#gate;
  }

  /** Reads what an earlier process left behind, then begins to report. Never rejects. */
  async start(): Promise<void> {
    await this.#journal.open();
    this.#adopt(this.#journal.owed);
    this.#started = true;
    for (const reporter of this.#reporters.values()) reporter.start();
  }

  /** New settings for whoever comes from now on. Throws `RangeError`, and changes nothing, when a `connectTo` is no address. */
  reload(options: ControlOptions): void {
    this.#apply(options);
    const here = new Set([...this.#parts.registry].map(({ app, name }) => `${app}\n${sanitiseFileName(name)}`));
    this.#adopt(this.#orphans.filter(({ app, session }) => !here.has(`${app}\n${session}`)));
  }

  /** After the doors are shut: lets nobody in, delivers the logouts that are due, tells the sites that all have gone. */
  async stop(deadline: Millis = 8_000): Promise<void> {
    this.#gate.close();
    const work = [...this.#sites.values()].map((site) => site.drained());
    for (const reporter of this.#reporters.values()) work.push(reporter.finish());
    await this.#within(Promise.all(work), deadline);
    const left = this.#journal.size;
    if (left > 0) this.#parts.log.warn({ logouts: left }, 'logouts are left; they follow at the next start');
    for (const reporter of this.#reporters.values()) reporter.stop();
    for (const site of this.#sites.values()) site.stop();
    for (const client of this.#clients.values()) client.close();
    // a disk that hangs keeps nobody from leaving
    await this.#within(this.#journal.close(), CLOSE_LIMIT);
  }

  async #within(work: Promise<unknown>, limit: Millis): Promise<void> {
    let timeUp = () => {};
    const timer = this.#parts.clock.after(limit, () => timeUp());
    await Promise.race([work, new Promise<void>((resolve) => (timeUp = resolve))]);
    timer.cancel();
  }

  /** Each configured application; one named `*` when none is. */
  states(): readonly ApplicationState[] {
    return [...this.#applications].map(applicationState);
  }

  /** Sessions that sites believe to be here and will be logged out, now or later. */
  get logoutsOwed(): number {
    return this.#journal.size;
  }

  #apply({ applications, anyApplication }: ControlOptions): void {
    for (const options of applications.values()) this.#client(options);
    if (anyApplication !== undefined) this.#client(anyApplication);
    const before = [...this.#former, ...this.#applications];
    const listed = [...applications].map(([name, options]) => this.#application(name, options));
    const any = anyApplication === undefined ? undefined : this.#application(ANY, anyApplication);
    this.#applications = new ApplicationSet(listed, any);
    this.#retire(before.filter(({ name }) => !applications.has(name)));
  }

  /** Reporters that nobody is configured for report on until a round in which nobody is left. */
  #retire(gone: readonly Application[]): void {
    this.#former = new ApplicationSet(
      gone.filter(({ name }) => name !== ANY),
      gone.findLast(({ name }) => name === ANY),
    );
    const inUse = new Set([...this.#applications].map(({ reporter }) => reporter));
    for (const [url, reporter] of this.#reporters) {
      if (!inUse.has(reporter)) reporter.retire(() => this.#reporters.delete(url));
    }
    const sites = new Set([...this.#applications].map(({ site }) => site));
    for (const [key, site] of this.#sites) if (!sites.has(site) && site.idle) this.#sites.delete(key);
  }

  #application(name: string, options: SiteOptions): Application {
    const site = options.webLogin === '' ? undefined : this.#site(options);
    const reporter = options.webStatus === '' ? undefined : this.#reporter(options);
    return { name, options, site, reporter };
  }

  #client({ connectTo, localAddress }: SiteOptions): WebClient {
    const key = `${connectTo} ${localAddress}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = this.#parts.webClient({ connectTo, localAddress });
      this.#clients.set(key, client);
    }
    return client;
  }

  #site(options: SiteOptions): Site {
    const key = JSON.stringify([options.webLogin, options.webLogout]);
    const client = this.#client(options);
    let site = this.#sites.get(key);
    if (site === undefined) {
      const { clock, log, observe = () => {} } = this.#parts;
      const parts = { clock, log: log.child({ site: hostOf(options.webLogin) }), journal: this.#journal, observe };
      site = new Site(options, client, { ...parts, counters: this.counters });
      this.#sites.set(key, site);
    } else {
      site.configure(options, client);
    }
    return site;
  }

  #reporter(options: SiteOptions): Reporter {
    const settings: ReporterSettings = {
      client: this.#client(options),
      interval: options.webStatusInterval,
      timeout: options.statusTimeout,
      limitClientRateIn: options.limitClientRateIn,
    };
    const url = options.webStatus;
    let reporter = this.#reporters.get(url);
    if (reporter !== undefined) {
      reporter.configure(settings);
      return reporter;
    }
    const { clock, log, observe = () => {} } = this.#parts;
    const made: Reporter = new Reporter(settings, {
      url,
      clock,
      log: log.child({ site: hostOf(url) }),
      counters: this.counters,
      observe,
      sessions: () => this.#sessionsOf(made),
    });
    reporter = made;
    this.#reporters.set(url, reporter);
    if (this.#started) reporter.start();
    return reporter;
  }

  *#sessionsOf(reporter: Reporter): Iterable<Session> {
    for (const session of this.#parts.registry) {
      if (this.#reporterOf(session.app) === reporter) yield session;
    }
  }

  #reporterOf(app: string): Reporter | undefined {
    return (this.#applications.find(app) ?? this.#former.find(app))?.reporter;
  }

  /** Hands what an earlier run left behind to the sites it is owed to, and keeps what none of the present settings leads to. */
  #adopt(owed: readonly Owed[]): void {
    const orphans = owed.filter(({ app, session }) => !this.#applications.find(app)?.site?.adopt(session, app));
    this.#orphans = orphans.slice(-MAX_LOGOUTS_WAITING);
    for (const { app, session } of orphans.slice(0, -MAX_LOGOUTS_WAITING)) {
      this.counters.logoutsDropped++;
      this.#journal.settle(app, session);
    }
    if (this.#orphans.length === 0) return;
    const applications = [...new Set(this.#orphans.map(({ app }) => app))].slice(0, NAMES_PER_LINE);
    const words = 'logouts of an earlier run are kept: their applications are not configured, or have no webLogout';
    this.#parts.log.warn({ logouts: this.#orphans.length, applications }, words);
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'no valid address';
}
