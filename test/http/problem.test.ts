import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loggedPath } from '../../src/http/problem.ts';

const ID = '0123456789abcdef0123456789abcdef';

test('a path is logged without what is secret, and bounded', () => {
  for (const [url, logged] of [
    ['/live/bob/whip', '/live/bob/whip'],
    ['/live/bob/whip?key=K', '/live/bob/whip'],
    ['/live/bob%3Fkey%3DK/whip', '/live/bob'],
    ['/live/bob%3fkey=K/whip?x=1', '/live/bob'],
    ['/live/bob?key=%3F/whip', '/live/bob'],
    [`/live/bob/whip/${ID}`, '/live/bob/whip/0123…'],
    [`/live/bob/whep//${ID}/?x=1`, '/live/bob/whep//0123…'],
    [`/${'a'.repeat(180)}/whip/${ID}`, `/${'a'.repeat(180)}/whip/0123…`],
    [`/${'a'.repeat(190)}/whip/${ID}`, `/${'a'.repeat(190)}/whip/012`],
    [`/${'a'.repeat(300)}`, `/${'a'.repeat(199)}`],
    [`/live/bob/${ID}`, `/live/bob/${ID}`],
    [`/live/bob/whip/${ID}0`, `/live/bob/whip/${ID}0`],
    [`/whip/${ID}/bob`, `/whip/${ID}/bob`],
  ] as const) {
    assert.equal(loggedPath(url), logged, url);
  }
});
