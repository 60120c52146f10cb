/**
 * The WebRTC door on a virtual clock: no sockets, a handshake of one datagram, and a gate that writes down what it is asked.
 */
import { readFileSync } from 'node:fs';
import type { Frame } from '../../src/media/frame.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { Hub } from '../../src/relay/hub.ts';
import type { RenditionCodec } from '../../src/relay/rendition.ts';
import type { Source } from '../../src/relay/source.ts';
import type { Publication, Stream } from '../../src/relay/stream.ts';
import type { Admission, Gate, Verdict } from '../../src/session/gate.ts';
import { SessionRegistry } from '../../src/session/registry.ts';
import type { Session } from '../../src/session/session.ts';
import type { Dtls, DtlsEvents, DtlsSetup, MakeDtls } from '../../src/webrtc/dtls.ts';
import { newMediaPortCounts } from '../../src/webrtc/ice-remote.ts';
import type { OpenMediaPort } from '../../src/webrtc/media-port.ts';
import { WEBRTC_DEFAULTS, type WebRtcOptions } from '../../src/webrtc/options.ts';
import type { IceCredentials, IceEvents, IceSession, Path } from '../../src/webrtc/path.ts';
import { type RtcpItem, writeRtcp } from '../../src/webrtc/rtcp.ts';
import { writeRtpHeader } from '../../src/webrtc/rtp-header.ts';
import { WebRtcServer } from '../../src/webrtc/server.ts';
import type { SignalRequest } from '../../src/webrtc/signalling.ts';
import { SrtcpSender } from '../../src/webrtc/srtcp.ts';
import type { SrtpKeys } from '../../src/webrtc/srtp-keys.ts';
import { SrtpReceiver } from '../../src/webrtc/srtp-receiver.ts';
import { SrtpSender } from '../../src/webrtc/srtp-sender.ts';
import { AVC_CONFIG, avcUnit } from './frames.ts';
import { LogRecorder } from './log-recorder.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What a client sends for a whole handshake. */
const HELLO = Buffer.of(22, 1);
/** An alert, in the same language. */
export const GOODBYE = Buffer.of(21, 0);

const master = (fill: number) => ({ key: Buffer.alloc(16, fill), salt: Buffer.alloc(14, fill) });
const KEYS: SrtpKeys = { profile: 'aes128-cm-sha1-80', local: master(1), remote: master(2) };

export function description(name: string): string {
  return readFileSync(new URL(`../golden/sdp/${name}.sdp`, import.meta.url), 'utf8');
}

/** A client's place on the port. */
export class FakeIce implements IceSession, Path {
  readonly ip = '192.0.2.9';
  readonly port = 5_000;
  readonly protocol = 'udp';
  readonly queuedBytes = 0;
  readonly events: IceEvents;
  /** The client's; what `restart` brought counts. */
  remote: IceCredentials | undefined;
  restarts = 0;
  closed = false;
  readonly sent: Buffer[] = [];
  readonly #sender = new SrtpSender(KEYS.profile, KEYS.remote);
  readonly #controlSender = new SrtcpSender(KEYS.profile, KEYS.remote);
  readonly #receiver = new SrtpReceiver(KEYS.profile, KEYS.local);
  #sequence = 0;

  constructor(remote: IceCredentials | undefined, events: IceEvents) {
    this.remote = remote;
    this.events = events;
  }

  get local(): IceCredentials {
    return { ufrag: `ufrag${this.restarts}`, password: `password-of-22-characters-${this.restarts}` };
  }

  restart(remote: IceCredentials): IceCredentials {
    if (this.remote !== undefined) this.restarts += 1;
    this.remote = remote;
    return this.local;
  }

  close(): void {
    this.closed = true;
  }

  send(bytes: Uint8Array, offset: number, length: number): void {
    this.sent.push(Buffer.from(bytes.subarray(offset, offset + length)));
  }

  /** The client's first check, and its handshake. */
  connect(): void {
    this.events.path(this);
    this.receive(HELLO);
  }

  receive(bytes: Buffer): void {
    this.events.datagram(Buffer.from(bytes), this);
  }

  /** One RTP packet of the client. */
  media(payloadType: number, timestamp: number, payload: Buffer, ssrc = 7): void {
    const packet = Buffer.alloc(12 + payload.length);
    const sequence = this.#sequence++;
    writeRtpHeader(packet, 0, { payloadType, marker: true, sequence, timestamp, ssrc });
    payload.copy(packet, 12);
    const out = Buffer.alloc(packet.length + this.#sender.trailer);
    this.receive(out.subarray(0, this.#sender.protectInto(out, packet, sequence)));
  }

  /** What the client says by RTCP. */
  control(items: readonly RtcpItem[]): void {
    this.receive(this.#controlSender.protect(writeRtcp(items)));
  }

  /** RTP that it was sent, in the clear. */
  received(): readonly Buffer[] {
    const media = this.sent.filter((bytes) => bytes[0]! >> 6 === 2 && (bytes[1]! < 192 || bytes[1]! > 223));
    return media.flatMap((bytes) => this.#receiver.unprotect(Buffer.from(bytes)) ?? []);
  }
}

class FakeDtls implements Dtls {
  readonly #events: DtlsEvents;

  constructor(_setup: DtlsSetup, events: DtlsEvents) {
    this.#events = events;
  }

  start(): void {
    this.#events.send(HELLO);
  }

  receive(datagram: Buffer): void {
    if (datagram.equals(HELLO)) this.#events.connected(KEYS);
    else if (datagram.equals(GOODBYE)) this.#events.closed(undefined);
    else this.#events.closed({ code: 'webrtc/dtls', text: 'a lie' });
  }

  close(): void {
    this.#events.send(GOODBYE);
  }
}

/** Lets everybody in unless told otherwise, and keeps the books. */
class Doorman implements Gate {
  readonly asked: Admission[] = [];
  refusal: Extract<Verdict, { allow: false }> | undefined;
  mayTake = false;
  abandoned = 0;
  readonly inside = new Set<Session>();
  farewells = 0;
  published_ = 0;
  /** Somebody waits for the verdict; called before it is given. */
  meanwhile: () => void = () => {};

  async admit(request: Admission): Promise<Verdict> {
    this.asked.push(request);
    await Promise.resolve();
    this.meanwhile();
    if (this.refusal !== undefined) return this.refusal;
    const role = request.stream?.doing === 'play' ? 'watcher' : 'broadcaster';
    return { allow: true, name: request.params[0]!, room: request.params[1] ?? '', role, canKick: false };
  }
  abandon(): void {
    this.abandoned += 1;
  }
  opened(session: Session): void {
    this.inside.add(session);
  }
  farewell(session: Session): void {
    if (!this.inside.delete(session)) throw new Error('a farewell to a stranger');
    this.farewells += 1;
  }
  published(): void {
    this.published_ += 1;
  }
  mayTakeOver(): boolean {
    return this.mayTake;
  }
}

export class WebRtcTown {
  readonly clock = new VirtualClock();
  readonly log = new LogRecorder();
  readonly hub = new Hub(() => GOP_DEFAULTS);
  readonly registry = new SessionRegistry();
  readonly gate = new Doorman();
  readonly places: FakeIce[] = [];
  /** How long viewers waited for their first key frame. */
  readonly joins: number[] = [];
  readonly server: WebRtcServer;
  /** Pictures are re-encoded for all. */
  reencodes = false;
  rendition: (stream: Stream, to: readonly RenditionCodec[]) => Source = (stream) => stream;
  makeDtls: MakeDtls = (setup, events) => new FakeDtls(setup, events);
  #random = 0;
  #number = 0;

  constructor(options: Partial<WebRtcOptions> = {}) {
    const port: OpenMediaPort = {
      counts: newMediaPortCounts(),
      sessions: 0,
      candidates: () => [{ foundation: '1', protocol: 'udp', priority: 9, ip: '203.0.113.5', port: 8_189 }],
      open: (remote, events) => {
        const place = new FakeIce(remote, events);
        this.places.push(place);
        return place;
      },
      start: async () => ({}),
      close: async () => {},
    };
    this.server = new WebRtcServer({
      ...{ port, clock: this.clock, log: this.log, hub: this.hub, registry: this.registry, gate: this.gate },
      options: { ...WEBRTC_DEFAULTS, ...options },
      // each draw differs from all others
      random: (count) => Buffer.alloc(count, ++this.#random),
      makeDtls: (setup, events) => this.makeDtls(setup, events),
      nextNumber: () => ++this.#number,
      rendition: (stream, ...to) => this.rendition(stream, to),
      reencodes: () => this.reencodes,
      listed: (app) => app === 'live',
      observeJoin: (millis) => this.joins.push(millis),
    });
  }

  async open(): Promise<this> {
    await this.server.start();
    return this;
  }

  get endpoint(): WebRtcServer['endpoint'] {
    return this.server.endpoint;
  }

  get place(): FakeIce {
    return this.places.at(-1)!;
  }

  request(more: Partial<SignalRequest> = {}): SignalRequest {
    return { app: 'live', stream: 'show', query: '', ip: '192.0.2.1', door: 'whip', ...more };
  }

  /** A stream that something else publishes, with a picture every 40 ms of its own time and no sound. */
  camera(name = 'show'): { readonly publication: Publication; film(count: number): void } {
    const publication = this.hub.stream('live', name).publish({ requestKeyFrame() {}, evicted() {} });
    const config: Frame = { ...video('config', 0), data: AVC_BASELINE, size: AVC_BASELINE.length };
    publication.write(config);
    let shown = 0;
    return {
      publication,
      film(count) {
        for (let i = 0; i < count; i++, shown++) {
          const role = shown % 25 === 0 ? 'key' : 'delta';
          publication.write({ ...video(role, shown * 40_000), config });
        }
      },
    };
  }
}

/** The record of a stream without reordering. */
const AVC_BASELINE = Buffer.from('0142c01effe1000967 42c01eda0508 4c0101000468ce3c80'.replaceAll(' ', ''), 'hex');

function video(role: Frame['role'], dts: number): Frame {
  const data = role === 'config' ? AVC_CONFIG : avcUnit(role, 60);
  return { kind: 'video', role, codec: 'h264', dts, pts: dts, size: data.length, data, track: 0 };
}
