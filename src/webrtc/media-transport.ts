/**
 * One session's way through the media port: ICE finds the client, DTLS agrees on keys, and what follows is SRTP.
 *
 *   datagram ──▶ DTLS                      ──▶ keys
 *            └─▶ SRTP, SRTCP ──unprotect──▶ rtp, rtcp      nothing before the keys
 */
import type { Clock } from '../base/clock.ts';
import type { Dtls, DtlsCertificate, DtlsRole, Fingerprint, MakeDtls } from './dtls.ts';
import type { IceCredentials, IceSession, MediaPort, Path } from './path.ts';
import { SrtcpReceiver, SrtcpSender } from './srtcp.ts';
import type { SrtpKeys } from './srtp-keys.ts';
import { SrtpReceiver } from './srtp-receiver.ts';

export interface TransportParts {
  readonly port: MediaPort;
  readonly makeDtls: MakeDtls;
  readonly certificate: DtlsCertificate;
  readonly clock: Clock;
  readonly random: (count: number) => Buffer;
}

/** What the other side's description says of its transport. */
export interface RemoteTransport {
  readonly credentials: IceCredentials;
  readonly fingerprints: readonly Fingerprint[];
  /** Ours, which follows from its `a=setup`. */
  readonly role: DtlsRole;
}

export interface TransportEvents {
  /** Media may flow; once. */
  connected(keys: SrtpKeys): void;
  /** Where to send from now on. */
  path(path: Path): void;
  /** An RTP packet, decrypted; the memory is the receiver's to keep. */
  rtp(packet: Buffer): void;
  /** A compound RTCP packet, decrypted. */
  rtcp(compound: Buffer): void;
  /** Over; once. `undefined`: the client closed. */
  closed(fault: { readonly code: string; readonly text: string } | undefined): void;
}

/** Datagrams of DTLS that came before the client's description did, at most. */
const MAX_EARLY = 8;
/** RFC 7983: the first byte tells the protocol. */
const DTLS_FIRST = 20;
const DTLS_LAST = 63;
const RTP_FIRST = 128;
const RTP_LAST = 191;
/** RFC 5761 section 4: payload types 64 to 95 belong to RTCP; with the marker bit, 192 to 223. */
const RTCP_FIRST = 192;
const RTCP_LAST = 223;

export class MediaTransport {
  readonly #parts: TransportParts;
  readonly #events: TransportEvents;
  readonly #ice: IceSession;
  #dtls: Dtls | undefined;
  #path: Path | undefined;
  #role: DtlsRole = 'server';
  #started = false;
  #rtp: SrtpReceiver | undefined;
  #rtcp: SrtcpReceiver | undefined;
  #rtcpOut: SrtcpSender | undefined;
  #early: Buffer[] = [];
  /** The client's credentials are known. */
  #introduced: boolean;
  #closed = false;
  bytesReceived = 0;
  bytesSent = 0;

  constructor(parts: TransportParts, events: TransportEvents, remote?: RemoteTransport) {
    this.#parts = parts;
    this.#events = events;
    this.#introduced = remote !== undefined;
    this.#ice = parts.port.open(remote?.credentials, {
      path: (path) => this.#moved(path),
      datagram: (bytes) => this.#datagram(bytes),
      lost: () => this.#over({ code: 'webrtc/lost', text: 'the client answers no more' }),
    });
    if (remote === undefined) return;
    try {
      this.accept(remote);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get local(): IceCredentials {
    return this.#ice.local;
  }

  get connected(): boolean {
    return this.#rtcpOut !== undefined;
  }

  /** Takes the other side's description, where it was not there at first. */
  accept({ credentials, fingerprints, role }: RemoteTransport): void {
    if (this.#closed || this.#dtls !== undefined) return;
    if (!this.#introduced) this.#ice.restart(credentials);
    this.#introduced = true;
    const { makeDtls, certificate, clock, random } = this.#parts;
    this.#role = role;
    this.#dtls = makeDtls(
      { role, own: certificate, fingerprints, clock, random },
      {
        send: (datagram) => this.#send(datagram),
        connected: (keys) => this.#connected(keys),
        closed: (fault) => this.#over(fault),
      },
    );
    this.#start();
    for (const datagram of this.#early.splice(0)) this.#dtls.receive(datagram);
  }

  /** The client restarts ICE: what we are called from now on. Media goes on meanwhile. */
  restart(remote: IceCredentials): IceCredentials {
    return this.#ice.restart(remote);
  }

  /** Encrypts and sends a compound packet; without effect before the keys. */
  sendRtcp(compound: Buffer): void {
    if (this.#rtcpOut !== undefined) this.#send(this.#rtcpOut.protect(compound));
  }

  /** Tells the client by an alert, then falls silent; no event follows. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#dtls?.close();
    this.#closed = true;
    this.#ice.close();
  }

  #moved(path: Path): void {
    this.#path = path;
    this.#start();
    this.#events.path(path);
  }

  /** A client's first flight goes where ICE has found somebody. */
  #start(): void {
    if (this.#role !== 'client' || this.#started || this.#path === undefined || this.#dtls === undefined) return;
    this.#started = true;
    this.#dtls.start();
  }

  #datagram(bytes: Buffer): void {
    this.bytesReceived += bytes.length;
    const first = bytes[0]!;
    if (first >= RTP_FIRST && first <= RTP_LAST) this.#media(bytes);
    else if (first >= DTLS_FIRST && first <= DTLS_LAST) this.#handshake(bytes);
  }

  #media(bytes: Buffer): void {
    // before the keys there is nothing to check it with
    if (this.#rtp === undefined || bytes.length < 12) return;
    const type = bytes[1]!;
    if (type >= RTCP_FIRST && type <= RTCP_LAST) {
      const compound = this.#rtcp!.unprotect(bytes);
      if (compound !== undefined) this.#events.rtcp(compound);
    } else {
      const packet = this.#rtp.unprotect(bytes);
      if (packet !== undefined) this.#events.rtp(packet);
    }
  }

  #handshake(bytes: Buffer): void {
    if (this.#dtls !== undefined) this.#dtls.receive(bytes);
    else if (this.#early.length < MAX_EARLY) this.#early.push(Buffer.from(bytes));
  }

  #connected(keys: SrtpKeys): void {
    this.#rtp = new SrtpReceiver(keys.profile, keys.remote);
    this.#rtcp = new SrtcpReceiver(keys.profile, keys.remote);
    this.#rtcpOut = new SrtcpSender(keys.profile, keys.local);
    this.#events.connected(keys);
  }

  #send(datagram: Buffer): void {
    if (this.#closed || this.#path === undefined) return;
    this.bytesSent += datagram.length;
    this.#path.send(datagram, 0, datagram.length);
  }

  #over(fault: { readonly code: string; readonly text: string } | undefined): void {
    if (this.#closed) return;
    // whoever is lost reads no alert
    if (fault?.code !== 'webrtc/lost') this.#dtls?.close();
    this.#closed = true;
    this.#ice.close();
    this.#events.closed(fault);
  }
}
