import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';
import { makeKeyShare } from '../../src/webrtc/dtls-key-exchange.ts';
import {
  checkClientHello,
  GROUPS,
  readCertificate,
  readCertificateVerify,
  readClientHello,
  readClientKeyExchange,
  readServerHello,
  readServerKeyExchange,
} from '../../src/webrtc/dtls-messages.ts';
import {
  certificate as certificateMessage,
  certificateRequest,
  certificateVerify,
  clientHello,
  clientKeyExchange,
  serverHello,
  serverKeyExchange,
} from '../../src/webrtc/dtls-own-messages.ts';
import { checkSignature } from '../../src/webrtc/dtls-proof.ts';
import { certificate } from '../helpers/dtls-peers.ts';

const NOTHING = Buffer.alloc(0);
const CLIENT = Buffer.alloc(32, 1);
const SERVER = Buffer.alloc(32, 2);
const own = certificate();
const key = createPrivateKey(own.privateKey);
const hello = readClientHello(clientHello(CLIENT, NOTHING));

/** Types of the extensions at the end of a hello of ours. */
function extensionsOf(body: Buffer, before: number): number[] {
  const types: number[] = [];
  assert.equal(body.readUInt16BE(before), body.length - before - 2);
  for (let at = before + 2; at < body.length; at += 4 + body.readUInt16BE(at + 2)) types.push(body.readUInt16BE(at));
  return types.sort((a, b) => a - b);
}

test('a hello of ours offers all we ask of others', () => {
  checkClientHello(hello);
  assert.deepEqual([hello.random, hello.cookie, hello.version], [CLIENT, NOTHING, 0xfefd]);
  assert.deepEqual(hello.suites, [0xc02b, 0xc02f]);
  assert.deepEqual([hello.groups, hello.profiles, hello.extendedMasterSecret], [[29, 23], [1, 7], true]);
  const cookie = Buffer.from('cookie');
  assert.deepEqual(readClientHello(clientHello(CLIENT, cookie)).cookie, cookie);
});

test('an answer has what was asked for, and no more', () => {
  const all = serverHello(SERVER, hello);
  assert.deepEqual(readServerHello(all), { random: SERVER, profile: 'aes128-cm-sha1-80', extendedMasterSecret: true });
  assert.deepEqual(extensionsOf(all, 38), [11, 14, 23, 0xff01]);
  const plain = { ...hello, extensions: new Map(), profiles: [8, 7], extendedMasterSecret: false };
  const little = serverHello(SERVER, plain);
  assert.deepEqual(readServerHello(little), {
    random: SERVER,
    profile: 'aead-aes-128-gcm',
    extendedMasterSecret: false,
  });
  assert.deepEqual(extensionsOf(little, 38), [14]);
  // RFC 5746 section 3.6
  const old = serverHello(SERVER, { ...plain, suites: [0xc02b, 0x00ff] });
  assert.deepEqual(extensionsOf(old, 38), [14, 0xff01]);
});

test('the profile is the one we like best, in whatever order they come', () => {
  for (const profiles of [
    [7, 1],
    [1, 7],
    [8, 2, 7, 1],
  ]) {
    assert.equal(readServerHello(serverHello(SERVER, { ...hello, profiles })).profile, 'aes128-cm-sha1-80');
  }
});

test('certificate, key exchange and proof are read as they are written', () => {
  assert.deepEqual(readCertificate(certificateMessage(own.certificate)), own.certificate);
  for (const group of Object.values(GROUPS)) {
    const share = makeKeyShare(group);
    assert.deepEqual(readClientKeyExchange(clientKeyExchange(share)), share.publicKey);
    const exchange = readServerKeyExchange(serverKeyExchange({ client: CLIENT, server: SERVER }, share, key));
    assert.deepEqual([exchange.group, exchange.publicKey], [group, share.publicKey]);
    checkSignature(own.certificate, [CLIENT, SERVER, exchange.content], exchange);
  }
  const said = [Buffer.from('what was '), Buffer.from('said')];
  checkSignature(own.certificate, said, readCertificateVerify(certificateVerify(said, key)));
});

test('certificates of both kinds are asked for', () => {
  assert.equal(certificateRequest().toString('hex'), '024001' + '000404030401' + '0000');
});
