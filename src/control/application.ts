/**
 * Which applications there are, whose web site decides about each, and how that site does in words.
 */
import { listedName } from '../session/application-name.ts';
import type { HookFailure, HookState } from './hook-health.ts';
import type { SiteOptions } from './options.ts';
import type { LastAnswer, Reporter, ReportState } from './reporter.ts';
import type { Site, SiteState } from './site.ts';

export interface Application {
  /** `*` stands for every name, when none is listed. */
  readonly name: string;
  readonly options: SiteOptions;
  /** Undefined: nobody is asked, everybody is let in. */
  readonly site: Site | undefined;
  /** Undefined: nobody is told who is here. */
  readonly reporter: Reporter | undefined;
}

export const ANY = '*';

/** Applications by name, or one that stands for all. */
export class ApplicationSet {
  readonly #listed: ReadonlyMap<string, Application>;
  readonly #any: Application | undefined;

  constructor(listed: Iterable<Application>, any: Application | undefined) {
    this.#listed = new Map([...listed].map((application) => [application.name, application]));
    this.#any = any;
  }

  /** Undefined: a name that leads nowhere, and is not let in. */
  find(name: string): Application | undefined {
    const listed = listedName(this.#listed, name);
    return listed === undefined ? this.#any : this.#listed.get(listed);
  }

  *[Symbol.iterator](): Iterator<Application> {
    yield* this.#listed.values();
    if (this.#any !== undefined) yield this.#any;
  }
}

/** What an operator is shown of an application. The addresses are as configured: their queries are not for showing. */
export interface ApplicationState {
  readonly name: string;
  readonly acceptPlayers: boolean;
  readonly webLogin: string;
  readonly webLogout: string;
  readonly webStatus: string;
  /** In words for the site's owner: who controls the sessions, or why nobody does. */
  readonly state: string;
  /** Of webStatus. */
  readonly lastAnswer: LastAnswer | undefined;
  /** What is wrong now: what keeps people out first, then what keeps the site blind. */
  readonly failure: HookFailure | undefined;
  readonly counts: {
    readonly logins: ReadonlyMap<string, number>;
    readonly answers: ReadonlyMap<string, number>;
    readonly failures: ReadonlyMap<string, number>;
    readonly orders: number;
    readonly logoutsWaiting: number;
  };
  readonly login: HookState | undefined;
  readonly logout: HookState | undefined;
  readonly report: ReportState | undefined;
}

const NOTHING: ReadonlyMap<string, number> = new Map();

export function applicationState({ name, options, site, reporter }: Application): ApplicationState {
  const access = site?.state();
  const report = reporter?.state();
  return {
    name,
    acceptPlayers: letsPlayersIn(options),
    webLogin: options.webLogin,
    webLogout: options.webLogout,
    webStatus: options.webStatus,
    state: `${accessWords(access, options)}; ${reportWords(report)}`,
    lastAnswer: report?.lastAnswer,
    failure: access?.login.failure ?? report?.failure ?? access?.logout.failure,
    counts: {
      logins: access?.logins ?? NOTHING,
      answers: report?.answers ?? NOTHING,
      failures: report?.failuresByCode ?? NOTHING,
      orders: report?.orders ?? 0,
      logoutsWaiting: access?.logoutsWaiting ?? 0,
    },
    login: access?.login,
    logout: access?.logout,
    report,
  };
}

/** Without a site to ask there is nothing that a client would have to bring. */
export function letsPlayersIn(options: SiteOptions): boolean {
  return options.acceptPlayers || options.webLogin === '';
}

function accessWords(state: SiteState | undefined, { webKey }: SiteOptions): string {
  if (state === undefined && webKey !== '') {
    return 'everybody is let in over RTMP, because webLogin is not set; over WebRTC whoever brings a key made with webKey';
  }
  if (state === undefined) return 'everybody is let in, because webLogin is not set';
  if (state.login.failure !== undefined) return `nobody can log in: ${state.login.failure.text}`;
  if (state.logout.failure !== undefined) return `the site is not told who has gone: ${state.logout.failure.text}`;
  return state.login.at === undefined ? 'nobody has logged in yet' : 'the site decides who comes in';
}

function reportWords(state: ReportState | undefined): string {
  if (state === undefined) return 'the site does not see the sessions, because webStatus is not set';
  if (state.failure !== undefined) return `the site does not control the sessions: ${state.failure.text}`;
  return state.at === undefined ? 'the first report is under way' : 'the site sees and controls the sessions';
}
