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
import { DtlsFlights, type FlightRecord } from './dtls-flights.ts';
import { HandshakeFragments, type HandshakeMessage } from './dtls-fragments.ts';
import { checkClientHello, FIRST, FOLLOWS, HANDSHAKE, readClientHello } from './dtls-messages.ts';
import { CONTENT, type DtlsRecord, type RecordProtection, readRecords, writeRecord } from './dtls-record.ts';
import type { DtlsEnd } from './dtls-secrets.ts';
import type { DtlsSpeaker, MakeSpeaker } from './dtls-speaker.ts';
import { DtlsTranscript } from './dtls-transcript.ts';

const CHANGE_CIPHER_SPEC = Buffer.of(1);

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

interface Talk {
  readonly speaker: DtlsSpeaker;
  readonly transcript: DtlsTranscript;
}

export class DtlsConversation implements Dtls {
  readonly #events: DtlsEvents;
  readonly #we: DtlsEnd;
  readonly #peer: DtlsEnd;
  readonly #flights: DtlsFlights;
  readonly #fragments = new HandshakeFragments();
  /** `proved`: the peer is who it should be, and waits for our Finished. */
  #state: 'before' | 'talking' | 'proved' | 'connected' | 'closed' = 'before';
  #expected: readonly number[];
  /** Until all is said. */
  #talk: Talk | undefined;
  /** The next record of ours, in each epoch. */
  readonly #numbers: [number, number] = [0, 0];
  #opening: RecordProtection | undefined;
  #sealing: RecordProtection | undefined;
  /** A protected record that has overtaken the keys. */
  #early: Buffer | undefined;

  constructor(setup: DtlsSetup, events: DtlsEvents, makeSpeaker: MakeSpeaker) {
    this.#events = events;
    this.#we = setup.role;
    this.#peer = setup.role === 'server' ? 'client' : 'server';
    this.#expected = FIRST[this.#peer];
    this.#flights = new DtlsFlights(
      setup.clock,
      (record) => this.#write(record),
      (datagram) => events.send(datagram),
    );
    const transcript = new DtlsTranscript(this.#we, this.#peer, setup.fingerprints);
    const speaker = makeSpeaker(setup, {
      transcript: () => transcript.messages,
      say: (message) => this.#say(message),
      finish: () => this.#finish(),
      fail: (text) => this.#fail('webrtc/dtls-handshake', text),
    });
    this.#talk = { speaker, transcript };
  }

  start(): void {
    if (this.#state === 'before' && this.#we === 'client') this.#talk?.speaker.start();
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
    while (this.#talk !== undefined) {
      const message = this.#next();
      if (message === undefined) return;
      this.#hear(this.#talk, message);
    }
  }

  #next(): HandshakeMessage | undefined {
    const { next } = this.#fragments;
    // a hello comes with number 0, and with 1 when it has been sent back for a cookie
    const second = next === 0 && this.#peer === 'client' ? this.#fragments.take(1) : undefined;
    return second ?? this.#fragments.take(next);
  }

  #hear({ speaker, transcript }: Talk, message: HandshakeMessage): void {
    const { type, number, epoch, body } = message;
    if (!this.#expected.includes(type) || (type === HANDSHAKE.finished) !== epoch > 0) {
      if (epoch > 0) throw new PeerError('webrtc/dtls-handshake', `message ${type} under the peer's keys, out of turn`);
      return;
    }
    if (type === HANDSHAKE.clientHello) {
      const hello = readClientHello(body);
      checkClientHello(hello);
      if (!speaker.accepts(hello, message)) return;
    }
    transcript.hear(message);
    this.#fragments.advance(number + 1);
    this.#expected = FOLLOWS[this.#peer].get(type) ?? [];
    if (type === HANDSHAKE.finished) this.#state = 'proved';
    speaker.hear(message);
    if (this.#state === 'proved' && this.#we === 'client') this.#connected();
    else if (this.#secure()) this.#takeEarly();
  }

  /** Are there keys? They are derived once all is there that they are made of. */
  #secure(): boolean {
    if (this.#opening !== undefined) return true;
    const masterSecret = this.#talk?.speaker.masterSecret;
    if (this.#talk === undefined || masterSecret === undefined) return false;
    this.#talk.transcript.derive(masterSecret);
    this.#opening = this.#talk.transcript.protection(this.#peer);
    return true;
  }

  #takeEarly(): void {
    const early = this.#early;
    if (early === undefined) return;
    this.#early = undefined;
    for (const record of readRecords(early)) this.#record(record);
  }

  #say(message: Buffer): void {
    if (this.#talk === undefined) return;
    if (this.#state === 'before') this.#state = 'talking';
    this.#talk.transcript.say(message);
    this.#add({ type: CONTENT.handshake, epoch: 0, text: message });
  }

  #finish(): void {
    if (this.#talk === undefined || !this.#secure()) return;
    const { transcript } = this.#talk;
    this.#sealing = transcript.protection(this.#we);
    this.#add({ type: CONTENT.changeCipherSpec, epoch: 0, text: CHANGE_CIPHER_SPEC });
    this.#add({ type: CONTENT.handshake, epoch: 1, text: transcript.sayFinished() });
  }

  #add(record: FlightRecord): void {
    // a flight is said without a pause
    if (this.#flights.add(record)) queueMicrotask(() => this.#flightSaid());
  }

  #write({ type, epoch, text }: FlightRecord): Buffer {
    if (epoch === 0) return writeRecord(type, epoch, this.#numbers[0]++, text);
    return this.#sealing!.seal(type, this.#numbers[1]++, text);
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
    const keys = this.#talk!.transcript.srtpKeys();
    this.#state = 'connected';
    this.#allSaid();
    this.#events.connected(keys);
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
    const epoch = this.#sealing === undefined ? 0 : 1;
    this.#events.send(this.#write({ type: CONTENT.alert, epoch, text: Buffer.of(level, description) }));
  }

  #fail(code: string, text: string): void {
    if (this.#state === 'closed') return;
    this.#alert(FATAL, ALERTS.get(code) ?? HANDSHAKE_FAILURE);
    this.#end();
    this.#events.closed({ code, text });
  }

  #end(): void {
    this.#state = 'closed';
    this.#allSaid();
  }

  /** A session lasts hours: what the handshake needed goes. */
  #allSaid(): void {
    this.#flights.stop();
    this.#talk?.speaker.hush();
    this.#talk = undefined;
    this.#early = undefined;
  }
}
