/**
 * The settings of WebRTC; see schema.ts.
 */
import Type from 'typebox';
import { WEBRTC_DEFAULTS, type WebRtcOptions } from '../webrtc/options.ts';
import { choice, count, duration, type Fields, flag, list, listen, secret, size } from './setting.ts';

export const webrtc = Type.Object({
  listen: listen(
    WEBRTC_DEFAULTS.listen,
    'UDP port of all WebRTC media. Signalling comes over HTTP. Empty: no media over UDP.',
  ),
  tcpListen: listen(
    WEBRTC_DEFAULTS.tcpListen,
    'The same over TCP, for clients behind firewalls that let no UDP through. Empty: off.',
  ),
  publicAddresses: list(
    WEBRTC_DEFAULTS.publicAddresses,
    8,
    'Addresses of this machine as clients outside see it, IPv4 or IPv6: needed behind NAT, in containers and clouds.',
  ),
  interfaceAddresses: flag(
    WEBRTC_DEFAULTS.interfaceAddresses,
    "Tell clients the addresses of this machine's own interfaces, too.",
  ),
  dtls: choice(
    WEBRTC_DEFAULTS.dtls,
    ['native', 'werift'],
    "Who speaks DTLS with clients: castgate itself, or the package werift, at five times the CPU for each join. A way out for a client that does not get along with castgate's own.",
  ),
  iceServers: secret(
    list(
      WEBRTC_DEFAULTS.iceServers,
      8,
      'STUN and TURN servers for clients, such as `stun:host:3478` or `turn:user:password@host:3478`. castgate itself needs none.',
    ),
  ),
  connectTimeout: duration(
    WEBRTC_DEFAULTS.connectTimeout,
    2_000,
    60_000,
    'From the offer to the end of the DTLS handshake.',
  ),
  consentTimeout: duration(
    WEBRTC_DEFAULTS.consentTimeout,
    5_000,
    60_000,
    'A client whose connectivity checks stay away for this long has gone.',
  ),
  publishTimeout: duration(
    WEBRTC_DEFAULTS.publishTimeout,
    1_000,
    600_000,
    'A publisher that sends no media for this long is gone, and its name is free.',
  ),
  playWait: duration(
    WEBRTC_DEFAULTS.playWait,
    0,
    3_600_000,
    'A viewer whose stream has stopped waits this long for it to come back. 0: forever.',
  ),
  maxPublishBitrate: count(
    WEBRTC_DEFAULTS.maxPublishBitrate,
    64_000,
    1_000_000_000,
    'Bits a second that a browser is told it may send.',
  ),
  maxDatagram: size(
    WEBRTC_DEFAULTS.maxDatagram,
    576,
    1_400,
    'Bytes of one UDP datagram of media to a viewer, at most: with the tag of encryption, without the headers of UDP and IP.',
  ),
  maxSessions: count(WEBRTC_DEFAULTS.maxSessions, 1, 1_000_000, 'WebRTC sessions in all; more are told to come back.'),
  maxSessionsPerIp: count(
    WEBRTC_DEFAULTS.maxSessionsPerIp,
    1,
    1_000_000,
    'WebRTC sessions of one address; of IPv6, of one network (/64).',
  ),
} satisfies Fields<WebRtcOptions>);
