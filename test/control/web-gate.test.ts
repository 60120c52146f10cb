import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SITE_DEFAULTS } from '../../src/control/options.ts';
import { assertRefused, broadcaster, ControlTown, controlOptions, viewer } from '../helpers/control-town.ts';
import type { Mood } from '../helpers/fake-web.ts';

const once = { freshLogin: false };

describe('without webLogin', () => {
  it('everybody comes in and may publish', async () => {
    const town = new ControlTown({}, controlOptions({ live: {} }));
    const verdict = await town.verdict(['bob', 'room']);
    assert.deepEqual(verdict, { allow: true, name: 'bob', room: 'room', role: 'broadcaster', canKick: false });
    assert.equal(town.site.heard.length, 0);
  });

  it('every application name is good when none is listed, no other when some are', async () => {
    const open = new ControlTown({}, { applications: new Map(), anyApplication: SITE_DEFAULTS });
    assert.ok((await open.verdict(['bob'], { app: 'whatever' })).allow);
    const listed = new ControlTown({}, controlOptions({ live: {} }));
    assert.ok((await listed.verdict(['bob'], { app: 'live/room1' })).allow, 'an instance of a listed one');
    assertRefused(await listed.verdict(['bob'], { app: 'other' }), 'access/application');
    assertRefused(await listed.verdict(['bob'], { app: 'constructor' }), 'access/application');
  });
});

describe('who comes without parameters', () => {
  it('is refused, unless acceptPlayers', async () => {
    const town = new ControlTown(once);
    assertRefused(await town.verdict([]), 'access/address', /the one that the web site shows/);
    assertRefused(await town.verdict(['', '', 'key']), 'access/address');
    assert.equal(town.site.heard.length, 0, 'and no site is asked');
  });

  it('is given a name of its own, and the site is asked about it', async () => {
    const town = new ControlTown({ ...once, acceptPlayers: true });
    const first = await town.enter([]);
    const second = await town.enter([]);
    assert.match(first.name, /^Player\d+$/);
    assert.match(second.name, /^Player\d+$/);
    assert.notEqual(first.name, second.name);
    assert.deepEqual(town.site.names('webLogin'), [first.name, second.name]);
    assert.deepEqual(town.site.heard[0]!.params, [first.name, '', '', '', '', '192.0.2.7']);
  });

  it('may bring its session as an argument, as Flash clients do', async () => {
    const town = new ControlTown(once);
    assert.equal((await town.enter([], { argument: ' carl ' })).name, 'carl');
    assertRefused(await town.verdict([], { argument: 'a<b' }), 'access/name');
  });

  it('is known by its room when it names no session', async () => {
    const town = new ControlTown(once);
    assert.equal((await town.enter(['', 'My Channel', 'key', '1', '7'])).name, 'My Channel');
  });
});

describe('webLogin', () => {
  it('is asked with the cleaned name, five parameters and the address', async () => {
    const town = new ControlTown(once);
    const visitor = await town.enter(['My Channel', 'My Room', 'k1', '1', '7']);
    const [login] = town.site.heard;
    assert.equal(login!.name, 'My-Channel');
    assert.deepEqual(login!.params, ['My Channel', 'My Room', 'k1', '1', '7', '192.0.2.7']);
    assert.equal(visitor.role, 'broadcaster');
    assert.equal((await town.enter(viewer('vera'))).role, 'watcher');
    assert.deepEqual(town.observed, ['webLogin ok', 'webLogin ok']);
  });

  it('gets a no in the words of the answer', async () => {
    const town = new ControlTown(once);
    town.site.login = () => 'login=0&wrongKey=1&k=SECRET';
    assertRefused(await town.verdict(broadcaster('bob')), 'access/login', /wrong key/);
    assert.doesNotMatch(JSON.stringify(town.log.lines), /SECRET/);
    assert.equal(town.control.states()[0]!.failure, undefined, 'a no is no fault of the site');
  });

  it('must echo our webKey', async () => {
    const town = new ControlTown({ ...once, webKey: 'ours' });
    town.site.login = () => 'login=1&webKey=theirs';
    assertRefused(await town.verdict(broadcaster('bob')), 'access/webkey');
    assert.match(town.control.states()[0]!.state, /nobody can log in: the answer carries another webKey/);
  });

  it('refuses a session whose name leaves nothing for the site to keep', async () => {
    const town = new ControlTown(once);
    assertRefused(await town.verdict(['***', 'room', 'k', '1', '7']), 'access/name');
  });

  const bad: readonly (readonly [Mood, string])[] = [
    ['silent', 'access/web'],
    ['refused', 'access/web'],
    ['reset', 'access/web'],
    ['500', 'access/web'],
    ['403', 'access/web'],
    ['404', 'access/web'],
    ['redirect', 'access/web'],
    ['huge', 'access/web'],
    ['gzip', 'access/web'],
    ['empty', 'web/answer'],
    ['blank', 'web/answer'],
    ['denied', 'web/answer'],
    ['html', 'web/answer'],
    ['garbage', 'web/answer'],
    ['fatal', 'web/answer'],
    ['zero', 'web/answer'],
    ['cut', 'web/answer'],
  ];
  for (const [mood, code] of bad) {
    it(`fails closed within 10 s when the site is in the mood "${mood}"`, async () => {
      const town = new ControlTown(once);
      town.site.moods.webLogin = mood;
      assertRefused(await town.verdict(broadcaster('bob')), code);
      assert.ok(town.clock.now() <= 10_000);
      assert.equal(town.control.logoutsOwed, 0);
      assert.match(town.control.states()[0]!.state, /^nobody can log in: /);
    });
  }

  it('asks once more after a broken connection or a failing script, not after silence or a redirect', async () => {
    const asked = async (mood: Mood) => {
      const town = new ControlTown(once);
      town.site.moods.webLogin = mood;
      await town.verdict(broadcaster('bob'));
      return town.site.names('webLogin').length;
    };
    assert.equal(await asked('reset'), 2);
    assert.equal(await asked('500'), 2);
    assert.equal(await asked('silent'), 1);
    assert.equal(await asked('redirect'), 1);
    assert.equal(await asked('403'), 1);
  });

  it('lets in who is accepted at the second try, and logs out once', async () => {
    const town = new ControlTown(once);
    town.site.moods.webLogin = 'reset';
    const pending = town.ask(broadcaster('bob'));
    await town.clock.run(100);
    town.site.moods.webLogin = 'good';
    const verdict = await town.clock.until(pending);
    assert.ok(verdict.allow);
    town.leave(town.open(verdict, broadcaster('bob')));
    await town.clock.run(60_000);
    assert.deepEqual(town.site.names('webLogout'), ['bob']);
  });

  it('lets viewers in when nobody answers and the application wants it so', async () => {
    const town = new ControlTown({ ...once, onWebFailure: 'accept' });
    town.site.moods.webLogin = 'silent';
    const verdict = await town.verdict(broadcaster('bob'));
    assert.ok(verdict.allow);
    assert.equal(verdict.role, 'watcher');
    town.leave(town.open(verdict, broadcaster('bob')));
    town.site.moods.webLogin = 'html';
    assertRefused(await town.verdict(broadcaster('ben')), 'web/answer');
    await town.clock.run(60_000);
    assert.deepEqual(town.site.names('webLogout'), [], 'nobody was logged in');
  });

  it('is never kept waiting by a report', async () => {
    const town = await new ControlTown(once).started();
    town.site.moods.webStatus = 'silent';
    await town.clock.run(1_000);
    assert.equal(town.site.open.webStatus, 1);
    const before = town.clock.now();
    await town.enter(broadcaster('bob'));
    assert.equal(town.clock.now() - before, town.site.delays.webLogin);
  });
});

describe('a flood of logins', () => {
  it('asks for so many at once, keeps so many waiting, and turns the rest away at once', async () => {
    const town = new ControlTown({ ...once, maxLogins: 8, maxLoginQueue: 20 });
    const verdicts = Array.from({ length: 40 }, (_, i) => town.ask(viewer(`v${i}`)));
    const all = await town.clock.until(Promise.all(verdicts), 10_000);
    assert.equal(town.site.most.webLogin, 8);
    assert.equal(all.filter((verdict) => verdict.allow).length, 28);
    assert.equal(town.control.states()[0]!.counts.logins.get('busy'), 12);
  });

  it('of a dead site decides about everybody within 10 s, and leaves nothing behind', async () => {
    const town = new ControlTown({ maxLogins: 4, maxLoginQueue: 100 });
    town.site.moods = { webLogin: 'silent', webLogout: 'silent', webStatus: 'silent' };
    const verdicts = Array.from({ length: 50 }, (_, i) => town.ask(viewer(`v${i}`)));
    const all = await town.clock.until(Promise.all(verdicts), 10_000);
    assert.ok(all.every((verdict) => !verdict.allow));
    assert.deepEqual(town.site.open, { webLogin: 0, webLogout: 0, webStatus: 0 });
  });

  it('of one site does not touch another', async () => {
    const town = new ControlTown();
    const options = controlOptions({ live: town.site.options, second: town.other.options });
    town.control.reload(options);
    town.site.moods.webLogin = 'silent';
    town.site.moods.webLogout = 'silent';
    const flood = Array.from({ length: 200 }, (_, i) => town.ask(viewer(`v${i}`)));
    await town.clock.run(10);
    const before = town.clock.now();
    await town.enter(broadcaster('bob'), { app: 'second' });
    assert.ok(town.clock.now() - before < 100);
    await town.clock.until(Promise.all(flood));
  });
});

describe('a name that is being published', () => {
  const holder = async (takeover: 'refuse' | 'same-key' | 'always') => {
    const town = new ControlTown({ takeover });
    const bob = await town.enter(broadcaster('bob'));
    town.publish(bob);
    town.site.heard.length = 0;
    return town;
  };

  it('is refused before the site is asked', async () => {
    const town = await holder('refuse');
    assertRefused(await town.verdict(broadcaster('bob')), 'access/duplicate');
    assertRefused(await town.verdict(viewer('bob')), 'access/duplicate');
    assert.equal(town.site.heard.length, 0);
  });

  it('may be taken over with the same key and user', async () => {
    const town = await holder('same-key');
    assertRefused(await town.verdict(broadcaster('bob', 'guess')), 'access/duplicate');
    assertRefused(await town.verdict(['bob', 'room-bob', 'key-bob', '1', '8']), 'access/duplicate');
    assert.equal(town.site.heard.length, 0);
    const again = await town.enter(broadcaster('bob'));
    const [bob] = town.registry.named('live', 'bob');
    assert.ok(town.control.gate.mayTakeOver(again, bob!));
    assert.deepEqual(town.site.names('webLogout'), [], 'the living are not logged out');
  });

  it('cannot be taken over by nobody, who has no key either', async () => {
    const town = new ControlTown({}, controlOptions({ live: {} }));
    const bob = await town.enter(['bob']);
    town.publish(bob);
    assertRefused(await town.verdict(['bob']), 'access/duplicate');
  });

  it('may always be taken over where the application wants it so and the site says yes', async () => {
    const town = new ControlTown({ ...once, takeover: 'always' });
    const bob = await town.enter(broadcaster('bob'));
    town.publish(bob);
    const again = await town.enter(broadcaster('bob', 'new-key'));
    assert.ok(town.control.gate.mayTakeOver(again, bob));
  });

  it('is not taken over on the word of a site that answers from memory', async () => {
    const town = await holder('always');
    assertRefused(await town.verdict(broadcaster('bob', 'new-key')), 'access/duplicate', /another key/);
  });
});

describe('the memory of a site', () => {
  it('is wiped before the first login of a name', async () => {
    const town = new ControlTown();
    town.site.remembered.set('bob', 'login=1&role=1');
    town.site.login = ({ params }) => (params[2] === 'key-bob' ? 'login=1&role=1' : 'login=0');
    assertRefused(await town.verdict(broadcaster('bob', 'guess')), 'access/login');
    await town.enter(broadcaster('bob'));
  });

  it('is left alone where sessions are announced by the site itself', async () => {
    const town = new ControlTown(once);
    town.site.remembered.set('bob', 'login=1&role=1');
    town.site.login = () => 'login=0';
    assert.equal((await town.enter(broadcaster('bob', 'any'))).role, 'broadcaster');
  });

  it('is not wiped for a name that is connected', async () => {
    const town = new ControlTown();
    await town.enter(viewer('vera'));
    await town.enter(viewer('vera'));
    assert.deepEqual(town.site.names('webLogout'), ['vera'], 'only before the first');
  });

  it('is wiped for a name that came in while nobody answered, as a yes may have been lost', async () => {
    const town = new ControlTown({ onWebFailure: 'accept' });
    town.site.login = ({ params }) => (params[2] === 'key-bob' ? 'login=1&role=1' : 'login=0');
    town.site.moods.webLogin = 'silent';
    assert.equal((await town.enter(broadcaster('bob'))).role, 'watcher');
    town.site.moods.webLogin = 'good';
    town.site.remembered.set('bob', 'login=1&role=1');
    assertRefused(await town.verdict(broadcaster('bob', 'guess')), 'access/login');
    assert.equal((await town.enter(broadcaster('bob'))).role, 'broadcaster');
  });

  it('makes nobody a broadcaster under the name of another', async () => {
    const town = new ControlTown();
    await town.enter(broadcaster('bob'));
    assertRefused(await town.verdict(broadcaster('bob', 'guess')), 'access/duplicate', /another key/);
    assertRefused(await town.verdict(viewer('bob', 'guess')), 'access/duplicate', /another key/);
    await town.enter(broadcaster('bob'));
  });

  it('makes nobody a broadcaster under the name of one who leaves meanwhile', async () => {
    const town = new ControlTown();
    const bob = await town.enter(broadcaster('bob'));
    const guess = town.ask(broadcaster('bob', 'guess'));
    await town.clock.run(1);
    town.leave(bob);
    assertRefused(await town.clock.until(guess), 'access/duplicate', /another key/);
  });

  it('serves viewers who share a name at once, after the first', async () => {
    const town = new ControlTown();
    const crowd = Array.from({ length: 30 }, (_, i) => town.ask(viewer('-name-', `key-of-room-${i % 3}`)));
    const all = await town.clock.until(Promise.all(crowd), 1_000);
    assert.ok(all.every((verdict) => verdict.allow && verdict.role === 'watcher'));
    assert.deepEqual(town.site.names('webLogout'), ['name']);
    assert.equal(town.site.most.webLogin, 29);
  });

  it('that cannot be wiped is no reason to refuse a name that we owe nothing', async () => {
    const town = new ControlTown();
    town.site.moods.webLogout = '500';
    await town.enter(broadcaster('bob'));
    assert.match(town.control.states()[0]!.state, /the site is not told who has gone: .*HTTP 500/);
  });
});

describe('faults', () => {
  it('of castgate itself are refusals too', async () => {
    const town = new ControlTown({}, controlOptions({ live: {} }));
    const gate = town.control.gate;
    const broken = { transport: 'rtmp', app: 'live', ip: '', params: undefined as unknown as string[] } as const;
    assertRefused(await gate.admit(broken), 'server/bug', /^internal error$/);
    assert.deepEqual(town.log.codes(), ['server/bug']);
  });
});
