/**
 * A small population behind an admin interface: sessions, streams and web sites, without sockets.
 */
import { AdminServer } from '../../src/http/admin-server.ts';
import type { AudioBridgeView, StreamReach, WebRtcView } from '../../src/http/media-views.ts';
import { Metrics } from '../../src/http/metrics.ts';
import type { AdminOptions } from '../../src/http/options.ts';
import type { ApplicationView, DoorCounts, Readiness, TrackView } from '../../src/http/views.ts';
import { Hub } from '../../src/relay/hub.ts';
import type { Publication, Stream, Subscriber } from '../../src/relay/stream.ts';
import { SessionRegistry } from '../../src/session/registry.ts';
import type { Session } from '../../src/session/session.ts';
import { LogRecorder } from './log-recorder.ts';
import { VirtualClock } from './virtual-clock.ts';

/** In each place that must never be shown. */
export const SECRET = 'hush-5f1c';

export interface FakeSession extends Session {
  /** What it was told when it was disconnected. */
  readonly farewells: string[];
}

let made = 0;

/** A session with a secret wherever one can be. */
export function fakeSession(facts: Partial<Session> = {}): FakeSession {
  made += 1;
  const farewells: string[] = [];
  const session: FakeSession = {
    id: made.toString(16).padStart(16, '0'),
    name: `visitor${made}`,
    number: made,
    transport: 'rtmp',
    app: 'live',
    ip: '192.0.2.7',
    params: ['visitor', 'lobby', SECRET],
    startedAt: Date.UTC(2026, 0, 31, 12),
    startedTick: 0,
    role: 'watcher',
    canKick: false,
    room: 'lobby',
    state: 'connected',
    hasVideo: false,
    hasAudio: false,
    traffic: () => ({ received: 100, sent: 2_000 }),
    lastPingAt: () => 0,
    farewells,
    disconnect(reason) {
      farewells.push(reason);
      session.state = 'closing';
    },
    ...facts,
  };
  return session;
}

export function publishing(name: string, facts: Partial<Session> = {}): FakeSession {
  const stream = { name, query: `key=${SECRET}`, doing: 'publish' } as const;
  return fakeSession({ role: 'broadcaster', state: 'publishing', stream, ...facts });
}

export function playing(name: string, facts: Partial<Session> = {}): FakeSession {
  return fakeSession({ state: 'playing', stream: { name, query: `key=${SECRET}`, doing: 'play' }, ...facts });
}

export function fakeViewer(viewers = 1): Subscriber {
  return { write() {}, began() {}, ended() {}, viewers };
}

export function fakePublication(stream: Stream): Publication {
  return stream.publish({ requestKeyFrame() {}, evicted() {} });
}

export function fakeApplication(facts: Partial<ApplicationView> = {}): ApplicationView {
  return {
    name: 'live',
    acceptPlayers: false,
    webLogin: `https://user:${SECRET}@site.example/wp/ajax.php?task=login&key=${SECRET}&s=`,
    webLogout: '',
    webStatus: `https://site.example/status#${SECRET}`,
    state: 'The web site controls the sessions.',
    lastAnswer: { kind: 'orders', at: 0, age: 0 },
    counts: {
      logins: new Map([
        ['accepted', 5],
        ['refused', 1],
      ]),
      answers: new Map([['orders', 7]]),
      failures: new Map([['web/timeout', 2]]),
      orders: 3,
      logoutsWaiting: 4,
    },
    ...facts,
  };
}

export function fakeDoor(facts: Partial<DoorCounts> = {}): DoorCounts {
  return {
    protocol: 'rtmp',
    open: 2,
    accepted: 9,
    refused: new Map([['access/busy', 3]]),
    bytesIn: 1_000,
    bytesOut: 20_000,
    videoFramesIn: 50,
    audioFramesIn: 60,
    videoWithheld: 6,
    ...facts,
  };
}

export function fakeWebRtc(facts: Partial<WebRtcView> = {}): WebRtcView {
  return {
    port: {
      ...{
        received: 11,
        receivedBytes: 12,
        sent: 13,
        sentBytes: 14,
        checks: 15,
        refused: 16,
        connections: 17,
        cut: 18,
      },
      dropped: new Map([['stranger', 19]]),
    },
    ...{ packetsSent: 21, packetsRetransmitted: 22, viewerNacks: 23, viewerKeyFrameRequests: 24 },
    ...{ keyFramesWanted: 25, keyFramesRepeated: 26, packetsReceived: 27, packetsLost: 28, packetsRecovered: 29 },
    ...{ publisherNacks: 30, publisherKeyFrameRequests: 31 },
    ...facts,
  };
}

export class AdminTown {
  readonly clock = new VirtualClock();
  readonly log = new LogRecorder();
  readonly sessions = new SessionRegistry();
  readonly hub = new Hub();
  applications: ApplicationView[] = [];
  doors: DoorCounts[] = [fakeDoor()];
  readiness: Readiness = { ok: true, reasons: [] };
  configTaken = true;
  webrtc: WebRtcView | undefined = fakeWebRtc();
  audioBridge: AudioBridgeView = {
    ...{ streams: 1, renditions: 2, started: 3, failed: 4, unitsIn: 5, unitsOut: 6, dropped: 7, workers: 8 },
  };
  reach: StreamReach = { renditions: [] };
  tracks: TrackView[] = [{ kind: 'video', track: 0, codec: 'h264', width: 64, height: 36 }];
  readonly metrics: Metrics;
  readonly server: AdminServer;

  constructor(options: Partial<AdminOptions> = {}) {
    const { sessions, hub, log } = this;
    const source = {
      doors: () => this.doors,
      applications: () => this.applications,
      control: () => ({
        ...{ logoutsDelivered: 1, logoutsFailed: 2, logoutsDropped: 3 },
        ...{ reportsEarly: 4, reportsSkipped: 5 },
      }),
      configTaken: () => this.configTaken,
      faults: () => 0,
      webrtc: () => this.webrtc,
      audioBridge: () => this.audioBridge,
      pictureBridge: () => ({ running: 1, started: 2, failed: 3, framesIn: 4, framesOut: 5, dropped: 6 }),
    };
    this.metrics = new Metrics({ version: '1.2.3', sessions, hub, source });
    this.server = new AdminServer(
      { listen: '127.0.0.1:0', token: '', hosts: [], ...options },
      {
        ...{ version: '1.2.3', log, sessions, hub },
        describe: () => this.tracks,
        reach: () => this.reach,
        applications: () => this.applications,
        health: { ready: () => this.readiness },
        metrics: this.metrics,
      },
    );
  }

  /** Opens them, in order. */
  enter<T extends Session>(...sessions: T[]): T[] {
    for (const session of sessions) this.sessions.open(session);
    return sessions;
  }

  get(url: string, headers: Record<string, string> = {}) {
    return this.server.app.inject({ url, headers: { host: 'localhost:9998', ...headers } });
  }

  async list(url: string): Promise<Record<string, unknown>[]> {
    return (await this.get(url)).json();
  }

  call(method: 'DELETE' | 'POST' | 'OPTIONS' | 'PUT' | 'HEAD', url: string, headers: Record<string, string> = {}) {
    return this.server.app.inject({ method, url, headers: { host: 'localhost:9998', ...headers } });
  }
}
