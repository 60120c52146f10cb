import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SITE_DEFAULTS } from '../../src/control/options.ts';
import { broadcaster, ControlTown, controlOptions, type Visitor, viewer } from '../helpers/control-town.ts';
import type { Heard, Mood } from '../helpers/fake-web.ts';

const plain = { freshLogin: false };
const reports = (town: ControlTown) => town.site.heard.filter(({ hook }) => hook === 'webStatus');
const times = (town: ControlTown) => town.site.times('webStatus').map((at) => at / 1_000);
const report = (town: ControlTown) => town.control.states()[0]!.report!;

async function people(town: ControlTown, count: number): Promise<Visitor[]> {
  const asked = Array.from({ length: count }, (_, i) => town.ask(viewer(`v${i}`)));
  const verdicts = await town.clock.until(Promise.all(asked));
  return verdicts.map((verdict, i) => town.open(verdict as never, viewer(`v${i}`)));
}

/** The first report is answered; the next goes at 10 s. */
async function runningTown(): Promise<ControlTown> {
  const town = await new ControlTown(plain).started();
  await town.clock.run(1_000);
  return town;
}

/** A reply that disconnects. Lengths are bytes. */
function orders(users: Record<string, string>, sessions: Record<string, string> = {}): string {
  const text = (value: string) => `s:${Buffer.byteLength(value)}:"${value}";`;
  const list = (entries: Record<string, string>) =>
    `a:${Object.keys(entries).length}:{${Object.entries(entries)
      .map(([name, why]) => `${text(name)}a:2:{${text('session')}${text(name)}${text('disconnect')}${text(why)}}`)
      .join('')}}`;
  return `VideoWhisper=1&usersCount=1&controlUsers=${list(users)}&controlSessions=${list(sessions)}`;
}

describe('the price', () => {
  for (const count of [0, 5, 500]) {
    it(`is six reports a minute for ${count} clients, the first at once`, async () => {
      const town = await new ControlTown(plain).started();
      await people(town, count);
      await town.clock.run(600_000 - town.clock.now());
      assert.deepEqual(
        times(town),
        Array.from({ length: 61 }, (_, i) => i * 10),
      );
      assert.equal(town.site.most.webStatus, 1);
    });
  }

  it('is the same when the wall clock jumps', async () => {
    const town = await new ControlTown(plain).started();
    const [vera] = await people(town, 1);
    await town.clock.run(15_000);
    town.clock.jumpWall(-3_600_000);
    await town.clock.run(20_000);
    town.clock.jumpWall(7_200_000);
    await town.clock.run(20_000);
    assert.deepEqual(times(town), [0, 10, 20, 30, 40, 50]);
    const seconds = reports(town)
      .slice(1)
      .map(({ form }) => Number(/"runSeconds";i:(-?\d+);/.exec(form.get('users')!)![1]));
    assert.deepEqual(seconds, [9, 19, 29, 39, 49]);
    assert.deepEqual(vera!.told, []);
  });

  it('follows the interval of the configuration', async () => {
    const town = await new ControlTown({ ...plain, webStatusInterval: 30_000 }).started();
    await town.clock.run(90_000);
    assert.deepEqual(times(town), [0, 30, 60, 90]);
    town.control.reload(controlOptions({ live: { ...town.site.options, webStatusInterval: 5_000 } }));
    await town.clock.run(10_000);
    assert.deepEqual(times(town).slice(4), [95, 100]);
  });

  for (const interval of [5_000, 10_000, 20_000, 30_000]) {
    it(`leaves no gap in which a site takes a broadcaster for gone, every ${interval / 1_000} s`, async () => {
      for (const part of [0.2, 0.45, 0.55, 0.8]) {
        const town = await new ControlTown({ ...plain, webStatusInterval: interval }).started();
        const bob = await town.enter(broadcaster('bob'));
        await town.clock.run(interval * (1 + part) - town.clock.now());
        town.publish(bob);
        await town.clock.run(3 * interval);
        const gaps = times(town).map((at, index, all) => at - (all[index - 1] ?? 0));
        // The vendor's plugin: rows of broadcasters go after 40 s, all rows after the interval and 10 s
        assert.ok(Math.max(...gaps) < Math.min(40, interval / 1_000 + 10), gaps.join(' '));
      }
    });
  }

  it('is paid once for applications that share an address', async () => {
    const town = new ControlTown();
    const { options } = town.site;
    town.control.reload(controlOptions({ live: { ...options, ...plain }, chat: { ...options, ...plain } }));
    await town.started();
    await town.enter(viewer('vera'));
    await town.enter(viewer('carl'), { app: 'chat' });
    await town.clock.run(10_000);
    assert.equal(reports(town).length, 2);
    const users = reports(town)[1]!.form.get('users')!;
    assert.ok(users.startsWith('a:2:{') && users.includes('"vera"') && users.includes('"carl"'));
  });
});

describe('a report', () => {
  it('lists those who are here, whoever left is gone from the next, and an empty one follows the last', async () => {
    const town = await new ControlTown(plain).started();
    const [one, two] = await people(town, 2);
    const counts: (string | undefined)[] = [];
    for (const leaving of [undefined, one, two, undefined]) {
      if (leaving !== undefined) town.leave(leaving);
      await town.clock.run(10_000);
      counts.push(/^a:(\d+)/.exec(reports(town).at(-1)!.form.get('users')!)?.[1]);
    }
    assert.deepEqual(counts, ['2', '1', '0', '0']);
    assert.deepEqual([...reports(town).at(-1)!.form.keys()], ['users', 'rtpsessions', 'aS']);
    assert.equal(reports(town).at(-1)!.form.get('rtpsessions'), 'a:0:{}');
  });

  it('lists nobody of another site', async () => {
    const town = new ControlTown();
    const second = { ...town.other.options, ...plain };
    town.control.reload(controlOptions({ live: { ...town.site.options, ...plain }, second }));
    await town.started();
    await town.enter(viewer('vera'));
    await town.enter(viewer('carl'), { app: 'second' });
    await town.clock.run(10_000);
    assert.doesNotMatch(reports(town).at(-1)!.form.get('users')!, /carl/);
    assert.match(town.other.heard.at(-1)!.form.get('users')!, /carl/);
  });

  it('lists every application when none is configured', async () => {
    const any = (town: ControlTown) => ({
      applications: new Map(),
      anyApplication: { ...SITE_DEFAULTS, ...town.site.options },
    });
    const town = new ControlTown();
    town.control.reload(any(town));
    await town.started();
    await town.enter(viewer('vera'), { app: 'one' });
    await town.enter(viewer('carl'), { app: 'two' });
    await town.clock.run(10_000);
    assert.match(reports(town).at(-1)!.form.get('users')!, /^a:2:/);
    assert.equal(town.control.states()[0]!.name, '*');
  });

  it('of 10,000 sessions is made in slices between which others have their turn', async () => {
    const town = new ControlTown(plain, controlOptions({ live: { webStatus: 'https://site.example/status' } }));
    for (let i = 0; i < 10_000; i++) {
      const verdict = await town.ask([`somebody-${i}`, 'room']);
      town.open(verdict as never, [`somebody-${i}`]);
    }
    let slices = 0;
    const soon = town.clock.soon.bind(town.clock);
    town.clock.soon = (then) => {
      slices++;
      return soon(then);
    };
    await town.started();
    await town.clock.run(1_000);
    assert.ok(slices >= 40, `${slices} slices`);
    assert.equal(report(town).sessions, 10_000);
    assert.match(reports(town)[0]!.form.get('users')!, /^a:10000:\{.*\}$/);
  });
});

describe('when somebody begins or stops publishing', () => {
  it('a report goes within a second, one for all who did meanwhile', async () => {
    const town = await new ControlTown(plain).started();
    const bob = await town.enter(broadcaster('bob'));
    await town.clock.run(3_000);
    town.publish(bob);
    await town.clock.run(100);
    town.publish(await town.enter(broadcaster('ben')));
    await town.clock.run(900);
    assert.equal(reports(town).length, 2);
    assert.match(reports(town)[1]!.form.get('users')!, /"bob".*"ben"/);
    town.leave(bob);
    await town.clock.run(1_000);
    assert.equal(reports(town).length, 3);
    assert.doesNotMatch(reports(town)[2]!.form.get('users')!, /"bob"/);
  });

  it('the rounds keep their grid; one that comes close behind is left out', async () => {
    const town = await new ControlTown(plain).started();
    const bob = await town.enter(broadcaster('bob'));
    await town.clock.run(7_000 - town.clock.now());
    town.publish(bob);
    await town.clock.run(30_000);
    assert.deepEqual(times(town), [0, 7.5, 20, 30]);
  });

  it('again and again, there are never more than twice the rounds', async () => {
    const town = await new ControlTown(plain).started();
    const bob = await town.enter(broadcaster('bob'));
    for (let second = 0; second < 600; second++) {
      town.control.gate.published(bob);
      await town.clock.run(1_000);
    }
    for (let from = 0; from < 540; from += 10) {
      const inMinute = times(town).filter((at) => at >= from && at < from + 60).length;
      assert.ok(inMinute <= 12, `${inMinute} reports in the minute from ${from}`);
    }
    assert.ok(times(town).length >= 60);
  });

  it('while a report is under way, another follows it', async () => {
    const town = await new ControlTown(plain).started();
    town.site.delays.webStatus = 4_000;
    const bob = await town.enter(broadcaster('bob'));
    await town.clock.run(10_500 - town.clock.now());
    town.publish(bob);
    await town.clock.run(5_000);
    assert.deepEqual(times(town), [0, 10, 14.5]);
    assert.equal(town.site.most.webStatus, 1);
  });
});

describe('a site that', () => {
  const moods: readonly (readonly [Mood, string, RegExp])[] = [
    ['silent', 'web/timeout', /too slow/],
    ['refused', 'web/unreachable', /refuses/],
    ['reset', 'web/unreachable', /broke off/],
    ['500', 'web/status', /error log/],
    ['403', 'web/status', /firewall/],
    ['404', 'web/status', /does not exist/],
    ['redirect', 'web/redirect', /https:\/\/site\.example\/wp-login\.php; configure/],
    ['huge', 'web/too-large', /too large/],
    ['gzip', 'web/answer', /compresses/],
    ['empty', 'web/empty', /not on the site's webStatus list/],
    ['blank', 'web/empty', /not on the site's webStatus list/],
    ['denied', 'web/denied', /denies the report \(NotFromAllowedIP-192\.0\.2\.1\): enable webStatus/],
    ['html', 'web/answer', /web page/],
    ['garbage', 'web/answer', /nobody is disconnected/],
    ['fatal', 'web/answer', /fatal error/],
    ['zero', 'web/answer', /WordPress does not know the action/],
    ['cut', 'web/answer', /cut off/],
  ];
  for (const [mood, code, words] of moods) {
    it(`is in the mood "${mood}" throws nobody out, is told on, and gets its next report within two intervals of recovery`, async () => {
      const town = await new ControlTown(plain).started();
      const [bob] = await people(town, 1);
      await town.clock.run(5_000);
      town.site.moods.webStatus = mood;
      await town.clock.run(300_000);
      const { failure, state, counts } = town.control.states()[0]!;
      assert.equal(failure?.code, code);
      assert.match(failure.text, words);
      assert.match(state, /does not control the sessions/);
      assert.ok((counts.failures.get(code) ?? 0) >= 10);
      assert.deepEqual(bob!.told, []);
      assert.equal(town.registry.size, 1);
      const lines = town.log.lines.filter(({ fields }) => fields['hook'] === 'webStatus');
      assert.ok(lines.length >= 4 && lines.length <= 6, `${lines.length} lines in five minutes`);
      assert.equal(town.site.most.webStatus, 1);

      town.site.moods.webStatus = 'good';
      const recovered = town.clock.now();
      await town.clock.run(20_000);
      assert.ok(times(town).at(-1)! * 1_000 >= recovered, 'asked again');
      await town.clock.run(1_000);
      assert.equal(town.control.states()[0]!.failure, undefined);
      assert.match(town.control.states()[0]!.state, /the site sees and controls the sessions/);
      assert.equal(town.log.lines.at(-1)!.text, 'webStatus works again');
    });
  }

  it('answers slower than the interval is not asked twice at once, and its rounds are not made up for', async () => {
    const town = await new ControlTown(plain).started();
    town.site.delays.webStatus = 14_000;
    await town.clock.run(120_000);
    assert.equal(town.site.most.webStatus, 1);
    assert.deepEqual(times(town).slice(0, 4), [0, 20, 40, 60]);
    assert.ok(town.control.counters.reportsSkipped >= 5);
    assert.equal(report(town).failuresByCode.size, 0);
  });

  it('needs long for many sessions is given the time', async () => {
    const town = new ControlTown(plain, controlOptions({ live: { webStatus: 'https://site.example/status' } }));
    for (let i = 0; i < 4_000; i++) town.open((await town.ask([`s${i}`])) as never, [`s${i}`]);
    town.site.delays.webStatus = 28_000;
    await town.started();
    await town.clock.run(60_000);
    assert.equal(report(town).failuresByCode.size, 0);
  });

  it('warns in front of its answer is understood', async () => {
    const town = await runningTown();
    const [bob] = await people(town, 1);
    town.site.moods.webStatus = 'warning';
    town.site.status = () => orders({ v0: 'time is up' });
    await town.clock.run(10_000);
    assert.deepEqual(bob!.told, ['time is up']);
  });
});

describe('orders', () => {
  it('are carried out on every session of the name in the applications of the site, and on nobody else', async () => {
    const town = new ControlTown();
    const { options } = town.site;
    const second = { ...town.other.options, ...plain };
    town.control.reload(controlOptions({ live: { ...options, ...plain }, chat: { ...options, ...plain }, second }));
    await town.started();
    await town.clock.run(1_000);
    const hit = [
      await town.enter(viewer('bob')),
      await town.enter(viewer('bob')),
      await town.enter(viewer('bob'), { app: 'chat' }),
    ];
    const spared = [await town.enter(viewer('bobby')), await town.enter(viewer('bob'), { app: 'second' })];
    town.site.status = () => orders({ bob: 'You were banned.' });
    await town.clock.run(10_000);
    for (const each of hit) assert.deepEqual(each.told, ['You were banned.']);
    for (const each of spared) assert.deepEqual(each.told, []);
    assert.equal(town.control.states()[0]!.counts.orders, 3);
  });

  it('reach those who watch before those who publish, whose end would be the last that viewers hear', async () => {
    const town = await runningTown();
    const told: string[] = [];
    const enter = async (name: string, state: 'publishing' | 'playing') => {
      const session = await town.enter(viewer(name));
      session.state = state;
      session.disconnect = () => told.push(name);
    };
    await enter('bob', 'publishing');
    await enter('eve', 'playing');
    await enter('zoe', 'publishing');
    await enter('ann', 'playing');
    town.site.status = () => orders({ bob: 'over', eve: 'over', zoe: 'over', ann: 'over' });
    await town.clock.run(10_000);
    assert.deepEqual(told, ['eve', 'ann', 'bob', 'zoe']);
  });

  it('are matched by the key, else by the name inside', async () => {
    const town = await runningTown();
    const [zero, one] = await people(town, 2);
    const entry = (name: string) => `a:2:{s:7:"session";s:2:"${name}";s:10:"disconnect";s:4:"gone";}`;
    town.site.status = () => `controlUsers=a:2:{s:0:"";${entry('v0')}s:2:"v1";${entry('xx')}}&controlSessions=a:0:{}`;
    await town.clock.run(10_000);
    assert.deepEqual([zero!.told, one!.told], [['gone'], ['gone']]);
  });

  it('for WebRTC sessions go by their number, and those for RTMP leave them alone', async () => {
    const town = await runningTown();
    const rtc = await town.enter(viewer('vera'), { transport: 'webrtc' });
    const rtmp = await town.enter(viewer('vera'));
    town.site.status = () => orders({}, { [String(rtc.number)]: 'out' });
    await town.clock.run(10_000);
    assert.deepEqual([rtc.told, rtmp.told], [['out'], []]);
    town.site.status = () => orders({ vera: 'you too' });
    await town.clock.run(10_000);
    assert.deepEqual([rtc.told, rtmp.told], [['out'], ['you too']]);
  });

  it('of an answer that comes late still count', async () => {
    const town = await runningTown();
    const [bob] = await people(town, 1);
    town.site.delays.webStatus = 17_000;
    town.site.status = ({ form }: Heard) => (form.get('users')!.includes('v0') ? orders({ v0: 'late' }) : orders({}));
    await town.clock.run(40_000);
    assert.deepEqual(bob!.told, ['late']);
  });

  it('for names nobody has, or with nothing to say, change nothing', async () => {
    const town = await runningTown();
    const everybody = await people(town, 3);
    town.site.status = () => orders({ nobody: 'gone', v0: '', v1: '0', __proto__x: 'a', constructor: 'b' });
    await town.clock.run(21_000);
    for (const each of everybody) assert.deepEqual(each.told, []);
    assert.equal(town.control.states()[0]!.failure, undefined);
  });

  it('end in one logout, like every other leaving', async () => {
    const town = await runningTown();
    const bob = await town.enter(broadcaster('bob'));
    bob.disconnect = (reason) => {
      bob.told.push(reason);
      town.leave(bob);
    };
    town.site.status = ({ form }) => (form.get('users')!.includes('"bob"') ? orders({ bob: 'banned' }) : orders({}));
    await town.clock.run(60_000);
    assert.deepEqual(bob.told, ['banned']);
    assert.deepEqual(town.site.names('webLogout'), ['bob']);
  });
});

describe('a reload', () => {
  it('leaves reports of an unchanged address on their grid', async () => {
    const town = await new ControlTown(plain).started();
    await town.clock.run(14_000);
    town.control.reload(
      controlOptions({ live: { ...town.site.options, takeover: 'refuse' }, more: town.other.options }),
    );
    await town.clock.run(20_000);
    assert.deepEqual(times(town), [0, 10, 20, 30]);
    assert.deepEqual(town.other.times('webStatus'), [14_000, 24_000, 34_000]);
  });

  it('keeps reporting the sessions of an application that is gone, until they are', async () => {
    const town = await new ControlTown(plain).started();
    const bob = await town.enter(broadcaster('bob'));
    await town.clock.run(15_000);
    town.control.reload(controlOptions({ second: { ...town.other.options, ...plain } }));
    assert.equal((await town.verdict(broadcaster('ben'))).allow, false);
    town.control.reload(controlOptions({ second: { ...town.other.options, ...plain } }));
    town.site.status = ({ form }) => (form.get('users')!.includes('"bob"') ? orders({ bob: 'closed' }) : orders({}));
    await town.clock.run(10_000);
    assert.deepEqual(bob.told, ['closed']);
    town.leave(bob);
    await town.clock.run(120_000);
    assert.deepEqual(times(town), [0, 10, 20, 30], 'a last report without anybody');
    assert.deepEqual(town.site.names('webLogout'), ['bob']);
    assert.deepEqual(
      town.control.states().map(({ name }) => name),
      ['second'],
    );
  });

  it('that brings an address back brings its reports back', async () => {
    const town = await new ControlTown(plain).started();
    const again = { live: { ...town.site.options, ...plain } };
    town.control.reload(controlOptions({}));
    town.control.reload(controlOptions(again));
    await town.clock.run(21_000);
    assert.deepEqual(times(town), [0, 10, 20]);
    town.control.reload(controlOptions({}));
    await town.clock.run(60_000);
    assert.deepEqual(times(town), [0, 10, 20, 30]);
    town.control.reload(controlOptions(again));
    await town.clock.run(1_000);
    assert.equal(reports(town).length, 5);
  });
});
