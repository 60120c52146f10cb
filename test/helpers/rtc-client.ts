/**
 * A light WebRTC client of our own parts: an offer, checks, a handshake and protected packets on a socket that tests can lay hands on.
 * VP8 and Opus, with the payload types and extensions of rtp-camera.ts.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import { makeCertificate } from '../../src/webrtc/certificate.ts';
import type { Dtls, DtlsCertificate } from '../../src/webrtc/dtls.ts';
import { IceFrameReader, iceFrame } from '../../src/webrtc/ice-frames.ts';
import { makeNativeDtls } from '../../src/webrtc/native-dtls.ts';
import type { IceCredentials } from '../../src/webrtc/path.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import { SrtcpReceiver, SrtcpSender } from '../../src/webrtc/srtcp.ts';
import type { SrtpKeys } from '../../src/webrtc/srtp-keys.ts';
import { nearestIndex, SrtpReceiver } from '../../src/webrtc/srtp-receiver.ts';
import { SrtpSender } from '../../src/webrtc/srtp-sender.ts';
import { credentialsOf, fingerprintsOf } from '../../src/webrtc/transport-attributes.ts';
import { type Scope, until } from './program.ts';
import { EXTENSIONS, TYPES } from './rtp-camera.ts';
import { stunCheck } from './stun-client.ts';

/** Shorter than the shortest consent timeout that can be set. */
const CHECK_EVERY = 1_000;
/** A check that was lost is sent again. */
const CHECK_AGAIN = 250;

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface RtcClientOptions {
  readonly token?: string;
  readonly through?: 'udp' | 'tcp';
  /** The certificate that the offer names; the one that is shown otherwise. */
  readonly promised?: DtlsCertificate;
  /** What leaves in place of a datagram of DTLS. */
  readonly tamper?: (datagram: Buffer) => readonly Buffer[];
  /** RTP in the clear; the memory is the receiver's. */
  readonly onRtp?: (packet: Buffer) => void;
  readonly onRtcp?: (compound: Buffer) => void;
}

/** A client that was answered. */
export class RtcClient {
  /** Where the session is. */
  readonly url: string;
  readonly etag: string;
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
  readonly place: Place;
  readonly answer: string;
  readonly line: Line;
  readonly #options: RtcClientOptions;
  readonly #dtls: Dtls;
  readonly #timer: NodeJS.Timeout;
  readonly #checking: NodeJS.Timeout;
  #checked = false;
  #keys: SrtpKeys | undefined;
  #out: SrtpSender | undefined;
  #controlOut: SrtcpSender | undefined;
  #in: SrtpReceiver | undefined;
  #controlIn: SrtcpReceiver | undefined;
  readonly #highest = new Map<number, number>();
  /** The handshake is over, and not by keys. */
  ended = false;
  /** What came, of any kind. */
  datagrams = 0;

  /** Asks at `url`, a WHIP or WHEP endpoint. Fails unless it is answered with 201. */
  static async ask(
    t: Scope,
    does: 'publish' | 'play',
    url: string,
    options: RtcClientOptions = {},
  ): Promise<RtcClient> {
    const local = newCredentials();
    const own = makeCertificate(Date.now(), randomBytes);
    const offer = offerOf(does, local, (options.promised ?? own).fingerprint);
    const headers = { 'content-type': 'application/sdp', ...bearer(options.token) };
    const response = await fetch(url, { method: 'POST', headers, body: offer });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} at ${url}: ${answer}`);
    return new RtcClient(t, url, response.headers, answer, local, own, options);
  }

  /** Asked, answered and connected. */
  static async open(t: Scope, does: 'publish' | 'play', url: string, options?: RtcClientOptions): Promise<RtcClient> {
    const client = await RtcClient.ask(t, does, url, options);
    await client.connect();
    return client;
  }

  private constructor(
    t: Scope,
    url: string,
    headers: Headers,
    answer: string,
    local: IceCredentials,
    own: DtlsCertificate,
    options: RtcClientOptions,
  ) {
    this.url = new URL(headers.get('location')!, url).href;
    this.etag = headers.get('etag')!;
    this.local = local;
    this.answer = answer;
    this.#options = options;
    const { through = 'udp', tamper = (datagram) => [datagram] } = options;
    const { transport } = readDescription(answer).sections[0]!;
    this.remote = credentialsOf(transport.ufrag, transport.password);
    this.place = placeIn(answer, through);
    this.line = through === 'udp' ? udpLine(this.place) : tcpLine(this.place);
    this.line.receive = (bytes) => this.#received(bytes);
    const fingerprints = fingerprintsOf(transport.fingerprints);
    this.#dtls = makeNativeDtls(
      { role: 'client', own, fingerprints, clock: systemClock, random: randomBytes },
      {
        send: (datagram) => {
          for (const bytes of tamper(datagram)) this.line.send(bytes);
        },
        connected: (keys) => this.#connected(keys),
        closed: () => {
          this.ended = true;
        },
      },
    );
    this.#timer = setInterval(() => this.line.send(this.check()), CHECK_EVERY);
    this.#checking = setInterval(() => {
      if (!this.#checked) this.line.send(this.check());
    }, CHECK_AGAIN);
    this.#timer.unref();
    this.#checking.unref();
    t.after(() => this.vanish());
  }

  get connected(): boolean {
    return this.#keys !== undefined;
  }

  /** A check as it should be, each with a transaction of its own. */
  check(): Buffer {
    const username = `${this.remote.ufrag}:${this.local.ufrag}`;
    return stunCheck({ username, password: this.remote.password, nominate: true });
  }

  /** Until the address is validated. */
  async validate(): Promise<this> {
    this.line.send(this.check());
    await until('a check is answered', () => this.#checked);
    return this;
  }

  async connect(): Promise<this> {
    await this.validate();
    this.#dtls.start();
    await until('a handshake is over', () => this.connected || this.ended);
    if (!this.connected) throw new Error('the handshake failed');
    return this;
  }

  /** Begins the handshake, wherever it leads. */
  shake(): void {
    this.#dtls.start();
  }

  /** Protects an RTP packet. */
  protect(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(8);
    const near = nearestIndex(this.#highest.get(ssrc), packet.readUInt16BE(2));
    const index = near < 0 ? near + 0x1_0000 : near;
    this.#highest.set(ssrc, Math.max(index, this.#highest.get(ssrc) ?? 0));
    const out = Buffer.alloc(packet.length + this.#out!.trailer);
    return out.subarray(0, this.#out!.protectInto(out, packet, index));
  }

  protectControl(compound: Buffer): Buffer {
    return this.#controlOut!.protect(compound);
  }

  rtp(packet: Buffer): void {
    if (this.#out !== undefined) this.line.send(this.protect(packet));
  }

  rtcp(compound: Buffer): void {
    if (this.#controlOut !== undefined) this.line.send(this.protectControl(compound));
  }

  /** About the session, with its token. */
  about(method: string, init: { headers?: Record<string, string>; body?: string } = {}): Promise<Response> {
    return fetch(this.url, { ...init, method, headers: { ...bearer(this.#options.token), ...init.headers } });
  }

  /** Leaves as clients do, and keeps the socket. */
  async leave(): Promise<void> {
    const response = await this.about('DELETE');
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`DELETE: ${response.status}`);
    this.#silence();
  }

  /** Says nothing more, not even goodbye. */
  vanish(): void {
    this.#silence();
    this.line.close();
  }

  #silence(): void {
    clearInterval(this.#timer);
    clearInterval(this.#checking);
  }

  #received(bytes: Buffer): void {
    this.datagrams += 1;
    const first = bytes[0]!;
    if (first < 4) this.#checked ||= bytes.readUInt16BE(0) === 0x0101;
    else if (first >= 20 && first <= 63) this.#dtls.receive(bytes);
    else if (this.#in !== undefined && bytes.length >= 12) {
      const type = bytes[1]!;
      if (type >= 192 && type <= 223) {
        const compound = this.#controlIn!.unprotect(bytes);
        if (compound !== undefined) this.#options.onRtcp?.(compound);
      } else {
        const packet = this.#in.unprotect(bytes);
        if (packet !== undefined) this.#options.onRtp?.(packet);
      }
    }
  }

  #connected(keys: SrtpKeys): void {
    this.#keys = keys;
    this.#out = new SrtpSender(keys.profile, keys.local);
    this.#controlOut = new SrtcpSender(keys.profile, keys.local);
    this.#in = new SrtpReceiver(keys.profile, keys.remote);
    this.#controlIn = new SrtcpReceiver(keys.profile, keys.remote);
  }
}

/** Datagrams to one place and back. */
export interface Line {
  readonly closed: boolean;
  receive: (bytes: Buffer) => void;
  send(bytes: Buffer): void;
  /** Reads no more; over TCP only. */
  pause(): void;
  close(): void;
}

export function udpLine({ host, port }: Place): Line {
  // what waits while the test is busy must not be lost
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 }).unref();
  let closed = false;
  socket.on('error', () => {});
  socket.on('message', (bytes) => line.receive(bytes));
  const line: Line = {
    get closed() {
      return closed;
    },
    receive: () => {},
    send: (bytes) => {
      if (!closed) socket.send(bytes, port, host);
    },
    pause: () => {},
    close: () => {
      if (closed) return;
      closed = true;
      socket.close();
    },
  };
  return line;
}

export function tcpLine({ host, port }: Place): Line {
  const socket = connect({ host, port, noDelay: true });
  const reader = new IceFrameReader();
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', (bytes: Buffer) => {
    reader.feed(bytes);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) line.receive(Buffer.from(frame));
  });
  const line: Line = {
    get closed() {
      return closed;
    },
    receive: () => {},
    send: (bytes) => {
      if (!closed) socket.write(iceFrame(bytes, 0, bytes.length));
    },
    pause: () => socket.pause(),
    close: () => socket.destroy(),
  };
  return line;
}

/** Where an answer says that the server is. */
export function placeIn(answer: string, through: 'udp' | 'tcp'): Place {
  const [, host, port] =
    new RegExp(`^a=candidate:\\S+ 1 ${through} \\d+ (\\S+) (\\d+) typ host`, 'im').exec(answer) ?? [];
  if (host === undefined) throw new Error(`no candidate of ${through}:\n${answer}`);
  return { host, port: Number(port) };
}

export function newCredentials(): IceCredentials {
  return { ufrag: randomBytes(6).toString('hex'), password: randomBytes(18).toString('hex') };
}

/** As a browser would write it, cut down. */
export function offerOf(does: 'publish' | 'play', { ufrag, password }: IceCredentials, fingerprint: string): string {
  const direction = does === 'publish' ? 'a=sendonly' : 'a=recvonly';
  const transport = [
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    'a=setup:active',
    direction,
    'a=rtcp-mux',
    `a=extmap:${EXTENSIONS.mid} urn:ietf:params:rtp-hdrext:sdes:mid`,
    `a=extmap:${EXTENSIONS.transportCc} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`,
  ];
  const { vp8, rtx, opus } = TYPES;
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1'],
    ...[`m=audio 9 UDP/TLS/RTP/SAVPF ${opus}`, ...transport, 'a=mid:0', `a=rtpmap:${opus} opus/48000/2`],
    ...[`m=video 9 UDP/TLS/RTP/SAVPF ${vp8} ${rtx}`, ...transport, 'a=mid:1', `a=rtpmap:${vp8} VP8/90000`],
    ...['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc'].map((kind) => `a=rtcp-fb:${vp8} ${kind}`),
    ...[`a=rtpmap:${rtx} rtx/90000`, `a=fmtp:${rtx} apt=${vp8}`],
  ];
  return `${lines.join('\r\n')}\r\n`;
}

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
