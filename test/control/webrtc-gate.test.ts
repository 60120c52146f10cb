/**
 * How WebRTC clients are let in.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { SiteOptions } from '../../src/control/options.ts';
import type { Verdict } from '../../src/session/gate.ts';
import { streamAdmission } from '../../src/session/stream-admission.ts';
import { assertRefused, broadcaster, ControlTown, controlOptions, type Visitor } from '../helpers/control-town.ts';

const WEB_KEY = 'a-secret-of-the-site';
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const PUBLISH = `channel_id=4&userID=2&key=${md5(`vw${WEB_KEY}24`)}`;
const PLAY = `channel_id=4&key=${md5(`vw${WEB_KEY}4`)}`;

const once = { freshLogin: false, webKeyCheck: 'off' } as const;

class BrowserTown extends ControlTown {
  /** `live` at the site, with its webKey and `differences`. */
  static keyed(differences: Partial<SiteOptions> = {}): BrowserTown {
    return new BrowserTown({ ...once, webKey: WEB_KEY, ...differences });
  }

  decide(doing: 'publish' | 'play', query: string, stream = 'bob', token?: string): Promise<Verdict> {
    return this.verdict([], streamAdmission({ app: 'live', stream, query, ip: '192.0.2.7', token }, doing));
  }

  async come(doing: 'publish' | 'play', query: string, stream = 'bob'): Promise<Visitor> {
    const admission = streamAdmission({ app: 'live', stream, query, ip: '192.0.2.7' }, doing);
    const visitor = await this.enter(admission.params, admission);
    if (doing === 'publish') {
      visitor.state = 'publishing';
      this.registry.claim(visitor, stream);
      this.control.gate.published(visitor);
    }
    return visitor;
  }
}

describe('with a webKey', () => {
  it('the key in the query decides, and no site is asked', async () => {
    const town = BrowserTown.keyed();
    const allowed = { allow: true, name: 'bob', room: 'bob', canKick: false };
    assert.deepEqual(await town.decide('publish', PUBLISH), { ...allowed, role: 'broadcaster' });
    assert.deepEqual(await town.decide('play', PLAY), { ...allowed, role: 'watcher' });
    assert.deepEqual(await town.decide('play', `${PUBLISH}&room=The+room`), {
      ...allowed,
      room: 'The room',
      role: 'watcher',
    });
    assert.equal(town.site.heard.length, 0);
  });

  it('a missing or wrong one is refused in words that name none', async () => {
    const town = BrowserTown.keyed();
    assertRefused(await town.decide('publish', ''), 'access/key', /brings no key; use the address/);
    assertRefused(await town.decide('publish', PLAY), 'access/key', /does not open it; use the address/);
    assertRefused(await town.decide('play', 'channel_id=5&key=abc'), 'access/key', /^[^0-9]*$/);
    assertRefused(await town.decide('publish', 'transcoding=1&userID=0'), 'access/key');
    assert.equal(town.site.heard.length, 0);
  });

  it('a token may stand in for the key', async () => {
    const town = BrowserTown.keyed();
    assert.ok((await town.decide('publish', 'channel_id=4&userID=2', 'bob', md5(`vw${WEB_KEY}24`))).allow);
    assertRefused(await town.decide('publish', 'channel_id=4&userID=2', 'bob', 'guess'), 'access/key');
  });

  it('names that a report could not carry are refused', async () => {
    const town = BrowserTown.keyed();
    assertRefused(await town.decide('publish', PUBLISH, 'a<b'), 'access/name');
    assertRefused(await town.decide('publish', `${PUBLISH}&room=a%3Cb`), 'access/name');
  });

  it('RTMP clients are asked about as ever', async () => {
    const town = BrowserTown.keyed();
    await town.enter(broadcaster('bob'));
    assert.deepEqual(town.site.names('webLogin'), ['bob']);
  });
});

describe('a stream that is being published', () => {
  it('is not published twice, unless by the same key and user; then it may be taken over', async () => {
    const town = BrowserTown.keyed();
    const bob = await town.come('publish', PUBLISH);
    const again = await town.come('publish', PUBLISH);
    assert.ok(town.control.gate.mayTakeOver(again, bob));
    const other = `channel_id=5&userID=2&key=${md5(`vw${WEB_KEY}25`)}`;
    assertRefused(await town.decide('publish', other), 'access/duplicate');
    const strict = BrowserTown.keyed({ takeover: 'refuse' });
    await strict.come('publish', PUBLISH);
    assertRefused(await strict.decide('publish', PUBLISH), 'access/duplicate');
  });

  it('tells nobody without a key that it is', async () => {
    const town = BrowserTown.keyed();
    await town.come('publish', PUBLISH);
    assertRefused(await town.decide('publish', ''), 'access/key');
  });

  it('may be watched, though player and publisher share a name', async () => {
    const town = BrowserTown.keyed({ takeover: 'refuse' });
    await town.come('publish', PUBLISH);
    assert.ok((await town.decide('play', PLAY)).allow);
  });

  it('over RTMP, under another session, is somebody else’s until the keys agree', async () => {
    const town = BrowserTown.keyed();
    const obs = await town.enter(['My Channel', 'My Channel', md5(`vw${WEB_KEY}24`), '1', '2']);
    town.publish(obs, 'bob');
    town.registry.claim(obs, 'bob');
    const other = `channel_id=4&userID=3&key=${md5(`vw${WEB_KEY}34`)}`;
    assertRefused(await town.decide('publish', other), 'access/duplicate');
    const browser = await town.come('publish', PUBLISH);
    assert.ok(town.control.gate.mayTakeOver(browser, obs));
  });

  it('is refused before any site is asked', async () => {
    const town = BrowserTown.keyed({ webRtcLogin: 'login' });
    await town.come('publish', PUBLISH);
    town.site.heard.length = 0;
    assertRefused(await town.decide('publish', 'userID=3&key=x'), 'access/duplicate');
    assert.equal(town.site.heard.length, 0);
  });
});

describe('with webLogin', () => {
  const byLogin = (differences: Partial<SiteOptions> = {}) => new BrowserTown({ ...once, ...differences });

  it('without a webKey the site decides', async () => {
    const town = byLogin();
    const verdict = await town.decide('publish', 'channel_id=4&userID=2&key=k&room=lobby');
    assert.ok(verdict.allow && verdict.role === 'broadcaster' && verdict.login !== undefined);
    assert.deepEqual(town.site.heard[0]!.params, ['bob', 'lobby', 'k', '1', '2', '192.0.2.7']);
    await town.decide('play', '', 'carl', 'token');
    assert.deepEqual(town.site.heard[1]!.params, ['carl', 'carl', 'token', '0', '', '192.0.2.7']);
  });

  it('who may only watch may not publish, and is logged out again', async () => {
    const town = byLogin();
    town.site.login = () => 'login=1';
    assertRefused(await town.decide('publish', 'key=k'), 'access/role');
    await town.clock.run(60_000);
    assert.deepEqual(town.site.names('webLogout'), ['bob']);
  });

  it('who may publish is a watcher all the same while he watches', async () => {
    const town = byLogin();
    town.site.login = () => 'login=1&role=1&canKick=1';
    const verdict = await town.decide('play', 'key=k');
    assert.ok(verdict.allow && verdict.role === 'watcher' && verdict.canKick);
  });

  it('each login is followed by one logout, when the last of its name has gone', async () => {
    const town = byLogin();
    const [one, two] = [await town.come('play', 'key=a'), await town.come('play', 'key=b')];
    town.leave(one);
    await town.clock.run(60_000);
    assert.deepEqual(town.site.names('webLogout'), []);
    town.leave(two);
    await town.clock.run(60_000);
    assert.deepEqual(town.site.names('webLogout'), ['bob']);
    assert.equal(town.control.logoutsOwed, 0);
  });

  it('both may be wanted: the key first, then the site', async () => {
    const town = BrowserTown.keyed({ webRtcLogin: 'both' });
    assertRefused(await town.decide('publish', 'key=wrong'), 'access/key');
    assert.equal(town.site.heard.length, 0);
    assert.ok((await town.decide('publish', PUBLISH)).allow);
    assert.equal(town.site.names('webLogin').length, 1);
    town.site.login = () => 'login=0';
    town.site.remembered.clear();
    assertRefused(await town.decide('play', PLAY), 'access/login');
  });

  it('a key alone may do', async () => {
    const town = BrowserTown.keyed({ webRtcLogin: 'key' });
    assert.ok((await town.decide('publish', PUBLISH)).allow);
    assert.equal(town.site.heard.length, 0);
  });

  it('a site that cannot be asked lets nobody in', async () => {
    const town = byLogin();
    town.site.moods.webLogin = 'refused';
    assertRefused(await town.decide('play', ''), 'access/web');
  });
});

describe('with neither', () => {
  it('everybody comes in, as what he wants to be', async () => {
    const town = new BrowserTown({}, controlOptions({ live: {} }));
    const allowed = { allow: true, name: 'bob', room: 'bob', canKick: false };
    assert.deepEqual(await town.decide('publish', ''), { ...allowed, role: 'broadcaster' });
    assert.deepEqual(await town.decide('play', ''), { ...allowed, role: 'watcher' });
  });

  it('a way in that has nothing to go by is shut', async () => {
    const shut = (webRtcLogin: SiteOptions['webRtcLogin']) =>
      new BrowserTown({}, controlOptions({ live: { webRtcLogin } })).decide('play', `channel_id=4&key=${md5('vw4')}`);
    assertRefused(await shut('key'), 'access/key');
    assertRefused(await shut('both'), 'access/key');
    assertRefused(await shut('login'), 'access/web');
  });
});
