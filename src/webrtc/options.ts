/**
 * What an operator can set about WebRTC. Defaults stand here; docs/configuration.md is made from the schema in src/config/schema.ts.
 */
import type { Millis } from '../base/clock.ts';

/** Who makes our side of DTLS: castgate, or the package werift. */
export type DtlsKind = 'native' | 'werift';

export interface WebRtcOptions {
  /** UDP of all sessions. Default `:8189`; empty: WebRTC is off. */
  readonly listen: string;
  /** ICE over TCP, for clients behind firewalls that let no UDP through. Default `:8189`; empty: off. */
  readonly tcpListen: string;
  /** Addresses that clients are told, in front of those of this machine's interfaces; IPv4 or IPv6, as seen from outside. Default none. */
  readonly publicAddresses: readonly string[];
  /** Tell clients the addresses of this machine's interfaces, too. Default true. */
  readonly interfaceAddresses: boolean;
  /** Default `native`. */
  readonly dtls: DtlsKind;
  /** STUN and TURN servers for the clients, as URLs (`turn:user:password@host:3478`); castgate itself needs none. Default none. */
  readonly iceServers: readonly string[];
  /** From the offer to the first media key. Default 15 s. */
  readonly connectTimeout: Millis;
  /** No valid connectivity check for this long: the client has gone. Default 15 s. */
  readonly consentTimeout: Millis;
  /** A publisher that sends nothing is gone. Default 10 s. */
  readonly publishTimeout: Millis;
  /** A viewer whose stream stopped waits this long for it. Default 30 s. */
  readonly playWait: Millis;
  /** What a publisher is allowed to send, bits a second. Default 10,000,000. */
  readonly maxPublishBitrate: number;
  /** Bytes of one UDP payload, at most. Default 1,200. */
  readonly maxDatagram: number;
  /** Sessions at once; more are told to come back. Default 5,000. */
  readonly maxSessions: number;
  /** Sessions of one address; of IPv6, of one network (/64). Default 1,000. */
  readonly maxSessionsPerIp: number;
}

export const WEBRTC_DEFAULTS: WebRtcOptions = {
  listen: ':8189',
  tcpListen: ':8189',
  publicAddresses: [],
  interfaceAddresses: true,
  dtls: 'native',
  iceServers: [],
  connectTimeout: 15_000,
  consentTimeout: 15_000,
  publishTimeout: 10_000,
  playWait: 30_000,
  maxPublishBitrate: 10_000_000,
  maxDatagram: 1_200,
  maxSessions: 5_000,
  maxSessionsPerIp: 1_000,
};
