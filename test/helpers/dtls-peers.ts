/**
 * Two ends of DTLS and a line between them that a test can listen to, cut and lie on.
 */
import { createHash, randomBytes } from 'node:crypto';
import { after } from 'node:test';
import {
  CipherContext,
  DtlsClient,
  DtlsServer,
  HashAlgorithm,
  NamedCurveAlgorithm,
  SignatureAlgorithm,
  type SrtpProfile as WeriftProfile,
} from 'werift';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { makeCertificate } from '../../src/webrtc/certificate.ts';
import type { Dtls, DtlsCertificate, DtlsRole, Fingerprint, MakeDtls } from '../../src/webrtc/dtls.ts';
import type { SrtpKeys } from '../../src/webrtc/srtp-keys.ts';
import { settled } from './virtual-clock.ts';

/** `Date.now` of no day in particular. */
const NOW = Date.UTC(2026, 9, 5);

export function certificate(): DtlsCertificate {
  return makeCertificate(NOW, randomBytes);
}

export function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

export function fingerprintOf(der: Buffer, hash = 'sha-256'): Fingerprint {
  return { hash, digest: createHash(hash.replace('-', '')).update(der).digest() };
}

/** One end, of whatever make. */
export interface End {
  receive(datagram: Buffer): void;
  /** Set by who joins it to another. */
  send: (datagram: Buffer) => void;
}

/** The end under test, and what it has told. */
export interface OurEnd extends End {
  readonly dtls: Dtls;
  readonly own: DtlsCertificate;
  readonly keys: SrtpKeys[];
  readonly closed: ({ readonly code: string; readonly text: string } | undefined)[];
}

export interface OurSetup {
  readonly role: DtlsRole;
  readonly fingerprints: readonly Fingerprint[];
  readonly own?: DtlsCertificate;
  readonly clock?: Clock;
}

export function ourEnd(make: MakeDtls, setup: OurSetup): OurEnd {
  const own = setup.own ?? certificate();
  const end = {
    own,
    keys: [] as SrtpKeys[],
    closed: [] as OurEnd['closed'],
    send: (_: Buffer) => {},
    receive: (datagram: Buffer) => dtls.receive(datagram),
  };
  const dtls = make(
    { clock: systemClock, random: randomBytes, ...setup, own },
    {
      send: (datagram) => end.send(datagram),
      connected: (keys) => end.keys.push(keys),
      closed: (fault) => end.closed.push(fault),
    },
  );
  return Object.assign(end, { dtls });
}

export interface WeriftSetup {
  /** What it shows. */
  readonly certificate?: DtlsCertificate;
  /** What it signs with, if not with the certificate's own. */
  readonly privateKey?: string;
  /** 1: AES-CM with HMAC-SHA1-80; 7: AES-GCM. */
  readonly profiles?: WeriftProfile[];
  /** RFC 7627; default true. */
  readonly extendedMasterSecret?: boolean;
  readonly patch?: (socket: DtlsClient | DtlsServer) => void;
}

export interface WeriftEnd extends End {
  readonly socket: DtlsClient | DtlsServer;
  readonly own: DtlsCertificate;
  /** Master keys of each direction, once it is connected. */
  readonly keys: ReturnType<DtlsClient['extractSessionKeys']>[];
  start(): void;
}

/** An independent end, which checks nothing. */
export function weriftEnd(role: DtlsRole, setup: WeriftSetup = {}): WeriftEnd {
  const own = setup.certificate ?? certificate();
  const transport = {
    type: 'test',
    address: { address: '', family: '', port: 0 },
    closed: false,
    onData: (_: Buffer) => {},
    send: async (datagram: Buffer) => end.send(Buffer.from(datagram)),
    close: async () => {},
  };
  const options = {
    transport,
    cert: pemOf(own.certificate),
    key: setup.privateKey ?? own.privateKey,
    signatureHash: { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
    srtpProfiles: setup.profiles ?? [7, 1],
    extendedMasterSecret: setup.extendedMasterSecret ?? true,
  };
  const socket = role === 'client' ? new DtlsClient(options) : new DtlsServer({ ...options, certificateRequest: true });
  setup.patch?.(socket);
  // it repeats itself for half a minute, and would keep the process for as long
  after(() => {
    socket.dtls.flight = 100;
  });
  const end: WeriftEnd = {
    socket,
    own,
    keys: [],
    send: () => {},
    receive: (datagram) => transport.onData(datagram),
    start: () => {
      // it gives up when nobody answers
      if (socket instanceof DtlsClient) socket.connect().catch(() => {});
    },
  };
  socket.onConnect.subscribe(() => {
    end.keys.push(socket.extractSessionKeys(16, socket.srtp.srtpProfile === 7 ? 12 : 14));
  });
  return end;
}

/** What the line makes of a datagram; the default is the datagram. */
export type Tap = (datagram: Buffer, from: 'ours' | 'peer') => readonly Buffer[];

/** Datagrams in their order, each in a turn of its own. */
export function join(ours: End, peer: End, tap: Tap = (datagram) => [datagram]): void {
  ours.send = (datagram) => {
    for (const out of tap(Buffer.from(datagram), 'ours')) setImmediate(() => peer.receive(out));
  };
  peer.send = (datagram) => {
    for (const out of tap(Buffer.from(datagram), 'peer')) setImmediate(() => ours.receive(out));
  };
}

const LIMIT = 10_000;

/** Waits for `what` to be so. */
export async function until(what: () => boolean, words: string): Promise<void> {
  const end = performance.now() + LIMIT;
  while (!what()) {
    if (performance.now() > end) throw new Error(`${words} did not come about`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Every datagram on its way has arrived, and all that follows from it, but for what timers bring. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await settled();
}

/** A certificate with an RSA key, PEM and DER. */
export async function rsaCertificate() {
  const hash = { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.rsa_1 } as const;
  const { certPem, keyPem } = await CipherContext.createSelfSignedCertificateWithKey(
    hash,
    NamedCurveAlgorithm.secp256r1_23,
  );
  const der = Buffer.from(certPem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  return { certificate: der, privateKey: keyPem };
}
