/**
 * Our answer or offer, written (RFC 8866, RFC 8829). All candidates are in it, none follow.
 */
import { isIPv4 } from 'node:net';
import type { DtlsRole } from './dtls.ts';
import type { Negotiated, RtcpFeedback, RtpCodec, RtpMedia } from './negotiated.ts';
import { type AgreedSection, type Agreement, EXTENSION_URIS } from './negotiation.ts';
import type { Candidate, IceCredentials } from './path.ts';
import type { Direction, RemoteSection } from './remote-section.ts';
import { rtpFormatOf } from './rtp-formats.ts';

export interface LocalTransport {
  readonly credentials: IceCredentials;
  /** SHA-256, upper-case hexadecimal with colons. */
  readonly fingerprint: string;
  readonly candidates: readonly Candidate[];
}

/** The o-line. */
export interface Origin {
  /** Digits, random, up to 2^63. */
  readonly id: string;
  /** One more for each description of a session. */
  readonly version: number;
}

/** What we send. */
export interface SentSources {
  /** The same for all that is played together; letters and digits. */
  readonly cname: string;
  readonly audio?: SentSource | undefined;
  readonly video?: SentSource | undefined;
}

export interface SentSource {
  readonly ssrc: number;
  /** Of retransmissions. */
  readonly rtx?: number | undefined;
}

/** What an m-section of ours is written from. */
interface Section {
  readonly kind: string;
  readonly protocol: string;
  readonly mid: string | undefined;
  readonly media: RtpMedia;
  readonly direction: Direction;
  readonly rtcpReducedSize: boolean;
  readonly extensionDirection: (id: number) => Direction;
  readonly oldSimulcast: boolean;
}

const NO_ADDRESS = 'IN IP4 0.0.0.0';
/** The port of a section whose candidates say where to send. */
const DISCARD_PORT = 9;

export function writeAnswer(agreement: Agreement, local: LocalTransport, origin: Origin, sent?: SentSources): string {
  const carried = agreement.sections.filter(({ media }) => media !== undefined);
  const named = carried.flatMap(({ remote }) => (remote.named ? [remote.mid] : []));
  const lines = sessionLines(origin, named);
  let first = true;
  for (const { remote, media, direction } of agreement.sections) {
    if (media === undefined) {
      lines.push(...refusedLines(remote));
      continue;
    }
    lines.push(
      ...mediaLines(answeredSection({ remote, media, direction }), sent),
      ...transportLines(local, SETUP[agreement.transport.role]),
      ...(first ? candidateLines(local) : []),
    );
    first = false;
  }
  return text(lines);
}

/** An offer to play `offered`. */
export function writeOffer(offered: Negotiated, local: LocalTransport, origin: Origin, sent: SentSources): string {
  const media = [offered.audio, offered.video].filter((section) => section !== undefined);
  const lines = sessionLines(
    origin,
    media.map(({ mid }) => mid),
  );
  for (const [index, section] of media.entries()) {
    lines.push(
      ...mediaLines(offeredSection(section), sent),
      ...transportLines(local, 'actpass'),
      ...(index === 0 ? candidateLines(local) : []),
    );
  }
  return text(lines);
}

/** `candidate:…`, as browsers write it. */
export function candidateText({ foundation, protocol, priority, ip, port }: Candidate): string {
  const type = protocol === 'tcp' ? 'typ host tcptype passive' : 'typ host';
  return `candidate:${foundation} 1 ${protocol} ${priority} ${ip} ${port} ${type}`;
}

/** Some clients try the first candidate only, and speak UDP over IPv4. */
export function orderedCandidates(candidates: readonly Candidate[]): readonly Candidate[] {
  const rank = ({ protocol, ip }: Candidate) => (protocol === 'udp' ? 0 : 2) + (isIPv4(ip) ? 0 : 1);
  return [...candidates].sort((one, other) => rank(one) - rank(other));
}

/** The attributes of our side of ICE, `a=` included. */
export function iceLines({ credentials }: LocalTransport): readonly string[] {
  return [`a=ice-ufrag:${credentials.ufrag}`, `a=ice-pwd:${credentials.password}`];
}

export function candidateLines({ candidates }: LocalTransport): readonly string[] {
  return [...orderedCandidates(candidates).map((candidate) => `a=${candidateText(candidate)}`), 'a=end-of-candidates'];
}

const SETUP: Readonly<Record<DtlsRole, string>> = { server: 'passive', client: 'active' };

function transportLines(local: LocalTransport, setup: string): readonly string[] {
  return [...iceLines(local), `a=fingerprint:sha-256 ${local.fingerprint}`, `a=setup:${setup}`];
}

function sessionLines({ id, version }: Origin, bundle: readonly string[]): string[] {
  return [
    'v=0',
    `o=- ${id} ${version} ${NO_ADDRESS}`,
    's=-',
    't=0 0',
    ...(bundle.length > 0 ? [`a=group:BUNDLE ${bundle.join(' ')}`] : []),
    'a=ice-lite',
    // what the client finds out later is taken, though we never need it
    'a=ice-options:trickle',
    'a=msid-semantic:WMS *',
  ];
}

function refusedLines({ kind, protocol, format, named, mid }: RemoteSection): readonly string[] {
  return [`m=${kind} 0 ${protocol} ${format}`, `c=${NO_ADDRESS}`, ...(named ? [`a=mid:${mid}`] : []), 'a=inactive'];
}

const SEEN_BY_OTHER: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

function answeredSection({ remote, media, direction }: AgreedSection & { readonly media: RtpMedia }): Section {
  const { kind, protocol, named, mid, rtcpReducedSize, oldSimulcast, extensions } = remote;
  return {
    ...{ kind, protocol, media, direction, rtcpReducedSize, oldSimulcast },
    mid: named ? mid : undefined,
    extensionDirection: (id) => SEEN_BY_OTHER[extensions.find((known) => known.id === id)?.direction ?? 'sendrecv'],
  };
}

function offeredSection(media: RtpMedia): Section {
  const { kind, mid } = media;
  return {
    ...{ kind, protocol: 'UDP/TLS/RTP/SAVPF', mid, media, direction: 'sendonly' },
    rtcpReducedSize: true,
    extensionDirection: () => 'sendrecv',
    oldSimulcast: false,
  };
}

function mediaLines(section: Section, sent: SentSources | undefined): readonly string[] {
  const { kind, protocol, mid, media, direction } = section;
  const types = media.codecs.flatMap(({ payloadType, rtx }) => [payloadType, ...(rtx === undefined ? [] : [rtx])]);
  return [
    `m=${kind} ${DISCARD_PORT} ${protocol} ${types.join(' ')}`,
    `c=${NO_ADDRESS}`,
    ...(mid === undefined ? [] : [`a=mid:${mid}`]),
    `a=${direction}`,
    'a=rtcp-mux',
    ...(section.rtcpReducedSize ? ['a=rtcp-rsize'] : []),
    ...extensionLines(section),
    ...media.codecs.flatMap((codec) => codecLines(codec, direction)),
    ...(direction === 'recvonly' ? layerLines(section) : []),
    ...(direction === 'sendonly' && sent !== undefined ? sourceLines(media, sent) : []),
  ];
}

function extensionLines({ media, extensionDirection }: Section): readonly string[] {
  return Object.entries(EXTENSION_URIS).flatMap(([name, uri]) => {
    const id = media.extensions[name as keyof typeof EXTENSION_URIS];
    if (id === undefined) return [];
    const direction = extensionDirection(id);
    return [`a=extmap:${id}${direction === 'sendrecv' ? '' : `/${direction}`} ${uri}`];
  });
}

function codecLines(codec: RtpCodec, direction: Direction): readonly string[] {
  const { payloadType, clockRate, channels, rtx, feedback } = codec;
  const lines = [
    `a=rtpmap:${payloadType} ${rtpFormatOf(codec.codec)!.encoding}/${clockRate}${channels > 1 ? `/${channels}` : ''}`,
  ];
  const parameters = writtenParameters(codec, direction);
  if (parameters.length > 0) lines.push(`a=fmtp:${payloadType} ${parameters.map((pair) => pair.join('=')).join(';')}`);
  for (const [kind, name] of FEEDBACK_NAMES) if (feedback[kind]) lines.push(`a=rtcp-fb:${payloadType} ${name}`);
  if (rtx !== undefined) lines.push(`a=rtpmap:${rtx} rtx/${clockRate}`, `a=fmtp:${rtx} apt=${payloadType}`);
  return lines;
}

const FEEDBACK_NAMES = [
  ['nack', 'nack'],
  ['pli', 'nack pli'],
  ['fir', 'ccm fir'],
  ['remb', 'goog-remb'],
  ['transportCc', 'transport-cc'],
] as const satisfies readonly (readonly [keyof RtcpFeedback, string])[];

/** The client's parameters come back, but for those that describe what it sends. */
function writtenParameters(
  { codec, parameters }: RtpCodec,
  direction: Direction,
): readonly (readonly [string, string])[] {
  if (direction !== 'recvonly') return [...parameters];
  const written = [...parameters].filter(([name]) => !name.startsWith('sprop-'));
  // without it browsers send one channel of two
  return codec === 'opus' && !parameters.has('stereo') ? [...written, ['stereo', '1']] : written;
}

function layerLines({ media: { rids }, oldSimulcast }: Section): readonly string[] {
  if (rids.length === 0) return [];
  return [
    ...rids.map((rid) => `a=rid:${rid} recv`),
    oldSimulcast ? `a=simulcast: recv rid=${rids.join(';')}` : `a=simulcast:recv ${rids.join(';')}`,
  ];
}

/** Old clients look for `msid` behind the source, new ones beside it. */
function sourceLines({ kind, codecs }: RtpMedia, sent: SentSources): readonly string[] {
  const source = sent[kind];
  if (source === undefined) return [];
  const { cname } = sent;
  const rtx = codecs[0]?.rtx === undefined ? undefined : source.rtx;
  const sources = rtx === undefined ? [source.ssrc] : [source.ssrc, rtx];
  return [
    `a=msid:${cname} ${kind}`,
    ...(rtx === undefined ? [] : [`a=ssrc-group:FID ${sources.join(' ')}`]),
    ...sources.flatMap((ssrc) => [`a=ssrc:${ssrc} cname:${cname}`, `a=ssrc:${ssrc} msid:${cname} ${kind}`]),
  ];
}

function text(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n`;
}
