/**
 * werift speaks DTLS for us: hellos, key exchange, our signature and Finished. It never checks who the peer is, hears one client's hello
 * as well as another's, and repeats itself by timers of its own; so what it hears comes from a `DtlsConversation`, whole, in order and
 * checked, and what it says goes there. All of werift that castgate runs is in this file.
 */
import {
  DtlsClient,
  DtlsServer,
  HashAlgorithm,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  SignatureAlgorithm,
} from 'werift';
import type { DtlsSetup, MakeDtls } from './dtls.ts';
import { DtlsConversation } from './dtls-conversation.ts';
import { type HandshakeMessage, handshakeMessage } from './dtls-fragments.ts';
import { type ClientHello, HANDSHAKE, withoutCookie } from './dtls-messages.ts';
import { CONTENT, readRecords, writeRecord } from './dtls-record.ts';
import type { DtlsSpeaker, DtlsVoice } from './dtls-speaker.ts';

/** Each costs a key pair, and anybody can send them. */
const MAX_COOKIES = 16;
/** Beyond every flight of werift's: whatever it waits for has come, so it sends nothing twice. */
const ANSWERED = 100;

export const makeWeriftDtls: MakeDtls = (setup, events) =>
  new DtlsConversation(setup, events, (_, voice) => new WeriftSpeaker(setup, voice));

class WeriftSpeaker implements DtlsSpeaker {
  readonly #voice: DtlsVoice;
  readonly #socket: DtlsServer | DtlsClient;
  /** werift puts its own reader in place of this one. */
  readonly #transport = {
    type: 'castgate',
    address: { address: '', family: '', port: 0 },
    closed: false,
    onData: (_: Buffer): void => {},
    send: async (records: Buffer): Promise<void> => this.#say(records),
    close: async (): Promise<void> => {},
  };
  #hushed = false;
  #cookies = 0;
  /** Of the hello whose parameters werift has taken last. */
  #random: Buffer | undefined;

  constructor({ role, own }: DtlsSetup, voice: DtlsVoice) {
    this.#voice = voice;
    const options = {
      transport: this.#transport,
      cert: pem(own.certificate),
      key: own.privateKey,
      signatureHash: { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
      srtpProfiles: [ProtectionProfileAes128CmHmacSha1_80, ProtectionProfileAeadAes128Gcm],
      extendedMasterSecret: true,
    };
    this.#socket =
      role === 'server' ? new DtlsServer({ ...options, certificateRequest: true }) : new DtlsClient(options);
    const handle = this.#socket.onHandleHandshakes;
    this.#socket.onHandleHandshakes = (messages) => handle(messages).catch((error) => this.#fail(error));
  }

  get masterSecret(): Buffer | undefined {
    return this.#socket.cipher.masterSecret;
  }

  start(): void {
    if (this.#socket instanceof DtlsClient) this.#socket.connect().catch((error) => this.#fail(error));
  }

  accepts(hello: ClientHello, message: HandshakeMessage): boolean {
    const { cookie } = this.#socket.dtls;
    if (hello.cookie.length === 0) {
      if (++this.#cookies <= MAX_COOKIES) this.#take(hello, message);
      return false;
    }
    if (cookie === undefined || !hello.cookie.equals(cookie)) return false;
    // somebody else's hello came in between
    if (this.#random?.equals(hello.random) !== true) {
      this.#hushed = true;
      this.#take(hello, message);
      this.#hushed = false;
    }
    return true;
  }

  hear({ type, whole }: HandshakeMessage): void {
    // what a client has to say is said
    if (this.#socket instanceof DtlsClient && type === HANDSHAKE.finished) return;
    // Finished as well: werift takes it without protection
    this.#transport.onData(writeRecord(CONTENT.handshake, 0, 0, whole));
  }

  hush(): void {
    this.#hushed = true;
  }

  /** werift takes the parameters of a hello before it answers by a cookie. */
  #take(hello: ClientHello, message: HandshakeMessage): void {
    this.#random = hello.random;
    // it offers this back to clients who have not asked
    this.#socket.options.extendedMasterSecret = hello.extendedMasterSecret;
    const whole = handshakeMessage(message.type, message.number, withoutCookie(message.body));
    this.hear({ ...message, whole });
  }

  #say(records: Buffer): void {
    this.#socket.dtls.flight = ANSWERED;
    if (this.#hushed) return;
    for (const { type, epoch, fragment } of readRecords(records)) {
      // its Finished, which we need not see to know it
      if (epoch > 0) this.#voice.finish();
      else if (type === CONTENT.handshake) this.#voice.say(fragment);
    }
  }

  #fail(error: unknown): void {
    if (!this.#hushed) this.#voice.fail(`werift: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
