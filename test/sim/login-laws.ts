/**
 * What must hold between a server and the sites' logins and logouts: who is let in, how soon, and that each who was is logged out.
 */
import type { Millis } from '../../src/base/clock.ts';
import type { SiteOptions } from '../../src/control/options.ts';
import type { WebAnswer } from '../../src/control/web-client.ts';
import { sanitiseFileName } from '../../src/control/web-login.ts';
import type { Admission, Verdict } from '../../src/session/gate.ts';
import type { Session } from '../../src/session/session.ts';
import type { House } from './house.ts';
import type { Record } from './record.ts';
import { type Call, rightKey, type TownSite } from './web.ts';

type Role = 'broadcaster' | 'watcher';

/** What a site is owed for one name. */
interface Debt {
  readonly site: TownSite | undefined;
  readonly name: string;
  /** Verdicts that stand under the name. */
  readonly standing: Set<object>;
  /** Decisions under way. */
  asking: number;
  owed: boolean;
  acceptedAt: Millis;
  /** The login last answered with a yes. */
  lastYes: Call | undefined;
  /** A server before this one may not have noted that the site was told. */
  replay: boolean;
}

interface Asked {
  readonly at: Millis;
  readonly site: TownSite | undefined;
  /** Others of that name who were asking meanwhile. */
  readonly rivals: number;
}

const DECISION: Millis = 10_050;
/** Two answers of a prompt site, and the ways. */
const PROMPT_DECISION: Millis = 400;
const JOURNAL_PATIENCE: Millis = 1_000;
/** A call may hang for as long as this after the site has mended. */
const OLD_CALL: Millis = 6_000;

export class LoginLaws {
  readonly #record: Record;
  readonly #options: ReadonlyMap<string, SiteOptions>;
  readonly #siteOf: (app: string) => TownSite | undefined;
  readonly #debts = new Map<string, Debt>();
  readonly #asked = new Map<Admission, Asked>();
  /** Yes and role, by the client's address, which no two connections share. */
  readonly #yes = new Map<string, Role>();
  readonly #loginOf = new Map<Session, object>();
  /** Decisions by whether they were a yes. */
  readonly counts = { yes: 0, no: 0, logouts: 0 };
  #house: House | undefined;

  constructor(
    record: Record,
    options: ReadonlyMap<string, SiteOptions>,
    siteOf: (app: string) => TownSite | undefined,
  ) {
    this.#record = record;
    this.#options = options;
    this.#siteOf = siteOf;
  }

  /** A server begins, with what the disk holds: application and session, a line feed between. */
  begins(house: House, onDisk: ReadonlySet<string>): void {
    this.#house = house;
    for (const entry of onDisk) {
      const [app, session] = entry.split('\n') as [string, string];
      this.#debt(this.#siteOf(app), session).replay = true;
    }
  }

  /** A server was killed; `onDisk` is what the next one will find, `diskTroubledAt` when a line last came late or not at all. */
  killed(onDisk: ReadonlySet<string>, diskTroubledAt: Millis): void {
    const kept = new Set(
      [...onDisk].map((entry) => this.#key(this.#siteOf(entry.split('\n')[0]!), entry.split('\n')[1]!)),
    );
    for (const [key, debt] of this.#debts) {
      debt.standing.clear();
      debt.asking = 0;
      if (!debt.owed || kept.has(key)) continue;
      debt.owed = false;
      if (diskTroubledAt < debt.acceptedAt - 2 * JOURNAL_PATIENCE)
        this.#record.violate('the journal loses no logout', key);
    }
    this.#asked.clear();
    this.#loginOf.clear();
    this.#house = undefined;
  }

  asked(call: Call): void {
    if (call.hook !== 'webLogout') return;
    const { name, site } = call;
    const debt = this.#debt(site, name);
    const key = this.#key(site, name);
    if (debt.standing.size > 0) this.#record.violate('nobody is logged out while here', key);
    const toForget = debt.asking > 0 && this.#freshAt(site);
    if (!debt.owed && !debt.replay && !toForget) this.#record.violate('each login ends in one logout', `${key} again`);
  }

  acted(call: Call): void {
    const debt = this.#debt(call.site, call.name);
    if (call.hook === 'webLogin' && call.yes !== undefined) debt.lastYes = call;
    if (call.hook !== 'webLogout' || debt.lastYes === undefined) return;
    const { house, sentAt } = debt.lastYes;
    if (house === call.house && sentAt > call.sentAt) {
      this.#record.violate('no logout overtakes a later login', this.#key(call.site, call.name));
    }
  }

  settled(call: Call, answer: WebAnswer): void {
    if (call.hook === 'webLogin' && call.yes !== undefined && answer.ok) this.#yes.set(call.params[5]!, call.yes);
    if (call.hook !== 'webLogout' || !(answer.ok || answer.status === 200)) return;
    const debt = this.#debt(call.site, call.name);
    debt.owed = false;
    debt.replay = false;
    this.counts.logouts++;
  }

  comes(admission: Admission, now: Millis): void {
    const site = this.#siteOf(admission.app);
    const debt = this.#debt(site, this.#nameOf(admission));
    this.#asked.set(admission, { at: now, site, rivals: debt.asking });
    debt.asking++;
  }

  judged(admission: Admission, verdict: Verdict, now: Millis, diskSlowAt: Millis): void {
    const { at, site, rivals } = this.#asked.get(admission)!;
    this.#asked.delete(admission);
    const debt = this.#debt(site, this.#nameOf(admission));
    debt.asking--;
    const took = now - at;
    const who = `${this.#nameOf(admission)}@${admission.ip}`;
    const prompt =
      site === undefined ||
      (site.promptSince('webLogin', at - OLD_CALL) && site.promptSince('webLogout', at - OLD_CALL));
    this.#record.trace(`${who} ${verdict.allow ? `may come in as ${verdict.role}` : `is refused: ${verdict.code}`}`);
    if (took > DECISION) this.#record.violate('a login is decided within 10 s', `${who}: ${took} ms`);
    const patience = PROMPT_DECISION * (1 + rivals) + (diskSlowAt > at - OLD_CALL ? JOURNAL_PATIENCE : 0);
    if (prompt && took > patience) this.#record.violate('a login waits for nothing but its site', `${who}: ${took} ms`);
    if (verdict.allow) this.#allowed(admission, verdict, debt, site, now);
    else this.#refused(admission, verdict.code, prompt);
  }

  opened(session: Session, verdict: Verdict): void {
    if (!verdict.allow) this.#record.violate('no session after a refusal', session.name);
    else if (verdict.login !== undefined) this.#loginOf.set(session, verdict.login);
  }

  abandoned(verdict: Verdict): void {
    if (verdict.allow && verdict.login !== undefined) this.#release(verdict.login);
  }

  left(session: Session): void {
    const login = this.#loginOf.get(session);
    this.#loginOf.delete(session);
    if (login !== undefined) this.#release(login);
  }

  /** A server has stopped in order: sites that listened all the while know that everybody has gone. */
  stopped(house: House): void {
    for (const { site, name, owed } of this.#debts.values()) {
      if (owed && site?.promptSince('webLogout', house.leavingAt - OLD_CALL)) {
        this.#record.violate('a stop owes nothing to sites that listen', this.#key(site, name));
      }
    }
  }

  /** At the very end, when all have gone and all sites have been well for long. */
  conclude(): void {
    for (const [key, { owed, standing, asking }] of this.#debts) {
      if (owed) this.#record.violate('each login ends in one logout', `${key} was never logged out`);
      if (standing.size > 0 || asking > 0)
        this.#record.violate('nobody is left', `${key}: ${standing.size}, ${asking}`);
    }
  }

  #allowed(
    { app, ip, params }: Admission,
    verdict: Verdict & { allow: true },
    debt: Debt,
    site: TownSite | undefined,
    now: Millis,
  ): void {
    this.counts.yes++;
    if (site === undefined) return;
    const options = this.#options.get(app)!;
    const yes = this.#yes.get(ip);
    const role = yes ?? (options.onWebFailure === 'accept' ? 'watcher' : undefined);
    if (verdict.role !== role) {
      this.#record.violate(
        'nobody comes in without a clear yes',
        `${verdict.name}@${ip}: ${verdict.role}, not ${role}`,
      );
    }
    const wrongKey = params[2] !== rightKey(params[0]!) && verdict.role === 'broadcaster';
    if (wrongKey && options.freshLogin && site.promptSince('webLogout', now - DECISION - OLD_CALL)) {
      this.#record.violate('a wrong key publishes nothing', `${verdict.name}@${ip}`);
    }
    if (verdict.login === undefined) return;
    debt.standing.add(verdict.login);
    debt.owed = true;
    debt.acceptedAt = now;
  }

  #refused({ app, params }: Admission, code: string, prompt: boolean): void {
    this.counts.no++;
    const honest = params[2] === rightKey(params[0]!) && params[3] === '1';
    if (!honest || !prompt || this.#house?.state !== 'open') return;
    if (code === 'access/duplicate' || !this.#options.has(app)) return;
    this.#record.violate('a site that works lets the right ones in', `${params[0]} in ${app}: ${code}`);
  }

  #release(login: object): void {
    for (const { standing } of this.#debts.values()) standing.delete(login);
  }

  #debt(site: TownSite | undefined, name: string): Debt {
    const key = this.#key(site, name);
    let debt = this.#debts.get(key);
    if (debt === undefined) {
      debt = {
        site,
        name,
        standing: new Set(),
        asking: 0,
        owed: false,
        acceptedAt: 0,
        lastYes: undefined,
        replay: false,
      };
      this.#debts.set(key, debt);
    }
    return debt;
  }

  #key(site: TownSite | undefined, name: string): string {
    return `${site?.host ?? 'no site'}: ${name}`;
  }

  #nameOf({ params, argument }: Admission): string {
    return sanitiseFileName(params[0] || params[1] || argument || '');
  }

  #freshAt(site: TownSite): boolean {
    for (const [app, { freshLogin }] of this.#options) if (freshLogin && this.#siteOf(app) === site) return true;
    return false;
  }
}
