/**
 * A DTLS 1.2 handshake as its listener: takes the peer's flights in, believes nothing that is not proved, and ends in keys.
 *
 *   server                                            client
 *   ◀── ClientHello                                   ──▶ ClientHello
 *   ──▶ HelloVerifyRequest, where there is one        ◀── HelloVerifyRequest, where there is one
 *   ◀── ClientHello with its cookie                   ──▶ ClientHello with its cookie
 *   ──▶ ServerHello to ServerHelloDone                ◀── ServerHello, Certificate: its fingerprint
 *   ◀── Certificate: its fingerprint                      ServerKeyExchange: signed by that certificate
 *       ClientKeyExchange                                 CertificateRequest, ServerHelloDone
 *       CertificateVerify: signed by that certificate ──▶ Certificate to Finished
 *       Finished: has heard what we said              ◀── Finished: has heard what we said
 *   ──▶ Finished, and keys                            keys
 *
 * Our own side of it is the speaker's. Whoever knows our address can send us plain messages, so what is out of place is passed over,
 * and what is in place and wrong ends the handshake.
 */
import { PeerError } from '../base/errors.ts';
import type { Dtls, DtlsEvents, DtlsSetup } from './dtls.ts';
import { DtlsFlights } from './dtls-flights.ts';
import { HandshakeFragments, type HandshakeMessage, handshakeMessage, messageOf } from './dtls-fragments.ts';
import {
  checkClientHello,
  FIRST,
  FOLLOWS,
  HANDSHAKE,
  readCertificate,
  readCertificateVerify,
  readClientHello,
  readServerHello,
  readServerKeyExchange,
  type ServerHello,
} from './dtls-messages.ts';
import { checkFingerprint, checkSignature } from './dtls-proof.ts';
import { CONTENT, type DtlsRecord, type RecordProtection, readRecords, writeRecord } from './dtls-record.ts';
import { type DtlsEnd, DtlsSecrets } from './dtls-secrets.ts';
import type { DtlsSpeaker, MakeSpeaker } from './dtls-speaker.ts';

/** Above all that speakers use. There is one alert in an epoch, at most. */
const ALERT_SEQUENCE = 0x1000;

const WARNING = 1;
const FATAL = 2;
const CLOSE_NOTIFY = 0;
const HANDSHAKE_FAILURE = 40;
/** RFC 5246 section 7.2: what the peer is told of a fault. */
const ALERTS: ReadonlyMap<string, number> = new Map([
  ['webrtc/dtls-fingerprint', 42],
  ['webrtc/dtls-signature', 51],
  ['webrtc/dtls-version', 70],
]);

export class DtlsConversation implements Dtls {
  readonly #setup: DtlsSetup;
  readonly #events: DtlsEvents;
  readonly #speaker: DtlsSpeaker;
  readonly #we: DtlsEnd;
  readonly #peer: DtlsEnd;
  readonly #flights: DtlsFlights;
  readonly #fragments = new HandshakeFragments();
  /** `proved`: the peer is who it should be, and waits for our Finished. */
  #state: 'before' | 'talking' | 'proved' | 'connected' | 'closed' = 'before';
  #expected: readonly number[];
  /** Both sides' messages so far, from the hello that counts. */
  #transcript: Buffer[] = [];
  /** The last message number of ours. */
  #ownNumber = 0;
  #clientRandom: Buffer | undefined;
  #serverHello: ServerHello | undefined;
  #certificate: Buffer = Buffer.alloc(0);
  #secrets: DtlsSecrets | undefined;
  #opening: RecordProtection | undefined;
  #sealing: RecordProtection | undefined;
  /** A protected record that has overtaken the keys. */
  #early: Buffer | undefined;

  constructor(setup: DtlsSetup, events: DtlsEvents, makeSpeaker: MakeSpeaker) {
    this.#setup = setup;
    this.#events = events;
    this.#we = setup.role;
    this.#peer = setup.role === 'server' ? 'client' : 'server';
    this.#expected = FIRST[this.#peer];
    this.#flights = new DtlsFlights(setup.clock, (datagram) => events.send(datagram));
    this.#speaker = makeSpeaker(setup, {
      say: (records) => this.#say(records),
      fail: (text) => this.#fail('webrtc/dtls-handshake', text),
    });
  }

  start(): void {
    if (this.#state === 'before' && this.#we === 'client') this.#speaker.start();
  }

  receive(datagram: Buffer): void {
    try {
      for (const record of readRecords(datagram)) this.#record(record);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#fail(error.code, error.message);
    }
  }

  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'before') this.#alert(WARNING, CLOSE_NOTIFY);
    this.#end();
  }

  #record(record: DtlsRecord): void {
    if (this.#state === 'closed') return;
    if (record.epoch === 0) {
      if (this.#hearsPlain(record.type)) this.#text(record, record.fragment);
    } else if (this.#opening !== undefined) {
      const text = this.#opening.open(record);
      if (text !== undefined) this.#text(record, text);
    } else if (record.type === CONTENT.handshake) this.#early = Buffer.from(record.bytes);
  }

  /** Not before anybody has spoken, but for a client's hello, and not from a peer that is proved: it has keys. */
  #hearsPlain(type: number): boolean {
    if (this.#state === 'before') return this.#we === 'server' && type === CONTENT.handshake;
    return this.#state === 'talking';
  }

  #text({ type, epoch }: DtlsRecord, text: Buffer): void {
    if (type === CONTENT.alert) this.#heed(text);
    if (type !== CONTENT.handshake) return;
    if (this.#fragments.add(text, epoch)) this.#peerRepeats();
    for (let message = this.#next(); message !== undefined; message = this.#next()) this.#message(message);
  }

  #next(): HandshakeMessage | undefined {
    if (this.#state === 'closed') return undefined;
    const { next } = this.#fragments;
    // a hello comes with number 0, and with 1 when it has been sent back for a cookie
    const second = next === 0 && this.#peer === 'client' ? this.#fragments.take(1) : undefined;
    return second ?? this.#fragments.take(next);
  }

  #message(message: HandshakeMessage): void {
    const { type, number, epoch } = message;
    if (!this.#expected.includes(type) || (type === HANDSHAKE.finished) !== epoch > 0) {
      if (epoch > 0) throw new PeerError('webrtc/dtls-handshake', `message ${type} under the peer's keys, out of turn`);
      return;
    }
    if (type === HANDSHAKE.clientHello && !this.#begins(message)) return;
    this.#check(message);
    this.#fragments.advance(number + 1);
    this.#expected = FOLLOWS[this.#peer].get(type) ?? [];
    // nothing counts that was said before a hello with a cookie
    if (type === HANDSHAKE.helloVerifyRequest) this.#transcript = [];
    else this.#transcript.push(message.whole);
    this.#speaker.hear(message);
    if (this.#state === 'proved' && this.#we === 'client') this.#connected();
    this.#secure();
    this.#takeEarly();
  }

  #begins(message: HandshakeMessage): boolean {
    const hello = readClientHello(message.body);
    checkClientHello(hello);
    if (!this.#speaker.accepts(hello, message)) return false;
    this.#clientRandom = hello.random;
    return true;
  }

  /** Throws `PeerError` unless the message is what it has to be. */
  #check({ type, body }: HandshakeMessage): void {
    switch (type) {
      case HANDSHAKE.serverHello:
        this.#serverHello = readServerHello(body);
        break;
      case HANDSHAKE.certificate:
        this.#certificate = readCertificate(body);
        checkFingerprint(this.#certificate, this.#setup.fingerprints);
        break;
      case HANDSHAKE.serverKeyExchange: {
        const exchange = readServerKeyExchange(body);
        checkSignature(this.#certificate, [this.#clientRandom!, this.#serverHello!.random, exchange.content], exchange);
        break;
      }
      case HANDSHAKE.certificateVerify:
        checkSignature(this.#certificate, this.#transcript, readCertificateVerify(body));
        break;
      case HANDSHAKE.finished:
        if (this.#secrets?.verifies(body, this.#peer, this.#transcript) !== true) {
          throw new PeerError('webrtc/dtls-handshake', "the peer's Finished does not fit what was said");
        }
        this.#state = 'proved';
    }
  }

  /** Derives the keys once all is there that they are made of. */
  #secure(): void {
    const { masterSecret } = this.#speaker;
    if (this.#secrets !== undefined || masterSecret === undefined) return;
    this.#secrets = new DtlsSecrets(masterSecret, { client: this.#clientRandom!, server: this.#serverHello!.random });
    this.#opening = this.#secrets.protection(this.#peer);
  }

  #takeEarly(): void {
    if (this.#opening === undefined || this.#early === undefined) return;
    const early = this.#early;
    this.#early = undefined;
    for (const record of readRecords(early)) this.#record(record);
  }

  #say(records: Buffer): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'before') this.#state = 'talking';
    for (const { type, epoch, fragment } of readRecords(records)) {
      if (type === CONTENT.handshake) this.#remember(fragment, epoch);
    }
    // a flight is said without a pause
    if (this.#flights.add(records)) queueMicrotask(() => this.#flightSaid());
  }

  /** What we say is part of what is signed and proved. */
  #remember(whole: Buffer, epoch: number): void {
    if (epoch > 0) {
      // it is encrypted, and we know what it has to be
      this.#secure();
      this.#sealing = this.#secrets!.protection(this.#we);
      const verifyData = this.#secrets!.verifyData(this.#we, this.#transcript);
      this.#transcript.push(handshakeMessage(HANDSHAKE.finished, this.#ownNumber + 1, verifyData));
      return;
    }
    const { type, number, body } = messageOf(whole);
    this.#ownNumber = number;
    if (type === HANDSHAKE.helloVerifyRequest) return;
    if (type === HANDSHAKE.clientHello) this.#clientRandom = readClientHello(body).random;
    if (type === HANDSHAKE.serverHello) this.#serverHello = readServerHello(body);
    this.#transcript.push(whole);
  }

  #flightSaid(): void {
    if (this.#state === 'closed') return;
    this.#flights.launch(this.#wantsAnswer);
    if (this.#state === 'proved') this.#connected();
  }

  /** A server that has sent a hello back waits for nothing, nor does who has heard Finished. */
  get #wantsAnswer(): boolean {
    return this.#state === 'talking' && !this.#expected.includes(HANDSHAKE.clientHello);
  }

  /** A client that is connected has had the last flight of all. */
  #peerRepeats(): void {
    if (this.#state !== 'connected' || this.#we === 'server') this.#flights.peerRepeats(this.#wantsAnswer);
  }

  #connected(): void {
    this.#state = 'connected';
    this.#flights.stop();
    this.#speaker.hush();
    this.#transcript = [];
    this.#events.connected(this.#secrets!.srtpKeys(this.#serverHello!.profile, this.#we));
  }

  #heed(alert: Buffer): void {
    const [level, description] = alert;
    if (description === CLOSE_NOTIFY) {
      this.#alert(WARNING, CLOSE_NOTIFY);
      this.#end();
      this.#events.closed(undefined);
    } else if (level === FATAL) {
      this.#end();
      this.#events.closed({ code: 'webrtc/dtls-alert', text: `the peer ended the handshake by alert ${description}` });
    }
  }

  #alert(level: number, description: number): void {
    const text = Buffer.of(level, description);
    this.#events.send(
      this.#sealing?.seal(CONTENT.alert, ALERT_SEQUENCE, text) ?? writeRecord(CONTENT.alert, 0, ALERT_SEQUENCE, text),
    );
  }

  #fail(code: string, text: string): void {
    if (this.#state === 'closed') return;
    this.#alert(FATAL, ALERTS.get(code) ?? HANDSHAKE_FAILURE);
    this.#end();
    this.#events.closed({ code, text });
  }

  #end(): void {
    this.#state = 'closed';
    this.#flights.stop();
    this.#speaker.hush();
  }
}
