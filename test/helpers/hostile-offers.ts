/**
 * Offers that break others, and what becomes of each.
 */
import { AUDIO, DIGEST, PUBLISH_OFFER, SESSION, sdp, swap, VIDEO } from './sdp.ts';

export const ANSWERED = 'answered';
const SDP = 'webrtc/sdp';
const CODECS = 'webrtc/codecs';
const DIRECTION = 'webrtc/direction';

/** Both sections changed alike. */
function both(start: string, ...by: readonly string[]): string {
  return sdp(SESSION, swap(AUDIO, start, ...by), swap(VIDEO, start, ...by));
}

function withVideo(...lines: readonly string[]): string {
  return sdp(SESSION, AUDIO, VIDEO, lines);
}

const many = (count: number, line: (at: number) => string) => Array.from({ length: count }, (_, at) => line(at));

/** What is wrong, the offer, and what becomes of it: `answered`, or a code and a piece of the words. */
export const HOSTILE_OFFERS: readonly (readonly [what: string, offer: string, outcome: string, words?: RegExp])[] = [
  // the text
  ['nothing', '', SDP, /begin with v=0/],
  ['blank lines', '\r\n\r\n\n', SDP, /begin with v=0/],
  ['JSON around it', JSON.stringify({ type: 'offer', sdp: PUBLISH_OFFER }), SDP, /begin with v=0; send plain SDP/],
  ['another version', PUBLISH_OFFER.replace('v=0', 'v=1'), SDP, /begin with v=0/],
  ['a page of HTML', '<!doctype html><html></html>', SDP, /begin with v=0/],
  ['CR alone', PUBLISH_OFFER.replaceAll('\r\n', '\r'), SDP, /control character in line 1; end lines with CR LF/],
  ['LF alone', PUBLISH_OFFER.replaceAll('\r\n', '\n'), ANSWERED],
  ['doubled CRs and blank lines', PUBLISH_OFFER.replaceAll('\r\n', '\r\r\n\r\n'), ANSWERED],
  ['no end of the last line', PUBLISH_OFFER.trimEnd(), ANSWERED],
  ['NULs', withVideo('a=mid:\0'), SDP, /control character/],
  ['NULs only', '\0'.repeat(1000), SDP, /control character in line 1/],
  ['a delete character', withVideo('a=x:\u007f'), SDP, /control character/],
  ['an escape sequence', withVideo('a=x:\u001b[2J'), SDP, /control character/],
  ['UTF-16', Buffer.from(PUBLISH_OFFER, 'utf16le').toString('latin1'), SDP, /control character/],
  ['100,000 lines', `v=0\n${'a=x\n'.repeat(100_000)}`, SDP, /longer than 65536/],
  ['100,000 blank lines', '\n'.repeat(60_000), SDP, /more than 2000 lines/],
  ['a line of 60,000 characters', withVideo(`a=fmtp:102 x=${'y'.repeat(60_000)}`), SDP, /too long in line/],
  ['65,537 characters', PUBLISH_OFFER.padEnd(65_537, '\n'), SDP, /longer than 65536/],
  ['other scripts and emoji', sdp('v=0', 's=прямой эфир 🎥', SESSION, AUDIO, VIDEO, 'i=配信', 'a=label:🎥'), ANSWERED],
  ['lone surrogates', withVideo('a=label:\ud800'), ANSWERED],
  [
    'garbage before the first m-line',
    sdp('v=0', 'x', 'y=', '=', 'a=rtpmap:111 opus/48000/2', SESSION, AUDIO),
    ANSWERED,
  ],
  ['garbage between all lines', PUBLISH_OFFER.replaceAll('\r\n', '\r\ngarbage\r\n102 103 104\r\n=\r\n'), ANSWERED],
  // m-lines
  ['no m-line', sdp(SESSION), SDP, /has no m-line/],
  [
    'only a data channel',
    sdp(SESSION, 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel'),
    SDP,
    /neither m=audio nor m=video/,
  ],
  ['a bare m-line', withVideo('m='), SDP, /m-line that cannot be read, number 3/],
  ['half an m-line', withVideo('m=audio'), SDP, /cannot be read/],
  ['a negative port', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio -1 UDP/TLS/RTP/SAVPF 111')), SDP, /cannot be read/],
  ['port 65536', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio 65536 UDP/TLS/RTP/SAVPF 111')), SDP, /cannot be read/],
  ['a port in words', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio nine UDP/TLS/RTP/SAVPF 111')), SDP, /cannot be read/],
  ['a port of a hundred digits', sdp(SESSION, swap(AUDIO, 'm=', `m=audio ${'9'.repeat(100)} RTP/SAVPF 111`)), SDP],
  ['a protocol that is none', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio 9 "x" 111')), SDP, /cannot be read/],
  ['plain RTP', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio 9 RTP/AVP 111'), VIDEO), SDP, /plain RTP/],
  ['RTP/SAVPF', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio 9 RTP/SAVPF 111'), VIDEO), ANSWERED],
  ['TCP/TLS/RTP/SAVPF', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio 9 TCP/TLS/RTP/SAVPF 111'), VIDEO), ANSWERED],
  ['64 m-lines more', withVideo(...many(64, () => 'm=audio 0 RTP/SAVPF 0')), SDP, /more than 64 m-lines/],
  ['62 m-lines more, refused ones', withVideo(...many(62, () => 'm=audio 0 RTP/SAVPF 0')), ANSWERED],
  ['all refused', PUBLISH_OFFER.replaceAll(/^(m=\w+) 9/gm, '$1 0'), SDP, /with a port/],
  ['an unknown kind', withVideo('m=hologram 9 RTP/SAVPF 1'), ANSWERED],
  ['a kind with a name of objects', withVideo('m=constructor 9 __proto__ toString'), ANSWERED],
  // payload types
  ['no payload type', sdp(SESSION, swap(AUDIO, 'm=', 'm=audio 9 UDP/TLS/RTP/SAVPF')), CODECS, /none that has a name/],
  ['no rtpmap', sdp(SESSION, swap(AUDIO, 'a=rtpmap'), VIDEO), CODECS, /none that has a name/],
  ['payload types run together', sdp(SESSION, swap(VIDEO, 'm=', 'm=video 9 UDP/TLS/RTP/SAVPF 102103')), CODECS],
  [
    'payload types out of range',
    sdp(SESSION, swap(VIDEO, 'm=', 'm=video 9 UDP/TLS/RTP/SAVPF 128 -1 1e2 0x66')),
    CODECS,
  ],
  ['payload types twice', sdp(SESSION, swap(VIDEO, 'm=', 'm=video 9 UDP/TLS/RTP/SAVPF 102 102 103 102')), ANSWERED],
  ['1,000 payload types', sdp(SESSION, swap(AUDIO, 'm=', `m=audio 9 RTP/SAVPF ${'111 '.repeat(1_000)}`)), ANSWERED],
  ['rtpmap twice', withVideo('a=rtpmap:102 VP8/90000'), ANSWERED],
  ['rtpmap without a clock rate', sdp(SESSION, swap(VIDEO, 'a=rtpmap:102', 'a=rtpmap:102 H264')), CODECS],
  ['rtpmap with an endless clock rate', sdp(SESSION, swap(VIDEO, 'a=rtpmap:102', 'a=rtpmap:102 H264/1e309')), CODECS],
  [
    'rtpmap of payload types that are not there',
    withVideo(...many(1_000, (at) => `a=rtpmap:${at} VP8/90000`)),
    ANSWERED,
  ],
  [
    'a codec that we do not know',
    sdp(SESSION, swap(VIDEO, 'a=rtpmap:102', 'a=rtpmap:102 theora/90000')),
    CODECS,
    /theora/,
  ],
  [
    'a codec of 4,000 letters',
    sdp(SESSION, swap(VIDEO, 'a=rtpmap:102', `a=rtpmap:102 ${'x'.repeat(4_000)}/1`)),
    CODECS,
  ],
  [
    'only red and FEC',
    sdp(SESSION, swap(VIDEO, 'a=rtpmap:102', 'a=rtpmap:102 ulpfec/90000')),
    CODECS,
    /none that has a name/,
  ],
  ['rtx of itself', sdp(SESSION, swap(VIDEO, 'a=fmtp:103', 'a=fmtp:103 apt=103')), ANSWERED],
  [
    'rtx in a circle',
    sdp(SESSION, swap(VIDEO, 'a=rtpmap:102', 'a=rtpmap:102 rtx/90000'), 'a=fmtp:102 apt=103'),
    CODECS,
  ],
  ['1,000 parameters', withVideo(`a=fmtp:102 ${many(400, (at) => `p${at}=1`).join(';')}`), ANSWERED],
  [
    'parameters of nothing',
    withVideo('a=fmtp', 'a=fmtp:', 'a=fmtp:102', 'a=fmtp:102 ;;;=;= ', 'a=fmtp:x y=z'),
    ANSWERED,
  ],
  ['parameters called like objects', withVideo('a=fmtp:102 __proto__=1;constructor=2'), ANSWERED],
  ['a profile that is none', sdp(SESSION, swap(VIDEO, 'a=fmtp:102', 'a=fmtp:102 profile-level-id=zzzzzz')), ANSWERED],
  [
    'feedback of nothing',
    withVideo('a=rtcp-fb', 'a=rtcp-fb:', 'a=rtcp-fb:*', 'a=rtcp-fb:102', 'a=rtcp-fb:x nack'),
    ANSWERED,
  ],
  // names and groups
  ['the same mid twice', sdp(SESSION, AUDIO, swap(VIDEO, 'a=mid', 'a=mid:0')), SDP, /same a=mid/],
  ['a mid with blanks', sdp(SESSION, swap(AUDIO, 'a=mid', 'a=mid:0 1'), VIDEO), SDP, /a=mid that is no name/],
  ['an empty mid', sdp(SESSION, swap(AUDIO, 'a=mid', 'a=mid:'), VIDEO), SDP, /a=mid that is no name/],
  ['a mid of 1,000 characters', sdp(SESSION, swap(AUDIO, 'a=mid', `a=mid:${'m'.repeat(1_000)}`)), SDP, /a=mid/],
  ['mids that look invented', sdp(SESSION, swap(AUDIO, 'a=mid', 'a=mid:unnamed-1'), swap(VIDEO, 'a=mid')), SDP],
  ['no mids', both('a=mid'), SDP, /several transports/],
  [
    'a bundle that guesses what we invent',
    sdp(swap(SESSION, 'a=group', 'a=group:BUNDLE 0 unnamed-1'), AUDIO, swap(VIDEO, 'a=mid')),
    SDP,
    /max-bundle/,
  ],
  ['lips in place of a bundle', sdp(swap(SESSION, 'a=group', 'a=group:LS 0 1'), AUDIO, VIDEO), SDP, /max-bundle/],
  ['no bundle', sdp(swap(SESSION, 'a=group'), AUDIO, VIDEO), SDP, /max-bundle/],
  ['a bundle of strangers', sdp(swap(SESSION, 'a=group', 'a=group:BUNDLE 7 8'), AUDIO, VIDEO), SDP, /max-bundle/],
  ['an empty bundle', sdp(swap(SESSION, 'a=group', 'a=group:BUNDLE', 'a=group:'), AUDIO, VIDEO), SDP, /max-bundle/],
  ['a bundle that names one twice', sdp(swap(SESSION, 'a=group', 'a=group:BUNDLE 0 0 1 1 9'), AUDIO, VIDEO), ANSWERED],
  // the transport
  ['no rtcp-mux', both('a=rtcp-mux'), SDP, /a=rtcp-mux under m=audio/],
  ['no ufrag', both('a=ice-ufrag'), SDP, /lacks a=ice-ufrag or a=ice-pwd/],
  ['no password', both('a=ice-pwd'), SDP, /lacks a=ice-ufrag or a=ice-pwd/],
  ['a short ufrag', both('a=ice-ufrag', 'a=ice-ufrag:abc'), SDP, /a=ice-ufrag that is not 4 to 256/],
  ['a ufrag with a colon', both('a=ice-ufrag', 'a=ice-ufrag:abcd:efgh'), SDP, /a=ice-ufrag that is not/],
  ['a ufrag of 300 characters', both('a=ice-ufrag', `a=ice-ufrag:${'u'.repeat(300)}`), SDP, /a=ice-ufrag that is not/],
  ['a short password', both('a=ice-pwd', 'a=ice-pwd:abcdefghijklmnopqrstu'), SDP, /a=ice-pwd that is not 22 to 256/],
  ['a password with umlauts', both('a=ice-pwd', `a=ice-pwd:${'ü'.repeat(30)}`), SDP, /a=ice-pwd that is not/],
  ['ICE-lite', sdp(SESSION, 'a=ice-lite', AUDIO, VIDEO), SDP, /neither would begin/],
  ['no fingerprint', both('a=fingerprint'), SDP, /no a=fingerprint: WebRTC needs DTLS-SRTP/],
  ['SDES keys instead', both('a=fingerprint', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x'), SDP, /DTLS-SRTP/],
  ['only SHA-1', both('a=fingerprint', `a=fingerprint:sha-1 ${DIGEST.slice(0, 59)}`), SDP, /no whole a=fingerprint/],
  ['an unknown hash', both('a=fingerprint', `a=fingerprint:md2 ${DIGEST}`), SDP, /no whole a=fingerprint/],
  ['a hash called like objects', both('a=fingerprint', `a=fingerprint:constructor ${DIGEST}`), SDP, /no whole/],
  ['a fingerprint too short', both('a=fingerprint', `a=fingerprint:sha-256 ${DIGEST.slice(3)}`), SDP, /no whole/],
  ['a fingerprint too long', both('a=fingerprint', `a=fingerprint:sha-256 ${DIGEST}:00`), SDP, /no whole/],
  ['a fingerprint with more behind', both('a=fingerprint', `a=fingerprint:sha-256 ${DIGEST}:ZZ`), SDP, /no whole/],
  ['a fingerprint of no digits', both('a=fingerprint', `a=fingerprint:sha-256 ${DIGEST.replace('A0', 'G0')}`), SDP],
  [
    'a fingerprint cut otherwise',
    both('a=fingerprint', `a=fingerprint:sha-256 ${DIGEST.replace('A0:A1', 'A:0A1')}`),
    SDP,
  ],
  ['the length of another hash', both('a=fingerprint', `a=fingerprint:sha-512 ${DIGEST}`), SDP, /no whole/],
  ['200 fingerprints', both('a=fingerprint', ...many(200, () => 'a=fingerprint:sha-256 00')), SDP, /no whole/],
  ['holdconn', both('a=setup', 'a=setup:holdconn'), SDP, /holdconn/],
  ['an unknown setup', both('a=setup', 'a=setup:please'), SDP, /unknown a=setup/],
  ['passive, as FFmpeg is', both('a=setup', 'a=setup:passive'), ANSWERED],
  // candidates
  [
    'candidates of any shape',
    withVideo(
      'a=candidate:',
      'a=candidate:1 1 udp x y z typ',
      'a=candidate:1 1 tcp 1 ::1 9 typ host',
      'a=candidate:1 1 UDP 1 a.local 9 typ host',
      'a=end-of-candidates',
      'a=remote-candidates:1',
    ),
    ANSWERED,
  ],
  [
    '1,500 candidates',
    withVideo(...many(1_500, (at) => `a=candidate:${at} 1 udp 1 10.0.0.1 ${at} typ host`)),
    SDP,
    /longer than/,
  ],
  // direction
  ['receives only', both('a=sendonly', 'a=recvonly'), DIRECTION, /To publish, add tracks and offer sendonly/],
  ['inactive', both('a=sendonly', 'a=inactive'), DIRECTION],
  ['all directions at once', both('a=sendonly', 'a=sendonly', 'a=recvonly', 'a=inactive'), ANSWERED],
  ['no direction', both('a=sendonly'), ANSWERED],
  // sources and layers
  ['1,000 sources', withVideo(...many(1_000, (at) => `a=ssrc:${at} cname:x`)), ANSWERED],
  ['1,000 groups', withVideo(...many(1_000, (at) => `a=ssrc-group:FID ${at} ${at + 1}`)), ANSWERED],
  [
    'bad sources',
    withVideo('a=ssrc', 'a=ssrc:', 'a=ssrc:-5 x', 'a=ssrc:99999999999 x', 'a=ssrc-group:FID', 'a=ssrc-group:'),
    ANSWERED,
  ],
  [
    '1,000 layers',
    withVideo(...many(1_000, (at) => `a=rid:r${at} send`), 'a=simulcast:send r1;r2;r3;r4;r5;r6'),
    ANSWERED,
  ],
  ['layers of nothing', withVideo('a=simulcast', 'a=simulcast:send', 'a=rid', 'a=rid:', 'a=rid:~ send'), ANSWERED],
  ['layers called like lines', withVideo('a=rid:a\tb send', 'a=simulcast:send a\tb;a,b;~'), ANSWERED],
  // extensions
  ['1,000 extensions', withVideo(...many(1_000, (at) => `a=extmap:${at} urn:${at}`)), ANSWERED],
  [
    'bad extensions',
    withVideo('a=extmap', 'a=extmap:', 'a=extmap:x', 'a=extmap:1/ urn:x', 'a=extmap:1/x urn:x'),
    ANSWERED,
  ],
];
