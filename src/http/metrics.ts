/**
 * Figures for Prometheus. The hot path counts with plain numbers, which are read here when somebody scrapes; only the two histograms
 * are fed as things happen.
 */
import type { Millis } from '../base/clock.ts';
import type { Hub } from '../relay/hub.ts';
import { listedName } from '../session/application-name.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { Transport } from '../session/session.ts';
import { addMediaMetrics } from './media-metrics.ts';
import type { MediaSource } from './media-views.ts';
import { MetricSet, type Observe, type Report } from './metric-set.ts';
import type { ApplicationView, DoorCounts, MetricsSource } from './views.ts';

export type Hook = 'login' | 'logout' | 'status';
/** `ok`: the site answered as it should. `refused`: it said no. `failed`: it was not reached, or made no sense. */
export type HookOutcome = 'ok' | 'refused' | 'failed';

export interface MetricsDeps {
  readonly version: string;
  readonly sessions: SessionRegistry;
  readonly hub: Hub;
  readonly source: MetricsSource & MediaSource;
}

/** Application names come from clients; those not configured share this label. */
const OTHER = 'other';

export class Metrics {
  readonly contentType: string;
  readonly #set = new MetricSet();
  readonly #deps: MetricsDeps;
  readonly #hooks: Observe;
  readonly #joins: Observe;
  /** Of this scrape: each door looks at all its clients for its sums. */
  #doors: readonly DoorCounts[] | undefined;

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
    this.contentType = this.#set.contentType;
    this.#hooks = this.#set.histogram(
      'hook_duration_seconds',
      'Time that the web site took for a call; a retry is a call of its own.',
      ['hook', 'outcome'],
      [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    );
    this.#joins = this.#set.histogram(
      'join_duration_seconds',
      'Time from the connection of a viewer, or its offer, to the first key frame on its way, login included.',
      ['protocol'],
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    );
    this.#addServer();
    this.#addRelay();
    this.#addDoors();
    this.#addSites();
    this.#addControl();
    addMediaMetrics(this.#set, deps.source);
    this.#set.addProcess();
  }

  /** The web site took `millis` for a call. */
  observeHook(hook: Hook, millis: Millis, outcome: HookOutcome): void {
    this.#hooks({ hook, outcome }, millis / 1_000);
  }

  /** A viewer's first key frame was on its way `millis` after it connected, or made its offer. */
  observeJoin(protocol: Transport, millis: Millis): void {
    this.#joins({ protocol }, millis / 1_000);
  }

  /** Everything, in the text format 0.0.4. */
  text(): Promise<string> {
    this.#doors = undefined;
    return this.#set.text();
  }

  #addServer(): void {
    const { version, source } = this.#deps;
    this.#set.gauge('build_info', 'Always 1; the labels say what runs.', ['version', 'node'], (report) => {
      report({ version, node: process.version }, 1);
    });
    this.#set.gauge('config_reload_success', '1 when the configuration, as last read, was taken.', [], (report) => {
      report({}, source.configTaken() ? 1 : 0);
    });
    this.#set.counter('faults_total', 'Faults of castgate itself; each closed one connection.', [], (report) => {
      report({}, source.faults());
    });
  }

  #addRelay(): void {
    const { hub, sessions } = this.#deps;
    const labels = ['protocol', 'role', 'app'];
    this.#set.gauge('sessions', 'Clients that the gate has let in.', labels, (report) => {
      const label = this.#appLabels();
      const sums = new Map<string, number>();
      for (const { transport, role, app } of sessions) {
        const key = `${transport} ${role} ${label(app)}`;
        sums.set(key, (sums.get(key) ?? 0) + 1);
      }
      for (const [key, sum] of sums) {
        const [protocol = '', role = '', ...app] = key.split(' ');
        report({ protocol, role, app: app.join(' ') }, sum);
      }
    });
    this.#set.gauge('streams', 'Streams that somebody publishes.', ['app'], (report) => {
      const label = this.#appLabels();
      for (const stream of hub) report({ app: label(stream.app) }, stream.live ? 1 : 0);
    });
    this.#set.gauge('audience', 'Viewers of all streams.', ['app'], (report) => {
      const label = this.#appLabels();
      for (const stream of hub) report({ app: label(stream.app) }, stream.audience);
    });
  }

  #addDoors(): void {
    const doors = () => {
      this.#doors ??= [...this.#deps.source.doors()];
      return this.#doors;
    };
    const perDoor = (name: string, help: string, read: (door: DoorCounts) => number | undefined): void => {
      this.#set.counter(name, help, ['protocol'], (report) => {
        for (const door of doors()) report({ protocol: door.protocol }, read(door));
      });
    };
    this.#set.gauge('connections', 'Connections open.', ['protocol'], (report) => {
      for (const door of doors()) report({ protocol: door.protocol }, door.open);
    });
    perDoor('connections_accepted_total', 'Connections taken.', (door) => door.accepted);
    this.#set.counter(
      'connections_refused_total',
      'Connections refused or cut, by code.',
      ['protocol', 'reason'],
      (report) => {
        for (const { protocol, refused } of doors()) {
          for (const [reason, count] of refused) report({ protocol, reason }, count);
        }
      },
    );
    perDoor('received_bytes_total', 'Bytes received from clients.', (door) => door.bytesIn);
    perDoor('sent_bytes_total', 'Bytes sent to clients.', (door) => door.bytesOut);
    perDoor('video_withheld_total', 'Video frames that late viewers did not get.', (door) => door.videoWithheld);
    this.#set.counter('frames_received_total', 'Frames received from publishers.', ['protocol', 'kind'], (report) => {
      for (const { protocol, videoFramesIn, audioFramesIn } of doors()) {
        report({ protocol, kind: 'video' }, videoFramesIn);
        report({ protocol, kind: 'audio' }, audioFramesIn);
      }
    });
  }

  #addSites(): void {
    const { source } = this.#deps;
    const perSite = (read: (view: ApplicationView, report: Report) => void) => (report: Report) => {
      for (const view of source.applications()) {
        const app = view.name === '*' ? OTHER : view.name;
        read(view, (labels, value) => report({ ...labels, app }, value));
      }
    };
    const each = (label: string, counts: ReadonlyMap<string, number>, report: Report): void => {
      for (const [value, count] of counts) report({ [label]: value }, count);
    };
    this.#set.gauge(
      'site_failing',
      '1 when the web site cannot be asked or does not answer as it should.',
      ['app'],
      perSite((view, report) => report({}, view.failure === undefined ? 0 : 1)),
    );
    this.#set.counter(
      'logins_total',
      'webLogin calls, by result.',
      ['app', 'result'],
      perSite(({ counts }, report) => each('result', counts.logins, report)),
    );
    this.#set.counter(
      'reports_total',
      'webStatus calls, by kind of answer.',
      ['app', 'answer'],
      perSite(({ counts }, report) => each('answer', counts.answers, report)),
    );
    this.#set.counter(
      'report_failures_total',
      'webStatus calls that failed, by code.',
      ['app', 'reason'],
      perSite(({ counts }, report) => each('reason', counts.failures, report)),
    );
    this.#set.counter(
      'orders_total',
      'Orders of the web site carried out.',
      ['app'],
      perSite(({ counts }, report) => report({}, counts.orders)),
    );
    this.#set.gauge(
      'logouts_waiting',
      'webLogout calls that the web site has not taken yet.',
      ['app'],
      perSite(({ counts }, report) => report({}, counts.logoutsWaiting)),
    );
  }

  #addControl(): void {
    const { source } = this.#deps;
    this.#set.counter(
      'logouts_total',
      'webLogout calls; dropped: pushed out of a full queue.',
      ['result'],
      (report) => {
        const { logoutsDelivered, logoutsFailed, logoutsDropped } = source.control();
        report({ result: 'delivered' }, logoutsDelivered);
        report({ result: 'failed' }, logoutsFailed);
        report({ result: 'dropped' }, logoutsDropped);
      },
    );
    const early = 'webStatus calls sent at once because a broadcast began or ended.';
    this.#set.counter('reports_early_total', early, [], (report) => report({}, source.control().reportsEarly));
    const skipped = 'webStatus calls left out because the last one was still under way.';
    this.#set.counter('reports_skipped_total', skipped, [], (report) => report({}, source.control().reportsSkipped));
  }

  #appLabels(): (app: string) => string {
    const configured = new Set<string>();
    for (const { name } of this.#deps.source.applications()) configured.add(name);
    return (app) => listedName(configured, app) ?? OTHER;
  }
}
