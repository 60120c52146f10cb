import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Turnstile } from '../../src/control/turnstile.ts';
import { settled, VirtualClock } from '../helpers/virtual-clock.ts';

it('lets so many in at once, the others in order, and turns away beyond the queue', async () => {
  const turnstile = new Turnstile(new VirtualClock(), 2, 2);
  assert.equal(await turnstile.enter(1_000), 'in');
  assert.equal(await turnstile.enter(1_000), 'in');
  const order: string[] = [];
  for (const name of ['third', 'fourth'])
    void turnstile.enter(1_000).then((passage) => order.push(`${name} ${passage}`));
  assert.equal(await turnstile.enter(1_000), 'full');
  assert.deepEqual([turnstile.inside, turnstile.waiting], [2, 2]);
  turnstile.leave();
  await settled();
  assert.deepEqual(order, ['third in']);
  turnstile.leave();
  await settled();
  assert.deepEqual(order, ['third in', 'fourth in']);
  turnstile.leave();
  turnstile.leave();
  assert.deepEqual([turnstile.inside, turnstile.waiting], [0, 0]);
});

it('keeps nobody waiting beyond his deadline', async () => {
  const clock = new VirtualClock();
  const turnstile = new Turnstile(clock, 1, 10);
  await turnstile.enter(0);
  const impatient = turnstile.enter(500);
  const patient = turnstile.enter(2_000);
  await clock.run(1_000);
  assert.equal(await impatient, 'late');
  turnstile.leave();
  assert.equal(await patient, 'in');
  assert.equal(clock.pending, 0);
});

it('takes new limits at once', async () => {
  const turnstile = new Turnstile(new VirtualClock(), 1, 10);
  await turnstile.enter(0);
  const second = turnstile.enter(1_000);
  turnstile.configure(2, 0);
  assert.equal(await second, 'in');
  assert.equal(await turnstile.enter(1_000), 'full');
});
