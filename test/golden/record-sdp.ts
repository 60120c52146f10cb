/**
 * Records the offers of Chromium and aiortc in sdp/ anew: `node test/golden/record-sdp.ts`. Each is answered, and kept when the client
 * has taken the answer. Needs chromium and python3-aiortc.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeAnswer } from '../../src/webrtc/local-description.ts';
import { negotiatePlay, negotiatePublish } from '../../src/webrtc/negotiation.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import type { Scope } from '../helpers/program.ts';
import { LOCAL, ORIGIN, SENT } from '../helpers/sdp.ts';
import { CLIENTS, PYTHON, settleAll } from '../helpers/sdp-clients.ts';

const STREAM = { video: { codec: 'h264' }, audio: { codec: 'opus' } } as const;

const ends: (() => unknown)[] = [];
const scope: Scope = { after: (then) => ends.unshift(then) };
try {
  const offers = new Map<string, string>();
  const settled = await settleAll(scope, CLIENTS, (name, text) => {
    offers.set(name, text);
    const offer = readDescription(text);
    return offer.sections.some(({ direction }) => direction === 'sendonly')
      ? writeAnswer(negotiatePublish(offer), LOCAL, ORIGIN)
      : writeAnswer(negotiatePlay(offer, STREAM), LOCAL, ORIGIN, SENT);
  });
  const versions = new Map([
    ['chromium', /\d+/.exec(execFileSync('chromium', ['--version'], { encoding: 'utf8' }))![0]],
    ['aiortc', execFileSync(PYTHON, ['-c', 'import aiortc; print(aiortc.__version__)'], { encoding: 'utf8' }).trim()],
  ]);
  for (const { name, state } of settled) {
    const [client, kind] = name.split('-') as [string, string];
    const file = `${client}-${versions.get(client)}-${kind}.sdp`;
    writeFileSync(new URL(`sdp/${file}`, import.meta.url), offers.get(name)!);
    process.stdout.write(`${file}: ${offers.get(name)!.length} bytes, ${state}\n`);
  }
} finally {
  for (const end of ends) await end();
}
