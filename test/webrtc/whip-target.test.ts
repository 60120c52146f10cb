import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RefusedError } from '../../src/base/errors.ts';
import { isSafeName } from '../../src/session/safe-text.ts';
import { findTarget, sessionPath, targetNames } from '../../src/webrtc/whip-target.ts';

const ID = '0123456789abcdef0123456789abcdef';

/** A target, and what it means: door, application, stream, query, session. */
const TARGETS: readonly (readonly [
  raw: string,
  door: string,
  app: string,
  stream: string,
  query?: string,
  id?: string,
])[] = [
  ['/live/bob/whip', 'whip', 'live', 'bob'],
  ['/live/bob/whep', 'whep', 'live', 'bob'],
  ['//live//bob/whip', 'whip', 'live', 'bob'],
  ['/live/bob/whip/', 'whip', 'live', 'bob'],
  ['/live/_definst_/bob/whip', 'whip', 'live', 'bob'],
  ['/live/room1/bob/whep', 'whep', 'live/room1', 'bob'],
  ['/whip/live/bob', 'whip', 'live', 'bob'],
  ['/whep/live/_definst_/bob', 'whep', 'live', 'bob'],
  ['//whep//live/room1/bob', 'whep', 'live/room1', 'bob'],
  ['http://host:8080/live/bob/whip', 'whip', 'live', 'bob'],
  ['/live/bob/whip?key=K', 'whip', 'live', 'bob', 'key=K'],
  ['/whep/live/bob?key=K', 'whep', 'live', 'bob', 'key=K'],
  ['/live/bob?channel_id=4&userID=2&key=K/whip', 'whip', 'live', 'bob', 'channel_id=4&userID=2&key=K'],
  ['//live/bob?key=K//whep/', 'whep', 'live', 'bob', 'key=K/'],
  ['/live/bob?room=a/b&key=K/whep', 'whep', 'live', 'bob', 'room=a/b&key=K'],
  ['/live/bob?/whip', 'whip', 'live', 'bob', ''],
  ['/live/room1/bob?key=?/whip', 'whip', 'live/room1', 'bob', 'key=?'],
  ['/live/My%20Channel/whip', 'whip', 'live', 'My Channel'],
  ['/live/a%2Fb/whip', 'whip', 'live', 'a/b'],
  [`/live/${encodeURIComponent('bob?userID=2&key=K')}/whip`, 'whip', 'live', 'bob', 'userID=2&key=K'],
  ['/live/bob%3fuserID=2&key=K/whep', 'whep', 'live', 'bob', 'userID=2&key=K'],
  [`/whip/live/${encodeURIComponent('My Channel?key=a%20b+c%2Bd')}`, 'whip', 'live', 'My Channel', 'key=a%20b+c%2Bd'],
  ['/live/bob%3Fkey%3D100%/whip', 'whip', 'live', 'bob', 'key=100%'],
  ['/live/bob%3Fa%3D%3F%3F/whip', 'whip', 'live', 'bob', 'a=??'],
  ['/live/bob%3Fa=1/whip?key=K', 'whip', 'live', 'bob', 'a=1&key=K'],
  ['/live/bob%3F/whip?key=K', 'whip', 'live', 'bob', 'key=K'],
  ['/live/bob%3Fa=1?key=K/whip', 'whip', 'live', 'bob', 'a=1&key=K'],
  [`/live/bob%3Fa=1/whip/${ID}`, 'whip', 'live', 'bob', 'a=1', ID],
  ['/whip/bob/whip', 'whip', 'whip', 'bob'],
  [`/live/bob/whip/${ID}`, 'whip', 'live', 'bob', '', ID],
  [`/live/room1/bob/whep/${ID}?x=1`, 'whep', 'live/room1', 'bob', 'x=1', ID],
  [`/whip/live/${ID}`, 'whip', 'live', ID],
  [`/live/bob/whip/${ID.toUpperCase()}/whip`, 'whip', 'live/bob/whip', ID.toUpperCase()],
];

test('a target is an application, a stream and what is wanted of it', () => {
  for (const [raw, door, app, stream, query = '', id] of TARGETS) {
    const target = findTarget(raw);
    assert.ok(target, raw);
    assert.deepEqual({ ...target, ...targetNames(target) }, { door, app, stream, query, id }, raw);
  }
});

test('all else is no target', () => {
  const others = [
    ...[
      '',
      '/',
      '*',
      '/whip',
      '/whep/',
      '/live/whip',
      '/whip/live',
      '/live/bob',
      '/live/bob?key=K',
      '/live?key=K/whip',
    ],
    ...[
      '/live/bob/WHIP',
      '/live/bob/whipx',
      '/live/bob/xwhip',
      '/live/bob?whip',
      '/live/bob?key=Kwhip',
      '/v1/sessions',
    ],
    ...[
      `/live/bob/${ID}`,
      `/live/bob/whip/${ID}0`,
      '/live/bob/whip/1',
      `/live/whip/${ID}`,
      '/?/live/bob/whip',
      '?/whip',
    ],
  ];
  for (const raw of others) assert.equal(findTarget(raw), undefined, raw);
});

test('names that no other door would take are refused', () => {
  for (const raw of [
    '/live/../bob/whip',
    '/live/%2e%2e/whip',
    '/_definst_/bob/whip',
    '/live/a%3Cb/whip',
    '/live/%00/whip',
    `/live/${'x'.repeat(65)}/whip`,
    '/live/%ff/whip',
  ]) {
    const target = findTarget(raw);
    assert.ok(target, raw);
    assert.throws(
      () => targetNames(target),
      (error) => error instanceof RefusedError && error.code === 'access/name',
      raw,
    );
  }
});

test('no target throws anything but a refusal', () => {
  const piece = fc.oneof(
    fc.constantFrom('/', '?', '%3f', 'whip', 'whep', 'live', 'bob', ID, '%2e', '%', '..', '&key='),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const target = findTarget(pieces.join(''));
      if (target === undefined) return;
      try {
        const { app, stream } = targetNames(target);
        assert.ok(isSafeName(app) && isSafeName(stream) && !stream.includes('?'));
      } catch (error) {
        assert.ok(error instanceof RefusedError);
      }
    }),
  );
});

test('the path of a session leads back to it, whatever the names', () => {
  const step = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => isSafeName(text) && !/[/]|^\.{1,2}$|^_definst_$|^(?:flv|mp4|mp3|id3):/i.test(text));
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 2 }),
      step.filter((text) => !text.includes('?')),
      fc.constantFrom('whip' as const, 'whep' as const),
      (apps, stream, door) => {
        const app = apps.join('/');
        fc.pre(isSafeName(app));
        const path = sessionPath(door, app, stream, ID);
        assert.match(path, /^\/[\x21-\x7e]+$/);
        assert.ok(!path.includes('?'));
        const target = findTarget(path);
        assert.ok(target);
        assert.deepEqual({ ...target, ...targetNames(target) }, { door, app, stream, query: '', id: ID });
      },
    ),
  );
});
