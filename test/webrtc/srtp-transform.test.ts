import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SrtpMaster } from '../../src/webrtc/srtp-keys.ts';
import {
  CounterTransform,
  GcmTransform,
  makeSrtpTransform,
  type SrtpTransform,
} from '../../src/webrtc/srtp-transform.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

interface Vector {
  readonly name: string;
  readonly transform: () => SrtpTransform;
  readonly index: number;
  readonly plain: Buffer;
  readonly sealed: Buffer;
}

const NO_AUTH = Buffer.alloc(0);
/** RFC 7714 sections 16 and 17 give session keys. */
const rfc7714 = () =>
  new GcmTransform({
    cipher: hex('000102030405060708090a0b0c0d0e0f'),
    auth: NO_AUTH,
    salt: hex('517569642070726f2071756f'),
  });
/** Master keys of libsrtp's own tests; those of AES-CM are of RFC 3711 appendix B.3. */
const LIBSRTP_CM: SrtpMaster = {
  key: hex('e1f97a0d3e018be0d64fa32c06de4139'),
  salt: hex('0ec675ad498afeebb6960b3aabe6'),
};
const LIBSRTP_GCM: SrtpMaster = {
  key: hex('000102030405060708090a0b0c0d0e0f'),
  salt: hex('a0a1a2a3a4a5a6a7a8a9aaab'),
};

const RTP: readonly Vector[] = [
  {
    name: 'RFC 7714 section 16.1',
    transform: rfc7714,
    index: 0xf17b,
    plain: hex(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
      69736120 696e2070 61727465 73207472 6573`),
    sealed: hex(`8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
      0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`),
  },
  {
    name: 'libsrtp, AES-CM with HMAC-SHA1',
    transform: () => makeSrtpTransform('aes128-cm-sha1-80', LIBSRTP_CM, 'rtp'),
    index: 0x1234,
    plain: hex('800f1234 decafbad cafebabe abababab abababab abababab abababab'),
    sealed: hex('800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb'),
  },
  {
    name: 'libsrtp, AES-GCM',
    transform: () => makeSrtpTransform('aead-aes-128-gcm', LIBSRTP_GCM, 'rtp'),
    index: 0x1234,
    plain: hex('800f1234 decafbad cafebabe abababab abababab abababab abababab'),
    sealed: hex(`800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e
      d2976826 f796b201 df3131a1 27e8a392`),
  },
];

const RTCP: readonly Vector[] = [
  {
    name: 'RFC 7714 section 17.1',
    transform: rfc7714,
    index: 0x5d4,
    plain: hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
      deadbeef deadbeef deadbeef deadbeef deadbeef`),
    sealed: hex(`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
      c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`),
  },
  {
    name: 'libsrtp, AES-CM with HMAC-SHA1',
    transform: () => makeSrtpTransform('aes128-cm-sha1-80', LIBSRTP_CM, 'rtcp'),
    index: 1,
    plain: hex('81c8000b cafebabe abababab abababab abababab abababab'),
    sealed: hex('81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798'),
  },
];

test('RFC 3711 appendix B.2: the keystream of AES-CM', () => {
  const transform = new CounterTransform({
    cipher: hex('2b7e151628aed2a6abf7158809cf4f3c'),
    auth: Buffer.alloc(20),
    salt: hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd'),
  });
  const packet = Buffer.alloc(12 + 48 + transform.rtpTrailer);
  packet[0] = 0x80;
  transform.sealRtp(packet, 12, 0);
  assert.equal(
    packet.toString('hex', 12, 60),
    'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0',
  );
});

for (const { name, transform, index, plain, sealed } of RTP) {
  test(`RTP, both ways: ${name}`, () => {
    const { rtpTrailer } = transform();
    const bytes = Buffer.concat([plain, Buffer.alloc(rtpTrailer)]);
    transform().sealRtp(bytes, 12, index);
    assert.deepEqual(bytes, sealed);
    assert.ok(transform().openRtp(bytes, 12, index));
    assert.deepEqual(bytes.subarray(0, -rtpTrailer), plain);
  });
}

for (const { name, transform, index, plain, sealed } of RTCP) {
  test(`RTCP, both ways: ${name}`, () => {
    const { rtcpTrailer } = transform();
    const bytes = Buffer.concat([plain, Buffer.alloc(rtcpTrailer)]);
    transform().sealRtcp(bytes, index);
    assert.deepEqual(bytes, sealed);
    assert.equal(bytes.readUInt32BE(transform().rtcpIndexAt(bytes.length)), 0x8000_0000 + index);
    assert.ok(transform().openRtcp(bytes));
    assert.deepEqual(bytes.subarray(0, -rtcpTrailer), plain);
  });
}

test('a wrong tag leaves the bytes as they were', () => {
  for (const { transform, index, sealed } of RTP) {
    const bytes = Buffer.from(sealed);
    bytes[14]! ^= 1;
    const before = Buffer.from(bytes);
    assert.equal(transform().openRtp(bytes, 12, index), false);
    assert.deepEqual(bytes, before);
    assert.equal(transform().openRtp(Buffer.from(sealed), 12, index + 0x1_0000), false, 'of another round');
  }
  for (const { transform, sealed } of RTCP) {
    const bytes = Buffer.from(sealed);
    bytes[9]! ^= 1;
    const before = Buffer.from(bytes);
    assert.equal(transform().openRtcp(bytes), false);
    assert.deepEqual(bytes, before);
  }
});
