/**
 * RTMPS, by the first byte on the port of RTMP and on a listener of its own; certificates that are renewed under way.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { startCastgate } from '../helpers/castgate.ts';
import { contents, makeMedia, publish, readMedia } from '../helpers/ffmpeg.ts';
import { HealthyPair } from '../helpers/healthy-pair.ts';
import { until } from '../helpers/program.ts';
import { selfSigned } from '../helpers/self-signed.ts';

test('RTMPS on both ports, bit-exact; a new certificate is taken while the old connections go on', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'castgate-tls-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const install = (name: string) => {
    const pair = selfSigned(name);
    writeFileSync(cert, pair.cert);
    writeFileSync(key, pair.key);
  };
  install('first.invalid');
  const server = await startCastgate(t, {
    settings: { 'tls.cert': cert, 'tls.key': key, 'rtmp.tlsListen': '127.0.0.1:0' },
  });
  const sniffed = `rtmps://${server.address('rtmp')}/live`;
  const listener = `rtmps://${server.address('rtmps')}/live`;
  const pair = await HealthyPair.start(t, sniffed, listener);

  const file = await makeMedia(t, 'h264-bframes-aac');
  const players = [sniffed, listener, server.url('live')].map((app) => readMedia(t, `${app}/show`));
  await until('all play', async () => {
    return (await server.sessions()).filter(({ stream }) => stream === 'show').length === players.length;
  });
  await publish(t, file, `${listener}/show`).success();
  const sent = await contents(readMedia(t, file));
  for (const player of players) assert.deepEqual(await contents(player), sent);

  const subject = async (address: string) => {
    const [host, port] = address.split(':');
    const socket = connect({ host: host!, port: Number(port), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  assert.equal(await subject(server.address('rtmp')), 'first.invalid');
  assert.equal(await subject(server.address('rtmps')), 'first.invalid');
  install('second.invalid');
  await server.logged('that it has a new certificate', ({ msg }) => msg === 'certificate read again');
  assert.equal(await subject(server.address('rtmp')), 'second.invalid');
  assert.equal(await subject(server.address('rtmps')), 'second.invalid');
  writeFileSync(cert, 'no certificate');
  server.program.kill('SIGHUP');
  await server.logged('that the certificate is unusable', ({ level, code }) => {
    return level !== 'info' && (code === 'server/tls' || code === 'config/reload');
  });
  assert.equal(await subject(server.address('rtmp')), 'second.invalid');
  await pair.check('with other certificates');
  await pair.stop();
  await server.stop();
});
