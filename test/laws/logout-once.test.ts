/**
 * Law: whoever was let in is logged out once after the last of the name has gone, and nobody is logged out while here, whatever
 * comes in between.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { broadcaster, ControlTown, type Visitor, viewer } from '../helpers/control-town.ts';
import type { Heard } from '../helpers/fake-web.ts';

const name = fc.constantFrom('ann', 'bob', 'cid');
const key = fc.constantFrom('right', 'wrong');
const mood = fc.constantFrom('good', 'good', 'good', '500', 'silent', 'refused');

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('enter'), name, key, publisher: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('giveUp'), name, key, publisher: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('leave'), who: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('logoutMood'), mood }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('loginMood'), mood }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('wait'), millis: fc.constantFrom(1, 15, 40, 300, 2_000, 40_000) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

for (const freshLogin of [false, true]) {
  it(`each run of a name ends in one logout, and none comes before its end${freshLogin ? ', with fresh logins' : ''}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => live(steps, freshLogin)),
      { numRuns: 150 },
    );
  });
}

async function live(steps: readonly Step[], freshLogin: boolean): Promise<void> {
  const town = new ControlTown({ freshLogin, webStatus: '' });
  /** Sessions by name that stand on a yes, from the moment of the verdict. */
  const here: Visitor[] = [];
  const standing = (who: string) => here.filter((visitor) => visitor.name === who).length;
  let needless = 0;
  town.site.login = ({ params }) => (params[2] === 'right' ? 'login=1&role=1' : 'login=0');
  const bodyFor = town.site.bodyFor.bind(town.site);
  town.site.bodyFor = (heard: Heard) => {
    if (heard.hook === 'webLogout') {
      assert.equal(standing(heard.name), 0, `${heard.name} was logged out while here`);
      if (!town.site.remembered.has(heard.name)) needless++;
    }
    return bodyFor(heard);
  };

  const pending: Promise<void>[] = [];
  const come = async (params: readonly string[], stays: boolean) => {
    const verdict = await town.ask(params);
    if (!verdict.allow) return;
    if (stays) here.push(town.open(verdict, params));
    else town.control.gate.abandon(verdict);
  };
  for (const each of steps) {
    switch (each.do) {
      case 'enter':
      case 'giveUp':
        pending.push(
          come(each.publisher ? broadcaster(each.name, each.key) : viewer(each.name, each.key), each.do === 'enter'),
        );
        break;
      case 'leave': {
        const [leaving] = here.splice(each.who % Math.max(1, here.length), 1);
        if (leaving !== undefined) town.leave(leaving);
        break;
      }
      case 'logoutMood':
        town.site.moods.webLogout = each.mood;
        break;
      case 'loginMood':
        town.site.moods.webLogin = each.mood;
        break;
      default:
        await town.clock.run(each.millis);
    }
  }
  await town.clock.until(Promise.all(pending), 20_000);
  for (const visitor of here.splice(0)) town.leave(visitor);
  town.site.moods.webLogout = 'good';
  await town.clock.run(400_000);
  assert.deepEqual([...town.site.remembered.keys()], [], 'nobody is forgotten');
  assert.equal(town.control.logoutsOwed, 0);
  assert.deepEqual(town.site.open, { webLogin: 0, webLogout: 0, webStatus: 0 });
  if (!freshLogin) assert.equal(needless, 0, 'no logout but those that are owed');
  assert.ok(town.log.lines.every(({ level }) => level !== 'error'));
}
