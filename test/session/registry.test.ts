import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SessionRegistry } from '../../src/session/registry.ts';
import { aSession } from '../helpers/sessions.ts';

it('knows everybody by id, and namesakes by application and name', () => {
  const registry = new SessionRegistry();
  const bob = aSession({ name: 'bob' });
  const namesake = aSession({ name: 'bob' });
  const elsewhere = aSession({ name: 'bob', app: 'other' });
  for (const session of [bob, namesake, elsewhere]) registry.open(session);
  assert.equal(registry.byId(bob.id), bob);
  assert.deepEqual(registry.named('live', 'bob'), [bob, namesake]);
  assert.deepEqual(registry.named('other', 'bob'), [elsewhere]);
  assert.deepEqual(registry.named('live', 'constructor'), []);
  assert.deepEqual([...registry], [bob, namesake, elsewhere]);
  registry.close(bob);
  registry.close(bob);
  assert.equal(registry.size, 2);
  assert.deepEqual(registry.named('live', 'bob'), [namesake]);
  assert.equal(registry.byId(bob.id), undefined);
});

it('knows who publishes a stream of an application', () => {
  const registry = new SessionRegistry();
  const [publisher, elsewhere, next] = [aSession(), aSession({ app: 'other' }), aSession()];
  for (const session of [publisher, elsewhere, next]) registry.open(session);
  registry.claim(publisher, 'show');
  registry.claim(publisher, 'second');
  registry.claim(elsewhere, 'show');
  assert.equal(registry.publisherOf('live', 'show'), publisher);
  assert.equal(registry.publisherOf('live', 'second'), publisher);
  assert.equal(registry.publisherOf('other', 'show'), elsewhere);
  assert.equal(registry.publisherOf('live', 'other'), undefined);
  registry.claim(next, 'show');
  registry.release(publisher, 'show');
  assert.equal(registry.publisherOf('live', 'show'), next);
  registry.release(next, 'show');
  assert.equal(registry.publisherOf('live', 'show'), undefined);
  registry.close(publisher);
  assert.equal(registry.publisherOf('live', 'second'), undefined);
});
