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

it('finds the publisher of a stream among the broadcasters of its application', () => {
  const registry = new SessionRegistry();
  const stream = { name: 'show', query: '', doing: 'publish' } as const;
  const publisher = aSession({ role: 'broadcaster', stream });
  const player = aSession({ role: 'broadcaster', stream: { ...stream, doing: 'play' } });
  const elsewhere = aSession({ role: 'broadcaster', app: 'other', stream });
  for (const session of [player, elsewhere, publisher]) registry.open(session);
  assert.equal(registry.publisherOf('live', 'show'), publisher);
  assert.equal(registry.publisherOf('other', 'show'), elsewhere);
  assert.equal(registry.publisherOf('live', 'other'), undefined);
  publisher.stream = undefined;
  assert.equal(registry.publisherOf('live', 'show'), undefined);
  publisher.stream = stream;
  registry.close(publisher);
  assert.equal(registry.publisherOf('live', 'show'), undefined);
});
