import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pause } from '../../src/base/clock.ts';
import { MAX_LOGOUTS_WAITING } from '../../src/control/logout-queue.ts';
import { assertRefused, broadcaster, ControlTown, controlOptions, viewer } from '../helpers/control-town.ts';
import { MemoryJournal } from '../helpers/memory-journal.ts';

/** No logouts but those that are owed. */
const plain = { freshLogin: false };
const logouts = (town: ControlTown) => town.site.names('webLogout');

describe('each accepted login is followed by exactly one logout', () => {
  it('when the client leaves, whatever the cause', async () => {
    const town = new ControlTown(plain);
    const bob = await town.enter(broadcaster('bob'));
    town.publish(bob);
    assert.deepEqual(logouts(town), []);
    town.leave(bob);
    town.leave(bob);
    await town.clock.run(3_600_000);
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
  });

  it('with the name under which it was asked', async () => {
    const town = new ControlTown(plain);
    town.leave(await town.enter(broadcaster('My Channel')));
    await town.clock.run(1_000);
    assert.deepEqual(logouts(town), ['My-Channel']);
  });

  it('when the client had gone before the yes came', async () => {
    const town = new ControlTown(plain);
    const verdict = await town.verdict(broadcaster('bob'));
    town.control.gate.abandon(verdict);
    town.control.gate.abandon(verdict);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), ['bob']);
  });

  it('and a refused one by none', async () => {
    const town = new ControlTown(plain);
    town.site.login = () => 'login=0';
    const verdict = await town.verdict(broadcaster('bob'));
    town.control.gate.abandon(verdict);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), []);
  });

  it('after the last of a name has gone', async () => {
    const town = new ControlTown(plain);
    const crowd = await Promise.all([town.ask(viewer('v')), town.ask(viewer('v')), town.clock.run(100)]);
    const [one, two] = [crowd[0], crowd[1]].map((verdict) => town.open(verdict as never, viewer('v')));
    town.leave(one!);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), []);
    town.leave(two!);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), ['v']);
  });

  it('and not when another took the name over', async () => {
    const town = new ControlTown(plain);
    const first = await town.enter(broadcaster('bob'));
    town.publish(first);
    const second = await town.enter(broadcaster('bob'));
    town.leave(first);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), []);
    town.leave(second);
    await town.clock.run(1_000);
    assert.deepEqual(logouts(town), ['bob']);
  });

  it('and waits for the outcome of another login of the name', async () => {
    const town = new ControlTown(plain);
    const first = await town.enter(broadcaster('bob'));
    const accepted = town.ask(broadcaster('bob'));
    town.leave(first);
    await town.clock.run(10);
    assert.deepEqual(logouts(town), []);
    const second = await town.clock.until(accepted);
    town.site.moods.webLogin = '403';
    const refused = town.ask(broadcaster('bob'));
    town.control.gate.abandon(second);
    await town.clock.until(refused);
    await town.clock.run(1_000);
    assert.deepEqual(logouts(town), ['bob']);
  });

  it('across applications of one site', async () => {
    const town = new ControlTown();
    const { options } = town.site;
    town.control.reload(controlOptions({ live: { ...options, ...plain }, record: { ...options, ...plain } }));
    const live = await town.enter(broadcaster('bob'));
    const record = await town.enter(broadcaster('bob'), { app: 'record' });
    town.leave(live);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), []);
    town.leave(record);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), ['bob']);
  });

  it('and none is called where no webLogout is set', async () => {
    const town = new ControlTown({ webLogout: '' });
    town.leave(await town.enter(broadcaster('bob')));
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), []);
    assert.equal(town.control.logoutsOwed, 0);
  });

  for (const mood of ['huge', 'gzip', 'empty', 'html'] as const) {
    it(`that is heard when HTTP says 200, whatever the body: ${mood}`, async () => {
      const town = new ControlTown(plain);
      town.site.moods.webLogout = mood;
      town.leave(await town.enter(broadcaster('bob')));
      await town.clock.run(60_000);
      assert.deepEqual(logouts(town), ['bob']);
      assert.equal(town.control.logoutsOwed, 0);
    });
  }
});

describe('while the site does not hear', () => {
  it('a logout is tried again after 1, 5, 30 s and then growing pauses', async () => {
    const town = new ControlTown(plain);
    const bob = await town.enter(broadcaster('bob'));
    town.site.moods.webLogout = '500';
    town.site.delays.webLogout = 0;
    const left = town.clock.now();
    town.leave(bob);
    await town.clock.run(1_200_000);
    const tries = town.site.times('webLogout').map((at) => (at - left) / 1_000);
    assert.deepEqual(tries, [0, 1, 6, 36, 96, 216, 516, 816, 1116]);
    assert.equal(town.control.logoutsOwed, 1);
    town.site.moods.webLogout = 'good';
    await town.clock.run(300_000);
    assert.equal(town.control.logoutsOwed, 0);
    assert.equal(town.control.counters.logoutsDelivered, 1);
    const lines = town.log.lines.filter(({ fields }) => fields['hook'] === 'webLogout');
    assert.equal(lines.at(-1)!.text, 'webLogout works again');
    assert.ok(lines.length <= 8, 'and no more than one line a minute');
  });

  it('it is asked by one at a time, and then all follow, few at a time', async () => {
    const town = new ControlTown(plain);
    const crowd = await Promise.all(
      Array.from({ length: 60 }, (_, i) => town.ask(viewer(`v${i}`))).concat(town.clock.run(500) as never),
    );
    town.site.moods.webLogout = 'silent';
    for (const verdict of crowd.slice(0, 60)) town.control.gate.abandon(verdict);
    await town.clock.run(600_000);
    assert.equal(town.site.most.webLogout, 4);
    assert.ok(logouts(town).length < 20);
    town.site.moods.webLogout = 'good';
    town.site.heard.length = 0;
    await town.clock.run(301_000);
    assert.deepEqual(logouts(town).sort(), Array.from({ length: 60 }, (_, i) => `v${i}`).sort());
    assert.equal(town.site.most.webLogout, 4);
  });

  it('a sign of life ends the pause', async () => {
    const town = new ControlTown(plain);
    const bob = await town.enter(broadcaster('bob'));
    town.site.moods.webLogout = 'silent';
    town.leave(bob);
    await town.clock.run(250_000);
    town.site.moods.webLogout = 'good';
    await town.enter(broadcaster('ben'));
    await town.clock.run(100);
    assert.equal(town.site.remembered.has('bob'), false);
  });

  it('a login of the same name goes after the logout, never before it', async () => {
    const town = new ControlTown(plain);
    const bob = await town.enter(broadcaster('bob'));
    town.site.moods.webLogout = '500';
    town.leave(bob);
    await town.clock.run(3_000);
    town.site.moods.webLogout = 'good';
    town.site.heard.length = 0;
    const again = await town.enter(broadcaster('bob'));
    await town.clock.run(600_000);
    assert.deepEqual(
      town.site.heard.filter(({ hook }) => hook !== 'webStatus').map(({ hook }) => hook),
      ['webLogout', 'webLogin'],
    );
    town.leave(again);
    await town.clock.run(1_000);
    assert.deepEqual(logouts(town), ['bob', 'bob']);
  });

  it('a login waits for a logout of its name that is under way', async () => {
    const town = new ControlTown(plain);
    const bob = await town.enter(broadcaster('bob'));
    town.site.delays.webLogout = 400;
    town.leave(bob);
    await town.clock.run(100);
    const begun = town.clock.now();
    await town.enter(broadcaster('bob'));
    assert.equal(town.clock.now() - begun, 300 + town.site.delays.webLogin);
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), ['bob']);
  });

  it('a logout that a login has delivered is not sent again', async () => {
    const town = new ControlTown(plain);
    const bob = await town.enter(broadcaster('bob'));
    town.site.moods.webLogout = '500';
    town.leave(bob);
    await town.clock.run(3_000);
    town.site.moods.webLogout = 'good';
    town.site.heard.length = 0;
    town.site.login = () => 'login=0';
    assertRefused(await town.verdict(broadcaster('bob')), 'access/login');
    await town.clock.run(600_000);
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
    assert.equal(town.control.counters.logoutsDelivered, 1);
  });

  it('who returns with the same credentials is let in, and the old logout is not sent any more', async () => {
    const town = new ControlTown();
    const bob = await town.enter(broadcaster('bob'));
    town.site.moods.webLogout = '500';
    town.leave(bob);
    await town.clock.run(3_000);
    const again = await town.enter(broadcaster('bob'));
    town.site.moods.webLogout = 'good';
    town.site.heard.length = 0;
    await town.clock.run(600_000);
    assert.deepEqual(logouts(town), [], 'the living are not logged out');
    town.leave(again);
    await town.clock.run(1_000);
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
  });

  it('who comes with other credentials is refused, since the site would answer from memory', async () => {
    const town = new ControlTown();
    const bob = await town.enter(broadcaster('bob'));
    town.site.moods.webLogout = '500';
    town.leave(bob);
    await town.clock.run(3_000);
    assertRefused(await town.verdict(broadcaster('bob', 'guess')), 'access/web');
    town.site.moods.webLogout = 'good';
    await town.clock.run(60_000);
    assert.equal(town.site.remembered.size, 0, 'the logout is still delivered');
  });

  it('the queue is bounded: the oldest are dropped and counted', async () => {
    const town = new ControlTown({ ...plain, maxLogins: 1_000, maxLoginQueue: 20_000 });
    town.site.moods.webLogout = '500';
    const many = MAX_LOGOUTS_WAITING + 50;
    const asked = Array.from({ length: many }, (_, i) => town.ask(viewer(`v${i}`)));
    const verdicts = await town.clock.until(Promise.all(asked));
    for (const verdict of verdicts) town.control.gate.abandon(verdict);
    await town.clock.run(1_000);
    const { logoutsDropped } = town.control.counters;
    assert.ok(logoutsDropped >= 46 && logoutsDropped <= 50, String(logoutsDropped));
    assert.equal(town.control.logoutsOwed, many - logoutsDropped);
  });
});

describe('the end', () => {
  it('delivers what is due before it returns, and tells the site that all have gone', async () => {
    const town = await new ControlTown(plain).started();
    const asked = Array.from({ length: 300 }, (_, i) => town.ask(viewer(`v${i}`)));
    const verdicts = await town.clock.until(Promise.all(asked), 5_000);
    const people = verdicts.map((verdict, i) => town.open(verdict as never, viewer(`v${i}`)));
    await town.clock.run(11_000);
    for (const each of people) town.leave(each);
    const begun = town.clock.now();
    await town.clock.until(town.control.stop());
    assert.ok(town.clock.now() - begun < 300, 'many at once, since time is short');
    assert.equal(town.site.remembered.size, 0);
    assert.equal(town.control.logoutsOwed, 0);
    const last = town.site.heard.filter(({ hook }) => hook === 'webStatus').at(-1)!;
    assert.equal(last.form.get('users'), 'a:0:{}');
    assert.ok(town.web.closed && town.journal.closed);
    assertRefused(await town.verdict(viewer('late')), 'access/shutdown');
  });

  it('keeps its deadline when the site is dead, and the journal keeps the rest', async () => {
    const town = await new ControlTown(plain).started();
    const bob = await town.enter(broadcaster('bob'));
    town.site.moods = { webLogin: 'silent', webLogout: 'silent', webStatus: 'silent' };
    town.leave(bob);
    const begun = town.clock.now();
    await town.clock.until(town.control.stop(8_000));
    assert.ok(town.clock.now() - begun <= 8_000);
    const next = await new ControlTown(plain, undefined, reopened(town.journal)).started();
    await next.clock.run(1_000);
    assert.deepEqual(logouts(next), ['bob']);
  });

  it('is waited for at the end while the disk is slow to take the login', async () => {
    class SlowJournal extends MemoryJournal {
      override async append(text: string): Promise<void> {
        await pause(town.clock, 500);
        await super.append(text);
      }
    }
    const town = await new ControlTown(plain, undefined, new SlowJournal()).started();
    const asked = town.ask(broadcaster('bob')).then((verdict) => town.control.gate.abandon(verdict));
    await town.clock.run(100);
    await town.clock.until(town.control.stop());
    await asked;
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
  });

  it('waits for a login under way, so that its yes is logged out, too', async () => {
    const town = await new ControlTown(plain).started();
    town.site.delays = { webLogin: 1_000, webLogout: 500, webStatus: 20 };
    const asked = town.ask(broadcaster('bob'));
    await town.clock.run(10);
    const stopped = town.control.stop();
    void asked.then((verdict) => town.control.gate.abandon(verdict));
    await town.clock.until(stopped);
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
  });

  it('does not wait for who was let in and stays', async () => {
    const town = await new ControlTown(plain).started();
    const asked = town.ask(broadcaster('bob'));
    await town.clock.run(10);
    const begun = town.clock.now();
    await town.clock.until(town.control.stop());
    assert.ok((await asked).allow);
    assert.ok(town.clock.now() - begun < 500);
    assert.equal(town.control.logoutsOwed, 1, 'the next start sees to it');
  });
});

describe('a reload', () => {
  it('leaves a site its debts, also when nobody is configured for it any more', async () => {
    const town = await new ControlTown(plain).started();
    const bob = await town.enter(broadcaster('bob'));
    town.site.delays.webLogout = 2_000;
    town.control.reload(controlOptions({}));
    town.leave(bob);
    town.control.reload(controlOptions({}));
    await town.clock.until(town.control.stop());
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
  });
});

describe('after a kill', () => {
  it('everybody who was here is logged out at the next start, once', async () => {
    const killed = await new ControlTown(plain).started();
    await killed.enter(broadcaster('bob'));
    await killed.enter(viewer('vera'));
    killed.leave(await killed.enter(viewer('gone')));
    await killed.clock.run(1_000);
    const next = await new ControlTown(plain, undefined, reopened(killed.journal)).started();
    await next.clock.run(60_000);
    assert.deepEqual(logouts(next).sort(), ['bob', 'vera']);
    const third = await new ControlTown(plain, undefined, reopened(next.journal)).started();
    await third.clock.run(60_000);
    assert.deepEqual(logouts(third), []);
  });

  it('whoever has his verdict is in the journal: it is written first', async () => {
    const town = await new ControlTown(plain).started();
    town.journal.mood = 'hanging';
    const begun = town.clock.now();
    await town.enter(broadcaster('bob'));
    assert.equal(
      town.clock.now() - begun,
      town.site.delays.webLogin + 1_000,
      'a hanging disk is waited for, but not long',
    );
  });

  it('no login of such a name is asked before its logout', async () => {
    const killed = await new ControlTown().started();
    await killed.enter(broadcaster('bob'));
    const next = new ControlTown({}, undefined, reopened(killed.journal));
    next.site.remembered.set('bob', 'login=1&role=1');
    next.site.login = () => 'login=0';
    next.site.moods.webLogout = '500';
    await next.started();
    assertRefused(await next.verdict(broadcaster('bob')), 'access/web');
    next.site.moods.webLogout = 'good';
    assertRefused(await next.verdict(broadcaster('bob', 'guess')), 'access/login');
  });

  it('a name is logged out once, though two applications of the site knew it', async () => {
    const journal = new MemoryJournal();
    journal.text = '["+","live","bob"]\n["+","chat","bob"]\n';
    const town = new ControlTown({}, undefined, journal);
    town.control.reload(controlOptions({ live: town.site.options, chat: town.site.options }));
    await town.started();
    await town.clock.run(60_000);
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
  });

  it('what an application owes that is gone, or has no webLogout any more, is kept for a later start, with a line', async () => {
    const killed = await new ControlTown(plain).started();
    await killed.enter(broadcaster('bob'));
    for (const applications of [{ live: {} }, { live: { webLogin: killed.site.options.webLogin } }, { chat: {} }]) {
      const without = await new ControlTown({}, controlOptions(applications), reopened(killed.journal)).started();
      assert.equal(without.control.logoutsOwed, 1);
      const [line, ...more] = without.log.lines.filter(({ text }) => /no webLogout/.test(text));
      assert.deepEqual(line?.fields, { logouts: 1, applications: ['live'] });
      assert.deepEqual(more, []);
      await without.control.stop();
      assert.match(without.journal.text, /"bob"/);
      const later = await new ControlTown(plain, undefined, reopened(without.journal)).started();
      await later.clock.run(1_000);
      assert.deepEqual(logouts(later), ['bob']);
      assert.equal(later.control.logoutsOwed, 0);
    }
  });

  it('what is kept so follows when new settings bring the application back', async () => {
    const journal = new MemoryJournal();
    journal.text = '["+","live","bob"]\n["+","gone","vera"]\n';
    const town = await new ControlTown({}, controlOptions({ chat: {} }), journal).started();
    town.control.reload(controlOptions({ live: town.site.options }));
    await town.clock.run(1_000);
    assert.deepEqual(logouts(town), ['bob']);
    assert.equal(town.control.logoutsOwed, 1);
    await town.control.stop();
    assert.match(journal.text, /"vera"/);
  });

  it('what is kept so waits on while its session is here under settings without webLogout', async () => {
    const journal = new MemoryJournal();
    journal.text = '["+","live","bob"]\n';
    const town = await new ControlTown({ webLogout: '' }, undefined, journal).started();
    await town.enter(broadcaster('bob'));
    town.control.reload(controlOptions({ live: town.site.options }));
    await town.clock.run(1_000);
    assert.deepEqual(logouts(town), []);
    assert.equal(town.control.logoutsOwed, 1);
  });

  it('of those that are kept so, no more than wait for a site: the oldest are let go', async () => {
    const journal = new MemoryJournal();
    const names = Array.from({ length: MAX_LOGOUTS_WAITING + 2 }, (_, i) => `s${i}`);
    journal.text = names.map((name) => `["+","a${name}","${name}"]\n`).join('');
    const town = await new ControlTown({}, controlOptions({ live: {} }), journal).started();
    assert.equal(town.control.logoutsOwed, MAX_LOGOUTS_WAITING);
    assert.equal(town.control.counters.logoutsDropped, 2);
    const [line] = town.log.lines.filter(({ text }) => /no webLogout/.test(text));
    assert.deepEqual(line?.fields['applications'], ['as2', 'as3', 'as4', 'as5', 'as6', 'as7', 'as8', 'as9']);
    await town.control.stop();
    const next = await new ControlTown({}, controlOptions({ live: {} }), reopened(journal)).started();
    assert.equal(next.control.logoutsOwed, MAX_LOGOUTS_WAITING);
    assert.equal(next.control.counters.logoutsDropped, 0);
  });
});

/** The same disk under another process. */
function reopened(journal: MemoryJournal): MemoryJournal {
  const next = new MemoryJournal();
  next.text = journal.text;
  return next;
}
