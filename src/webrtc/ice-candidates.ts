/**
 * The addresses that clients are told: host candidates, as ICE-lite knows no others (RFC 8445 section 5.1, RFC 6544 for TCP).
 */
import { isIPv4 } from 'node:net';
import { isLoopback, type ListenAddress } from '../base/listen-address.ts';
import type { Candidate } from './path.ts';

/** Answers must stay short, and a client tries each. */
const MAX_INTERFACE_ADDRESSES = 16;
/** Type preferences: UDP that of host candidates, TCP below whatever UDP offers. */
const PREFERENCE = { udp: 126, tcp: 90 } as const;
/** A passive host candidate's share of the local preference (RFC 6544 section 4.2), and its room for order. */
const TCP_PASSIVE = 4 << 13;
const TCP_PLACES = 1 << 13;
const UDP_PLACES = 1 << 16;
/** RTP; RTCP comes by the same way. */
const COMPONENT = 1;

export interface CandidateSources {
  /** Where we listen; undefined: not at all. An empty host: all addresses. */
  readonly udp: ListenAddress | undefined;
  readonly tcp: ListenAddress | undefined;
  readonly publicAddresses: readonly string[];
  /** Addresses of this machine, loopback included; undefined: they are not to be told. */
  readonly interfaces: readonly string[] | undefined;
}

/** The most useful first; UDP before TCP. */
export function makeCandidates(sources: CandidateSources): Candidate[] {
  const { udp, tcp } = sources;
  return [...ofPort('udp', udp, sources), ...ofPort('tcp', tcp, sources)].map((candidate, index) => ({
    foundation: String(index + 1),
    ...candidate,
  }));
}

function ofPort(
  protocol: 'udp' | 'tcp',
  listen: ListenAddress | undefined,
  sources: CandidateSources,
): Omit<Candidate, 'foundation'>[] {
  if (listen === undefined) return [];
  return addresses(listen, sources).map((ip, place) => ({
    ...{ protocol, ip, port: listen.port, priority: priority(protocol, place) },
  }));
}

/** RFC 8445 section 5.1.2.1. */
function priority(protocol: 'udp' | 'tcp', place: number): number {
  const local = protocol === 'udp' ? UDP_PLACES - 1 - place : TCP_PASSIVE + TCP_PLACES - 1 - place;
  return PREFERENCE[protocol] * 2 ** 24 + local * 2 ** 8 + (256 - COMPONENT);
}

function addresses({ host }: ListenAddress, { publicAddresses, interfaces }: CandidateSources): string[] {
  if (interfaces === undefined) return [...publicAddresses];
  const specific = host !== '' && host !== '0.0.0.0' && host !== '::';
  const own = specific ? [host] : ofMachine(host, interfaces, publicAddresses.length === 0);
  return [...new Set([...publicAddresses, ...own])];
}

/** Loopback comes last: for clients of this machine, and not where clients come to a public address. */
function ofMachine(host: string, interfaces: readonly string[], loopback: boolean): string[] {
  return interfaces
    .filter((ip) => !isLinkLocal(ip) && (loopback || !isLoopback(ip)))
    .filter((ip) => host === '' || isIPv4(ip) === (host === '0.0.0.0'))
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MAX_INTERFACE_ADDRESSES);
}

function rank(ip: string): number {
  return (isLoopback(ip) ? 2 : 0) + (isIPv4(ip) ? 0 : 1);
}

/** Says nothing without the name of an interface. */
function isLinkLocal(ip: string): boolean {
  return ip.startsWith('169.254.') || /^fe[89ab]/i.test(ip);
}
