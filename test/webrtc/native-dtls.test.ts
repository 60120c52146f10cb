import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeNativeDtls } from '../../src/webrtc/native-dtls.ts';
import { fingerprintOf, join, ourEnd, until, weriftEnd } from '../helpers/dtls-peers.ts';
import { typesOf } from '../helpers/dtls-records.ts';
import { dtlsContract } from './dtls-contract.ts';
import { dtlsOpensslContract } from './dtls-openssl-contract.ts';

dtlsContract('native', makeNativeDtls, { cookie: false });
dtlsOpensslContract('native', makeNativeDtls);

for (const asked of [true, false]) {
  test(`a server that ${asked ? 'asks' : 'does not ask'} who we are ${asked ? 'is told' : 'is not told'}`, async () => {
    const patch = (socket: { options: { certificateRequest?: boolean } }) => {
      socket.options.certificateRequest = asked;
    };
    const peer = weriftEnd('server', { patch });
    const ours = ourEnd(makeNativeDtls, { role: 'client', fingerprints: [fingerprintOf(peer.own.certificate)] });
    const said: number[] = [];
    join(ours, peer, (datagram, from) => {
      if (from === 'ours') said.push(...typesOf(datagram));
      return [datagram];
    });
    ours.dtls.start();
    await until(() => ours.keys.length === 1 && peer.keys.length === 1, 'both connected');
    assert.deepEqual(said, asked ? [1, 1, 11, 16, 15] : [1, 1, 16]);
    ours.dtls.close();
  });
}
