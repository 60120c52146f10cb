/** Fresh start: whenever a player comes, it receives metadata, then configurations, then (if there is video) a key frame first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AudienceTown, type Kind, type Sent } from '../helpers/audience-town.ts';

const kind = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Kind>('delta') },
  { weight: 3, arbitrary: fc.constant<Kind>('audio') },
  { weight: 1, arbitrary: fc.constantFrom<Kind>('key', 'avc', 'aac', 'metadata') },
);
const message = fc.record({ kind, size: fc.integer({ min: 8, max: 300 }), step: fc.constantFrom(0, 20, 40, 4_000) });

/** What is in force at message `index`: the latest of each configuration, of the publisher of that moment. */
function inForce(sent: readonly Sent[], index: number): Map<Kind, number> {
  const force = new Map<Kind, number>();
  for (const { kind, number, era } of sent.slice(0, index)) {
    if (era === sent[index]?.era && (kind === 'avc' || kind === 'aac' || kind === 'metadata')) force.set(kind, number);
  }
  return force;
}

test('what a newcomer gets can be decoded from its first byte', () => {
  const eras = fc.array(fc.array(message, { maxLength: 40 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(eras, fc.boolean(), (eras, takeover) => {
      const town = new AudienceTown();
      // somebody holds the stream open between publishers
      town.join();
      for (const [i, era] of eras.entries()) {
        if (i > 0 && !takeover) town.leave();
        town.begin('taken over');
        for (const { kind, size, step } of era) {
          town.publish(kind, size, step);
          const viewer = town.join();
          const opening = town.seen(viewer);
          town.pause(viewer);
          checkOpening(town, opening);
        }
      }
    }),
    { numRuns: 60 },
  );
});

function checkOpening(town: AudienceTown, opening: readonly Sent[]): void {
  const isConfig = ({ kind }: Sent) => kind === 'avc' || kind === 'aac' || kind === 'metadata';
  const end = opening.findIndex((each) => !isConfig(each));
  const leading = end < 0 ? opening : opening.slice(0, end);
  const group = end < 0 ? [] : opening.slice(end);
  const era = town.sent.at(-1)!.era;
  assert.ok(opening.every((each) => each.era === era));
  assert.equal(leading[0]?.kind, 'metadata');
  assert.deepEqual(new Set(leading.map(({ kind }) => kind)), new Set(['metadata', 'avc', 'aac']));
  const first = group[0];
  if (first === undefined) return;
  // each part of the group finds the configuration that it was sent under
  const force = new Map(leading.map(({ kind, number }) => [kind, number]));
  const pictures = group.filter(({ kind }) => kind === 'key' || kind === 'delta');
  if (pictures.length > 0) assert.equal(first.kind, 'key');
  for (const each of group) {
    if (isConfig(each)) force.set(each.kind, each.number);
    else {
      const truth = inForce(town.sent, each.number);
      const needed = each.kind === 'audio' ? 'aac' : 'avc';
      assert.equal(force.get(needed), truth.get(needed), `${each.kind} ${each.number}`);
    }
  }
  // nothing of the group is left out
  const numbers = group.map(({ number }) => number);
  for (const each of town.sent.slice(first.number)) {
    if (pictures.length > 0) assert.ok(numbers.includes(each.number), `${each.kind} ${each.number} is missing`);
  }
}
