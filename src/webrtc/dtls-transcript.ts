/**
 * What both ends of a handshake have said, and what that proves. The signatures and the Finished of either end are over all of it, so
 * whoever has changed a word on the way is found out.
 */
import { PeerError } from '../base/errors.ts';
import type { Fingerprint } from './dtls.ts';
import { type HandshakeMessage, handshakeMessage, messageOf } from './dtls-fragments.ts';
import {
  HANDSHAKE,
  readCertificate,
  readCertificateVerify,
  readClientHello,
  readServerHello,
  readServerKeyExchange,
  type ServerHello,
} from './dtls-messages.ts';
import { checkFingerprint, checkSignature } from './dtls-proof.ts';
import type { RecordProtection } from './dtls-record.ts';
import { type DtlsEnd, DtlsSecrets } from './dtls-secrets.ts';
import type { SrtpKeys } from './srtp-keys.ts';

export class DtlsTranscript {
  readonly #we: DtlsEnd;
  readonly #peer: DtlsEnd;
  readonly #fingerprints: readonly Fingerprint[];
  #messages: Buffer[] = [];
  /** The last message number of ours. */
  #ownNumber = 0;
  #clientRandom: Buffer | undefined;
  #serverHello: ServerHello | undefined;
  #certificate: Buffer = Buffer.alloc(0);
  #secrets: DtlsSecrets | undefined;

  constructor(we: DtlsEnd, peer: DtlsEnd, fingerprints: readonly Fingerprint[]) {
    this.#we = we;
    this.#peer = peer;
    this.#fingerprints = fingerprints;
  }

  /** From the hello that counts. */
  get messages(): readonly Buffer[] {
    return this.#messages;
  }

  /** Takes a message of the peer, in its turn. Throws `PeerError` unless it is what it has to be. */
  hear({ type, body, whole }: HandshakeMessage): void {
    switch (type) {
      case HANDSHAKE.helloVerifyRequest:
        // the hello that comes with the cookie is the first that counts
        this.#messages = [];
        return;
      case HANDSHAKE.clientHello:
      case HANDSHAKE.serverHello:
        this.#hello(type, body);
        break;
      case HANDSHAKE.certificate:
        this.#certificate = readCertificate(body);
        checkFingerprint(this.#certificate, this.#fingerprints);
        break;
      case HANDSHAKE.serverKeyExchange: {
        const exchange = readServerKeyExchange(body);
        const { client, server } = this.#randoms;
        checkSignature(this.#certificate, [client, server, exchange.content], exchange);
        break;
      }
      case HANDSHAKE.certificateVerify:
        checkSignature(this.#certificate, this.#messages, readCertificateVerify(body));
        break;
      case HANDSHAKE.finished:
        if (this.#secrets?.verifies(body, this.#peer, this.#messages) !== true) {
          throw new PeerError('webrtc/dtls-handshake', "the peer's Finished does not fit what was said");
        }
    }
    this.#messages.push(whole);
  }

  /** Takes a message of ours, in one piece. */
  say(whole: Buffer): void {
    const { type, number, body } = messageOf(whole);
    this.#ownNumber = number;
    if (type === HANDSHAKE.helloVerifyRequest) return;
    this.#hello(type, body);
    this.#messages.push(whole);
  }

  /** Our Finished. Only with keys. */
  sayFinished(): Buffer {
    const body = this.#secrets!.verifyData(this.#we, this.#messages);
    const whole = handshakeMessage(HANDSHAKE.finished, ++this.#ownNumber, body);
    this.#messages.push(whole);
    return whole;
  }

  /** Derives the keys, once both ends have said their hellos. */
  derive(masterSecret: Buffer): void {
    this.#secrets = new DtlsSecrets(masterSecret, this.#randoms);
  }

  /** Of what `end` sends. Only with keys. */
  protection(end: DtlsEnd): RecordProtection {
    return this.#secrets!.protection(end);
  }

  /** Only with keys. */
  srtpKeys(): SrtpKeys {
    return this.#secrets!.srtpKeys(this.#serverHello!.profile, this.#we);
  }

  get #randoms() {
    return { client: this.#clientRandom!, server: this.#serverHello!.random };
  }

  #hello(type: number, body: Buffer): void {
    if (type === HANDSHAKE.clientHello) this.#clientRandom = readClientHello(body).random;
    if (type === HANDSHAKE.serverHello) this.#serverHello = readServerHello(body);
  }
}
