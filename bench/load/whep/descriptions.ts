/** The offer of a light viewer or publisher, and what it needs of the answer (RFC 8866, RFC 8829). */
import type { DtlsRole, Fingerprint } from '../../../src/webrtc/dtls.ts';

export const PAYLOAD_TYPES = { video: 96, rtx: 97, audio: 111 } as const;

export type Does = 'publish' | 'play';

export interface OwnTransport {
  readonly ufrag: string;
  readonly password: string;
  /** SHA-256, upper-case hexadecimal with colons. */
  readonly fingerprint: string;
  /** UDP, on 127.0.0.1. */
  readonly port: number;
}

/** What a publisher sends. */
export const SOURCES = { video: 0x1001, audio: 0x1002 } as const;

export interface Answer {
  readonly ufrag: string;
  readonly password: string;
  readonly fingerprint: Fingerprint;
  /** Our part in DTLS. */
  readonly role: DtlsRole;
  readonly ip: string;
  readonly port: number;
  readonly videoType: number;
  readonly audioType: number;
}

/** H.264 and Opus in one bundle. A viewer offers what browsers offer; a publisher, being a recording, can repeat and renew nothing. */
export function offerOf(does: Does, own: OwnTransport): string {
  const { video, rtx, audio } = PAYLOAD_TYPES;
  const plays = does === 'play';
  const transport = [
    'c=IN IP4 127.0.0.1',
    `a=ice-ufrag:${own.ufrag}`,
    `a=ice-pwd:${own.password}`,
    `a=fingerprint:sha-256 ${own.fingerprint}`,
    'a=setup:actpass',
    'a=rtcp-mux',
    'a=rtcp-rsize',
    plays ? 'a=recvonly' : 'a=sendonly',
  ];
  const source = (kind: keyof typeof SOURCES): readonly string[] =>
    plays ? [] : [`a=msid:bench ${kind}`, `a=ssrc:${SOURCES[kind]} cname:bench`];
  const candidate = `a=candidate:1 1 udp 2130706431 127.0.0.1 ${own.port} typ host`;
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', 'a=msid-semantic:WMS *'],
    ...[`m=audio 9 UDP/TLS/RTP/SAVPF ${audio}`, ...transport, 'a=mid:0', ...source('audio'), candidate],
    ...[`a=rtpmap:${audio} opus/48000/2`, `a=fmtp:${audio} minptime=10;useinbandfec=1`],
    `m=video 9 UDP/TLS/RTP/SAVPF ${plays ? `${video} ${rtx}` : video}`,
    ...[...transport, 'a=mid:1', ...source('video'), `a=rtpmap:${video} H264/90000`],
    `a=fmtp:${video} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f`,
    ...(plays ? [`a=rtcp-fb:${video} nack`, `a=rtcp-fb:${video} nack pli`] : []),
    ...(plays ? [`a=rtpmap:${rtx} rtx/90000`, `a=fmtp:${rtx} apt=${video}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** Throws when it takes less than was offered. */
export function readAnswer(sdp: string): Answer {
  const value = (pattern: RegExp): string => {
    const found = pattern.exec(sdp)?.[1];
    if (found === undefined) throw new Error(`the answer has no ${pattern.source}:\n${sdp}`);
    return found;
  };
  const candidate = /^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host/im.exec(sdp);
  if (candidate === null) throw new Error(`the answer has no candidate over UDP and IPv4:\n${sdp}`);
  return {
    ufrag: value(/^a=ice-ufrag:(\S+)/m),
    password: value(/^a=ice-pwd:(\S+)/m),
    fingerprint: {
      hash: 'sha-256',
      digest: Buffer.from(value(/^a=fingerprint:sha-256 (\S+)/im).replaceAll(':', ''), 'hex'),
    },
    role: value(/^a=setup:(\S+)/m) === 'active' ? 'server' : 'client',
    ip: candidate[1]!,
    port: Number(candidate[2]),
    videoType: Number(value(/^a=rtpmap:(\d+) H264\/90000/im)),
    audioType: Number(value(/^a=rtpmap:(\d+) opus\/48000/im)),
  };
}
