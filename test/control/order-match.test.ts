import assert from 'node:assert/strict';
import { it } from 'node:test';
import { matchOrders } from '../../src/control/order-match.ts';
import type { Order } from '../../src/control/status-reply.ts';
import { aSession } from '../helpers/sessions.ts';

const order = (key: string, session?: string): Order => ({ key, session, disconnect: `go, ${key || session}` });

it('means everybody of the name that the key says, else of the name inside, and nobody else', () => {
  const [bob, namesake] = [aSession({ name: 'bob' }), aSession({ name: 'bob', app: 'other' })];
  const vera = aSession({ name: 'vera' });
  const five = aSession({ name: '5' });
  const here = [bob, namesake, vera, five, aSession({ name: 'bobby' })];
  const leaving = matchOrders(
    [order('bob', 'vera'), order('', 'vera'), order('5'), order('__proto__'), order('')],
    [],
    here,
  );
  assert.deepEqual(
    leaving.map(({ session, reason }) => [session, reason]),
    [
      [bob, 'go, bob'],
      [namesake, 'go, bob'],
      [vera, 'go, vera'],
      [five, 'go, 5'],
    ],
  );
});

it('knows WebRTC sessions by their number', () => {
  const rtc = aSession({ name: 'vera', number: 17, transport: 'webrtc' });
  const rtmp = aSession({ name: '17' });
  assert.deepEqual(matchOrders([order('vera')], [order('18', '17')], [rtc, rtmp]), [
    { session: rtc, reason: 'go, 18' },
  ]);
});

it('means nobody who is on his way out already', () => {
  const bob = aSession({ name: 'bob', state: 'closing' });
  assert.deepEqual(matchOrders([order('bob')], [], [bob]), []);
});
