/** A value in PHP's serialised form, as a web site sends it. What is read can be written and read again. */
import assert from 'node:assert/strict';
import { phpSerialize, readPhpValue } from '../../../src/control/php.ts';
import type { FuzzTarget } from '../target.ts';

export const target: FuzzTarget = {
  name: 'php-value',
  run(bytes) {
    const { value, end } = readPhpValue(bytes);
    assert.ok(end <= bytes.length);
    const written = phpSerialize(value);
    assert.equal(phpSerialize(readPhpValue(written).value), written);
  },
};
