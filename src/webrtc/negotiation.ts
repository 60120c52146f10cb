/**
 * What an offer and our answer agree on (RFC 3264, RFC 8829, RFC 9725). Media that cannot be agreed on refuses the whole offer: nobody
 * publishes without sound by mistake.
 */
import { RefusedError } from '../base/errors.ts';
import type { Codec } from '../media/frame.ts';
import { acceptedNames, bestFor, offeredNames, receivable, refuseCodec, type WantedMedia } from './codec-choice.ts';
import type { DtlsRole } from './dtls.ts';
import type { RemoteTransport } from './media-transport.ts';
import type { Negotiated, RtpCodec, RtpExtensions, RtpMedia } from './negotiated.ts';
import type { RemoteDescription } from './remote-description.ts';
import type { Direction, RemoteSection } from './remote-section.ts';
import { refuseSdp } from './sdp-lines.ts';
import { credentialsOf, fingerprintsOf, roleOf } from './transport-attributes.ts';

export interface Agreement {
  readonly negotiated: Negotiated;
  readonly transport: RemoteTransport;
  /** One for each section of the client, in its order. */
  readonly sections: readonly AgreedSection[];
}

export interface AgreedSection {
  readonly remote: RemoteSection;
  /** Undefined: refused, with port 0. */
  readonly media: RtpMedia | undefined;
  /** As we see it. `inactive` sections keep their place on the transport and carry nothing. */
  readonly direction: 'sendonly' | 'recvonly' | 'inactive';
}

/** What a stream can be watched as. */
export interface Wanted {
  readonly video?: WantedMedia | undefined;
  readonly audio?: WantedMedia | undefined;
}

/** Identifiers of the extensions that an offer of ours names. */
export const EXTENSION_URIS = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  transportCc: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  playoutDelay: 'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
} as const;
type ExtensionName = keyof typeof EXTENSION_URIS;

/** What we read. Not video-orientation: a sender that has it agreed leaves turning the picture to those who show it, and none would. */
const RECEIVED: readonly ExtensionName[] = ['mid', 'rid', 'repairedRid', 'transportCc'];
/** Viewers share packets, so nothing that counts per viewer. */
const SENT: readonly ExtensionName[] = ['mid'];
/** Browsers that are told to show pictures at once hold sound back all the same, and the two drift apart. */
const SENT_WITHOUT_SOUND: readonly ExtensionName[] = ['mid', 'playoutDelay'];

const KINDS = ['audio', 'video'] as const;
type Kind = (typeof KINDS)[number];

interface Terms {
  /** Ours. */
  readonly direction: 'sendonly' | 'recvonly';
  /** Which sections fit that. */
  readonly remote: readonly Direction[];
  /** Why the client is refused when there is no media at all, and when none goes that way. */
  readonly none: () => RefusedError;
  readonly wrongWay: string;
  /** What the section carries; undefined when there is nothing to carry. */
  readonly agree: (section: RemoteSection, kind: Kind) => RtpMedia | undefined;
}

/** A client wants to publish. Throws `RefusedError` (webrtc/sdp, webrtc/direction, webrtc/codecs). */
export function negotiatePublish(offer: RemoteDescription): Agreement {
  return settle(offer, {
    direction: 'recvonly',
    remote: ['sendonly', 'sendrecv'],
    none: noMedia,
    wrongWay: 'The offer sends nothing (recvonly or inactive). To publish, add tracks and offer sendonly.',
    agree: receive,
  });
}

/** A client wants to watch. Throws as `negotiatePublish` does. */
export function negotiatePlay(offer: RemoteDescription, wanted: Wanted): Agreement {
  const agreement = settle(offer, {
    direction: 'sendonly',
    remote: ['recvonly', 'sendrecv'],
    none: noMedia,
    wrongWay: 'The offer receives nothing (sendonly or inactive). To watch, offer recvonly.',
    agree: (section, kind) => wanted[kind] && send(section, wanted[kind], sentBeside(wanted.audio)),
  });
  const { audio, video } = agreement.negotiated;
  if (audio !== undefined || video !== undefined) return agreement;
  const has = wanted.video !== undefined ? 'only a picture' : wanted.audio !== undefined ? 'only sound' : 'nothing yet';
  throw new RefusedError(
    'webrtc/codecs',
    `The stream has ${has}, for which the offer has no place. Offer audio and video.`,
  );
}

/** A client answers our offer of `offered`. It may turn down a part, not all of it. Throws as `negotiatePublish` does. */
export function negotiateAnswer(answer: RemoteDescription, offered: Negotiated): Agreement {
  const agreement = settle(answer, {
    direction: 'sendonly',
    remote: ['recvonly', 'sendrecv'],
    none: () => new RefusedError('webrtc/codecs', 'The client plays none of what was offered. Use another browser.'),
    wrongWay: 'The answer receives nothing (sendonly or inactive). To watch, answer recvonly.',
    agree(section, kind) {
      const ours = offered[kind];
      const wanted = ours?.codecs[0];
      if (ours === undefined || wanted === undefined) return undefined;
      // some leave out of their answer what they agree with
      const formats = section.formats.map((format) => {
        return { ...format, parameters: new Map([...wanted.parameters, ...format.parameters]) };
      });
      const media = send(
        { ...section, formats },
        { codec: wanted.codec, profile: profileOf(wanted) },
        sentBeside(offered.audio),
      );
      return { ...media, extensions: common(media.extensions, ours.extensions) };
    },
  });
  if (agreement.negotiated.audio !== undefined || agreement.negotiated.video !== undefined) return agreement;
  throw refuseSdp('answers none of the m-lines that were offered.');
}

function noMedia(): RefusedError {
  return refuseSdp('has neither m=audio nor m=video with a port; add a track.');
}

function settle(remote: RemoteDescription, terms: Terms): Agreement {
  if (remote.iceLite) throw refuseSdp('has a=ice-lite, as this server does, so neither would begin; use full ICE.');
  const chosen = KINDS.map((kind) => choose(remote, kind, terms)).filter((section) => section !== undefined);
  const going = chosen.filter(({ direction }) => terms.remote.includes(direction));
  if (chosen.length === 0) throw terms.none();
  if (going.length === 0) throw new RefusedError('webrtc/direction', terms.wrongWay);
  for (const section of going) checkTransport(section);
  const [first] = going;
  if (going.some((section) => !shareTransport(remote, section, first!))) {
    throw refuseSdp("spreads its media over several transports; use bundlePolicy: 'max-bundle' (a=group:BUNDLE).");
  }
  const negotiated: { -readonly [kind in Kind]?: RtpMedia } = {};
  const lacking: Codec[] = [];
  const sections = remote.sections.map((section): AgreedSection => {
    if (!chosen.includes(section)) return { remote: section, media: undefined, direction: 'inactive' };
    const kind = section.kind as Kind;
    const media = going.includes(section) ? terms.agree(section, kind) : undefined;
    if (media === undefined && going.includes(section)) lacking.push(...receivable(section).map(({ codec }) => codec));
    if (media === undefined) return { remote: section, media: idle(remote, section, first!), direction: 'inactive' };
    negotiated[kind] = media;
    return { remote: section, media, direction: terms.direction };
  });
  const carried = sections.filter(({ media }) => media !== undefined).map((section) => section.remote);
  return {
    negotiated: lacking.length === 0 ? negotiated : { ...negotiated, idle: lacking },
    sections,
    transport: transportOf(remote, carried),
  };
}

/** One section of each kind: the first that goes the right way, else the first. */
function choose({ sections }: RemoteDescription, kind: Kind, terms: Terms): RemoteSection | undefined {
  const live = sections.filter((section) => section.kind === kind && !section.off);
  return live.find(({ direction }) => terms.remote.includes(direction)) ?? live[0];
}

function checkTransport({ kind, protocol, rtcpMux }: RemoteSection): void {
  if (!isSecure(protocol)) throw refuseSdp(`has m=${kind} over plain RTP; WebRTC needs UDP/TLS/RTP/SAVPF.`);
  if (!rtcpMux) throw refuseSdp(`lacks a=rtcp-mux under m=${kind}; RTCP must share the port of RTP.`);
}

/** `UDP/TLS/RTP/SAVPF`, and the older or rarer ways to say the same. */
function isSecure(protocol: string): boolean {
  return protocol.endsWith('RTP/SAVPF') || protocol.endsWith('RTP/SAVP');
}

function shareTransport({ bundles }: RemoteDescription, one: RemoteSection, other: RemoteSection): boolean {
  if (one === other) return true;
  return one.named && other.named && bundles.some((mids) => mids.includes(one.mid) && mids.includes(other.mid));
}

/** A section with nothing to carry stays on the transport, where it can: some clients lose theirs when its first section is refused. */
function idle(remote: RemoteDescription, section: RemoteSection, first: RemoteSection): RtpMedia | undefined {
  const [codec] = receivable(section);
  const stays = isSecure(section.protocol) && section.rtcpMux && shareTransport(remote, section, first);
  if (codec === undefined || !stays) return undefined;
  return { kind: section.kind as Kind, mid: section.mid, codecs: [codec], extensions: {}, sources: [], rids: [] };
}

/** Of the first section that is carried; what it leaves out stands in the one that speaks for the bundle (RFC 9143 section 7.1.3). */
function transportOf({ sections, bundles }: RemoteDescription, carried: readonly RemoteSection[]): RemoteTransport {
  const own = carried[0]!.transport;
  const bundle = bundles.find((mids) => mids.includes(carried[0]!.mid)) ?? [];
  const tag = sections.find(({ mid }) => mid === bundle[0])?.transport ?? own;
  const credentials = own.ufrag === undefined && own.password === undefined ? tag : own;
  return {
    credentials: credentialsOf(credentials.ufrag, credentials.password),
    fingerprints: fingerprintsOf(own.fingerprints.length > 0 ? own.fingerprints : tag.fingerprints),
    role: roleOf(own.setup ?? tag.setup) satisfies DtlsRole,
  };
}

function receive(section: RemoteSection, kind: Kind): RtpMedia {
  const all = receivable(section);
  if (all.length === 0) {
    const words = `The offer's ${kind} formats are ${offeredNames(section)}; one of ${acceptedNames(kind)} is needed`;
    throw new RefusedError('webrtc/codecs', `${words}. Choose another codec in the client.`);
  }
  const extensions = agreeExtensions(section, RECEIVED, ['sendrecv', 'sendonly']);
  // without its extension the feedback has nothing to count; some name the one and forget the other
  const transportCc = extensions.transportCc !== undefined;
  const codecs = playedEverywhere(all).map(
    (codec): RtpCodec => ({
      ...codec,
      feedback: { ...codec.feedback, transportCc: transportCc && codec.feedback.transportCc },
    }),
  );
  // layers can only be told apart by their names
  const rids = extensions.rid === undefined || section.layers.length < 2 ? [] : section.layers;
  const repeats = codecs.some(({ rtx }) => rtx !== undefined);
  const sources = section.sources.map(({ ssrc, rtx }) => ({ ssrc, rtx: repeats ? rtx : undefined }));
  return { kind, mid: section.mid, codecs, extensions, sources: rids.length > 0 ? [] : sources, rids };
}

/** H.264 in front: what the answer names first is sent, browsers name VP8 first without meaning it, and RTMP players show no VP8. */
function playedEverywhere(codecs: readonly RtpCodec[]): readonly RtpCodec[] {
  return [...codecs].sort((one, other) => Number(other.codec === 'h264') - Number(one.codec === 'h264'));
}

function sentBeside(sound: object | undefined): readonly ExtensionName[] {
  return sound === undefined ? SENT_WITHOUT_SOUND : SENT;
}

function send(section: RemoteSection, wanted: WantedMedia, extensions: readonly ExtensionName[]): RtpMedia {
  const best = bestFor(wanted, section);
  if (best === undefined) return refuseCodec(wanted.codec, section);
  const { nack, pli, fir } = best.feedback;
  return {
    kind: section.kind as Kind,
    mid: section.mid,
    codecs: [{ ...best, feedback: { nack, pli, fir, remb: false, transportCc: false } }],
    extensions: agreeExtensions(section, extensions, ['sendrecv', 'recvonly']),
    sources: [],
    rids: [],
  };
}

function agreeExtensions(
  { extensions }: RemoteSection,
  names: readonly ExtensionName[],
  directions: readonly Direction[],
): RtpExtensions {
  const agreed: { -readonly [name in keyof RtpExtensions]: RtpExtensions[name] } = {};
  for (const { id, uri, direction } of extensions) {
    const name = names.find((known) => EXTENSION_URIS[known] === uri);
    if (name !== undefined && directions.includes(direction)) agreed[name] = id;
  }
  return agreed;
}

function common(theirs: RtpExtensions, ours: RtpExtensions): RtpExtensions {
  return Object.fromEntries(Object.entries(theirs).filter(([name, id]) => ours[name as ExtensionName] === id));
}

function profileOf({ codec, parameters }: RtpCodec): string | undefined {
  return parameters.get(codec === 'h264' ? 'profile-level-id' : codec === 'av1' ? 'profile' : 'profile-id');
}
