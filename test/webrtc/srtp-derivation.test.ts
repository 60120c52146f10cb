import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveSrtpKeys } from '../../src/webrtc/srtp-derivation.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

test('RFC 3711 appendix B.3: the session keys of RTP', () => {
  const master = { key: hex('E1F97A0D3E018BE0D64FA32C06DE4139'), salt: hex('0EC675AD498AFEEBB6960B3AABE6') };
  const keys = deriveSrtpKeys('aes128-cm-sha1-80', master, 'rtp');
  assert.deepEqual(keys, {
    cipher: hex('C61E7A93744F39EE10734AFE3FF7A087'),
    auth: hex('CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4'),
    salt: hex('30CBBC08863D8C85D49DB34A9AE1'),
  });
});
