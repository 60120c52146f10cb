/**
 * Our own side of DTLS 1.2, on the curves and ciphers of Node.js: one suite, and one certificate of ours, on P-256.
 *
 * A server here asks for no cookie: RFC 6347 section 4.2.1 has it because anybody can forge an address, and who reaches us has answered
 * from that address by an authenticated check of ICE. That saves a round trip.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { DtlsCertificate, DtlsSetup, MakeDtls } from './dtls.ts';
import { DtlsConversation } from './dtls-conversation.ts';
import { type HandshakeMessage, handshakeMessage } from './dtls-fragments.ts';
import { type KeyShare, makeKeyShare, masterSecret, type Settled } from './dtls-key-exchange.ts';
import {
  type ClientHello,
  GROUPS,
  HANDSHAKE,
  RANDOM_BYTES,
  readClientKeyExchange,
  readHelloVerifyRequest,
  readServerHello,
  readServerKeyExchange,
} from './dtls-messages.ts';
import {
  certificate,
  certificateRequest,
  certificateVerify,
  clientHello,
  clientKeyExchange,
  serverHello,
  serverKeyExchange,
} from './dtls-own-messages.ts';
import type { DtlsSpeaker, DtlsVoice } from './dtls-speaker.ts';

const NOTHING = Buffer.alloc(0);

export const makeNativeDtls: MakeDtls = (setup, events) =>
  new DtlsConversation(setup, events, (_, voice) =>
    setup.role === 'server' ? new NativeServer(setup, voice) : new NativeClient(setup, voice),
  );

class NativeServer implements DtlsSpeaker {
  readonly #own: DtlsCertificate;
  readonly #voice: DtlsVoice;
  readonly #random: Buffer;
  #number = 0;
  #hello: ClientHello | undefined;
  #share: KeyShare | undefined;
  masterSecret: Buffer | undefined;

  constructor({ own, random }: DtlsSetup, voice: DtlsVoice) {
    this.#own = own;
    this.#voice = voice;
    this.#random = random(RANDOM_BYTES);
  }

  /** It is the client that begins. */
  start(): void {}

  accepts(hello: ClientHello): boolean {
    this.#hello = hello;
    return true;
  }

  hear({ type, body }: HandshakeMessage): void {
    if (type === HANDSHAKE.clientHello) this.#answer();
    else if (type === HANDSHAKE.clientKeyExchange) this.#agree(readClientKeyExchange(body));
    else if (type === HANDSHAKE.finished) this.#voice.finish();
  }

  /** It speaks when spoken to only. */
  hush(): void {}

  #answer(): void {
    const hello = this.#hello!;
    this.#share = makeKeyShare(hello.groups.includes(GROUPS.x25519) ? GROUPS.x25519 : GROUPS.p256);
    this.#say(HANDSHAKE.serverHello, serverHello(this.#random, hello));
    this.#say(HANDSHAKE.certificate, certificate(this.#own.certificate));
    this.#say(HANDSHAKE.serverKeyExchange, serverKeyExchange(this.#settled, this.#share, privateKeyOf(this.#own)));
    this.#say(HANDSHAKE.certificateRequest, certificateRequest());
    this.#say(HANDSHAKE.serverHelloDone, NOTHING);
  }

  #agree(theirs: Buffer): void {
    this.masterSecret = masterSecret(this.#share!.agree(theirs), this.#settled, this.#voice.transcript());
  }

  get #settled(): Settled {
    const { random, extendedMasterSecret } = this.#hello!;
    return { client: random, server: this.#random, extended: extendedMasterSecret };
  }

  #say(type: number, body: Buffer): void {
    this.#voice.say(handshakeMessage(type, this.#number++, body));
  }
}

class NativeClient implements DtlsSpeaker {
  readonly #own: DtlsCertificate;
  readonly #voice: DtlsVoice;
  readonly #random: Buffer;
  #number = 0;
  #settled: Settled | undefined;
  #share: KeyShare | undefined;
  #premaster: Buffer | undefined;
  /** The server wants to know who we are. */
  #asked = false;
  masterSecret: Buffer | undefined;

  constructor({ own, random }: DtlsSetup, voice: DtlsVoice) {
    this.#own = own;
    this.#voice = voice;
    this.#random = random(RANDOM_BYTES);
  }

  start(): void {
    this.#say(HANDSHAKE.clientHello, clientHello(this.#random, NOTHING));
  }

  /** Nobody says hello to a client. */
  accepts(): boolean {
    return false;
  }

  hear({ type, body }: HandshakeMessage): void {
    switch (type) {
      case HANDSHAKE.helloVerifyRequest:
        this.#say(HANDSHAKE.clientHello, clientHello(this.#random, readHelloVerifyRequest(body)));
        break;
      case HANDSHAKE.serverHello: {
        const { random, extendedMasterSecret } = readServerHello(body);
        this.#settled = { client: this.#random, server: random, extended: extendedMasterSecret };
        break;
      }
      case HANDSHAKE.serverKeyExchange: {
        const { group, publicKey } = readServerKeyExchange(body);
        this.#share = makeKeyShare(group);
        this.#premaster = this.#share.agree(publicKey);
        break;
      }
      case HANDSHAKE.certificateRequest:
        this.#asked = true;
        break;
      case HANDSHAKE.serverHelloDone:
        this.#answer();
    }
  }

  /** It speaks when spoken to only. */
  hush(): void {}

  #answer(): void {
    const transcript = () => this.#voice.transcript();
    if (this.#asked) this.#say(HANDSHAKE.certificate, certificate(this.#own.certificate));
    this.#say(HANDSHAKE.clientKeyExchange, clientKeyExchange(this.#share!));
    this.masterSecret = masterSecret(this.#premaster!, this.#settled!, transcript());
    if (this.#asked) {
      this.#say(HANDSHAKE.certificateVerify, certificateVerify(transcript(), privateKeyOf(this.#own)));
    }
    this.#voice.finish();
  }

  #say(type: number, body: Buffer): void {
    this.#voice.say(handshakeMessage(type, this.#number++, body));
  }
}

/** Our private keys, read once each. */
const privateKeys = new WeakMap<DtlsCertificate, KeyObject>();

function privateKeyOf(own: DtlsCertificate): KeyObject {
  const known = privateKeys.get(own);
  if (known !== undefined) return known;
  const key = createPrivateKey(own.privateKey);
  privateKeys.set(own, key);
  return key;
}
