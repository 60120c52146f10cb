/**
 * Either DTLS gets along with a browser, in both directions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBrowser } from '../helpers/browser.ts';
import { startCastgate } from '../helpers/castgate.ts';

for (const dtls of ['native', 'werift']) {
  test(`a browser publishes and plays by ${dtls} DTLS`, { timeout: 60_000 }, async (t) => {
    const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0', 'webrtc.dtls': dtls } });
    const browser = await openBrowser(t);
    const at = (path: string) => `http://${server.address('http')}${path}`;
    const [camera, screen] = [await browser.page(at('/')), await browser.page(at('/'))];
    const sent = await camera.publish(at('/live/show/whip'), { codec: 'VP8' });
    assert.equal(sent.status, 201, sent.problem);
    const watched = await screen.watch(at('/live/show/whep'));
    assert.equal(watched.status, 201, watched.problem);
    await screen.decoded(10);
  });
}
