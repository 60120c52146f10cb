import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from '../src/spelling.ts';

const KEYS = ['webLogin', 'webLogout', 'webKey', 'webStatus', 'webStatusInterval', 'takeover', 'acceptPlayers'];

for (const [typed, meant] of [
  ['webLogn', 'webLogin'],
  ['weblogin', 'webLogin'],
  ['web_key', 'webKey'],
  ['wbeKey', 'webKey'],
  ['acceptPlayer', 'acceptPlayers'],
  ['takover', 'takeover'],
  ['webStatusIntervall', 'webStatusInterval'],
] as const) {
  test(`${typed} is probably ${meant}`, () => assert.equal(nearest(typed, KEYS), meant));
}

test('what is far from everything has no suggestion', () => {
  for (const typed of ['password', 'x', '', '_', 'a'.repeat(1000)]) assert.equal(nearest(typed, KEYS), undefined);
  assert.equal(didYouMean('password', KEYS), '');
});

test('a suggestion stands in words', () => {
  assert.equal(didYouMean('webKye', KEYS), '; did you mean "webKey"?');
});
