/**
 * Real clients that make offers and take the answers: Chromium with a camera that is made up, and aiortc.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { openBrowser } from './browser.ts';
import { run, type Scope } from './program.ts';

/** What came of it: the client has put up with the answer. */
export interface Settled {
  readonly name: ClientName;
  readonly state: string;
  /** What the client does from now on, by kind. */
  readonly directions: Readonly<Record<string, string | null>>;
  /** Layers of simulcast that it sends. Chromium tells. */
  readonly layers?: number;
  /** What it sends, its first choice first. Chromium tells. */
  readonly codecs?: readonly string[];
}

export const CLIENTS = [
  'chromium-publish',
  'chromium-simulcast',
  'chromium-play',
  'chromium-data',
  'aiortc-publish',
  'aiortc-play',
] as const;
export type ClientName = (typeof CLIENTS)[number];

/** Answers the offer of a client; throws when it is refused. */
export type AnswerOf = (name: ClientName, offer: string) => string;

/** The one that Debian's packages are for. */
export const PYTHON = '/usr/bin/python3';

/** Lets each client settle its offer, one after the other. */
export async function settleAll(
  t: Scope,
  names: readonly ClientName[],
  answerOf: AnswerOf,
): Promise<readonly Settled[]> {
  const base = await answering(t, answerOf);
  const page = await openPage(t, base);
  const settled: Settled[] = [];
  for (const name of names) {
    const url = `${base}/${name}`;
    const [client, kind] = name.split('-') as [string, string];
    const said =
      client === 'chromium'
        ? ((await page.evaluate(`settle(${JSON.stringify({ kind, url })})`)) as object)
        : JSON.parse((await run(t, PYTHON, [helper('sdp-client.py'), kind, url])).stdout);
    settled.push({ name, ...said });
  }
  return settled;
}

/** Chromium answers an offer of ours, as Wowza's players do; what it answers. */
export async function answerInChromium(t: Scope, offer: string): Promise<string> {
  const page = await openPage(t, await answering(t, () => ''));
  return (await page.evaluate(`answer(${JSON.stringify(offer)})`)) as string;
}

async function openPage(t: Scope, base: string) {
  const page = await (await openBrowser(t)).open(`${base}/`);
  await page.addScriptTag({ path: helper('sdp-page.mjs'), type: 'module' });
  await page.waitForFunction('typeof settle === "function"');
  return page;
}

function helper(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** Posted offers are answered; anything else is an empty page. */
async function answering(t: Scope, answerOf: AnswerOf): Promise<string> {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (request.method !== 'POST') return response.setHeader('content-type', 'text/html').end('<!doctype html>');
      try {
        response.end(answerOf(request.url!.slice(1) as ClientName, Buffer.concat(pieces).toString()));
      } catch (error) {
        response.writeHead(422).end(String(error));
      }
    });
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
