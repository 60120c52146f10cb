/**
 * The ICE engine with addresses that only write down what they are sent, and sessions that write down what they are told.
 */
import { systemRandom } from '../../src/base/random.ts';
import { IceAgent, type IceAgentOptions } from '../../src/webrtc/ice-agent.ts';
import { newMediaPortCounts, type Remote, type RemoteOwner } from '../../src/webrtc/ice-remote.ts';
import type { LiteSession } from '../../src/webrtc/ice-session.ts';
import type { IceCredentials } from '../../src/webrtc/path.ts';
import { type Answer, CLIENT, readAnswer } from './stun-client.ts';

export class FakeRemote implements Remote {
  readonly protocol = 'udp';
  readonly queuedBytes = 0;
  readonly ip: string;
  readonly port: number;
  owner: RemoteOwner | undefined;
  checkedAt = 0;
  kept = false;
  readonly sent: Buffer[] = [];

  constructor(port = 40_000, ip = '192.0.2.7') {
    this.port = port;
    this.ip = ip;
  }

  send(bytes: Uint8Array, offset: number, length: number): void {
    this.sent.push(Buffer.from(bytes.subarray(offset, offset + length)));
  }

  keep(): void {
    this.kept = true;
  }

  forget(): void {
    this.kept = false;
  }

  /** The answers since the last call. */
  answers({ password }: IceCredentials): Answer[] {
    return this.sent.splice(0).map((bytes) => readAnswer(bytes, password));
  }
}

export interface Told {
  readonly session: LiteSession;
  /** Ports of the paths, in order. */
  readonly paths: number[];
  readonly datagrams: string[];
  lost: number;
}

export class IceTown {
  readonly counts = newMediaPortCounts();
  readonly agent: IceAgent;
  options: IceAgentOptions = { connectTimeout: 15_000, consentTimeout: 15_000 };
  now = 1_000;

  constructor(random = systemRandom()) {
    this.agent = new IceAgent(() => this.options, random, this.counts);
  }

  open(remote: IceCredentials | 'unknown' = CLIENT): Told {
    const told = { paths: [] as number[], datagrams: [] as string[], lost: 0 };
    const session = this.agent.session(
      remote === 'unknown' ? undefined : remote,
      {
        path: ({ port }) => told.paths.push(port),
        datagram: (bytes, { port }) => told.datagrams.push(`${port} ${bytes.toString('hex')}`),
        lost: () => {
          told.lost += 1;
        },
      },
      this.now,
    );
    return Object.assign(told, { session });
  }

  receive(bytes: Buffer, from: Remote): void {
    this.agent.receive(bytes, from, this.now);
  }

  /** Lets time pass, with a sweep each second, as the port does it. */
  pass(millis: number): void {
    for (const end = this.now + millis; this.now < end; ) {
      this.now = Math.min(end, this.now + 1_000);
      this.agent.sweep(this.now);
    }
  }

  dropped(): Record<string, number> {
    return Object.fromEntries(this.counts.dropped);
  }
}
