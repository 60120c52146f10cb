/**
 * A browser that is not on the machine of the server: HTTPS and WSS, without which it gives no page a camera.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { openBrowser } from '../helpers/browser.ts';
import { startCastgate } from '../helpers/castgate.ts';
import { selfSigned } from '../helpers/self-signed.ts';
import { openWowzaPage } from '../helpers/wowza.ts';

/** Leads here, and no browser takes it for this machine. */
const HOST = 'studio.example';

test('HTTPS, and WSS on both ports; a new certificate is taken while media goes on', { timeout: 60_000 }, async (t) => {
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
    settings: {
      ...{ 'tls.cert': cert, 'tls.key': key },
      ...{ 'http.listen': '127.0.0.1:0', 'http.tlsListen': '127.0.0.1:0' },
    },
  });
  const browser = await openBrowser(t, { arguments: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`] });
  const url = (scheme: string, door: 'http' | 'https' | 'rtmp', path: string) => {
    return `${scheme}://${HOST}:${server.address(door).split(':').at(-1)}${path}`;
  };
  const subject = async (door: 'https' | 'rtmp') => {
    const [host, port] = server.address(door).split(':');
    const socket = connect({ host: host!, port: Number(port), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };

  const plain = await browser.open(url('http', 'http', '/'));
  assert.equal(await plain.evaluate('isSecureContext || "mediaDevices" in navigator'), false, 'this is why');

  const camera = await browser.page(url('https', 'https', '/'));
  const sent = await camera.publish('/live/show/whip', { codec: 'H264' });
  assert.equal(sent.status, 201, sent.problem);
  assert.match(sent.location, new RegExp(`^https://${HOST}:`));
  await server.session('publishing', 'show');
  const wss = url('wss', 'https', '/webrtc-session.json');
  const screen = await openWowzaPage(browser, url('https', 'https', '/'), wss);
  assert.equal((await screen.play('live', 'show')).status, 200);
  const { framesDecoded } = await screen.rtc.decoded(20);
  assert.equal(await subject('https'), 'first.invalid');

  install('second.invalid');
  await server.logged('that it has a new certificate', ({ msg }) => msg === 'certificate read again');
  for (const door of ['https', 'rtmp'] as const) assert.equal(await subject(door), 'second.invalid');
  await screen.rtc.decoded(framesDecoded! + 60);

  const sniffed = url('wss', 'rtmp', '/webrtc-session.json');
  const late = await openWowzaPage(browser, url('https', 'rtmp', '/'), sniffed);
  assert.equal((await late.play('live', 'show')).status, 200);
  await late.rtc.decoded(20);
  assert.equal((await camera.restart('publisher', sent.location)).status, 200);
  await server.stop();
});
