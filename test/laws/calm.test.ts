/**
 * Calm: for any bytes a parser answers or throws `PeerError`, nothing else, and holds no more than its limits. The targets of
 * test/fuzz/ say what that means for each parser; here each meets its corpus, changed inputs, and noise.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mutate, seededRandom } from '../fuzz/mutation.ts';
import { type FuzzTarget, loadTarget, readCorpus, targetNames, verdict } from '../fuzz/target.ts';

const CHANGED_INPUTS = 1500;
const SEED = 20_260_101;

function isCalm(target: FuzzTarget, bytes: Buffer, what: string): void {
  const wrong = verdict(target, bytes);
  assert.equal(wrong, undefined, `${what} ${bytes.toString('hex').slice(0, 2000)}: ${wrong?.stack}`);
}

for (const name of targetNames()) {
  const target = await loadTarget(name);
  const corpus = readCorpus(name);

  test(`${name}: its corpus`, () => {
    assert.ok(corpus.length > 0, 'there is one');
    for (const { file, bytes } of corpus) isCalm(target, bytes, file);
  });

  test(`${name}: ${CHANGED_INPUTS} changed inputs`, () => {
    const random = seededRandom(SEED);
    const inputs = corpus.map((entry) => entry.bytes);
    for (let i = 0; i < CHANGED_INPUTS; i++) isCalm(target, mutate(inputs, random), `change ${i}`);
  });

  test(`${name}: noise`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => isCalm(target, Buffer.from(noise), 'noise')),
      { numRuns: 500 },
    );
  });
}

test('a target that does not stay calm is noticed', () => {
  const nervous: FuzzTarget = {
    name: 'nervous',
    run(bytes) {
      if (bytes.includes(0x42)) throw new TypeError('out of bounds');
    },
  };
  assert.equal(verdict(nervous, Buffer.of(0x41)), undefined);
  assert.ok(verdict(nervous, Buffer.of(0x42)) instanceof TypeError);
});
