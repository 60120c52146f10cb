import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listedName } from '../../src/session/application-name.ts';

test('an application goes by its own name, else by that of which it is an instance', () => {
  const listed = new Set(['live', 'live/studio']);
  for (const [app, name] of [
    ['live', 'live'],
    ['live/room1', 'live'],
    ['live/room1/deeper', 'live'],
    ['live/studio', 'live/studio'],
    ['live/studio/deeper', 'live'],
    ['livelier', undefined],
    ['room1/live', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(listedName(listed, app), name, app);
  }
});
