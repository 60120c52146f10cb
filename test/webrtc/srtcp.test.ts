import assert from 'node:assert/strict';
import { createCipheriv, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { SrtcpSession } from 'werift';
import { SrtcpReceiver, SrtcpSender } from '../../src/webrtc/srtcp.ts';
import { deriveSrtpKeys } from '../../src/webrtc/srtp-derivation.ts';
import { masterOf, PROFILES, rtcpPacket } from '../helpers/srtp.ts';

const SSRC = 0xcafebabe;
const NUMBERS = { 'aes128-cm-sha1-80': 1, 'aead-aes-128-gcm': 7 } as const;

for (const profile of PROFILES) {
  test(`${profile}: both ways with werift`, () => {
    const local = masterOf(profile, 1);
    const remote = masterOf(profile, 3);
    const werift = new SrtcpSession({
      profile: NUMBERS[profile],
      keys: {
        localMasterKey: remote.key,
        localMasterSalt: remote.salt,
        remoteMasterKey: local.key,
        remoteMasterSalt: local.salt,
      },
    });
    const receiver = new SrtcpReceiver(profile, remote);
    const sender = new SrtcpSender(profile, local);
    for (let at = 0; at < 50; at++) {
      const plain = rtcpPacket(SSRC, 'rest'.repeat(at));
      assert.deepEqual(receiver.unprotect(werift.encrypt(Buffer.from(plain))), plain);
      const sealed = sender.protect(plain);
      if (at > 0) assert.ok(!sealed.includes('rest'));
      assert.deepEqual(werift.decrypt(sealed), plain);
    }
  });

  test(`${profile}: replays, forgeries and garbage are counted and refused`, () => {
    const sender = new SrtcpSender(profile, masterOf(profile));
    const receiver = new SrtcpReceiver(profile, masterOf(profile));
    const plain = rtcpPacket(SSRC, 'four');
    const [first, second] = [sender.protect(plain), sender.protect(plain)];
    assert.notDeepEqual(first, second, 'the index is another');
    const replay = Buffer.from(second);
    assert.deepEqual(receiver.unprotect(Buffer.from(second)), plain);
    assert.equal(receiver.unprotect(replay), undefined);
    for (let at = 0; at < first.length; at++) {
      const forged = Buffer.from(first);
      forged[at]! ^= 0x01;
      assert.equal(receiver.unprotect(forged), undefined, `byte ${at}`);
    }
    assert.equal(receiver.unprotect(Buffer.from(first.subarray(0, 17))), undefined);
    assert.equal(receiver.unprotect(Buffer.concat([Buffer.alloc(1), first])), undefined);
    const { malformed, late, replayed, forged, sources } = receiver.refused;
    assert.deepEqual([malformed, late, sources], [2, 0, 0]);
    assert.equal(replayed + forged, 1 + first.length);
    assert.deepEqual(receiver.unprotect(first), plain, 'late, and not seen before');
  });
}

test('a packet that is authentic and not encrypted is taken', () => {
  const [profile] = PROFILES;
  const keys = deriveSrtpKeys(profile!, masterOf(profile!), 'rtcp');
  const plain = rtcpPacket(SSRC, 'clear');
  const signed = Buffer.concat([plain, Buffer.from([0, 0, 0, 9])]);
  const tag = createHmac('sha1', keys.auth).update(signed).digest().subarray(0, 10);
  const receiver = new SrtcpReceiver(profile!, masterOf(profile!));
  assert.deepEqual(receiver.unprotect(Buffer.concat([signed, tag])), plain);

  const gcm = deriveSrtpKeys('aead-aes-128-gcm', masterOf('aead-aes-128-gcm'), 'rtcp');
  const word = Buffer.from([0, 0, 0, 9]);
  const iv = Buffer.from(gcm.salt);
  iv.writeUInt32BE((iv.readUInt32BE(2) ^ SSRC) >>> 0, 2);
  iv[11]! ^= 9;
  const cipher = createCipheriv('aes-128-gcm', gcm.cipher, iv).setAAD(Buffer.concat([plain, word]));
  cipher.final();
  const clear = new SrtcpReceiver('aead-aes-128-gcm', masterOf('aead-aes-128-gcm'));
  assert.deepEqual(clear.unprotect(Buffer.concat([plain, cipher.getAuthTag(), word])), plain);
});

test('less than a header is not protected', () => {
  const sender = new SrtcpSender('aes128-cm-sha1-80', masterOf('aes128-cm-sha1-80'));
  assert.throws(() => sender.protect(Buffer.alloc(7)), RangeError);
});
