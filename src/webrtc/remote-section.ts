/**
 * One m-section of the client's description.
 */
import { type PayloadFormat, readPayloadFormats } from './sdp-formats.ts';
import { type Attribute, type Block, firstValue, isToken, refuseSdp, wholeNumber, words } from './sdp-lines.ts';
import { readTransport, type TransportAttributes } from './transport-attributes.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** A header extension that the client knows (RFC 8285 section 5). */
export interface Extension {
  readonly id: number;
  readonly uri: string;
  /** As the client sees it. */
  readonly direction: Direction;
}

export interface RemoteSection {
  /** `audio`, `video`, `application`, … */
  readonly kind: string;
  /** As written: `UDP/TLS/RTP/SAVPF`. */
  readonly protocol: string;
  /** The first format of the m-line, which a refusal of the section repeats. */
  readonly format: string;
  /** Invented where the client names none. */
  readonly mid: string;
  readonly named: boolean;
  /** Port 0: refused, or over. */
  readonly off: boolean;
  readonly direction: Direction;
  readonly rtcpMux: boolean;
  readonly rtcpReducedSize: boolean;
  readonly transport: TransportAttributes;
  readonly formats: readonly PayloadFormat[];
  readonly extensions: readonly Extension[];
  /** Sources that the client declares, without those that repeat or repair others. */
  readonly sources: readonly { readonly ssrc: number; readonly rtx: number | undefined }[];
  /** Simulcast layers that the client would send, the first of each set of alternatives. */
  readonly layers: readonly string[];
  /** The simulcast line is of the draft before RFC 8853, and wants an answer like it. */
  readonly oldSimulcast: boolean;
}

const MAX_PORT = 65_535;
const MAX_MID = 64;
const MAX_EXTENSION_URI = 256;
/** Those of the one-byte form; the longer form costs each packet more, and no browser needs it for what we use. */
const MAX_EXTENSION_ID = 14;
const MAX_EXTENSION_LINES = 64;
const MAX_SSRC = 0xffff_ffff;
const MAX_SOURCES = 16;
const MAX_LAYERS = 4;
/** RFC 8851 section 10 has no limit; the header extension of the one-byte form carries so many. */
const MAX_RID = 16;

const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies Direction[];

/** The `index`th section, counted from 0; what it does not say itself it takes from the session. */
export function readSection(block: Block, session: Block, index: number): RemoteSection {
  const { attributes } = block;
  const [kind = '', port, protocol = '', ...listed] = words(block.media ?? '');
  const known = kind === 'audio' || kind === 'video';
  const number = wholeNumber(port?.split('/', 1)[0], MAX_PORT);
  if (!isToken(kind, MAX_MID) || number === undefined || !protocol.split('/').every((part) => isToken(part, MAX_MID))) {
    throw refuseSdp(`has an m-line that cannot be read, number ${index + 1}: m=KIND PORT PROTOCOL FORMATS is needed.`);
  }
  const mid = firstValue(attributes, 'mid');
  if (mid !== undefined && !isToken(mid, MAX_MID)) {
    throw refuseSdp(`has an a=mid that is no name, in m-line ${index + 1}.`);
  }
  const has = (name: string) => firstValue(attributes, name) !== undefined;
  const simulcast = known ? firstValue(attributes, 'simulcast') : undefined;
  return {
    kind,
    protocol,
    format: listed[0] !== undefined && isToken(listed[0], MAX_MID) ? listed[0] : '0',
    mid: mid ?? `unnamed-${index}`,
    named: mid !== undefined,
    off: number === 0 && !has('bundle-only'),
    direction: directionOf(attributes) ?? directionOf(session.attributes) ?? 'sendrecv',
    rtcpMux: has('rtcp-mux') || has('rtcp-mux-only'),
    rtcpReducedSize: has('rtcp-rsize'),
    transport: readTransport(attributes, session.attributes),
    formats: known ? readPayloadFormats(listed, attributes) : [],
    extensions: known ? readExtensions([...attributes, ...session.attributes]) : [],
    sources: known ? readSources(attributes) : [],
    layers: simulcast === undefined ? [] : readLayers(simulcast, attributes),
    oldSimulcast: simulcast?.includes('rid=') ?? false,
  };
}

function directionOf(attributes: readonly Attribute[]): Direction | undefined {
  return attributes.find(({ name }) => DIRECTIONS.includes(name))?.name as Direction | undefined;
}

/** `a=extmap:5/recvonly URI`; of each number and of each name the first counts. */
function readExtensions(attributes: readonly Attribute[]): readonly Extension[] {
  const extensions: Extension[] = [];
  const lines = attributes.filter(({ name }) => name === 'extmap').slice(0, MAX_EXTENSION_LINES);
  for (const { value } of lines) {
    const [which = '', uri = ''] = words(value);
    const [number, direction = 'sendrecv'] = which.split('/', 2);
    const id = wholeNumber(number, MAX_EXTENSION_ID) ?? 0;
    if (id === 0 || uri === '' || uri.length > MAX_EXTENSION_URI || !DIRECTIONS.includes(direction)) continue;
    if (extensions.some((known) => known.id === id || known.uri === uri)) continue;
    extensions.push({ id, uri, direction: direction as Direction });
  }
  return extensions;
}

/** `a=ssrc:1 cname:x`, `a=ssrc-group:FID 1 2`: 2 repeats what 1 lost (RFC 5576). */
function readSources(attributes: readonly Attribute[]): RemoteSection['sources'] {
  const declared = new Set<number>();
  const rtx = new Map<number, number>();
  const secondary = new Set<number>();
  for (const { name, value } of attributes) {
    if (name === 'ssrc') {
      const ssrc = readSsrc(words(value)[0]);
      if (ssrc !== undefined && declared.size < MAX_SOURCES) declared.add(ssrc);
    } else if (name === 'ssrc-group') {
      const [semantics, ...members] = words(value);
      const [first, second] = members.map(readSsrc);
      if (first === undefined || second === undefined || first === second || semantics === 'SIM') continue;
      // FID and FEC-FR: the second helps the first
      if (secondary.size === MAX_SOURCES) continue;
      secondary.add(second);
      if (semantics === 'FID' && !rtx.has(first)) rtx.set(first, second);
    }
  }
  return [...declared].filter((ssrc) => !secondary.has(ssrc)).map((ssrc) => ({ ssrc, rtx: rtx.get(ssrc) }));
}

function readSsrc(word: string | undefined): number | undefined {
  const ssrc = wholeNumber(word, MAX_SSRC);
  return ssrc === 0 ? undefined : ssrc;
}

/** `send h;m,m2;~l recv x`, or of the draft ` send rid=h;m;l`; `~` marks a layer that begins paused. */
function readLayers(simulcast: string, attributes: readonly Attribute[]): readonly string[] {
  const parts = words(simulcast);
  const list = parts[parts.indexOf('send') + 1];
  if (!parts.includes('send') || list === undefined) return [];
  const declared = new Set<string>();
  for (const { name, value } of attributes) {
    const [rid, direction] = name === 'rid' ? words(value) : [];
    if (rid !== undefined && direction === 'send') declared.add(rid);
  }
  const layers: string[] = [];
  for (const alternatives of (list.startsWith('rid=') ? list.slice('rid='.length) : list).split(';')) {
    const first = alternatives.split(',', 1)[0]!;
    const rid = first.startsWith('~') ? first.slice(1) : first;
    if (!declared.has(rid) || !isToken(rid, MAX_RID) || layers.includes(rid)) continue;
    if (layers.push(rid) === MAX_LAYERS) break;
  }
  return layers;
}
