import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RtpHeader, SrtpSession } from 'werift';
import { MAX_SOURCES, REPLAY_WINDOW } from '../../src/webrtc/replay-window.ts';
import type { SrtpProfile } from '../../src/webrtc/srtp-keys.ts';
import { nearestIndex, SrtpReceiver } from '../../src/webrtc/srtp-receiver.ts';
import { SrtpSender } from '../../src/webrtc/srtp-sender.ts';
import { masterOf, PROFILES, rtpPacket } from '../helpers/srtp.ts';

const SSRC = 0xdeadbeef;
const NUMBERS = { 'aes128-cm-sha1-80': 1, 'aead-aes-128-gcm': 7 } as const;
const ROUND = 0x1_0000;

function pair(profile: SrtpProfile) {
  const sender = new SrtpSender(profile, masterOf(profile));
  const receiver = new SrtpReceiver(profile, masterOf(profile));
  const protect = (index: number, ssrc = SSRC) => {
    const out = Buffer.alloc(1500);
    return out.subarray(0, sender.protectInto(out, rtpPacket(ssrc, index % ROUND), index));
  };
  return { receiver, protect };
}

test('the nearest index, as RFC 3711 appendix A has it', () => {
  assert.equal(nearestIndex(undefined, 40_000), 40_000);
  assert.equal(nearestIndex(65_535, 0), ROUND);
  assert.equal(nearestIndex(100, 60_000), 60_000 - ROUND, 'from before the start');
  assert.equal(nearestIndex(ROUND, 65_535), 65_535);
  assert.equal(nearestIndex(3 * ROUND + 5, 5), 3 * ROUND + 5);
  // half a round is the border
  assert.equal(nearestIndex(ROUND + 10, 10 + 32_768), ROUND + 10 + 32_768);
  assert.equal(nearestIndex(ROUND + 10, 10 + 32_769), 10 + 32_769);
  assert.equal(nearestIndex(ROUND + 40_000, 40_000 - 32_768), ROUND + 40_000 - 32_768);
  assert.equal(nearestIndex(ROUND + 40_000, 40_000 - 32_769), 2 * ROUND + 40_000 - 32_769);
});

for (const profile of PROFILES) {
  test(`${profile}: loss of 20,000 packets across the roll-over is survived`, () => {
    const { receiver, protect } = pair(profile);
    for (const index of [50_000, 70_000, 100_000, 130_000, 150_000]) {
      assert.ok(receiver.unprotect(protect(index)), `index ${index}`);
    }
    assert.equal(receiver.unprotect(protect(130_001)), undefined);
    assert.equal(receiver.refused.late, 1);
  });

  test(`${profile}: replays, late packets, forgeries and garbage are counted and refused`, () => {
    const { receiver, protect } = pair(profile);
    const first = protect(5000);
    const replay = Buffer.from(first);
    assert.deepEqual(receiver.unprotect(first), rtpPacket(SSRC, 5000));
    assert.equal(receiver.unprotect(replay), undefined);
    assert.equal(receiver.unprotect(protect(5000 - REPLAY_WINDOW)), undefined);
    const sound = protect(5001);
    for (let at = 0; at < sound.length; at++) {
      const forged = Buffer.from(sound);
      forged[at]! ^= 1;
      assert.equal(receiver.unprotect(forged), undefined, `byte ${at}`);
    }
    assert.equal(receiver.unprotect(Buffer.from(sound.subarray(0, 15))), undefined);
    assert.equal(receiver.unprotect(Buffer.alloc(0)), undefined);
    const { malformed, late, replayed, forged } = receiver.refused;
    assert.equal(late, 1);
    assert.equal(malformed + replayed + forged, 1 + sound.length + 2);
    assert.ok(forged > sound.length - 12, 'each byte behind the header, at least');
    assert.deepEqual(receiver.unprotect(sound), rtpPacket(SSRC, 5001), 'a forgery does not burn the number');
  });

  test(`${profile}: a forgery adds no source, and there is a last one`, () => {
    const { receiver, protect } = pair(profile);
    for (let ssrc = 0; ssrc < 10 * MAX_SOURCES; ssrc++) receiver.unprotect(rtpPacket(ssrc, 1, Buffer.alloc(40)));
    assert.equal(receiver.refused.forged, 10 * MAX_SOURCES);
    for (let ssrc = 0; ssrc < MAX_SOURCES; ssrc++) assert.ok(receiver.unprotect(protect(1, ssrc)));
    assert.equal(receiver.unprotect(protect(1, MAX_SOURCES)), undefined);
    assert.equal(receiver.refused.sources, 1);
    assert.ok(receiver.unprotect(protect(2, 0)));
  });

  test(`${profile}: with extensions and sources in the header, both ways with werift`, () => {
    const local = masterOf(profile, 1);
    const remote = masterOf(profile, 3);
    const werift = new SrtpSession({
      profile: NUMBERS[profile],
      keys: {
        localMasterKey: remote.key,
        localMasterSalt: remote.salt,
        remoteMasterKey: local.key,
        remoteMasterSalt: local.salt,
      },
    });
    const receiver = new SrtpReceiver(profile, remote);
    const sender = new SrtpSender(profile, local);
    const out = Buffer.alloc(1500);
    for (let at = 0; at < 200; at++) {
      const index = 65_436 + at;
      const payload = Buffer.from(`packet ${at}`);
      const header = new RtpHeader({
        ...{ ssrc: SSRC, sequenceNumber: index % ROUND, timestamp: at, payloadType: 96, csrc: at % 2 ? [7, 8] : [] },
        ...{ extension: true, extensionProfile: 0xbede, extensions: [{ id: 3, payload: Buffer.from([1, 2]) }] },
      });
      const plain = Buffer.concat([header.serialize(header.serializeSize), payload]);
      assert.deepEqual(receiver.unprotect(werift.encrypt(payload, header)), plain);
      const sealed = Buffer.from(out.subarray(0, sender.protectInto(out, plain, index)));
      assert.deepEqual(werift.decrypt(sealed), plain);
    }
  });
}

test('what is no RTP packet, has another index or finds no room is not protected', () => {
  const sender = new SrtpSender('aes128-cm-sha1-80', masterOf('aes128-cm-sha1-80'));
  const packet = rtpPacket(1, 7);
  const out = Buffer.alloc(packet.length + sender.trailer);
  assert.equal(sender.protectInto(out, packet, 7), out.length);
  assert.throws(() => sender.protectInto(out, packet, 8), RangeError);
  assert.throws(() => sender.protectInto(out.subarray(1), packet, 7), RangeError);
  assert.throws(() => sender.protectInto(out, Buffer.from('GET / HTTP/1.1'), 7), RangeError);
});
