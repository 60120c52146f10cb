import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { makeCertificate } from '../../src/webrtc/certificate.ts';

const NOW = Date.UTC(2026, 9, 5, 12, 30, 15, 500);

test('Node reads what was made', () => {
  const own = makeCertificate(NOW, randomBytes);
  const read = new X509Certificate(own.certificate);
  assert.equal(read.subject, 'CN=castgate');
  assert.equal(read.issuer, 'CN=castgate');
  assert.ok(read.checkIssued(read));
  assert.ok(read.verify(read.publicKey), 'signed by itself');
  assert.ok(read.checkPrivateKey(createPrivateKey(own.privateKey)));
  assert.equal(read.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal(read.fingerprint256, own.fingerprint);
  assert.equal(read.validFromDate.getTime(), Date.UTC(2026, 9, 4, 12, 30, 15));
  assert.equal(read.validToDate.getTime(), Date.UTC(2026, 10, 4, 12, 30, 15));
});

test('openssl reads what was made, and finds nothing odd', () => {
  const own = makeCertificate(NOW, randomBytes);
  const tell = (...args: string[]) =>
    execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', ...args], {
      input: own.certificate,
      encoding: 'utf8',
    });
  assert.equal(tell('-fingerprint', '-sha256').trim(), `sha256 Fingerprint=${own.fingerprint}`);
  const text = tell('-text');
  for (const line of [
    /Version: 3 \(0x2\)/,
    /Signature Algorithm: ecdsa-with-SHA256/,
    /Issuer: CN = castgate/,
    /Not Before: Oct {2}4 12:30:15 2026 GMT/,
    /Not After : Nov {2}4 12:30:15 2026 GMT/,
    /NIST CURVE: P-256/,
  ]) {
    assert.match(text, line);
  }
  // strict: the same bytes when written again
  const again = execFileSync('openssl', ['x509', '-inform', 'DER', '-outform', 'DER'], { input: own.certificate });
  assert.deepEqual(again, own.certificate);
});

test('no two have the same key or serial number, and serials are positive whatever the dice say', () => {
  const made = [makeCertificate(NOW, randomBytes), makeCertificate(NOW, randomBytes)];
  assert.notEqual(made[0]!.privateKey, made[1]!.privateKey);
  const serials = made.map(({ certificate }) => new X509Certificate(certificate).serialNumber);
  assert.notEqual(serials[0], serials[1]);
  for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
    const { certificate } = makeCertificate(NOW, (count) => Buffer.alloc(count, byte));
    const { serialNumber } = new X509Certificate(certificate);
    assert.match(serialNumber, /^[4-7]/);
    assert.equal(serialNumber.length, 32);
  }
});

test('after 2049 the year has four digits', () => {
  const { certificate } = makeCertificate(Date.UTC(2049, 11, 31, 12), randomBytes);
  const read = new X509Certificate(certificate);
  assert.equal(read.validFromDate.getTime(), Date.UTC(2049, 11, 30, 12));
  assert.equal(read.validToDate.getTime(), Date.UTC(2050, 0, 30, 12));
  assert.ok(certificate.includes('20500130120000Z'));
});
