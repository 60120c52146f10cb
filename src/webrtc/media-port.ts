/**
 * The sockets that all sessions share, with the engine between them and the sessions.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import type { ListenAddress } from '../base/listen-address.ts';
import type { Logger } from '../base/log.ts';
import type { RandomBytes } from '../base/random.ts';
import { IceAgent } from './ice-agent.ts';
import { makeCandidates } from './ice-candidates.ts';
import { type MediaPortCounts, newMediaPortCounts, type Remote } from './ice-remote.ts';
import type { WebRtcOptions } from './options.ts';
import type { Candidate, IceCredentials, IceEvents, IceSession, MediaPort } from './path.ts';
import { TcpPort } from './tcp-port.ts';
import { interfaceAddresses, UdpPort } from './udp-port.ts';

/** Sessions and connections are looked through for those that are over. */
const SWEEP_PERIOD: Millis = 1_000;
/** Networks come and go with cables and radio; asking the system costs a system call. */
const INTERFACES_FRESH: Millis = 3_000;

export interface MediaPortSetup {
  /** In force now; the ports are those of the start. */
  readonly options: () => WebRtcOptions;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
  /** Addresses of this machine. */
  readonly interfaces?: () => readonly string[];
}

/** Where it listens now; undefined: off. */
export interface MediaAddresses {
  readonly udp?: ListenAddress | undefined;
  readonly tcp?: ListenAddress | undefined;
}

export interface OpenMediaPort extends MediaPort {
  readonly counts: MediaPortCounts;
  /** Open ones. */
  readonly sessions: number;
  /** Throws `RefusedError` `server/listen` when a port cannot be had; then nothing is open. */
  start(): Promise<MediaAddresses>;
  /** Every session is lost, every socket closed. Idempotent. */
  close(): Promise<void>;
}

export function makeMediaPort(setup: MediaPortSetup): OpenMediaPort {
  return new SharedPort(setup);
}

class SharedPort implements OpenMediaPort {
  readonly counts = newMediaPortCounts();
  readonly #setup: MediaPortSetup;
  readonly #agent: IceAgent;
  #udp: UdpPort | undefined;
  #tcp: TcpPort | undefined;
  #sweeps: Timer | undefined;
  #interfaces: readonly string[] = [];
  #interfacesReadAt = Number.NEGATIVE_INFINITY;

  constructor(setup: MediaPortSetup) {
    this.#setup = setup;
    this.#agent = new IceAgent(setup.options, setup.random, this.counts);
  }

  get sessions(): number {
    return this.#agent.open;
  }

  async start(): Promise<MediaAddresses> {
    const { options, clock, log } = this.#setup;
    const { listen, tcpListen } = options();
    const receive = (bytes: Buffer, from: Remote) => this.#receive(bytes, from);
    const common = { receive, counts: this.counts, log };
    try {
      if (listen !== '') this.#udp = await UdpPort.open({ ...common, listen });
      if (tcpListen !== '') {
        this.#tcp = await TcpPort.open({
          ...common,
          listen: tcpListen,
          now: () => clock.now(),
          get maxConnections() {
            return options().maxSessions;
          },
          get maxConnectionsPerIp() {
            return options().maxSessionsPerIp;
          },
        });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#sweeps = clock.every(SWEEP_PERIOD, () => this.#sweep());
    if (this.candidates().length === 0) {
      log.warn({ code: 'config/warning' }, 'clients are told no address: set webrtc.publicAddresses');
    }
    return { udp: this.#udp?.address, tcp: this.#tcp?.address };
  }

  async close(): Promise<void> {
    this.#sweeps?.cancel();
    this.#calmly(() => this.#agent.close());
    this.#udp?.close();
    this.#tcp?.close();
    this.#udp = undefined;
    this.#tcp = undefined;
  }

  candidates(): readonly Candidate[] {
    const { publicAddresses, interfaceAddresses: told } = this.#setup.options();
    const interfaces = told ? this.#ownAddresses() : undefined;
    return makeCandidates({ udp: this.#udp?.address, tcp: this.#tcp?.address, publicAddresses, interfaces });
  }

  open(remote: IceCredentials | undefined, events: IceEvents): IceSession {
    return this.#agent.session(remote, events, this.#setup.clock.now());
  }

  #ownAddresses(): readonly string[] {
    const { clock, interfaces = interfaceAddresses } = this.#setup;
    const now = clock.now();
    if (now - this.#interfacesReadAt > INTERFACES_FRESH) {
      this.#interfaces = interfaces();
      this.#interfacesReadAt = now;
    }
    return this.#interfaces;
  }

  #receive(bytes: Buffer, from: Remote): void {
    try {
      this.#agent.receive(bytes, from, this.#setup.clock.now());
    } catch (error) {
      this.#bug(error);
      this.#calmly(() => from.owner?.lose());
    }
  }

  #sweep(): void {
    const now = this.#setup.clock.now();
    this.#calmly(() => this.#agent.sweep(now));
    this.#tcp?.sweep(now);
  }

  /** A fault in what one session does must not end the others. */
  #calmly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#bug(error);
    }
  }

  #bug(error: unknown): void {
    this.#setup.log.error({ code: 'server/bug', err: error }, 'a fault of castgate');
  }
}
