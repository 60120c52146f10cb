/**
 * The roof: the one file that knows every room. Builds them, joins them, starts them, and stops them in reverse order.
 */
import type { Addresses } from './banner.ts';
import { type Clock, type Millis, pause } from './base/clock.ts';
import type { Logger } from './base/log.ts';
import { fraction, type RandomBytes, systemRandom } from './base/random.ts';
import { Certificate } from './certificate.ts';
import type { Config } from './config/schema.ts';
import { changedPaths } from './config.ts';
import { LogoutFile } from './control/logout-file.ts';
import { SessionControl } from './control/session-control.ts';
import { StateLock } from './control/state-lock.ts';
import { NodeWebClient, type WebClient, type WebRoute } from './control/web-client.ts';
import { mediaSource, reachOf, rtmpDoor, webrtcDoor } from './door-counts.ts';
import { greetingOf } from './greeting.ts';
import { AdminServer } from './http/admin-server.ts';
import { SiteServer } from './http/http-server.ts';
import { LiveStreams } from './http/live-streams.ts';
import { type Hook, Metrics } from './http/metrics.ts';
import type { DoorCounts, Readiness } from './http/views.ts';
import { Policy } from './policy.ts';
import { Hub } from './relay/hub.ts';
import { Audiences } from './rtmp/audiences.ts';
import { ReadPacer } from './rtmp/read-pacer.ts';
import { RtmpServer } from './rtmp/server.ts';
import { newCounts, type RtmpWorld } from './rtmp/world.ts';
import { SessionRegistry } from './session/registry.ts';
import { openSignalling } from './signalling-doors.ts';
import { trackViews } from './track-views.ts';
import { Translations } from './translations.ts';
import { WebRtcServer } from './webrtc/server.ts';
import type { WowzaSockets } from './webrtc/wowza-signalling.ts';

export interface ServerParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** How web sites are reached; the network by default. */
  readonly webClient?: (route: WebRoute) => WebClient;
}

/** The metrics' names of the three questions to a site. */
const HOOKS = { webLogin: 'login', webLogout: 'logout', webStatus: 'status' } as const satisfies Record<string, Hook>;
/** What only a new start can change. */
const FIXED =
  /^(?:rtmp\.(?:listen|tlsListen|chunkSize|readPace|readPaceFrom)|webrtc\.(?:listen|tcpListen|dtls|maxDatagram)|http\.|admin\.|state\.)/;
/** Last words, and the sockets closed after them. */
const GOODBYE: Millis = 2_500;
const GOODBYE_STEP: Millis = 20;
/** Last calls to the sites. Docker kills what has not ended after 10 s. */
const LAST_CALLS: Millis = 6_500;
/** A disk that hangs keeps nobody from leaving. */
const LAST_WRITE: Millis = 500;
const SHUTTING_DOWN = 'The server is shutting down; connect again in a moment.';
const SESSION_NUMBERS = 2 ** 31 - 1;

export class MediaServer {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #version: string;
  readonly #registry = new SessionRegistry();
  readonly #hub: Hub;
  readonly #audiences: Audiences;
  readonly #translations: Translations;
  readonly #control: SessionControl;
  readonly #stateLock: StateLock | undefined;
  readonly #world: RtmpWorld;
  readonly #rtmp: RtmpServer;
  readonly #webrtc: WebRtcServer | undefined;
  readonly #sockets: WowzaSockets | undefined;
  readonly #site: SiteServer;
  readonly #admin: AdminServer | undefined;
  readonly #metrics: Metrics;
  readonly #certificate: Certificate;
  readonly #policy: Policy;
  #state: 'new' | 'open' | 'leaving' = 'new';
  #configTaken = true;
  #addresses: Addresses = {};
  #lastNumber = 0;

  constructor(config: Config, { clock, log, version, webClient }: ServerParts) {
    this.#policy = new Policy(config);
    this.#clock = clock;
    this.#log = log;
    this.#version = version;
    const random = systemRandom();
    this.#hub = new Hub((app) => this.#policy.gopLimits(app));
    this.#translations = new Translations({ clock, log: log.child({ part: 'media' }), policy: this.#policy });
    const { renditions } = this.#translations;
    this.#audiences = new Audiences(clock, (stream) => renditions.of(stream, 'aac'));
    this.#metrics = new Metrics({
      version,
      sessions: this.#registry,
      hub: this.#hub,
      source: {
        doors: () => this.#doors(),
        applications: () => this.#control.states(),
        control: () => this.#control.counters,
        ...mediaSource(() => this.#webrtc, this.#translations),
        configTaken: () => this.#configTaken,
        faults: () => this.#world.counts.closed.get('server/bug') ?? 0,
      },
    });
    this.#control = new SessionControl(config, {
      registry: this.#registry,
      clock,
      log: log.child({ part: 'control' }),
      webClient: webClient ?? ((route) => new NodeWebClient(route, clock)),
      random: () => fraction(random),
      journal: config.state.dir === '' ? undefined : new LogoutFile(config.state.dir),
      observe: (hook, millis, outcome) => this.#metrics.observeHook(HOOKS[hook], millis, outcome),
    });
    this.#stateLock = config.state.dir === '' ? undefined : new StateLock(config.state.dir, log);
    this.#world = {
      version,
      options: config.rtmp,
      clock,
      log: log.child({ part: 'rtmp' }),
      hub: this.#hub,
      registry: this.#registry,
      gate: this.#control.gate,
      audiences: this.#audiences,
      pacer: new ReadPacer(clock, config.rtmp.readPace, config.rtmp.readPaceFrom),
      counts: newCounts(),
      random,
      nextNumber: () => this.#nextNumber(),
      writeWindow: (app) => this.#policy.writeWindow(app),
      observeJoin: (millis) => this.#metrics.observeJoin('rtmp', millis),
    };
    const greeter = { version, webrtc: webrtcIsOn(config), policy: this.#policy };
    this.#site = new SiteServer(config.http, {
      log: log.child({ part: 'http' }),
      greeting: () => greetingOf(greeter, this.#addresses),
      streams: new LiveStreams({
        clock,
        describe: trackViews,
        hub: this.#hub,
        listed: (app) => this.#policy.isOpen(app),
        reencodes: (app) => this.#translations.reencodes(app),
      }),
    });
    this.#rtmp = new RtmpServer(this.#world, { http: (socket) => this.#site.server.emit('connection', socket) });
    this.#webrtc = webrtcIsOn(config) ? this.#makeWebRtc(random) : undefined;
    this.#sockets = this.#webrtc && openSignalling(this.#site, this.#webrtc, clock, log.child({ part: 'webrtc' }));
    this.#admin = config.admin.listen === '' ? undefined : this.#makeAdmin();
    this.#certificate = new Certificate(config.tls, clock, log, (pair) => {
      this.#rtmp.setTls(pair);
      this.#site.setTls(pair);
    });
  }

  /** Opens every door and answers where. Throws `RefusedError` when a port, a certificate or the state directory cannot be had; nothing stays open then. */
  async start(): Promise<Addresses> {
    try {
      await this.#stateLock?.take();
      const tls = await this.#certificate.start();
      await this.#translations.prepare();
      const admin = bound(await this.#admin?.listen());
      const media = await this.#webrtc?.start();
      const { plain, tls: https } = await this.#site.listen(tls);
      const rtmp = await this.#rtmp.start(tls);
      const webrtc = { webrtc: media?.udp, webrtcTcp: media?.tcp };
      this.#addresses = { ...rtmp, ...webrtc, http: bound(plain), https: bound(https), admin };
      // Not before the ports are ours: in a server that was started twice this would log out everybody who is at the other one.
      await this.#control.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#state = 'open';
    return this.#addresses;
  }

  /** Takes new settings for whatever comes from now on. Throws `RefusedError`, and keeps the old ones, when they cannot be used. */
  async reload(config: Config): Promise<void> {
    try {
      await this.#certificate.reload(config.tls);
      this.#control.reload(config);
    } catch (error) {
      this.#configTaken = false;
      throw error;
    }
    const fixed = changedPaths(this.#policy.config, config).filter((path) => FIXED.test(path));
    if (fixed.length > 0)
      this.#log.warn({ code: 'config/reload', settings: fixed }, 'these change at the next start only');
    this.#policy.config = config;
    // all players of a stream share its chunks, whenever they came
    this.#world.options = { ...config.rtmp, chunkSize: this.#world.options.chunkSize };
    this.#webrtc?.setOptions(config.webrtc);
    this.#configTaken = true;
    await this.#translations.prepare();
  }

  /** Notes that settings could not even be read. */
  reloadFailed(): void {
    this.#configTaken = false;
  }

  /** Lets nobody in any more, says goodbye to everybody, delivers what is owed to the sites. */
  async stop(): Promise<void> {
    this.#state = 'leaving';
    this.#certificate.stop();
    this.#rtmp.close();
    this.#webrtc?.close();
    this.#sockets?.close();
    this.#webrtc?.dismiss(SHUTTING_DOWN);
    this.#rtmp.dismiss(SHUTTING_DOWN);
    await this.#emptied();
    await this.#site.close();
    await this.#control.stop(LAST_CALLS);
    await this.#admin?.close();
    this.#rtmp.stop();
    await this.#webrtc?.stop();
    await this.#translations.close();
    await Promise.race([this.#stateLock?.release(), pause(this.#clock, LAST_WRITE)]);
  }

  async #emptied(): Promise<void> {
    const deadline = this.#clock.now() + GOODBYE;
    while (this.#rtmp.open > 0 && this.#clock.now() < deadline) await pause(this.#clock, GOODBYE_STEP);
  }

  #makeWebRtc(random: RandomBytes): WebRtcServer {
    const clock = this.#clock;
    return new WebRtcServer({
      ...{ clock, random, hub: this.#hub, registry: this.#registry, gate: this.#control.gate },
      options: this.#policy.config.webrtc,
      log: this.#log.child({ part: 'webrtc' }),
      nextNumber: () => this.#nextNumber(),
      rendition: (stream, ...to) => this.#translations.renditions.of(stream, ...to),
      reencodes: (app) => this.#translations.reencodes(app),
      listed: (app) => this.#policy.isOpen(app),
      observeJoin: (millis) => this.#metrics.observeJoin('webrtc', millis),
    });
  }

  #makeAdmin(): AdminServer {
    return new AdminServer(this.#policy.config.admin, {
      version: this.#version,
      log: this.#log.child({ part: 'admin' }),
      sessions: this.#registry,
      hub: this.#hub,
      describe: trackViews,
      reach: (stream) => reachOf(stream, this.#webrtc, this.#translations),
      applications: () => this.#control.states(),
      health: { ready: () => this.#ready() },
      metrics: this.#metrics,
    });
  }

  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % SESSION_NUMBERS) + 1;
    return this.#lastNumber;
  }

  #doors(): readonly DoorCounts[] {
    const rtmp = rtmpDoor(this.#world, this.#rtmp);
    return this.#webrtc === undefined ? [rtmp] : [rtmp, webrtcDoor(this.#webrtc)];
  }

  #ready(): Readiness {
    if (this.#state !== 'open') return { ok: false, reasons: [this.#state === 'new' ? 'starting' : 'shutting down'] };
    const asked = this.#control.states().filter(({ login }) => login !== undefined);
    const failing = asked.filter(({ login }) => login?.failure !== undefined);
    // one site of several may be down without this server being of no use
    if (asked.length === 0 || failing.length < asked.length) return { ok: true, reasons: [] };
    return {
      ok: false,
      reasons: failing.map(({ name, login }) => `${name}: nobody can log in: ${login!.failure!.text}`),
    };
  }
}

function webrtcIsOn({ webrtc }: Config): boolean {
  return webrtc.listen !== '' || webrtc.tcpListen !== '';
}

function bound(address: { readonly address: string; readonly port: number } | undefined) {
  return address === undefined ? undefined : { host: address.address, port: address.port };
}
