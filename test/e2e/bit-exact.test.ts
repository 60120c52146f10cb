/**
 * ffmpeg publishes a file, ffmpeg plays it: every packet arrives as it was, with its times.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCastgate } from '../helpers/castgate.ts';
import { contents, makeMedia, publish, type Recipe, readMedia } from '../helpers/ffmpeg.ts';
import { until } from '../helpers/program.ts';

/** Each codec once, each write window once, both at full speed and at that of life. */
const CASES: readonly { recipe: Recipe; writeWindow: string; live: boolean }[] = [
  { recipe: 'h264-bframes-aac', writeWindow: 'video', live: true },
  { recipe: 'h264-bframes-aac', writeWindow: '0', live: false },
  { recipe: 'h264-bframes-aac', writeWindow: '50ms', live: false },
  { recipe: 'h264-mp3', writeWindow: 'video', live: false },
  { recipe: 'h264-alone', writeWindow: '50ms', live: true },
  { recipe: 'aac-alone', writeWindow: 'video', live: true },
  { recipe: 'aac-alone', writeWindow: '0', live: false },
  { recipe: 'mp3-alone', writeWindow: '50ms', live: false },
];

for (const { recipe, writeWindow, live } of CASES) {
  test(`${recipe}, write window ${writeWindow}, ${live ? 'live' : 'at full speed'}`, async (t) => {
    const file = await makeMedia(t, recipe, { seconds: live ? 2 : 6 });
    const server = await startCastgate(t, { settings: { 'rtmp.writeWindow': writeWindow, 'rtmp.viewerQueue': '64M' } });
    const url = server.url('live/show');
    const players = [readMedia(t, url), readMedia(t, url)];
    await until('both play', async () => {
      const sessions = await server.sessions();
      return sessions.filter(({ state }) => state === 'playing').length === players.length;
    });

    await publish(t, file, url, ...(live ? ['-re'] : [])).success();
    const sent = await contents(readMedia(t, file));
    assert.ok(sent.packets.length > 0 && sent.packets.every((packets) => packets.length > 20));
    for (const player of players) assert.deepEqual(await contents(player), sent);
    await server.stop();
  });
}
