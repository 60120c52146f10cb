/**
 * The client's offer or answer, read: what it says, without judging whether we can use it.
 */
import { type RemoteSection, readSection } from './remote-section.ts';
import { type Block, firstValue, readBlocks, readLines, refuseSdp, words } from './sdp-lines.ts';

export interface RemoteDescription {
  /** In the order of the description. */
  readonly sections: readonly RemoteSection[];
  /** Names of the sections that share one transport, group by group; the first of each is the one that speaks for it. */
  readonly bundles: readonly (readonly string[])[];
  readonly iceLite: boolean;
}

const MAX_SECTIONS = 64;
const MAX_BUNDLES = 8;

/** Throws `RefusedError` (webrtc/sdp), and nothing else whatever the text. */
export function readDescription(text: string): RemoteDescription {
  const lines = readLines(text);
  if (lines[0] !== 'v=0') throw refuseSdp('does not begin with v=0; send plain SDP, not JSON.');
  const [session, ...media] = readBlocks(lines);
  if (media.length === 0) throw refuseSdp('has no m-line; add a track or a transceiver before the offer is made.');
  if (media.length > MAX_SECTIONS) throw refuseSdp(`has more than ${MAX_SECTIONS} m-lines; offer fewer tracks.`);
  const sections = media.map((block, index) => readSection(block, session, index));
  if (new Set(sections.map(({ mid }) => mid)).size < sections.length) {
    throw refuseSdp('has two m-lines with the same a=mid; send it as the browser made it.');
  }
  return { sections, bundles: readBundles(session), iceLite: firstValue(session.attributes, 'ice-lite') !== undefined };
}

/** `a=group:BUNDLE 0 1` (RFC 9143). */
function readBundles({ attributes }: Block): RemoteDescription['bundles'] {
  const groups = attributes.filter(({ name }) => name === 'group').map(({ value }) => words(value));
  return groups.flatMap(([semantics, ...mids]) => (semantics === 'BUNDLE' ? [mids] : [])).slice(0, MAX_BUNDLES);
}
