import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DropReason } from '../../src/webrtc/ice-remote.ts';
import type { IceCredentials } from '../../src/webrtc/path.ts';
import { FakeRemote, IceTown } from '../helpers/ice-town.ts';
import { CLIENT, checkOf, stunCheck } from '../helpers/stun-client.ts';

const SUCCESS = 0x0101;
const ERROR = 0x0111;
const DTLS = Buffer.from('16fefd0000', 'hex');
const RTP = Buffer.from('806000010000', 'hex');

test('credentials are long, random, and of ICE characters', () => {
  const town = new IceTown();
  const [one, other] = [town.open().session.local, town.open().session.local];
  for (const { ufrag, password } of [one, other]) {
    assert.match(ufrag, /^[A-Za-z0-9+/]{12}$/);
    assert.match(password, /^[A-Za-z0-9+/]{32}$/);
  }
  assert.notEqual(one.ufrag, other.ufrag);
  assert.notEqual(one.password, other.password);
});

test('a valid check is answered with the address it came from', () => {
  const town = new IceTown();
  const { session } = town.open();
  const [four, six] = [new FakeRemote(), new FakeRemote(41_000, '2001:db8::5')];
  const transaction = Buffer.from('0102030405060708090a0b0c', 'hex');
  town.receive(checkOf(session.local, { transaction }), four);
  town.receive(checkOf(session.local), six);
  assert.deepEqual(four.answers(session.local), [
    {
      type: SUCCESS,
      transaction: transaction.toString('hex'),
      mapped: '192.0.2.7 40000',
      code: undefined,
      unknown: undefined,
    },
  ]);
  assert.equal(six.answers(session.local)[0]!.mapped, '2001:0db8:0000:0000:0000:0000:0000:0005 41000');
  assert.equal(town.counts.checks, 2);
});

/** Whatever is wrong with it: no answer, no address, and the reason counted. */
const unanswered: readonly (readonly [what: string, reason: DropReason, make: (own: IceCredentials) => Buffer])[] = [
  ['no integrity', 'integrity', (own) => checkOf(own, { password: undefined })],
  ['a forged password', 'integrity', (own) => checkOf(own, { password: 'guessed-password-of-no-session!!' })],
  ["signed with the client's password", 'integrity', (own) => checkOf(own, { password: CLIENT.password })],
  ['an unknown user', 'unknown-user', (own) => checkOf(own, { username: `nobody:${CLIENT.ufrag}` })],
  ['no user', 'unknown-user', (own) => checkOf(own, { username: undefined })],
  ['a user without colon', 'unknown-user', (own) => checkOf(own, { username: own.ufrag })],
  [
    'the parts the wrong way round',
    'unknown-user',
    (own) => checkOf(own, { username: `${CLIENT.ufrag}:${own.ufrag}` }),
  ],
  ["another client's name", 'unknown-user', (own) => checkOf(own, { username: `${own.ufrag}:other` })],
  ['our name and more', 'unknown-user', (own) => checkOf(own, { username: `${own.ufrag}x:${CLIENT.ufrag}` })],
  ['a response', 'not-a-request', (own) => checkOf(own, { type: SUCCESS })],
  ['an indication', 'not-a-request', (own) => checkOf(own, { type: 0x0011 })],
  ['another method', 'not-a-request', (own) => checkOf(own, { type: 0x0003 })],
  ['a wrong fingerprint', 'malformed', (own) => Buffer.concat([checkOf(own).subarray(0, -4), Buffer.alloc(4)])],
  ['noise of STUN', 'malformed', () => Buffer.alloc(64)],
  ['too short', 'noise', () => Buffer.from('000100', 'hex')],
  ['nothing', 'noise', () => Buffer.alloc(0)],
  ['TURN channel data', 'noise', () => Buffer.from('4000000400000000', 'hex')],
  ['DTLS', 'stranger', () => DTLS],
  ['RTP', 'stranger', () => RTP],
];
for (const [what, reason, make] of unanswered) {
  test(`no answer: ${what}`, () => {
    const town = new IceTown();
    const told = town.open();
    const remote = new FakeRemote();
    town.receive(make(told.session.local), remote);
    assert.deepEqual(remote.sent, []);
    assert.equal(remote.kept, false);
    assert.deepEqual(town.dropped(), { [reason]: 1 });
    town.receive(DTLS, remote);
    assert.deepEqual(told.datagrams, []);
    assert.deepEqual(told.paths, []);
  });
}

test('an answer is never larger than half as much again as its request', () => {
  const town = new IceTown();
  const { session } = town.open();
  const unknown = Array.from({ length: 20 }, (_, index) => [0x7000 + index, Buffer.alloc(0)] as const);
  const requests = [{}, { fingerprint: false }, { role: 'controlled' as const }, { extra: unknown }].map((options) =>
    checkOf(session.local, options),
  );
  for (const request of requests) {
    const remote = new FakeRemote(40_000, '2001:db8::1');
    town.receive(request, remote);
    assert.equal(remote.sent.length, 1);
    assert.ok(remote.sent[0]!.length <= 1.5 * request.length, `${remote.sent[0]!.length} for ${request.length}`);
  }
});

test('what we must understand and do not is named, to those who are allowed to ask', () => {
  const town = new IceTown();
  const told = town.open();
  const remote = new FakeRemote();
  const extra = [[0x7abc, Buffer.alloc(4)] as const];
  town.receive(checkOf(told.session.local, { extra, password: 'wrong' }), remote);
  assert.deepEqual(remote.sent, []);
  town.receive(checkOf(told.session.local, { extra, nominate: true }), remote);
  const [answer] = remote.answers(told.session.local);
  assert.deepEqual([answer!.type, answer!.code, answer!.unknown], [ERROR, 420, [0x7abc]]);
  assert.deepEqual(told.paths, []);
  assert.equal(remote.kept, false);
});

test('a client that thinks we control is told otherwise, and then believed', () => {
  const town = new IceTown();
  const told = town.open();
  const remote = new FakeRemote();
  town.receive(checkOf(told.session.local, { role: 'controlled', nominate: true }), remote);
  assert.deepEqual([remote.answers(told.session.local)[0]!.code, told.paths, town.counts.refused], [487, [], 1]);
  town.receive(checkOf(told.session.local, { nominate: true }), remote);
  assert.deepEqual([remote.answers(told.session.local)[0]!.type, told.paths], [SUCCESS, [40_000]]);
});

test('attributes of browsers that may be ignored are', () => {
  const town = new IceTown();
  const { session } = town.open();
  const remote = new FakeRemote();
  const extra = [[0xc057, Buffer.alloc(4)] as const, [0x8022, Buffer.from('agent')] as const];
  town.receive(checkOf(session.local, { extra }), remote);
  assert.equal(remote.answers(session.local)[0]!.type, SUCCESS);
});

test('a check that is sent again is answered again; from elsewhere it moves nothing', () => {
  const town = new IceTown();
  const told = town.open();
  const [client, thief] = [new FakeRemote(), new FakeRemote(50_000, '198.51.100.9')];
  const check = checkOf(told.session.local, { nominate: true });
  town.receive(check, client);
  town.receive(check, client);
  assert.equal(client.answers(told.session.local).length, 2);
  town.receive(check, thief);
  assert.deepEqual([thief.sent, thief.kept, told.paths], [[], false, [40_000]]);
  assert.deepEqual(town.dropped(), { replayed: 1 });
});

test('a recorded check is known again after half an hour of others', () => {
  const town = new IceTown();
  const told = town.open();
  const [client, thief] = [new FakeRemote(), new FakeRemote(50_000, '198.51.100.9')];
  const recorded = checkOf(told.session.local, { nominate: true });
  town.receive(recorded, client);
  for (let check = 0; check < 30 * 24; check++) {
    town.pass(2_500);
    town.receive(checkOf(told.session.local, { nominate: true }), client);
  }
  town.receive(recorded, thief);
  assert.deepEqual([thief.sent, thief.kept, told.paths], [[], false, [40_000]]);
  assert.deepEqual(town.dropped(), { replayed: 1 });
});

test('a check that was refused for its address is no replay when it comes again', () => {
  const town = new IceTown();
  const [one, other] = [town.open(), town.open()];
  const remote = new FakeRemote();
  town.receive(checkOf(one.session.local, { nominate: true }), remote);
  const check = checkOf(other.session.local, { nominate: true });
  town.receive(check, remote);
  one.session.close();
  town.receive(check, remote);
  assert.deepEqual([other.paths, town.dropped()], [[40_000], { 'address-in-use': 1 }]);
});

test('DTLS and media pass from an address with a valid check, and from no other', () => {
  const town = new IceTown();
  const told = town.open();
  const [client, stranger] = [new FakeRemote(), new FakeRemote(50_000)];
  town.receive(checkOf(told.session.local, { nominate: true }), client);
  for (const bytes of [DTLS, RTP]) for (const remote of [client, stranger]) town.receive(bytes, remote);
  assert.deepEqual(told.datagrams, ['40000 16fefd0000', '40000 806000010000']);
  assert.deepEqual(town.dropped(), { stranger: 2 });
});

test('the first nomination makes the path, a later one moves it, the same one says nothing', () => {
  const town = new IceTown();
  const told = town.open();
  const [one, other] = [new FakeRemote(40_001), new FakeRemote(40_002)];
  const check = (nominate: boolean) => checkOf(told.session.local, { nominate });
  town.receive(check(false), one);
  assert.deepEqual(told.paths, []);
  town.receive(check(true), one);
  town.receive(check(true), one);
  town.receive(check(false), other);
  assert.deepEqual(told.paths, [40_001]);
  town.receive(check(true), other);
  assert.deepEqual(told.paths, [40_001, 40_002]);
});

test('who never nominates is taken at the address he checks, after two seconds', () => {
  const town = new IceTown();
  const told = town.open();
  const remote = new FakeRemote();
  town.receive(checkOf(told.session.local), remote);
  town.pass(1_999);
  town.receive(checkOf(told.session.local), remote);
  assert.deepEqual(told.paths, []);
  town.pass(1);
  town.receive(checkOf(told.session.local), remote);
  assert.deepEqual(told.paths, [40_000]);
});

test('who begins DTLS before he nominates is answered there', () => {
  const town = new IceTown();
  const told = town.open();
  const [one, other] = [new FakeRemote(40_001), new FakeRemote(40_002)];
  town.receive(checkOf(told.session.local), one);
  town.receive(RTP, one);
  assert.deepEqual(told.paths, []);
  town.receive(DTLS, one);
  assert.deepEqual(told.paths, [40_001]);
  town.receive(checkOf(told.session.local, { nominate: true }), other);
  assert.deepEqual(told.paths, [40_001, 40_002]);
});

test('when the nominated address falls silent, checks from another move the path', () => {
  const town = new IceTown();
  const told = town.open();
  const [before, after] = [new FakeRemote(40_001), new FakeRemote(40_002)];
  town.receive(checkOf(told.session.local, { nominate: true }), before);
  town.pass(7_000);
  town.receive(checkOf(told.session.local), after);
  assert.deepEqual(told.paths, [40_001]);
  town.pass(1);
  town.receive(checkOf(told.session.local), after);
  assert.deepEqual(told.paths, [40_001, 40_002]);
});

test('no check at all within connectTimeout: lost, once, and silent', () => {
  const town = new IceTown();
  const told = town.open();
  town.receive(checkOf(told.session.local, { password: 'wrong' }), new FakeRemote());
  town.pass(15_000);
  assert.equal(told.lost, 0);
  town.pass(1_000);
  assert.equal(told.lost, 1);
  town.pass(60_000);
  assert.deepEqual([told.lost, town.agent.open], [1, 0]);
});

test('no valid check for consentTimeout: lost; media and forged checks do not count', () => {
  const town = new IceTown();
  const told = town.open();
  const remote = new FakeRemote();
  for (let round = 0; round < 10; round++) {
    town.receive(checkOf(told.session.local, { nominate: true }), remote);
    town.pass(14_000);
  }
  assert.equal(told.lost, 0);
  town.receive(RTP, remote);
  town.receive(checkOf(told.session.local, { password: 'wrong' }), remote);
  town.pass(2_000);
  assert.equal(told.lost, 1);
  assert.deepEqual([remote.kept, remote.owner], [false, undefined]);
});

test('after close nothing is answered, known or not, and no event follows', () => {
  const town = new IceTown();
  const told = town.open();
  const remote = new FakeRemote();
  town.receive(checkOf(told.session.local, { nominate: true }), remote);
  remote.sent.length = 0;
  told.session.close();
  told.session.close();
  for (const bytes of [checkOf(told.session.local, { nominate: true }), DTLS, RTP]) town.receive(bytes, remote);
  town.pass(60_000);
  assert.deepEqual([remote.sent, remote.kept, told.datagrams, told.paths, told.lost], [[], false, [], [40_000], 0]);
  assert.equal(town.agent.open, 0);
});

test('ICE restart: old and new credentials side by side until the new ones are used', () => {
  const town = new IceTown();
  const told = town.open();
  const old = told.session.local;
  const [before, after] = [new FakeRemote(40_001), new FakeRemote(40_002)];
  const again = { ufrag: 'new+', password: 'another-client-password-32-chars' };
  town.receive(checkOf(old, { nominate: true }), before);
  const fresh = told.session.restart(again);
  assert.deepEqual(told.session.local, fresh);
  assert.notEqual(fresh.ufrag, old.ufrag);
  assert.notEqual(fresh.password, old.password);
  town.receive(checkOf(old, { nominate: true }), before);
  assert.equal(before.answers(old).length, 2);
  // the new name belongs to the new password and to the client's new name
  town.receive(checkOf(fresh, { nominate: true }), after);
  town.receive(stunCheck({ username: `${fresh.ufrag}:${again.ufrag}`, password: old.password }), after);
  assert.deepEqual(after.sent, []);
  town.receive(
    stunCheck({ username: `${fresh.ufrag}:${again.ufrag}`, password: fresh.password, nominate: true }),
    after,
  );
  assert.equal(after.answers(fresh).length, 1);
  assert.deepEqual(told.paths, [40_001, 40_002]);
  town.receive(checkOf(old, { nominate: true }), before);
  assert.deepEqual([before.sent, told.paths], [[], [40_001, 40_002]]);
});

test('of restarts that nobody used only the last stays', () => {
  const town = new IceTown();
  const { session } = town.open();
  const old = session.local;
  const unused = session.restart({ ...CLIENT, ufrag: 'two2' });
  const used = session.restart({ ...CLIENT, ufrag: 'tre3' });
  const remote = new FakeRemote();
  town.receive(stunCheck({ username: `${unused.ufrag}:two2`, password: unused.password }), remote);
  town.receive(stunCheck({ username: `${unused.ufrag}:${CLIENT.ufrag}`, password: old.password }), remote);
  assert.deepEqual(remote.sent, []);
  town.receive(checkOf(old), remote);
  town.receive(stunCheck({ username: `${used.ufrag}:tre3`, password: used.password }), remote);
  assert.equal(remote.sent.length, 2);
  session.close();
  town.receive(stunCheck({ username: `${used.ufrag}:tre3`, password: used.password }), remote);
  assert.equal(remote.sent.length, 2);
});

test('when we make the offer any client with our password is the one, until its answer names it', () => {
  const town = new IceTown();
  const { session, paths } = town.open('unknown');
  const own = session.local;
  const remote = new FakeRemote();
  town.receive(checkOf(own, { username: `${own.ufrag}:anybody` }), remote);
  assert.equal(remote.answers(own).length, 1);
  assert.deepEqual(session.restart({ ufrag: 'named', password: CLIENT.password }), own);
  town.receive(checkOf(own, { username: `${own.ufrag}:anybody` }), remote);
  assert.deepEqual(remote.sent, []);
  town.receive(checkOf(own, { username: `${own.ufrag}:named` }), remote);
  assert.equal(remote.answers(own).length, 1);
  assert.deepEqual(paths, []);
});

test('eight addresses are remembered; the oldest goes, never the one in use', () => {
  const town = new IceTown();
  const told = town.open();
  const remotes = Array.from({ length: 10 }, (_, index) => new FakeRemote(40_000 + index));
  for (const [index, remote] of remotes.entries()) {
    town.now += 10;
    town.receive(checkOf(told.session.local, { nominate: index === 0 }), remote);
  }
  assert.deepEqual(
    remotes.map(({ kept }) => kept),
    [true, false, false, true, true, true, true, true, true, true],
  );
});

test('addresses that the client has left are forgotten while the session lives', () => {
  const town = new IceTown();
  const told = town.open();
  const [used, left] = [new FakeRemote(40_001), new FakeRemote(40_002)];
  town.receive(checkOf(told.session.local), left);
  for (let round = 0; round < 4; round++) {
    town.receive(checkOf(told.session.local, { nominate: true }), used);
    town.pass(5_000);
  }
  assert.deepEqual([used.kept, left.kept, told.lost], [true, false, 0]);
});

test("an address is one session's as long as its client is there", () => {
  const town = new IceTown();
  const [first, second] = [town.open(), town.open()];
  const remote = new FakeRemote();
  town.receive(checkOf(first.session.local, { nominate: true }), remote);
  remote.sent.length = 0;
  town.pass(7_000);
  town.receive(checkOf(second.session.local, { nominate: true }), remote);
  assert.deepEqual([remote.sent, second.paths, town.dropped()], [[], [], { 'address-in-use': 1 }]);
  town.pass(1);
  town.receive(checkOf(second.session.local, { nominate: true }), remote);
  assert.deepEqual([second.paths, first.lost, second.lost], [[40_000], 1, 0]);
  town.receive(DTLS, remote);
  assert.deepEqual([first.datagrams, second.datagrams.length, remote.kept], [[], 1, true]);
});

test('an address that its session uses no more is taken without ending that session', () => {
  const town = new IceTown();
  const [first, second] = [town.open(), town.open()];
  const [old, current] = [new FakeRemote(40_001), new FakeRemote(40_002)];
  town.receive(checkOf(first.session.local, { nominate: true }), old);
  town.receive(checkOf(first.session.local, { nominate: true }), current);
  town.pass(8_000);
  town.receive(checkOf(second.session.local, { nominate: true }), old);
  assert.deepEqual([second.paths, first.lost], [[40_001], 0]);
});

test('a connection that has gone makes room for the next check', () => {
  const town = new IceTown();
  const told = town.open();
  const [gone, next] = [new FakeRemote(40_001), new FakeRemote(40_002)];
  town.receive(checkOf(told.session.local, { nominate: true }), gone);
  town.receive(checkOf(told.session.local), next);
  told.session.gone(gone);
  told.session.gone(gone);
  assert.equal(gone.owner, undefined);
  town.pass(2_000);
  town.receive(checkOf(told.session.local), next);
  assert.deepEqual(told.paths, [40_001, 40_002]);
});

test('timeouts that are changed hold for those who are there', () => {
  const town = new IceTown();
  const [silent, gone] = [town.open(), town.open()];
  town.receive(checkOf(gone.session.local, { nominate: true }), new FakeRemote());
  town.options = { connectTimeout: 20_000, consentTimeout: 25_000 };
  town.pass(20_000);
  assert.deepEqual([silent.lost, gone.lost], [0, 0]);
  town.pass(5_000);
  assert.deepEqual([silent.lost, gone.lost], [1, 0]);
  town.pass(1_000);
  assert.deepEqual([silent.lost, gone.lost, town.agent.open], [1, 1, 0]);
});

test('closing the agent tells every session', () => {
  const town = new IceTown();
  const all = [town.open(), town.open()];
  town.agent.close();
  assert.deepEqual([all.map(({ lost }) => lost), town.agent.open], [[1, 1], 0]);
});

test('a session may close itself in whatever it is told', () => {
  const town = new IceTown();
  const session = town.agent.session(
    CLIENT,
    { path: () => session.close(), datagram: () => assert.fail('closed'), lost: () => assert.fail('closed') },
    town.now,
  );
  const remote = new FakeRemote();
  town.receive(checkOf(session.local), remote);
  town.receive(DTLS, remote);
  assert.deepEqual([town.agent.open, remote.kept, remote.owner], [0, false, undefined]);
});
