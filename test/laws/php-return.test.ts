/**
 * Return: what was written is read back, by us and by PHP; what PHP writes is read, and written again to the byte.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { phpSerialize, readPhpValue } from '../../src/control/php.ts';
import type { PhpValue } from '../../src/control/php-text.ts';
import { runPhp } from '../helpers/php.ts';

const SAMPLES = 500;
const SEED = 20_240_611;

const text = fc.string({
  unit: fc.oneof(fc.constantFrom('"', ';', '}', 'é', '🎥', '0'), fc.string({ unit: 'grapheme', maxLength: 1 })),
});
const scalar: fc.Arbitrary<PhpValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n - 1n }),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((number) => number / 1_024),
  text,
);
const key = fc.oneof(
  text,
  fc.integer().map(String),
  fc.constantFrom('-0', '007', '9223372036854775807', '9223372036854775808', '__proto__'),
);
const arrayOf = (element: fc.Arbitrary<PhpValue>): fc.Arbitrary<PhpValue> =>
  fc.array(fc.tuple(key, element), { maxLength: 5 }).map((entries) => new Map(entries));
const value = fc.oneof(scalar, arrayOf(scalar), arrayOf(arrayOf(scalar)), arrayOf(arrayOf(arrayOf(scalar))));

test('what was written is read back, and ends where it ends', () => {
  fc.assert(
    fc.property(value, text, text, (written, before, after) => {
      const serialised = phpSerialize(written);
      const offset = Buffer.byteLength(before);
      const { value: read, end } = readPhpValue(before + serialised + after, offset);
      assert.deepEqual(read, withPlainZero(written));
      assert.equal(end, offset + Buffer.byteLength(serialised));
    }),
  );
});

test('PHP reads what was written and writes the same', async () => {
  const serialised = fc.sample(value, { numRuns: SAMPLES, seed: SEED }).map((written) => phpSerialize(written));
  const program = `foreach (json_decode(stream_get_contents(STDIN)) as $t) $out[] = base64_encode(serialize(unserialize(base64_decode($t))));
    echo json_encode($out);`;
  const input = serialised.map((written) => Buffer.from(written).toString('base64'));
  const byPhp = JSON.parse(String(await runPhp(program, JSON.stringify(input)))) as string[];
  assert.deepEqual(
    byPhp.map((encoded) => Buffer.from(encoded, 'base64').toString()),
    serialised,
  );
});

/** PHP, and so we, write the zeros of JavaScript alike. */
function withPlainZero(written: PhpValue): PhpValue {
  if (written instanceof Map) return new Map([...written].map(([name, element]) => [name, withPlainZero(element)]));
  return written === 0 ? 0 : written;
}
