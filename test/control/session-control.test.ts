import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { LogoutFile } from '../../src/control/logout-file.ts';
import { SITE_DEFAULTS, type SiteOptions } from '../../src/control/options.ts';
import { SessionControl } from '../../src/control/session-control.ts';
import { NodeWebClient } from '../../src/control/web-client.ts';
import type { Verdict } from '../../src/session/gate.ts';
import { SessionRegistry } from '../../src/session/registry.ts';
import { assertRefused, broadcaster, ControlTown, controlOptions } from '../helpers/control-town.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { aSession } from '../helpers/sessions.ts';
import { broadcasterKey, startVendorSite, type VendorSite, viewerKey } from '../helpers/vendor-site.ts';

const WEB_KEY = 'a secret of our own';
const right = ['bob', 'chan', broadcasterKey(WEB_KEY, 2, 4), '1', '2'];
const wrong = right.with(2, broadcasterKey('guessed', 2, 4));

/** One process of castgate as far as control goes, with real time, requests and disk. */
class Process {
  readonly registry = new SessionRegistry();
  readonly log = new LogRecorder();
  readonly control: SessionControl;

  constructor(site: VendorSite, state: string, differences: Partial<SiteOptions> = {}) {
    const { webLogin, webLogout, webStatus } = site;
    const options = { ...SITE_DEFAULTS, webLogin, webLogout, webStatus, webKey: WEB_KEY, ...differences };
    this.control = new SessionControl(
      { applications: new Map([['live', options]]), anyApplication: undefined },
      {
        registry: this.registry,
        clock: systemClock,
        log: this.log,
        webClient: (route) => new NodeWebClient(route, systemClock),
        random: () => 0.5,
        journal: new LogoutFile(state),
      },
    );
  }

  ask(params: readonly string[]): Promise<Verdict> {
    return this.control.gate.admit({ transport: 'rtmp', app: 'live', ip: '192.0.2.7', params });
  }

  async enter(params: readonly string[]) {
    const verdict = await this.ask(params);
    assert.ok(verdict.allow, JSON.stringify(verdict));
    const told: string[] = [];
    const { name, room, role } = verdict;
    const session = aSession({ name, room, role, disconnect: (reason) => void told.push(reason) });
    this.registry.open(session);
    this.control.gate.opened(session, verdict);
    return { session, told };
  }
}

describe('against the vendor’s receiver in PHP', { timeout: 60_000 }, () => {
  const state = mkdtempSync(join(tmpdir(), 'castgate-control-'));
  let site: VendorSite;
  before(async () => {
    site = await startVendorSite({ webKey: WEB_KEY, channels: { chan: { post: 4, owner: 2 } } });
  });
  after(async () => {
    await site.stop();
    rmSync(state, { recursive: true });
  });

  it('the site decides, sees, disconnects, and is told who has gone', async () => {
    const server = new Process(site, join(state, 'one'), { webStatusInterval: 400 });
    await server.control.start();
    assertRefused(await server.ask(wrong), 'access/login');
    const bob = await server.enter(right);
    assert.equal(bob.session.role, 'broadcaster');
    const vera = await server.enter(['vera', 'chan', viewerKey(WEB_KEY, 4), '0']);
    assert.equal(vera.session.role, 'watcher');
    await site.set({ disconnect: { bob: 'You were banned > out' } });
    for (let i = 0; i < 100 && bob.told.length === 0; i++) await pause(50);
    assert.equal(bob.told[0], 'You were banned > out');
    assert.deepEqual(vera.told, []);
    assert.match(server.control.states()[0]!.state, /the site decides who comes in; the site sees and controls/);
    for (const { session } of [bob, vera]) {
      server.registry.close(session);
      server.control.gate.farewell(session);
    }
    await server.control.stop();
    assert.deepEqual(await site.sessions(), []);
    const last = (await site.calls()).filter(({ task }) => task === 'rtmp_status').at(-1)!;
    assert.deepEqual(last.users, []);
    const secrets = [WEB_KEY, right[2]!, viewerKey(WEB_KEY, 4), '?action'];
    const said = JSON.stringify(server.log.lines) + readFileSync(join(state, 'one', 'logouts.journal'), 'utf8');
    for (const secret of secrets) assert.ok(!said.includes(secret), secret);
  });

  it('a killed process leaves logins behind, and the next one ends them, so that a wrong key gets nowhere', async () => {
    await site.set({ disconnect: {} });
    const killed = new Process(site, join(state, 'two'), { freshLogin: false, webStatus: '' });
    await killed.control.start();
    await killed.enter(right);
    assert.deepEqual(await site.sessions(), ['bob'], 'while it stands, the site would answer from memory');

    const next = new Process(site, join(state, 'two'), { freshLogin: false, webStatus: '' });
    await next.control.start();
    assertRefused(await next.ask(wrong), 'access/login');
    assert.deepEqual(await site.sessions(), []);
    await next.control.stop();
  });
});

describe('session control', () => {
  it('tries nothing any more after its end', async () => {
    const town = await new ControlTown({ freshLogin: false }).started();
    town.site.moods.webLogout = 'silent';
    town.leave(await town.enter(broadcaster('bob')));
    await town.clock.until(town.control.stop());
    assert.equal(town.clock.pending, 0);
    assert.equal(town.control.logoutsOwed, 1);
  });

  it('tells each application how its site does', async () => {
    const town = new ControlTown();
    const { webLogin, webLogout, webStatus } = town.site.options;
    town.control.reload(
      controlOptions({ open: {}, closed: { webLogin, webLogout, webStatus }, keyed: { webKey: 'secret' } }),
    );
    await town.started();
    const [open, closed, keyed] = town.control.states();
    assert.equal(open!.name, 'open');
    assert.match(open!.state, /everybody is let in, because webLogin is not set; the site does not see the sessions/);
    assert.equal(open!.acceptPlayers, true);
    assert.match(keyed!.state, /^everybody is let in over RTMP, .* over WebRTC whoever brings a key/);
    assert.match(closed!.state, /nobody has logged in yet; the first report is under way/);
    assert.equal(closed!.lastAnswer, undefined);
    await town.clock.run(1_000);
    town.clock.jumpWall(7_200_000);
    assert.deepEqual(town.control.states()[1]!.lastAnswer, { kind: 'orders', at: 1_700_000_000_050, age: 950 });
  });

  it('says since when something is wrong, and what keeps people out before what keeps the site blind', async () => {
    const town = await new ControlTown({ freshLogin: false }).started();
    await town.clock.run(5_000);
    town.site.moods = { webLogin: '404', webLogout: 'good', webStatus: 'denied' };
    await town.clock.run(30_000);
    const at = (tick: number) => 1_700_000_000_000 + tick;
    assert.deepEqual(town.control.states()[0]!.failure?.since, at(10_050));
    assert.equal(town.control.states()[0]!.failure?.code, 'web/denied');
    assertRefused(await town.verdict(right), 'access/web');
    assert.equal(town.control.states()[0]!.failure?.code, 'web/status');
    assert.deepEqual(Object.fromEntries(town.control.states()[0]!.counts.logins), { failed: 1 });
  });

  it('takes nothing of settings that lead nowhere', async () => {
    const town = new ControlTown();
    const broken = new SessionControl(controlOptions({}), {
      registry: town.registry,
      clock: town.clock,
      log: town.log,
      webClient: (route) => new NodeWebClient(route, town.clock),
      random: () => 0,
      journal: undefined,
    });
    const options = controlOptions({ live: town.site.options, other: { connectTo: 'not an address' } });
    assert.throws(() => broken.reload(options), RangeError);
    assert.deepEqual(broken.states(), []);
    await town.clock.until(broken.stop());
  });

  it('asks with the limits and addresses of the latest reload', async () => {
    const town = new ControlTown({ freshLogin: false });
    town.control.reload(controlOptions({ live: { ...town.site.options, freshLogin: false, loginTimeout: 1_000 } }));
    town.site.moods.webLogin = 'silent';
    assertRefused(await town.verdict(right), 'access/web');
    assert.equal(town.clock.now(), 1_000);
    town.control.reload(controlOptions({ live: town.other.options }));
    const verdict = await town.verdict(right);
    assert.ok(verdict.allow);
    assert.deepEqual(town.other.names('webLogin'), ['bob']);
  });
});
