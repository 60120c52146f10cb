/**
 * What a client sends behind its offer, and what comes back when it restarts ICE (RFC 8840, RFC 9725 section 4.3).
 */
import { candidateLines, iceLines, type LocalTransport } from './local-description.ts';
import type { Agreement } from './negotiation.ts';
import { readAttribute, readLines, refuseSdp } from './sdp-lines.ts';
import { credentialsOf } from './transport-attributes.ts';

export interface SdpFragment {
  /** Of the candidates; a new one restarts ICE. */
  readonly ufrag: string | undefined;
  readonly password: string | undefined;
  /** How many there are; what they say is of no use here. */
  readonly candidates: number;
  readonly endOfCandidates: boolean;
}

const CANDIDATE = 'candidate:';

/**
 * Reads a fragment, or what some send instead: candidates alone, with or without `a=`, and nothing at all behind the last. Throws
 * `RefusedError` (webrtc/sdp) when there is nothing of that in it.
 */
export function readFragment(text: string): SdpFragment {
  const lines = readLines(text).map((line) => line.trim());
  let ufrag: string | undefined;
  let password: string | undefined;
  let candidates = 0;
  let endOfCandidates = lines.every((line) => line === '');
  let known = endOfCandidates;
  for (const line of lines) {
    const { name, value } = readAttribute(
      line.startsWith('a=') ? line.slice(2) : line.startsWith(CANDIDATE) ? line : '',
    );
    if (name === 'ice-ufrag' && value !== '') ufrag ??= value;
    else if (name === 'ice-pwd' && value !== '') password ??= value;
    else if (name === 'candidate' && value !== '') candidates += 1;
    else if (name === 'end-of-candidates' || name === 'candidate') endOfCandidates = true;
    else continue;
    known = true;
  }
  if (!known) throw refuseSdp('fragment holds neither candidates nor credentials; see RFC 8840.');
  // a name alone tells whose candidates these are; both are a restart
  if (password !== undefined) credentialsOf(ufrag, password);
  return { ufrag, password, candidates, endOfCandidates };
}

/** The answer to a restart: our new credentials, and our candidates again. */
export function writeFragment({ sections }: Agreement, local: LocalTransport): string {
  const carried = sections.filter(({ media }) => media !== undefined).map(({ remote }) => remote);
  const named = carried.filter(({ named }) => named).map(({ mid }) => mid);
  const { kind, protocol, format, mid } = carried[0]!;
  const lines = [
    'a=ice-lite',
    'a=ice-options:trickle',
    ...(named.length > 0 ? [`a=group:BUNDLE ${named.join(' ')}`] : []),
    `m=${kind} 9 ${protocol} ${format}`,
    `a=mid:${mid}`,
    ...iceLines(local),
    ...candidateLines(local),
  ];
  return `${lines.join('\r\n')}\r\n`;
}
