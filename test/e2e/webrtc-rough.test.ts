/**
 * Browsers behind a network that loses, reorders, goes dark and gives them other addresses.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Browser, openBrowser, type RtcPage } from '../helpers/browser.ts';
import { type Castgate, startCastgate } from '../helpers/castgate.ts';
import { Program, until } from '../helpers/program.ts';
import { CALM, RoughNetwork } from '../helpers/rough-network.ts';

const ROUGH = { loss: 0.05, reordered: 0.05, hold: 15 };
const DARK = 3_000;
const SEED = 20_261;
/** Pictures whose reference is missing are mended without a word, but for this one in the talk of debugging. */
const TALKING = ['-nostdin', '-nostats', '-v', 'debug'];
const COMPLAINT = /^\[(?:h264|aac) @ .*(?:gap|conceal|missing|non.?existing|error|invalid|corrupt).*/gim;
/** In milliseconds, as they are: the rate that ffmpeg guesses would make one moment of two. */
const EVERY_FRAME = ['-enc_time_base', '1:1000'];

interface Field {
  readonly server: Castgate;
  readonly browser: Browser;
  readonly network: RoughNetwork;
  readonly at: (path: string) => string;
  /** For a client behind the network. */
  readonly behind: { readonly rewrites: readonly (readonly [string, string])[]; readonly codec: string };
}

async function field(t: TestContext): Promise<Field> {
  const server = await startCastgate(t, { settings: { 'http.listen': '127.0.0.1:0', 'webrtc.tcpListen': '' } });
  const port = Number(server.address('webrtc').split(':').at(-1));
  const network = await RoughNetwork.open(t, port, SEED);
  const browser = await openBrowser(t);
  const rewrites = [[` ${port} typ host`, ` ${network.port} typ host`]] as const;
  return {
    ...{ server, browser, network },
    at: (path) => `http://${server.address('http')}${path}`,
    behind: { rewrites, codec: 'H264' },
  };
}

/** `count` more frames are decoded. */
async function goesOn(screen: RtcPage, count: number): Promise<void> {
  const { framesDecoded = 0 } = await screen.stats('viewer', 'video');
  await screen.decoded(framesDecoded + count);
}

/** Decodes what RTMP carries from now on; `stop` answers what it complained of, and how many pictures there were. */
function decoder(t: TestContext, url: string): { stop(): Promise<{ complaints: readonly string[]; frames: number }> } {
  const program = new Program(t, 'ffmpeg', [...TALKING, '-i', url, ...EVERY_FRAME, '-f', 'null', '-']);
  return {
    async stop() {
      assert.ok(program.running, program.stderr);
      program.kill('SIGINT');
      const { stderr } = await program.end();
      const frames = Number(/(\d+) frames decoded/.exec(stderr)?.[1]);
      return { complaints: stderr.match(COMPLAINT) ?? [], frames };
    },
  };
}

test('a publisher behind a rough network: its stream has no holes and comes back each time', {
  timeout: 60_000,
}, async (t) => {
  const { server, browser, network, at, behind } = await field(t);
  const [camera, screen] = [await browser.page(at('/')), await browser.page(at('/'))];
  const sent = await camera.publish(at('/live/show/whip'), behind);
  assert.equal(sent.status, 201, sent.problem);
  await server.session('publishing', 'show');
  assert.equal((await screen.watch(at('/live/show/whep'))).status, 201);
  await goesOn(screen, 20);
  const rtmp = decoder(t, server.url('live/show'));

  network.roughness = ROUGH;
  await goesOn(screen, 200);
  const { nackCount, retransmittedPacketsSent } = await camera.stats('publisher', 'video');
  assert.ok(network.counts.lost > 20 && network.counts.held > 20, JSON.stringify(network.counts));
  assert.ok(nackCount! > 0 && retransmittedPacketsSent! > 0);

  network.roughness = CALM;
  await goesOn(screen, 60);
  network.dark = true;
  await new Promise((resolve) => setTimeout(resolve, DARK));
  network.dark = false;
  await goesOn(screen, 60);

  network.move();
  await goesOn(screen, 60);
  const { complaints, frames } = await rtmp.stop();
  assert.deepEqual(complaints, [], 'no picture lacks what it refers to');
  assert.ok(frames > 200, `${frames} frames`);
  const { packetsLost } = await screen.stats('viewer', 'video');
  assert.equal(packetsLost, 0, 'viewers have networks of their own');
  assert.equal((await server.sessions()).filter(({ state }) => state === 'publishing').length, 1);
  await server.stop();
});

test('a viewer behind a rough network: its picture comes back each time', { timeout: 60_000 }, async (t) => {
  const { server, browser, network, at, behind } = await field(t);
  const [camera, screen, other] = [
    await browser.page(at('/')),
    await browser.page(at('/')),
    await browser.page(at('/')),
  ];
  assert.equal((await camera.publish(at('/live/show/whip'), { codec: 'H264' })).status, 201);
  await server.session('publishing', 'show');
  const watched = await screen.watch(at('/live/show/whep'), behind);
  assert.equal(watched.status, 201, watched.problem);
  assert.equal((await other.watch(at('/live/show/whep'))).status, 201);
  await goesOn(screen, 20);

  network.roughness = ROUGH;
  await goesOn(screen, 200);
  const rough = await screen.stats('viewer', 'video');
  assert.ok(network.counts.lost > 20 && network.counts.held > 20, JSON.stringify(network.counts));
  assert.ok(rough['nackCount']! > 0 && rough['retransmittedPacketsReceived']! > 0);

  network.roughness = CALM;
  await goesOn(screen, 30);
  const calm = await screen.stats('viewer', 'video');
  await goesOn(screen, 60);
  const healed = await screen.stats('viewer', 'video');
  assert.equal(healed['packetsLost'], calm['packetsLost']);
  assert.equal(healed['nackCount'], calm['nackCount']);

  network.dark = true;
  await new Promise((resolve) => setTimeout(resolve, DARK));
  network.dark = false;
  await goesOn(screen, 60);
  const [session] = (await server.sessions()).filter(({ state }) => state === 'playing');
  network.move();
  await goesOn(screen, 60);
  const { nackCount, packetsLost } = await other.stats('viewer', 'video');
  assert.deepEqual([nackCount, packetsLost], [0, 0], 'the other viewer notices nothing');
  await until('it is the same session still', async () => {
    return (await server.sessions()).some(({ id }) => id === session!.id);
  });
  await server.stop();
});
