import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWeriftDtls } from '../../src/webrtc/werift-dtls.ts';
import { certificate, fingerprintOf, ourEnd } from '../helpers/dtls-peers.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';
import { dtlsContract } from './dtls-contract.ts';
import { dtlsOpensslContract } from './dtls-openssl-contract.ts';

dtlsContract('werift', makeWeriftDtls, { cookie: true });
dtlsOpensslContract('werift', makeWeriftDtls);

test('timers of its own say nothing', async () => {
  const clock = new VirtualClock();
  const fingerprints = [fingerprintOf(certificate().certificate)];
  const ours = ourEnd(makeWeriftDtls, { role: 'client', fingerprints, clock });
  let sent = 0;
  ours.send = () => sent++;
  ours.dtls.start();
  // it would repeat itself after half a second
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(sent, 1);
  clock.advance(500);
  assert.equal(sent, 2);
  ours.dtls.close();
});
