/**
 * What a light viewer and a light publisher have in common: one POST, ICE as the controlling side, DTLS, and then media as it comes.
 * One UDP socket each, as servers tell sessions apart by address. STUN, DTLS and SRTP are castgate's own modules: what they cost here
 * is the load's, not the server's.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { Agent, request } from 'node:http';
import { systemClock } from '../../../src/base/clock.ts';
import { makeCertificate } from '../../../src/webrtc/certificate.ts';
import type { Dtls } from '../../../src/webrtc/dtls.ts';
import { makeNativeDtls } from '../../../src/webrtc/native-dtls.ts';
import type { SrtpKeys } from '../../../src/webrtc/srtp-keys.ts';
import { ATTRIBUTE, addressBytes, readStun, STUN, StunKey, writeStun, xorAddress } from '../../../src/webrtc/stun.ts';
import { micros } from '../wire.ts';
import { type Answer, type Does, offerOf, readAnswer } from './descriptions.ts';

const CONNECT_TIMEOUT_MS = 15_000;
const FIRST_CHECKS_MS = 50;
/** RFC 7675 section 5.1: 5 s, give or take a fifth. */
const CONSENT_MS = 5_000;
/** The system gives less; twice its `rmem_max` at most. */
const RECEIVE_BUFFER = 4 << 20;
const HOST_PRIORITY = 0x6e_0001ff;

const certificate = makeCertificate(Date.now(), randomBytes);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export class LightPeer {
  /** Just before the POST, microseconds. */
  readonly postedAt: number;
  readonly answer: Answer;
  /** Each RTP and RTCP packet; its memory is the reader's. */
  onMedia: (packet: Buffer) => void = () => {};
  /** The server has ended it. */
  onClosed: () => void = () => {};
  readonly #socket: Socket;
  readonly #location: URL;
  readonly #ufrag: string;
  /** Signs what we ask, and what we answer. */
  readonly #keys: { readonly asks: StunKey; readonly answers: StunKey };
  readonly #tieBreaker = randomBytes(8);
  readonly #dtls: Dtls;
  readonly #secured = Promise.withResolvers<SrtpKeys>();
  #checks: NodeJS.Timeout;
  #reached = false;
  #closed = false;

  /** Resolves when media may flow; set `onMedia` at once. */
  static async connect(does: Does, url: string): Promise<{ readonly peer: LightPeer; readonly keys: SrtpKeys }> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
    let peer: LightPeer | undefined;
    try {
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      const own = { ufrag: randomBytes(3).toString('hex'), password: randomBytes(16).toString('hex') };
      const { port } = socket.address();
      const offer = offerOf(does, { ...own, port, fingerprint: certificate.fingerprint });
      const postedAt = micros();
      const { status, location, text } = await ask('POST', new URL(url), offer);
      if (status !== 201) throw new Error(`${status} to a POST of ${url}: ${text}`);
      const answer = readAnswer(text);
      await new Promise<void>((resolve) => socket.connect(answer.port, answer.ip, resolve));
      peer = new LightPeer(socket, own, answer, new URL(location, url), postedAt);
      const late = setTimeout(fail, CONNECT_TIMEOUT_MS, peer.#secured, `no keys in ${CONNECT_TIMEOUT_MS} ms`);
      const keys = await peer.#secured.promise.finally(() => clearTimeout(late));
      return { peer, keys };
    } catch (error) {
      if (peer === undefined) socket.close();
      else peer.close();
      throw error;
    }
  }

  private constructor(
    socket: Socket,
    own: { readonly ufrag: string; readonly password: string },
    answer: Answer,
    location: URL,
    postedAt: number,
  ) {
    this.#socket = socket;
    this.#ufrag = own.ufrag;
    this.#keys = { asks: new StunKey(answer.password), answers: new StunKey(own.password) };
    this.answer = answer;
    this.#location = location;
    this.postedAt = postedAt;
    this.#dtls = makeNativeDtls(
      {
        role: answer.role,
        own: certificate,
        fingerprints: [answer.fingerprint],
        clock: systemClock,
        random: randomBytes,
      },
      {
        send: (datagram) => this.send(datagram),
        connected: (keys) => this.#secured.resolve(keys),
        closed: (fault) => {
          fail(this.#secured, fault?.text ?? 'closed by the server');
          this.onClosed();
        },
      },
    );
    socket.on('message', (bytes) => this.#received(bytes));
    // the port of a server that has gone
    socket.on('error', () => {});
    this.#check();
    this.#checks = setInterval(() => this.#check(), FIRST_CHECKS_MS);
  }

  send(bytes: Buffer): void {
    if (!this.#closed) this.#socket.send(bytes);
  }

  /** Leaves as players do. Answers whether the server agreed. */
  async leave(): Promise<boolean> {
    const { status } = await ask('DELETE', this.#location, '');
    this.close();
    return status < 300;
  }

  /** Without a word. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#dtls.close();
    this.#closed = true;
    clearInterval(this.#checks);
    this.#socket.close();
  }

  #received(bytes: Buffer): void {
    const first = bytes[0]!;
    if (first >= 128) this.onMedia(bytes);
    else if (first >= 20) this.#dtls.receive(bytes);
    else this.#stun(bytes);
  }

  /** A server with a full ICE asks, too. */
  #stun(bytes: Buffer): void {
    const message = readStun(bytes);
    if (message?.type === STUN.success && !this.#reached) {
      this.#reached = true;
      clearInterval(this.#checks);
      this.#checks = setInterval(() => this.#check(), CONSENT_MS * (0.8 + 0.4 * Math.random()));
      this.#dtls.start();
    } else if (message?.type === STUN.request) {
      const { transaction } = message;
      const { ip, port } = this.answer;
      const mapped = xorAddress(addressBytes(ip)!, port, transaction);
      const attributes = [[ATTRIBUTE.xorMappedAddress, mapped]] as const;
      this.send(writeStun(STUN.success, transaction, attributes, this.#keys.answers));
    }
  }

  #check(): void {
    const priority = Buffer.alloc(4);
    priority.writeUInt32BE(HOST_PRIORITY);
    const attributes = [
      [ATTRIBUTE.username, Buffer.from(`${this.answer.ufrag}:${this.#ufrag}`)],
      [ATTRIBUTE.priority, priority],
      [ATTRIBUTE.iceControlling, this.#tieBreaker],
      [ATTRIBUTE.useCandidate, Buffer.alloc(0)],
    ] as const;
    this.send(writeStun(STUN.request, randomBytes(12), attributes, this.#keys.asks));
  }
}

function ask(
  method: 'POST' | 'DELETE',
  url: URL,
  body: string,
): Promise<{ readonly status: number; readonly location: string; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === '' ? {} : { 'content-type': 'application/sdp', 'content-length': Buffer.byteLength(body) };
    const call = request(url, { method, agent, headers, timeout: CONNECT_TIMEOUT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', text }),
      );
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`no answer to ${method} ${url}`)));
    call.on('error', reject);
    call.end(body);
  });
}

function fail({ reject }: PromiseWithResolvers<SrtpKeys>, text: string): void {
  reject(new Error(text));
}
