import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Certificate } from '../src/certificate.ts';
import type { TlsPair } from '../src/rtmp/server.ts';
import { LogRecorder } from './helpers/log-recorder.ts';
import { until } from './helpers/program.ts';
import { selfSigned } from './helpers/self-signed.ts';
import { VirtualClock } from './helpers/virtual-clock.ts';

const LIMIT = { timeout: 10_000 };
const NONE = { cert: '', key: '' };

/** A certificate whose files are written by the test, and all pairs it handed out. */
function aCertificate(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'castgate-certificate-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const files = { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') };
  const put = (pair = selfSigned()) => {
    writeFileSync(files.cert, pair.cert);
    writeFileSync(files.key, pair.key);
    return pair;
  };
  const clock = new VirtualClock();
  const log = new LogRecorder();
  const used: TlsPair[] = [];
  const make = (options = files) => {
    const certificate = new Certificate(options, clock, log, (pair) => used.push(pair));
    t.after(() => certificate.stop());
    return certificate;
  };
  return { files, put, clock, log, used, make };
}

test('changed files are taken, unusable ones leave the last good pair in use', LIMIT, async (t) => {
  const { files, put, clock, log, used, make } = aCertificate(t);
  const first = put();
  assert.deepEqual(await make().start(), first);
  const second = put();
  clock.advance(10_000);
  await until('the files are read again', () => used.length === 1);
  assert.deepEqual(used[0], second);
  writeFileSync(files.key, 'nonsense');
  clock.advance(10_000);
  await until('the log says so', () => log.lines.some(({ fields }) => fields['code'] === 'server/tls'));
  assert.equal(used.length, 1);
});

test('files that a reload named first are watched like others', LIMIT, async (t) => {
  const { files, put, clock, used, make } = aCertificate(t);
  const certificate = make(NONE);
  assert.equal(await certificate.start(), undefined);
  const first = put();
  await certificate.reload(files);
  const second = put();
  clock.advance(10_000);
  await until('the files are read again', () => used.length === 2);
  assert.deepEqual(used, [first, second]);
});

test('a reload with unusable files is refused, and the old ones are watched on', LIMIT, async (t) => {
  const { files, put, clock, used, make } = aCertificate(t);
  put();
  const certificate = make();
  await certificate.start();
  await assert.rejects(certificate.reload({ ...files, key: `${files.key}.none` }), { code: 'server/tls' });
  const second = put();
  clock.advance(10_000);
  await until('the files are read again', () => used.length > 0);
  assert.deepEqual(used.at(-1), second);
});

test('without files nothing is read and nothing complained of', LIMIT, async (t) => {
  const { log, used, put, make } = aCertificate(t);
  put();
  const certificate = make();
  await certificate.start();
  await certificate.reload(NONE);
  await certificate.look();
  assert.deepEqual(used, []);
  assert.deepEqual(log.lines, []);
});
