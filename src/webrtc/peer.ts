/**
 * One WebRTC client: its transport, its session, and the one thing it does. Whatever ends it leads to the one `#end`.
 */
import type { Millis } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Verdict } from '../session/gate.ts';
import type { SessionQuality } from '../session/quality.ts';
import type { Traffic } from '../session/session.ts';
import type { StreamAdmission } from '../session/stream-admission.ts';
import { Claim } from './claim.ts';
import type { DtlsCertificate } from './dtls.ts';
import { MediaTransport, type RemoteTransport } from './media-transport.ts';
import type { IceCredentials, Path } from './path.ts';
import type { LastWords, SignalRequest } from './signalling.ts';
import type { SrtpKeys, SrtpProfile } from './srtp-keys.ts';
import { WebRtcSession } from './webrtc-session.ts';
import { countClosed, type WebRtcWorld } from './world.ts';

/** What an activity knows of the quality. */
export type MediaQuality = Omit<SessionQuality, 'through' | 'srtpProfile'>;

/** What a client does, once its keys are there. */
export interface Activity {
  path(path: Path): void;
  rtp(packet: Buffer): void;
  rtcp(compound: Buffer): void;
  /** About once a second; answers why it should end, if it should. */
  check(): LastWords | undefined;
  /** Bytes of media that did not pass through the transport. */
  readonly bytesSent: number;
  quality(): MediaQuality;
  close(): void;
}

export interface ActivityContext {
  readonly session: WebRtcSession;
  readonly keys: SrtpKeys;
  readonly log: Logger;
  /** Sends a compound packet to the client. */
  rtcp(compound: Buffer): void;
  dismiss(code: string, reason: string): void;
}

/** Begins it. Throws `RefusedError` when it cannot be begun any more. */
export type Begin = (context: ActivityContext) => Activity;

export interface PeerParts {
  readonly request: SignalRequest;
  readonly admission: StreamAdmission;
  readonly verdict: Verdict & { readonly allow: true };
  /** Undefined: the client answers an offer of ours later. */
  readonly remote: RemoteTransport | undefined;
  readonly begin: Begin;
  /** Last of all, once. */
  readonly onEnded: (peer: WebRtcPeer) => void;
}

const SESSION_ID_BYTES = 16;
/** Characters of what a client calls itself that are logged. */
const MAX_AGENT = 120;

export class WebRtcPeer {
  /** 128 random bits: the name of the session in its client's URLs. */
  readonly key: string;
  readonly claim: Claim;
  readonly session: WebRtcSession;
  readonly transport: MediaTransport;
  readonly certificate: DtlsCertificate;
  readonly #world: WebRtcWorld;
  readonly #begin: Begin;
  readonly #log: Logger;
  readonly #onEnded: (peer: WebRtcPeer) => void;
  readonly #openedAt: Millis;
  #heardAt: Millis;
  #heardBytes = 0;
  #path: Path | undefined;
  #profile: SrtpProfile | undefined;
  #activity: Activity | undefined;
  #lastWords: LastWords | undefined;
  #generation = 1;

  constructor(world: WebRtcWorld, parts: PeerParts) {
    const { clock, random, port, makeDtls } = world;
    const { request, admission, verdict, remote } = parts;
    this.#world = world;
    this.claim = new Claim(request);
    this.#begin = parts.begin;
    this.#onEnded = parts.onEnded;
    this.#openedAt = this.#heardAt = clock.now();
    this.key = random(SESSION_ID_BYTES).toString('hex');
    const id = random(8).toString('hex');
    const { app, ip, params, stream } = admission;
    this.session = new WebRtcSession(
      { id, number: world.nextNumber(), app, ip, params, startedAt: clock.wallTime(), startedTick: clock.now() },
      stream,
      verdict,
      {
        traffic: () => this.traffic(),
        quality: () => this.quality(),
        lastHeardAt: () => clock.wallTime() - (clock.now() - this.#heardAt),
        dismiss: (code, reason) => this.dismiss(code, reason),
      },
    );
    this.#log = world.log.child({ id, ip, app, session: this.session.name });
    this.certificate = world.certificate();
    this.transport = new MediaTransport(
      { port, makeDtls, certificate: this.certificate, clock, random },
      {
        connected: (keys) => this.#guard(() => this.#connected(keys)),
        path: (path) => this.#guard(() => this.#moved(path)),
        rtp: (packet) => this.#guard(() => this.#activity?.rtp(packet)),
        rtcp: (compound) => this.#guard(() => this.#activity?.rtcp(compound)),
        closed: (fault) => this.#end(fault && { code: fault.code, reason: fault.text }),
      },
      remote,
    );
    // when there is something to end it: what cannot be made is never in the books
    world.registry.open(this.session);
    world.gate.opened(this.session, verdict);
    const { door, userAgent } = request;
    const { name, doing } = stream;
    this.#log.info({ door, stream: name, doing, client: userAgent?.slice(0, MAX_AGENT) }, 'answered');
  }

  get open(): boolean {
    return this.#lastWords === undefined;
  }

  /** Why it ended; undefined while it has not. */
  get lastWords(): LastWords | undefined {
    return this.#lastWords;
  }

  get etag(): string {
    return `"${this.session.id}-${this.#generation}"`;
  }

  get publishing(): boolean {
    return this.session.state === 'publishing';
  }

  /** The client restarts ICE. */
  restart(remote: IceCredentials): IceCredentials {
    this.#generation += 1;
    return this.transport.restart(remote);
  }

  traffic(): Traffic {
    const { bytesReceived, bytesSent } = this.transport;
    return { received: bytesReceived, sent: bytesSent + (this.#activity?.bytesSent ?? 0) };
  }

  quality(): SessionQuality {
    return {
      through: this.#path?.protocol,
      srtpProfile: this.#profile,
      ...(this.#activity?.quality() ?? { codecs: [] }),
    };
  }

  /** Ends it for a reason that the client should learn. Idempotent. */
  dismiss(code: string, reason: string): void {
    if (!this.open) return;
    this.#log.info({ code, reason }, 'disconnected');
    this.#end({ code, reason });
  }

  /** The client says that it goes. Idempotent. */
  hangUp(): void {
    this.#end(undefined);
  }

  /** About once a second: everything that has a deadline. */
  check(): void {
    if (!this.open) return;
    const { clock, options } = this.#world;
    const now = clock.now();
    const { bytesReceived } = this.transport;
    if (bytesReceived !== this.#heardBytes) {
      this.#heardBytes = bytesReceived;
      this.#heardAt = now;
    }
    if (!this.transport.connected) {
      if (now - this.#openedAt > options.connectTimeout) {
        this.dismiss('webrtc/timeout', 'The connection was not established in time.');
      }
      return;
    }
    this.#guard(() => {
      const wanted = this.#activity?.check();
      if (wanted !== undefined) this.dismiss(wanted.code, wanted.reason);
    });
  }

  #connected(keys: SrtpKeys): void {
    const { session } = this;
    this.#activity = this.#begin({
      session,
      keys,
      log: this.#log,
      rtcp: (compound) => this.transport.sendRtcp(compound),
      dismiss: (code, reason) => this.dismiss(code, reason),
    });
    session.state = session.stream?.doing === 'publish' ? 'publishing' : 'playing';
    if (this.#path !== undefined) this.#activity.path(this.#path);
    const { profile } = keys;
    this.#profile = profile;
    const through = this.#path?.protocol;
    this.#log.info({ stream: session.stream?.name, profile, through }, session.state);
    if (session.state === 'publishing') this.#world.gate.published(session);
  }

  #moved(path: Path): void {
    this.#path = path;
    this.#activity?.path(path);
  }

  /** The one `try` around everything a client can cause. */
  #guard(work: () => void): void {
    if (!this.open) return;
    try {
      work();
    } catch (error) {
      if (error instanceof RefusedError) {
        this.dismiss(error.code, error.message);
        return;
      }
      this.#log.error({ code: 'server/bug', err: error }, 'a fault of castgate');
      this.dismiss('server/bug', 'internal error');
    }
  }

  #end(words: LastWords | undefined): void {
    if (!this.open) return;
    this.#lastWords = words ?? { code: 'webrtc/closed', reason: 'The client has closed the session.' };
    const { registry, gate, counts, clock } = this.#world;
    const { session } = this;
    if (words !== undefined) countClosed(counts, words.code);
    this.#lastly(() => this.#activity?.close());
    this.#lastly(() => this.transport.close());
    const { received, sent } = this.traffic();
    counts.bytesReceived += received;
    counts.bytesSent += sent;
    session.state = 'closing';
    registry.close(session);
    this.#lastly(() => gate.farewell(session));
    const seconds = Math.round((clock.now() - session.startedTick) / 1_000);
    this.#log.info({ seconds, received, sent, ...(words && { code: words.code }) }, 'closed');
    this.#onEnded(this);
  }

  /** Work that must not keep the session from ending. */
  #lastly(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error({ code: 'server/bug', err: error }, 'a fault of castgate');
    }
  }
}
