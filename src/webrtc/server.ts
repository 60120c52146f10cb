/**
 * The WebRTC door: the media port, everybody who came through it, and the endpoint that signalling doors ask.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { RandomBytes } from '../base/random.ts';
import type { Traffic } from '../session/session.ts';
import { makeCertificate } from './certificate.ts';
import type { DtlsCertificate, MakeDtls } from './dtls.ts';
import { loadDtls } from './dtls-choice.ts';
import { WebRtcEndpoint } from './endpoint.ts';
import type { MediaPortCounts } from './ice-remote.ts';
import { type MediaAddresses, makeMediaPort, type OpenMediaPort } from './media-port.ts';
import { makeNativeDtls } from './native-dtls.ts';
import type { WebRtcOptions } from './options.ts';
import { WebRtcPeers } from './peers.ts';
import { RtpAudiences } from './rtp-audiences.ts';
import type { SignallingEndpoint } from './signalling.ts';
import { newCounts, type WebRtcCounts, type WebRtcWorld } from './world.ts';

export interface WebRtcServerParts
  extends Pick<
    WebRtcWorld,
    'hub' | 'registry' | 'gate' | 'nextNumber' | 'rendition' | 'reencodes' | 'listed' | 'observeJoin' | 'options'
  > {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Instead of what `options.dtls` says, in tests. */
  readonly makeDtls?: MakeDtls;
  /** Instead of sockets, in tests. */
  readonly port?: OpenMediaPort;
}

/** A certificate is valid for a month; sessions keep the one they began with. */
const RENEW_CERTIFICATE: Millis = 7 * 24 * 3_600_000;

export class WebRtcServer {
  readonly endpoint: SignallingEndpoint;
  readonly audiences: RtpAudiences;
  readonly #world: WebRtcWorld;
  readonly #loadDtls: () => Promise<MakeDtls>;
  readonly #peers: WebRtcPeers;
  readonly #port: OpenMediaPort;
  #certificate: DtlsCertificate;
  #renewals: Timer | undefined;

  constructor(parts: WebRtcServerParts) {
    const { clock, random, log, options, makeDtls } = parts;
    this.#port = parts.port ?? makeMediaPort({ options: () => this.#world.options, clock, random, log });
    this.audiences = new RtpAudiences({ clock, random, maxDatagram: options.maxDatagram });
    this.#certificate = makeCertificate(clock.wallTime(), random);
    this.#loadDtls = async () => makeDtls ?? loadDtls(options.dtls);
    this.#world = {
      ...parts,
      makeDtls: makeDtls ?? makeNativeDtls,
      port: this.#port,
      audiences: this.audiences,
      certificate: () => this.#certificate,
      counts: newCounts(),
    };
    this.#peers = new WebRtcPeers(this.#world);
    this.endpoint = new WebRtcEndpoint(this.#world, this.#peers);
  }

  /** Has somebody come to publish `stream` of `app`, and sent nothing yet? */
  starting(app: string, stream: string): boolean {
    const { hub, registry } = this.#world;
    if (hub.find(app, stream)?.live === true) return false;
    return registry.named(app, stream).some((session) => session.stream?.doing === 'publish');
  }

  get counts(): WebRtcCounts {
    return this.#world.counts;
  }

  /** Of the media port. */
  get portCounts(): MediaPortCounts {
    return this.#port.counts;
  }

  get open(): number {
    return this.#peers.size;
  }

  /** Opens the media port. Throws `RefusedError` `server/listen` when it is taken. */
  async start(): Promise<MediaAddresses> {
    const { clock, random } = this.#world;
    this.#world.makeDtls = await this.#loadDtls();
    const addresses = await this.#port.start();
    this.#peers.start();
    this.#renewals = clock.every(RENEW_CERTIFICATE, () => {
      this.#certificate = makeCertificate(clock.wallTime(), random);
    });
    return addresses;
  }

  /** For whatever comes from now on; ports, DTLS and the size of datagrams stay. */
  setOptions(options: WebRtcOptions): void {
    this.#world.options = options;
  }

  /** Bytes since the start. */
  traffic(): Traffic {
    return this.#peers.traffic();
  }

  /** Lets nobody in any more; those inside stay. */
  close(): void {
    this.#peers.close();
  }

  /** Tells everybody inside to go. */
  dismiss(reason: string): void {
    this.#peers.dismiss(reason);
  }

  /** For the very end. */
  async stop(): Promise<void> {
    this.#renewals?.cancel();
    this.#peers.stop();
    await this.#port.close();
  }
}
