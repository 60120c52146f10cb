/**
 * Reticence: whoever cannot sign a check with a session's password gets no answer and is no session's; whoever can, gets one answer of
 * about the size of his question. A session ends once, and forgets its addresses then.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeRemote, IceTown, type Told } from '../helpers/ice-town.ts';
import { CLIENT, stunCheck } from '../helpers/stun-client.ts';

const SESSIONS = 3;
const ADDRESSES = 12;
const KNOWN = 8;

type Step =
  | {
      readonly do: 'check';
      readonly to: number;
      readonly from: number;
      readonly nominate: boolean;
      readonly key: string;
    }
  | { readonly do: 'bytes'; readonly from: number; readonly bytes: Uint8Array }
  | { readonly do: 'pass'; readonly millis: number }
  | { readonly do: 'close' | 'restart'; readonly to: number };

const index = (below: number) => fc.nat({ max: below - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ do: fc.constant('check' as const), to: index(SESSIONS), from: index(ADDRESSES), nominate: fc.boolean() },
      key: fc.constantFrom('own', 'own', 'own', "another session's", "the client's", 'none'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('bytes' as const), from: index(ADDRESSES), bytes: fc.uint8Array({ maxLength: 80 }) },
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), millis: fc.constantFrom(20, 2_000, 7_001, 16_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('close' as const, 'restart' as const), to: index(SESSIONS) }),
  },
);

test('no answer without the password, whatever comes in whatever order', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), live), { numRuns: 400 });
});

function live(steps: readonly Step[]): void {
  const town = new IceTown();
  const sessions = Array.from({ length: SESSIONS }, () => town.open());
  const closed = new Set<Told>();
  const remotes = Array.from({ length: ADDRESSES }, (_, at) => new FakeRemote(40_000 + at));
  for (const next of steps) {
    if (next.do === 'pass') town.pass(next.millis);
    else if (next.do === 'bytes') arrives(town, remotes[next.from]!, Buffer.from(next.bytes), false);
    else if (next.do === 'check') {
      const told = sessions[next.to]!;
      const bytes = check(sessions, next);
      arrives(town, remotes[next.from]!, bytes, next.key === 'own' && told.lost === 0 && !closed.has(told));
    } else if (next.do === 'restart') sessions[next.to]!.session.restart(CLIENT);
    else {
      if (sessions[next.to]!.lost === 0) closed.add(sessions[next.to]!);
      sessions[next.to]!.session.close();
    }
    holds(sessions, closed, remotes);
  }
}

function check(sessions: readonly Told[], { to, key, nominate }: Step & { do: 'check' }): Buffer {
  const { ufrag, password } = sessions[to]!.session.local;
  const passwords: Readonly<Record<string, string | undefined>> = {
    own: password,
    "another session's": sessions[(to + 1) % SESSIONS]!.session.local.password,
    "the client's": CLIENT.password,
  };
  return stunCheck({ username: `${ufrag}:${CLIENT.ufrag}`, password: passwords[key], nominate });
}

function arrives(town: IceTown, remote: FakeRemote, bytes: Buffer, entitled: boolean): void {
  const { owner } = remote;
  const { dropped } = town.counts;
  const inUse = dropped.get('address-in-use') ?? 0;
  remote.sent.length = 0;
  town.receive(bytes, remote);
  const refused = (dropped.get('address-in-use') ?? 0) > inUse;
  assert.equal(remote.sent.length, entitled && !refused ? 1 : 0);
  if (!entitled || refused) assert.equal(remote.owner, owner);
  else assert.ok(remote.sent[0]!.length <= 1.5 * bytes.length);
}

function holds(sessions: readonly Told[], closed: ReadonlySet<Told>, remotes: readonly FakeRemote[]): void {
  for (const told of sessions) {
    const known = remotes.filter(({ owner }) => owner === told.session);
    assert.ok(known.length <= KNOWN);
    assert.ok(told.lost <= (closed.has(told) ? 0 : 1));
    if (told.lost > 0 || closed.has(told)) assert.equal(known.length, 0);
  }
  for (const { kept, owner } of remotes) assert.equal(kept, owner !== undefined);
}
