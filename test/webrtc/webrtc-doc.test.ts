/**
 * docs/webrtc.md shows what is said on the signalling socket; this says it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CANDIDATE, CLIENT_SDP, SERVER_SDP } from '../helpers/fake-endpoint.ts';
import { SocketTown } from '../helpers/socket-town.ts';

const page = readFileSync(new URL('../../docs/webrtc.md', import.meta.url), 'utf8');
const PLACES = { CLIENT_SDP, SERVER_SDP, CANDIDATE };

/** The messages of a chapter in order, ours and theirs, with what stands for a text put in its place. */
function messages(from: string, to: string): Record<string, unknown>[] {
  const chapter = page.slice(page.indexOf(`\n### ${from}\n`), page.indexOf(`\n### ${to}\n`));
  return [...chapter.matchAll(/^```json\n(.*)\n```$/gm)].map((match) =>
    JSON.parse(match[1]!, (key, value) =>
      /^(?:sdp|candidate)$/.test(key) && typeof value === 'string' ? PLACES[value as keyof typeof PLACES] : value,
    ),
  );
}

test('the classic dialogue is as shown', async (context) => {
  const caller = await (await new SocketTown().open(context)).caller();
  const said = messages('Classic', 'v2');
  assert.equal(said.length, 6);
  for (let at = 0; at < said.length; at += 2) assert.deepEqual(await caller.ask(said[at]), said[at + 1]);
});

test('the v2 dialogue is as shown', async (context) => {
  const caller = await (await new SocketTown().open(context)).caller('/webrtc-session.json?webrtcImplementation=v2');
  const [offer, answer, candidate] = messages('v2', 'Status codes');
  assert.deepEqual(await caller.ask(offer), answer);
  assert.deepEqual(await caller.next(), candidate);
});
