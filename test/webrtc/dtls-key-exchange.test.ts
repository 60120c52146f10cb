import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import { makeKeyShare, masterSecret } from '../../src/webrtc/dtls-key-exchange.ts';
import { GROUPS } from '../../src/webrtc/dtls-messages.ts';

const groups = Object.entries(GROUPS);

for (const [name, group] of groups) {
  test(`${name}: both ends come to the same secret, and no two handshakes to one`, () => {
    const [one, other] = [makeKeyShare(group), makeKeyShare(group)];
    assert.deepEqual(one.agree(other.publicKey), other.agree(one.publicKey));
    assert.notDeepEqual(one.publicKey, other.publicKey);
    assert.notDeepEqual(one.agree(other.publicKey), one.agree(one.publicKey));
    assert.equal(one.group, group);
  });

  test(`${name}: what is no public key is the fault of the peer`, () => {
    const share = makeKeyShare(group);
    const { publicKey } = makeKeyShare(group);
    const { length } = publicKey;
    const none = [
      Buffer.alloc(0),
      publicKey.subarray(0, -1),
      Buffer.concat([publicKey, Buffer.of(0)]),
      // of low order here, not on the curve there
      Buffer.alloc(length),
      Buffer.concat([Buffer.of(group === GROUPS.x25519 ? 1 : publicKey[0]!), Buffer.alloc(length - 1)]),
      // of another group
      ...groups.filter(([, other]) => other !== group).map(([, other]) => makeKeyShare(other).publicKey),
    ];
    for (const [nth, key] of none.entries()) {
      assert.throws(
        () => share.agree(key),
        (error) => error instanceof PeerError && error.code === 'webrtc/dtls-handshake',
        `${nth}`,
      );
    }
  });
}

test('P-256: a point is not taken compressed', () => {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  assert.throws(() => makeKeyShare(GROUPS.p256).agree(pair.getPublicKey(null, 'compressed')), PeerError);
});

test('the extended master secret is of what was said, the other of the hellos', () => {
  const premaster = Buffer.alloc(32, 1);
  const [client, server] = [Buffer.alloc(32, 2), Buffer.alloc(32, 3)];
  const of = (extended: boolean, said: string, random = client) =>
    masterSecret(premaster, { client: random, server, extended }, [Buffer.from(said)]).toString('hex');
  assert.equal(of(true, 'a').length, 96);
  assert.notEqual(of(true, 'a'), of(true, 'b'));
  assert.equal(of(true, 'a'), of(true, 'a', server));
  assert.equal(of(false, 'a'), of(false, 'b'));
  assert.notEqual(of(false, 'a'), of(false, 'a', server));
});
