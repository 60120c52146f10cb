import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import * as werift from 'werift';
import { SrtpBatch } from '../../src/webrtc/srtp-batch.ts';
import { SrtpKernel } from '../../src/webrtc/srtp-kernel.ts';
import { BATCH_PACKETS, LANES, MAX_PLAIN_BYTES } from '../../src/webrtc/srtp-kernel-code.ts';
import type { SrtpKeys, SrtpProfile } from '../../src/webrtc/srtp-keys.ts';
import { KeptPath, protectedBy, srtpKeys } from '../helpers/srtp-reference.ts';

const SSRC = 0x9a8b_7c6d;

const TYPE = 96;

/** An RTP packet with so many header extensions of a word each. */
function rtpPacket(words: number, payload: Buffer, ssrc = SSRC): Buffer {
  const header = Buffer.alloc(words === 0 ? 12 : 16 + 4 * words, 0x5e);
  header[0] = words === 0 ? 0x80 : 0x90;
  header[1] = TYPE;
  header.writeUInt32BE(ssrc, 8);
  if (words > 0) header.writeUInt32BE(0xbede_0000 + words, 12);
  // three bytes under an identifier of its own
  for (let word = 1; word <= words; word++) header[12 + 4 * word] = (word << 4) | 2;
  return Buffer.concat([header, payload]);
}

function put(batch: SrtpBatch, packets: readonly Buffer[], words: number): void {
  batch.begin(SSRC);
  for (const packet of packets) batch.put(packet, 0, packet.length, words === 0 ? 12 : 16 + 4 * words);
}

function sendTo(batch: SrtpBatch, viewers: readonly { keys: SrtpKeys; index: number }[]): KeptPath[] {
  const paths = viewers.map(() => new KeptPath());
  batch.send(
    viewers.map(({ keys, index }, at) => ({ keys: batch.keysOf(keys), path: paths[at], payloadType: TYPE, index })),
  );
  return paths;
}

const hex = (packets: readonly Buffer[]): string[] => packets.map((packet) => packet.toString('hex'));

/** Indexes where something may go wrong: at the beginning, at wraps, and where 32 bits end. */
const indexes = fc.oneof(
  fc.nat(70_000),
  fc.integer({ min: 65_536 - 20, max: 65_536 + 2 }),
  fc.integer({ min: 2 ** 32 - 20, max: 2 ** 32 + 2 }),
  fc.integer({ min: 2 ** 47, max: 2 ** 48 - 1 - BATCH_PACKETS }),
);
const batches = fc.record({
  words: fc.nat(3),
  sizes: fc.array(fc.oneof(fc.nat(MAX_PLAIN_BYTES - 28), fc.nat(80)), { minLength: 1, maxLength: BATCH_PACKETS }),
  indexes: fc.array(indexes, { minLength: 1, maxLength: LANES }),
});

for (const [name, kernel] of [
  ['the kernel', SrtpKernel.make()],
  ['no kernel', undefined],
] as const) {
  test(`with ${name}, a batch is what Node's own CTR and HMAC make of it, bit for bit`, () => {
    fc.assert(
      fc.property(batches, ({ words, sizes, indexes }) => {
        const batch = new SrtpBatch(kernel ?? null);
        const packets = sizes.map((size) => rtpPacket(words, randomBytes(size)));
        // without the kernel, each is served alone
        const groups = kernel === undefined ? indexes.map((index) => [index]) : [indexes];
        for (const group of groups) {
          const viewers = group.map((index) => ({ keys: srtpKeys(), index }));
          put(batch, packets, words);
          const paths = sendTo(batch, viewers);
          for (const [at, { keys, index }] of viewers.entries()) {
            const wanted = packets.map((packet, number) => protectedBy(keys, packet, index + number));
            assert.deepEqual(hex(paths[at]!.sent), hex(wanted));
          }
        }
      }),
      { numRuns: 150 },
    );
  });
}

test('the kernel is there on this machine', () => {
  assert.ok(SrtpKernel.make() !== undefined);
});

test('AEAD_AES_128_GCM goes packet by packet', () => {
  const batch = new SrtpBatch();
  const keys = srtpKeys('aead-aes-128-gcm');
  const packets = [0, 1, 15, 16, 1100].map((size) => rtpPacket(1, randomBytes(size)));
  put(batch, packets, 1);
  const [path] = sendTo(batch, [{ keys, index: 65_534 }]);
  assert.deepEqual(hex(path!.sent), hex(packets.map((packet, at) => protectedBy(keys, packet, 65_534 + at))));
});

test('werift, a stranger to this code, reads both profiles across the wrap', () => {
  const profiles = {
    'aes128-cm-sha1-80': werift.ProtectionProfileAes128CmHmacSha1_80,
    'aead-aes-128-gcm': werift.ProtectionProfileAeadAes128Gcm,
  };
  for (const profile of Object.keys(profiles) as (keyof typeof profiles)[]) {
    const keys = srtpKeys(profile);
    const { local, remote } = keys;
    const session = new werift.SrtpSession({
      keys: {
        ...{ localMasterKey: remote.key, localMasterSalt: remote.salt },
        ...{ remoteMasterKey: local.key, remoteMasterSalt: local.salt },
      },
      profile: profiles[profile],
    });
    const batch = new SrtpBatch();
    for (let index = 65_520; index < 65_550; index += 10) {
      const packets = Array.from({ length: 10 }, () => rtpPacket(1, randomBytes(300)));
      put(batch, packets, 1);
      const [path] = sendTo(batch, [{ keys, index }]);
      for (const [at, sealed] of path!.sent.entries()) {
        const plain = Buffer.from(packets[at]!);
        plain.writeUInt16BE((index + at) & 0xffff, 2);
        assert.equal(session.decrypt(sealed).toString('hex'), plain.toString('hex'));
      }
    }
  }
});

test('a packet sent again under its index is the same, byte by byte', () => {
  for (const profile of ['aes128-cm-sha1-80', 'aead-aes-128-gcm'] satisfies SrtpProfile[]) {
    const batch = new SrtpBatch();
    const keys = srtpKeys(profile);
    const packets = [700, 1100, 3].map((size) => rtpPacket(0, randomBytes(size)));
    put(batch, packets, 0);
    const first = sendTo(batch, [{ keys, index: 9 }])[0]!.sent;
    put(batch, packets.slice(1, 2), 0);
    assert.deepEqual(sendTo(batch, [{ keys, index: 10 }])[0]!.sent, [first[1]]);
  }
});

test('a viewer without a path costs the others nothing', () => {
  const batch = new SrtpBatch();
  const viewers = [srtpKeys(), srtpKeys()];
  const packet = rtpPacket(0, randomBytes(100));
  const path = new KeptPath();
  put(batch, [packet], 0);
  batch.send([
    { keys: batch.keysOf(viewers[0]!), path: undefined, payloadType: TYPE, index: 4 },
    { keys: batch.keysOf(viewers[1]!), path, payloadType: TYPE, index: 5 },
  ]);
  assert.deepEqual(hex(path.sent), hex([protectedBy(viewers[1]!, packet, 5)]));
});

test('bytes are counted as reports and bills want them', () => {
  for (const [profile, trailer] of [
    ['aes128-cm-sha1-80', 10],
    ['aead-aes-128-gcm', 16],
  ] as const) {
    const batch = new SrtpBatch();
    const keys = srtpKeys(profile);
    put(batch, [rtpPacket(1, randomBytes(100)), rtpPacket(1, randomBytes(50))], 1);
    assert.deepEqual([batch.count, batch.payloadBytes], [2, 150]);
    assert.equal(batch.wireBytesFor(batch.keysOf(keys)), 150 + 2 * (20 + trailer), profile);
    const [path] = sendTo(batch, [{ keys, index: 3 }]);
    assert.equal(
      path!.sent.reduce((sum, { length }) => sum + length, 0),
      150 + 2 * (20 + trailer),
      profile,
    );
  }
});

test('each recipient gets its own payload type; the marker stays', () => {
  for (const profile of ['aes128-cm-sha1-80', 'aead-aes-128-gcm'] satisfies SrtpProfile[]) {
    const batch = new SrtpBatch();
    const packets = [rtpPacket(1, randomBytes(100)), rtpPacket(1, randomBytes(50))];
    packets[1]![1]! |= 0x80;
    put(batch, packets, 1);
    const viewers = [0, 127, 96, 35].map((payloadType) => ({
      payloadType,
      keys: srtpKeys(profile),
      path: new KeptPath(),
    }));
    const recipients = viewers.map(({ payloadType, keys, path }) => ({
      ...{ payloadType, path, keys: batch.keysOf(keys), index: 0xfedc },
    }));
    for (const group of profile === 'aead-aes-128-gcm' ? recipients.map((one) => [one]) : [recipients])
      batch.send(group);
    for (const { payloadType, keys, path } of viewers) {
      const wanted = packets.map((packet, at) => {
        const own = Buffer.from(packet);
        own[1] = (own[1]! & 0x80) | payloadType;
        return protectedBy(keys, own, 0xfedc + at);
      });
      assert.deepEqual(hex(path.sent), hex(wanted), `${profile}, ${payloadType}`);
    }
  }
});

test('what does not fit is our mistake', () => {
  const batch = new SrtpBatch();
  batch.begin(SSRC);
  assert.throws(() => batch.put(Buffer.alloc(1600), 0, MAX_PLAIN_BYTES + 1, 12), RangeError);
  for (let i = 0; i < BATCH_PACKETS; i++) batch.put(Buffer.alloc(20), 0, 20, 12);
  assert.throws(() => batch.put(Buffer.alloc(20), 0, 20, 12), RangeError);
});
