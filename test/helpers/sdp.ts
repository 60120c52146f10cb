/**
 * Session descriptions for tests: those recorded in test/golden/sdp, and small ones to be spoilt.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { LocalTransport, Origin, SentSources } from '../../src/webrtc/local-description.ts';

const GOLDEN = new URL('../golden/sdp/', import.meta.url);

/** Each recorded description by the name of its file, without `.sdp`. */
export const RECORDED: ReadonlyMap<string, string> = new Map(
  readdirSync(GOLDEN)
    .filter((file) => file.endsWith('.sdp'))
    .sort()
    .map((file) => [file.slice(0, -'.sdp'.length), readFileSync(new URL(file, GOLDEN), 'utf8')]),
);

export function recorded(name: string): string {
  const text = RECORDED.get(name);
  if (text === undefined) throw new Error(`no ${name}.sdp; there are ${[...RECORDED.keys()].join(', ')}`);
  return text;
}

export const DIGEST = Array.from({ length: 32 }, (_, byte) => (0xa0 + byte).toString(16).toUpperCase()).join(':');

/** As browsers write it, cut down. */
export const SESSION = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1'];
export const TRANSPORT = [
  'a=ice-ufrag:abcd',
  'a=ice-pwd:abcdefghijklmnopqrstuv',
  `a=fingerprint:sha-256 ${DIGEST}`,
  'a=setup:actpass',
];
export const AUDIO = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  ...TRANSPORT,
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
];
export const VIDEO = [
  'm=video 9 UDP/TLS/RTP/SAVPF 102 103',
  'c=IN IP4 0.0.0.0',
  ...TRANSPORT,
  'a=mid:1',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=rtpmap:102 H264/90000',
  'a=rtcp-fb:102 nack',
  'a=rtcp-fb:102 nack pli',
  'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtpmap:103 rtx/90000',
  'a=fmtp:103 apt=102',
];

export function sdp(...lines: readonly (string | readonly string[])[]): string {
  return `${lines.flat().join('\r\n')}\r\n`;
}

/** `lines` with each line that begins with `start` replaced, or left out. */
export function swap(lines: readonly string[], start: string, ...by: readonly string[]): readonly string[] {
  if (!lines.some((line) => line.startsWith(start))) throw new Error(`no line begins with ${start}`);
  return lines.flatMap((line) => (line.startsWith(start) ? by : [line]));
}

export function receiving(lines: readonly string[]): readonly string[] {
  return swap(lines, 'a=sendonly', 'a=recvonly');
}

export const PUBLISH_OFFER = sdp(SESSION, AUDIO, VIDEO);
export const PLAY_OFFER = sdp(SESSION, receiving(AUDIO), receiving(VIDEO));

export const LOCAL: LocalTransport = {
  credentials: { ufrag: 'serverufragserverufrag', password: 'serverpasswordserverpassword' },
  fingerprint: DIGEST,
  candidates: [
    { foundation: '1', protocol: 'tcp', priority: 1_500_000_000, ip: '192.0.2.1', port: 8189 },
    { foundation: '2', protocol: 'udp', priority: 2_130_706_431, ip: '2001:db8::1', port: 8189 },
    { foundation: '3', protocol: 'udp', priority: 2_130_706_175, ip: '192.0.2.1', port: 8189 },
  ],
};
export const ORIGIN: Origin = { id: '4611686018427387904', version: 3 };
export const SENT: SentSources = { cname: 'q1w2e3r4', audio: { ssrc: 1001 }, video: { ssrc: 1002, rtx: 1003 } };
