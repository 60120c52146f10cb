import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { readRecords } from '../../src/webrtc/dtls-record.ts';
import { DtlsSecrets, prf } from '../../src/webrtc/dtls-secrets.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const secrets = () =>
  new DtlsSecrets(Buffer.alloc(48, 1), { client: Buffer.alloc(32, 2), server: Buffer.alloc(32, 3) });

test('P_SHA256, by the vector of the TLS working group', () => {
  // https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms/
  const secret = createSecretKey(hex('9b be 43 6b a9 40 f0 17 b1 76 52 84 9a 71 db 35'));
  const seed = hex('a0 ba 9f 93 6c da 31 18 27 a6 f7 96 ff d5 19 8c');
  assert.equal(
    prf(secret, 'test label', seed, 100).toString('hex'),
    `e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0f
     a022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66`.replaceAll(
      /\s/g,
      '',
    ),
  );
});

test("one end's Finished is not the other's, nor one for other words", () => {
  const said = [Buffer.from('hello'), Buffer.from('certificate')];
  const data = secrets().verifyData('client', said);
  assert.equal(data.length, 12);
  assert.ok(secrets().verifies(data, 'client', [Buffer.from('hellocertificate')]));
  assert.ok(!secrets().verifies(data, 'server', said));
  assert.ok(!secrets().verifies(data, 'client', [said[0]!]));
  assert.ok(!secrets().verifies(data.subarray(0, 11), 'client', said));
  assert.ok(!secrets().verifies(Buffer.alloc(0), 'client', said));
});

test('what one end seals, it alone can have sealed', () => {
  const text = Buffer.from('a text');
  const sealed = secrets().protection('client').seal(23, 5, text);
  const [record] = readRecords(sealed);
  assert.deepEqual([record!.type, record!.epoch, record!.sequence], [23, 1, 5]);
  assert.deepEqual(secrets().protection('client').open(record!), text);
  assert.equal(secrets().protection('server').open(record!), undefined);
  for (let at = 0; at < sealed.length; at++) {
    const forged = Buffer.from(sealed);
    forged[at]! ^= 1;
    for (const one of readRecords(forged)) {
      assert.equal(secrets().protection('client').open(one), undefined, `byte ${at}`);
    }
  }
});

test('both ends derive the same keys for media', () => {
  for (const profile of ['aes128-cm-sha1-80', 'aead-aes-128-gcm'] as const) {
    const [client, server] = [secrets().srtpKeys(profile, 'client'), secrets().srtpKeys(profile, 'server')];
    assert.deepEqual(client.local, server.remote);
    assert.deepEqual(client.remote, server.local);
    assert.notDeepEqual(client.local, client.remote);
    assert.equal(client.local.salt.length, profile === 'aead-aes-128-gcm' ? 12 : 14);
  }
});
