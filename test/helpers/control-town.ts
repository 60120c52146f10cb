/**
 * Session control with everything around it made up: time, sites, disk and people.
 */
import assert from 'node:assert/strict';
import { SITE_DEFAULTS, type SiteOptions } from '../../src/control/options.ts';
import { type ControlOptions, SessionControl } from '../../src/control/session-control.ts';
import type { Admission, Verdict } from '../../src/session/gate.ts';
import { SessionRegistry } from '../../src/session/registry.ts';
import type { Session, SessionStream } from '../../src/session/session.ts';
import { FakeSite, FakeWeb } from './fake-web.ts';
import { LogRecorder } from './log-recorder.ts';
import { MemoryJournal } from './memory-journal.ts';
import { aSession } from './sessions.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface Visitor extends Session {
  stream?: SessionStream | undefined;
  /** What it was told when it was disconnected. */
  readonly told: string[];
}

/** Applications by name, each with the defaults where it says nothing. */
export function controlOptions(applications: Readonly<Record<string, Partial<SiteOptions>>>): ControlOptions {
  const listed = Object.entries(applications).map(
    ([name, options]) => [name, { ...SITE_DEFAULTS, ...options }] as const,
  );
  return { applications: new Map(listed), anyApplication: undefined };
}

export class ControlTown {
  readonly clock = new VirtualClock();
  readonly log = new LogRecorder();
  readonly registry = new SessionRegistry();
  readonly site = new FakeSite();
  readonly other = new FakeSite('other.example');
  readonly web = new FakeWeb(this.clock, this.site, this.other);
  readonly observed: string[] = [];
  readonly journal: MemoryJournal;
  readonly control: SessionControl;

  /** Without `options`: the application `live` at `site`, with its defaults and `differences`. */
  constructor(differences: Partial<SiteOptions> = {}, options?: ControlOptions, journal = new MemoryJournal()) {
    this.journal = journal;
    this.control = new SessionControl(options ?? controlOptions({ live: { ...this.site.options, ...differences } }), {
      registry: this.registry,
      clock: this.clock,
      log: this.log,
      webClient: () => this.web,
      random: () => 0.25,
      journal,
      observe: (hook, _millis, outcome) => this.observed.push(`${hook} ${outcome}`),
    });
  }

  async started(): Promise<this> {
    await this.control.start();
    return this;
  }

  ask(params: readonly string[], more: Partial<Admission> = {}): Promise<Verdict> {
    return this.control.gate.admit({ transport: 'rtmp', app: 'live', ip: '192.0.2.7', params, ...more });
  }

  /** The verdict, once time has brought it. */
  verdict(params: readonly string[], more: Partial<Admission> = {}): Promise<Verdict> {
    return this.clock.until(this.ask(params, more), 60_000);
  }

  /** Somebody who must be let in, and is. */
  async enter(params: readonly string[], more: Partial<Admission> = {}): Promise<Visitor> {
    const verdict = await this.verdict(params, more);
    assert.ok(verdict.allow, `${params[0]} is let in: ${JSON.stringify(verdict)}`);
    return this.open(verdict, params, more);
  }

  open(verdict: Verdict & { allow: true }, params: readonly string[], more: Partial<Admission> = {}): Visitor {
    const { name, room, role, canKick } = verdict;
    const told: string[] = [];
    const base = aSession({ name, room, role, canKick, params, app: 'live', startedTick: this.clock.now(), ...more });
    const visitor: Visitor = Object.assign(base, { told, disconnect: (reason: string) => void told.push(reason) });
    this.registry.open(visitor);
    this.control.gate.opened(visitor, verdict);
    return visitor;
  }

  publish(visitor: Visitor, name = visitor.name): void {
    visitor.stream = { name, query: '', doing: 'publish' };
    visitor.state = 'publishing';
    this.control.gate.published(visitor);
  }

  /** As a door does it, whatever the cause. */
  leave(visitor: Visitor): void {
    if (visitor.stream !== undefined) {
      visitor.stream = undefined;
      this.control.gate.published(visitor);
    }
    this.registry.close(visitor);
    this.control.gate.farewell(visitor);
  }
}

/** The parameters of a broadcaster's address. */
export function broadcaster(name: string, key = `key-${name}`): string[] {
  return [name, `room-${name}`, key, '1', '7'];
}

/** The parameters of a viewer's address. */
export function viewer(name: string, key = 'view-key'): string[] {
  return [name, 'lobby', key, '0'];
}

export function assertRefused(verdict: Verdict, code: string, reason = /./): void {
  assert.equal(verdict.allow, false, `${code} expected: ${JSON.stringify(verdict)}`);
  if (verdict.allow) return;
  assert.equal(verdict.code, code);
  assert.match(verdict.reason, reason);
}
