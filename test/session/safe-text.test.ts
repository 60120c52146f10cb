import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSafeName, isSafeText, MAX_NAME_BYTES, safeText } from '../../src/session/safe-text.ts';

/** Text, and what becomes of it; equal when it is safe. */
const CASES: readonly (readonly [text: string, safe: string])[] = [
  ['', ''],
  ['bob', 'bob'],
  ['My Channel', 'My Channel'],
  ['Ærøskøbing 日本語 🎥', 'Ærøskøbing 日本語 🎥'],
  [`it's "quoted" & 100% > a;b`, `it's "quoted" & 100% > a;b`],
  ['50 %', '50 %'],
  ['%zz', '%zz'],
  ['-name-', '-name-'],
  ['a<b', 'a_b'],
  ['<script>', '_script>'],
  ['back\\slash', 'back_slash'],
  ['a%20b', 'a b'],
  ['2001%3Adb8%3A%3A1', '2001:db8::1'],
  ['%C3%A9t%c3%a9', 'été'],
  ['%ff', '_'],
  ['%ed%a0%80', '_'],
  ['%3Cb%3E', '_b>'],
  ['%00', '_'],
  ['a%2541', 'aA'],
  ['%%3431', 'C1'],
  ['%2525252541', '_2541'],
  ['a\0b\tc\nd\x7fe\u0085', 'a_b_c_d_e_'],
  ['lone \ud800 surrogate', 'lone _ surrogate'],
  ['broken \ufffd', 'broken _'],
  ['  outer  ', 'outer'],
  ['%20outer%20', 'outer'],
  ['x";s:3', 'x_;s:3'],
  ['x&quot;;', 'x_quot;;'],
  ['x&#034;;', 'x_#034;;'],
  ['x&#x22;;', 'x_#x22;;'],
  ['a:2:{', '_:2:{'],
  ['&controlUsers=a', '&_ontrolUsers=a'],
];

test('text is taken as it is or made safe', () => {
  for (const [text, safe] of CASES) {
    assert.equal(safeText(text), safe, JSON.stringify(text));
    assert.ok(isSafeText(safe), JSON.stringify(safe));
    assert.equal(isSafeText(text), text.trim() === safe, JSON.stringify(text));
  }
});

test('text is cut at a whole character', () => {
  assert.equal(safeText('abcdef', 4), 'abcd');
  assert.equal(safeText('aé', 2), 'a');
  assert.equal(safeText('🎥🎥', 7), '🎥');
  assert.equal(safeText('ab cd', 3), 'ab');
});

test('a name is safe text of 1 to 64 bytes without outer blanks', () => {
  assert.ok(isSafeName('a'));
  assert.ok(isSafeName('x'.repeat(MAX_NAME_BYTES)));
  assert.ok(isSafeName('é'.repeat(MAX_NAME_BYTES / 2)));
  for (const name of ['', ' ', ' a', 'a ', 'x'.repeat(MAX_NAME_BYTES + 1), 'é'.repeat(33), 'a<b', 'a%41']) {
    assert.ok(!isSafeName(name), JSON.stringify(name));
  }
});

test('text in many coats of percent signs costs no more than its length', () => {
  const text = `%${'25'.repeat(100_000)}41`;
  assert.ok(isSafeText(safeText(text)));
});
