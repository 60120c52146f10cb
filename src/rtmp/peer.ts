/**
 * One RTMP client: a socket, its engine, its session, its streams. Whatever ends it leads to the one `#closed`.
 */
import type { Millis } from '../base/clock.ts';
import { PeerError, RefusedError } from '../base/errors.ts';
import { parseRtmpAddress } from '../session/address.ts';
import type { Admission, Verdict } from '../session/gate.ts';
import type { Transport as Door } from '../session/session.ts';
import { Activities } from './activities.ts';
import type { ConnectCommand } from './commands.ts';
import { RtmpConnection, type RtmpEvent } from './connection.ts';
import { overdue } from './deadlines.ts';
import { LogContext } from './log-context.ts';
import type { Question } from './net-stream.ts';
import { RtmpSession } from './rtmp-session.ts';
import type { Transport, TransportEvents } from './transport.ts';
import { countClosed, type RtmpWorld } from './world.ts';

/** Time for the last words to reach a client before its socket is destroyed. */
const FAREWELL_MILLIS = 1_000;
/** Answers that a client does not fetch, at most. Media has its own limits. */
const MAX_UNREAD_ANSWERS = 256 << 10;

export interface PeerAddress {
  readonly door: Door;
  readonly ip: string;
  /** When its TCP connection came: deadlines run from then. */
  readonly openedAt: Millis;
}

export class RtmpPeer implements TransportEvents {
  readonly id: string;
  readonly address: PeerAddress;
  readonly #world: RtmpWorld;
  readonly transport: Transport;
  readonly #engine: RtmpConnection;
  readonly #onClosed: () => void;
  readonly #context: LogContext;
  #session: RtmpSession | undefined;
  #activities: Activities | undefined;
  #idleSince: Millis;
  #readAt: Millis;
  #readBytes = 0;
  #pingedAt: Millis;
  /** Answers written since the queue was empty. */
  #unreadBytes = 0;
  #closingAt: Millis | undefined;
  #gone = false;

  /** `open` makes the transport for this peer's events; reading starts at once. `onClosed` is called once, last of all. */
  constructor(
    world: RtmpWorld,
    address: PeerAddress,
    open: (events: TransportEvents) => Transport,
    onClosed: () => void,
  ) {
    const { clock, options } = world;
    this.#world = world;
    this.address = address;
    this.id = world.random(8).toString('hex');
    this.#context = new LogContext(world.log, { id: this.id, ip: address.ip });
    this.#onClosed = onClosed;
    this.#readAt = this.#pingedAt = this.#idleSince = clock.now();
    this.#engine = new RtmpConnection({
      random: world.random,
      version: world.version,
      chunkSize: options.chunkSize,
      maxMessage: options.maxMessage,
      maxMessageBeforeConnect: options.maxMessageBeforeConnect,
      allocate: (typeId, streamId, timestamp, length) => this.#activities?.room(typeId, streamId, timestamp, length),
    });
    this.transport = open(this);
    this.transport.resume();
  }

  get publishing(): boolean {
    return this.#activities?.publishing === true;
  }

  /** Takes bytes that were read before the transport was there. */
  received(bytes: Buffer): void {
    if (this.#closingAt !== undefined) return;
    this.#guard(() => {
      this.#engine.feed(bytes);
      this.#pump();
    });
  }

  finished(): void {
    // nobody keeps half a connection open on purpose: the client has gone
    this.#end();
  }

  closed(): void {
    if (this.#gone) return;
    this.#gone = true;
    const { counts, registry, gate } = this.#world;
    this.#lastly(() => this.#activities?.close());
    counts.strayMedia += this.#engine.strayMedia;
    counts.bytesReceived += this.transport.bytesRead;
    counts.bytesSent += this.transport.bytesWritten;
    const session = this.#session;
    if (session !== undefined) {
      registry.close(session);
      this.#lastly(() => gate.farewell(session));
      const { received, sent } = session.traffic();
      const seconds = Math.round((this.#world.clock.now() - session.startedTick) / 1_000);
      this.#context.log.info({ seconds, received, sent }, 'closed');
    }
    this.#onClosed();
  }

  /** Ends it for a reason that the client should read. Idempotent. */
  dismiss(code: string, reason: string): void {
    if (this.#closingAt !== undefined) return;
    countClosed(this.#world.counts, code);
    this.#context.log.info({ code, reason }, 'disconnected');
    const rtmpCode = code === 'access/shutdown' ? 'NetConnection.Connect.AppShutdown' : 'NetConnection.Connect.Closed';
    this.#engine.farewell(rtmpCode, reason);
    this.#end();
  }

  /** The server is leaving: whoever can is asked to come back, the others are told. */
  drain(reason: string): void {
    if (this.#engine.connected && this.#engine.requestReconnect(reason)) this.#flush();
    this.dismiss('access/shutdown', reason);
  }

  /** About once a second: everything that has a deadline. */
  check(): void {
    const { clock, options } = this.#world;
    const now = clock.now();
    if (this.#closingAt !== undefined) {
      if (now - this.#closingAt > FAREWELL_MILLIS) this.transport.destroy();
      return;
    }
    const read = this.transport.bytesRead;
    if (read !== this.#readBytes) {
      this.#readBytes = read;
      this.#readAt = now;
    }
    const late = this.#late(now);
    if (late !== undefined) this.#cut(late[0], late[1]);
    else if (this.#activities !== undefined) this.#guard(() => this.#activities?.check());
    if (this.#engine.connected && now - this.#pingedAt > options.pingInterval) {
      this.#pingedAt = now;
      this.#engine.ping(Math.floor(now));
      this.#flush();
    }
  }

  #late(now: Millis): readonly [code: string, text: string] | undefined {
    const { handshakeDone, connected, asking, answersPings } = this.#engine;
    const doing = this.#activities?.publishing ? 'publish' : this.#activities?.playing ? 'play' : undefined;
    const times = { age: now - this.address.openedAt, silence: now - this.#readAt, idle: now - this.#idleSince };
    return overdue({ handshakeDone, connected, asking, answersPings, doing, ...times }, this.#world.options);
  }

  /** The one `try` around everything a client can cause. */
  #guard(work: () => void): void {
    try {
      work();
      this.#flush();
    } catch (error) {
      if (error instanceof PeerError || error instanceof RefusedError) {
        this.#flush();
        this.#cut(error.code, error.message);
      } else {
        this.#bug(error);
        this.#cut('server/bug', 'internal error');
      }
    }
  }

  /** Work that must not keep the connection from ending: a fault in it is logged, and that is all. */
  #lastly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#bug(error);
    }
  }

  #bug(error: unknown): void {
    this.#context.log.error({ code: 'server/bug', err: error }, 'a fault of castgate');
  }

  #pump(): void {
    for (;;) {
      const event = this.#engine.next();
      if (event === undefined) break;
      if (event.type === 'media') this.#activities!.media(event.streamId, event.message);
      else this.#event(event);
    }
    // what the client sent ahead of an answer waits in TCP
    if (this.#engine.asking) this.transport.pause();
  }

  #event(event: Exclude<RtmpEvent, { type: 'media' }>): void {
    if (event.type === 'connect') this.#connect(event.question, event.connect);
    else this.#activities!.event(event);
  }

  #connect(question: Question, connect: ConnectCommand): void {
    let admission: Admission;
    try {
      const { app, params } = parseRtmpAddress(connect.tcUrl, connect.app);
      this.#context.know({ app });
      const { door, ip } = this.address;
      admission = { transport: door, app, ip, params, argument: connect.argument };
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#refuse(question, error.code, error.message);
      return;
    }
    void this.#world.gate.admit(admission).then((verdict) => this.#decided(question, connect, admission, verdict));
  }

  #decided(question: Question, connect: ConnectCommand, admission: Admission, verdict: Verdict): void {
    if (this.#gone || this.#closingAt !== undefined) {
      this.#world.gate.abandon(verdict);
      return;
    }
    this.#guard(() => {
      if (!verdict.allow) {
        this.#refuse(question, verdict.code, verdict.reason);
        return;
      }
      this.#open(admission, verdict, connect);
      this.#engine.accept(question);
      this.#pump();
      if (!this.#engine.asking) this.transport.resume();
    });
  }

  #open(admission: Admission, verdict: Verdict & { allow: true }, connect: ConnectCommand): void {
    const { clock, registry, gate, nextNumber } = this.#world;
    const started = { wall: clock.wallTime(), tick: clock.now() };
    const session = new RtmpSession({ id: this.id, number: nextNumber() }, admission, verdict, started, {
      transport: this.transport,
      lastReadAt: () => clock.wallTime() - (clock.now() - this.#readAt),
      dismiss: (code, reason) => this.dismiss(code, reason),
    });
    this.#session = session;
    this.#idleSince = clock.now();
    this.#context.know({ session: session.name });
    registry.open(session);
    gate.opened(session, verdict);
    this.#activities = new Activities(this.#world, session, this.#engine, this.transport, this.#context.log, {
      openedAt: this.address.openedAt,
      hearsOpus: connect.hearsOpus,
      idle: () => {
        this.#idleSince = clock.now();
      },
      flush: () => this.#flush(),
      dismiss: (code, reason) => this.dismiss(code, reason),
    });
    this.#context.log.info({ role: session.role, client: connect.flashVer }, 'connected');
  }

  #refuse(question: Question, code: string, reason: string): void {
    const rtmpCode =
      code === 'access/application' ? 'NetConnection.Connect.InvalidApp' : 'NetConnection.Connect.Rejected';
    countClosed(this.#world.counts, code);
    this.#context.log.info({ code, reason }, 'refused');
    this.#engine.refuse(question, rtmpCode, reason);
    this.#end();
  }

  /** Closes without a word in RTMP: there is nobody to read it, or no way to say it. */
  #cut(code: string, text: string): void {
    if (this.#closingAt !== undefined) return;
    countClosed(this.#world.counts, code);
    this.#context.log.info({ code }, `closed: ${text}`);
    this.#engine.farewell('NetConnection.Connect.Closed', text);
    this.#end();
  }

  #end(): void {
    if (this.#closingAt !== undefined) return;
    this.#closingAt = this.#world.clock.now();
    this.#lastly(() => this.#activities?.close());
    if (this.#session !== undefined) this.#session.state = 'closing';
    this.#flush();
    // unread bytes would turn the close into a reset, and the last words would be lost: read on, and look at nothing
    this.transport.resume();
    this.transport.end();
  }

  #flush(): void {
    const out = this.#engine.drain();
    if (out.length === 0) return;
    const bytes = out.length === 1 ? out[0]! : Buffer.concat(out);
    this.#unreadBytes = this.transport.queuedBytes === 0 ? 0 : this.#unreadBytes + bytes.length;
    this.transport.write(bytes);
    if (this.#unreadBytes > MAX_UNREAD_ANSWERS) this.#cut('rtmp/answers-unread', 'too many answers wait to be read');
  }
}
