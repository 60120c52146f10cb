/**
 * RTMP peers on a virtual clock: clients of our own or played by hand, connected without a network.
 */
import type { LogFields } from '../../src/base/log.ts';
import { Hub } from '../../src/relay/hub.ts';
import { Audiences } from '../../src/rtmp/audiences.ts';
import { type ClientEvent, type ClientOptions, RtmpClient } from '../../src/rtmp/client.ts';
import { RTMP_DEFAULTS, type RtmpOptions } from '../../src/rtmp/options.ts';
import { RtmpPeer } from '../../src/rtmp/peer.ts';
import { ReadPacer } from '../../src/rtmp/read-pacer.ts';
import { newCounts, type RtmpWorld } from '../../src/rtmp/world.ts';
import { type Gate, OpenGate } from '../../src/session/gate.ts';
import { SessionRegistry } from '../../src/session/registry.ts';
import { Listener } from './dialogue.ts';
import { FakeTransport } from './duplex.ts';
import { LogRecorder } from './log-recorder.ts';
import { settled, VirtualClock } from './virtual-clock.ts';

/** Enough for handshakes and names; the same in each run. */
function pseudoRandom(): (count: number) => Buffer {
  let turn = 0;
  return (count) => {
    const bytes = Buffer.alloc(count, ++turn);
    if (count >= 4) bytes.writeUInt32BE(turn, count - 4);
    return bytes;
  };
}

export interface TestWorld extends RtmpWorld {
  readonly clock: VirtualClock;
  readonly log: LogRecorder;
  readonly joins: number[];
}

export function aWorld(options: Partial<RtmpOptions> = {}, gate: Gate = new OpenGate()): TestWorld {
  const clock = new VirtualClock();
  const all = { ...RTMP_DEFAULTS, ...options };
  let number = 0;
  const joins: number[] = [];
  return {
    version: '1.2.3',
    options: all,
    clock,
    log: new LogRecorder(),
    hub: new Hub(),
    registry: new SessionRegistry(),
    gate,
    audiences: new Audiences(clock, (stream) => stream),
    pacer: new ReadPacer(clock, 0, 0),
    counts: newCounts(),
    random: pseudoRandom(),
    nextNumber: () => ++number,
    writeWindow: () => all.writeWindow,
    joins,
    observeJoin: (millis) => joins.push(millis),
  };
}

/** A peer, its transport, and what the other end has to say. */
export class Line {
  readonly peer: RtmpPeer;
  readonly transport: FakeTransport;
  /** Bytes from the server that nobody has looked at. */
  readonly toClient: Buffer[] = [];
  readonly #toServer: Buffer[] = [];
  /** How often the end was reported. */
  closed = 0;
  #clientGone = false;

  constructor(world: RtmpWorld, ip = '192.0.2.1') {
    let transport: FakeTransport | undefined;
    this.peer = new RtmpPeer(
      world,
      { door: 'rtmp', ip, openedAt: world.clock.now() },
      (events) => {
        transport = new FakeTransport((bytes) => this.toClient.push(Buffer.from(bytes)), events);
        return transport;
      },
      () => {
        this.closed += 1;
      },
    );
    this.transport = transport!;
  }

  /** Sends to the server; what it does not read now waits. */
  send(bytes: Buffer): void {
    this.#toServer.push(bytes);
    this.flow();
  }

  /** Delivers what the server reads now; answers whether there was anything. */
  flow(): boolean {
    let moved = false;
    while (this.#toServer.length > 0 && this.transport.receive(this.#toServer[0]!)) {
      this.#toServer.shift();
      moved = true;
    }
    return moved;
  }

  /** The client closes its half. */
  finish(): void {
    this.#clientGone = true;
    this.peer.finished();
  }

  /** The kernel reports the end of a connection that both sides have given up, or that was cut. */
  tidy(): void {
    const { transport } = this;
    if (this.closed > 0) return;
    if (transport.destroyed || (transport.ended && this.#clientGone && transport.queuedBytes === 0)) this.peer.closed();
  }

  /** The network is gone. */
  cut(): void {
    this.transport.destroy();
    this.peer.closed();
  }
}

/** Our client engine at the other end of a line. */
export class TownClient {
  readonly line: Line;
  readonly engine: RtmpClient;
  readonly events: ClientEvent[] = [];

  constructor(world: RtmpWorld, options: Partial<ClientOptions> & Pick<ClientOptions, 'does'>, ip?: string) {
    this.line = new Line(world, ip);
    this.engine = new RtmpClient({
      random: (count) => Buffer.alloc(count, 9),
      tcUrl: 'rtmp://localhost/live',
      stream: 'a',
      ...options,
    });
    this.pump();
  }

  /** Both ways until nothing moves. */
  pump(): void {
    for (let moved = true; moved; ) {
      moved = this.line.flow();
      for (const bytes of this.engine.drain()) {
        this.line.send(bytes);
        moved = true;
      }
      for (let bytes = this.line.toClient.shift(); bytes !== undefined; bytes = this.line.toClient.shift()) {
        this.engine.feed(bytes);
        for (let event = this.engine.next(); event !== undefined; event = this.engine.next()) this.events.push(event);
        moved = true;
      }
    }
    this.line.tidy();
  }

  write(typeId: number, timestamp: number, body: Buffer): void {
    this.engine.write(typeId, timestamp, body);
    this.pump();
  }

  /** Events in words: `ready`, `refused NetStream.Publish.BadName`, `media 9`. */
  words(): string[] {
    return this.events.map((event) => {
      if (event.type === 'media') return `media ${event.message.typeId}`;
      return 'code' in event ? `${event.type} ${event.code}` : event.type;
    });
  }

  get media(): { typeId: number; body: Buffer; timestamp: number }[] {
    return this.events.flatMap((event) => (event.type === 'media' ? [event.message] : []));
  }
}

/** Lets the gate speak, then everybody else. */
export async function settle(...clients: readonly TownClient[]): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const client of clients) client.pump();
    await settled();
  }
  for (const client of clients) client.pump();
}

export async function aClient(
  world: RtmpWorld,
  options: Partial<ClientOptions> & Pick<ClientOptions, 'does'>,
  ip?: string,
): Promise<TownClient> {
  const client = new TownClient(world, options, ip);
  await settle(client);
  return client;
}

/** A line whose client is played by hand; answers come as words. */
export class HandLine extends Line {
  readonly #listener = new Listener();

  /** What the server said since the last time. */
  messages() {
    return this.toClient.splice(0).flatMap((bytes) => this.#listener.read(bytes));
  }
}

/** Fields of the log lines with a code. */
export function logged(world: TestWorld, code: string): LogFields[] {
  return world.log.lines.filter(({ fields }) => fields['code'] === code).map(({ fields }) => fields);
}

/** Seconds pass, with the check that the server makes in each. */
export function seconds(world: TestWorld, count: number, ...lines: readonly Line[]): void {
  for (let i = 0; i < count; i++) {
    world.clock.advance(1_000);
    for (const line of lines) {
      if (line.closed === 0) line.peer.check();
      line.tidy();
    }
  }
}
