/**
 * Figures for Prometheus. The hot path counts with plain numbers, which are read here when somebody scrapes; only the two histograms
 * are fed as things happen.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Millis } from '../base/clock.ts';
import type { Hub } from '../relay/hub.ts';
import { listedName } from '../session/application-name.ts';
import type { SessionRegistry } from '../session/registry.ts';
import type { ApplicationView, DoorCounts, MetricsSource } from './views.ts';

export type Hook = 'login' | 'logout' | 'status';
/** `ok`: the site answered as it should. `refused`: it said no. `failed`: it was not reached, or made no sense. */
export type HookOutcome = 'ok' | 'refused' | 'failed';

export interface MetricsDeps {
  readonly version: string;
  readonly sessions: SessionRegistry;
  readonly hub: Hub;
  readonly source: MetricsSource;
}

type Labels = Record<string, string>;
/** Nothing is reported where the value is not known. */
type Report = (labels: Labels, value: number | undefined) => void;

const PREFIX = 'castgate_';
/** Application names come from clients; those not configured share this label. */
const OTHER = 'other';
/** prom-client's own that list every open socket, several times over, at each scrape. */
const DEAR = [
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'process_open_fds',
];

export class Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #deps: MetricsDeps;
  readonly #hooks: Histogram;
  readonly #joins: Histogram;

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
    this.contentType = this.#registry.contentType;
    this.#hooks = new Histogram({
      name: `${PREFIX}hook_duration_seconds`,
      help: 'Time that the web site took for a call; a retry is a call of its own.',
      labelNames: ['hook', 'outcome'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [this.#registry],
    });
    this.#joins = new Histogram({
      name: `${PREFIX}join_duration_seconds`,
      help: 'Time from the connection of a viewer to the first key frame on its way, login included.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [this.#registry],
    });
    this.#addServer();
    this.#addRelay();
    this.#addDoors();
    this.#addSites();
    this.#addControl();
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
    for (const name of DEAR) this.#registry.removeSingleMetric(PREFIX + name);
  }

  /** The web site took `millis` for a call. */
  observeHook(hook: Hook, millis: Millis, outcome: HookOutcome): void {
    this.#hooks.observe({ hook, outcome }, millis / 1_000);
  }

  /** A viewer's first key frame was on its way `millis` after it connected. */
  observeJoin(millis: Millis): void {
    this.#joins.observe(millis / 1_000);
  }

  /** Everything, in the text format 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #addServer(): void {
    const { version, source } = this.#deps;
    this.#gauge('build_info', 'Always 1; the labels say what runs.', ['version', 'node'], (report) => {
      report({ version, node: process.version }, 1);
    });
    this.#gauge('config_reload_success', '1 when the configuration, as last read, was taken.', [], (report) => {
      report({}, source.configTaken() ? 1 : 0);
    });
    this.#counter('faults_total', 'Faults of castgate itself; each closed one connection.', [], (report) => {
      report({}, source.faults());
    });
  }

  #addRelay(): void {
    const { hub, sessions } = this.#deps;
    const labels = ['protocol', 'role', 'app'];
    this.#gauge('sessions', 'Clients that the gate has let in.', labels, (report) => {
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
    this.#gauge('streams', 'Streams that somebody publishes.', ['app'], (report) => {
      const label = this.#appLabels();
      for (const stream of hub) report({ app: label(stream.app) }, stream.live ? 1 : 0);
    });
    this.#gauge('audience', 'Viewers of all streams.', ['app'], (report) => {
      const label = this.#appLabels();
      for (const stream of hub) report({ app: label(stream.app) }, stream.audience);
    });
  }

  #addDoors(): void {
    const { source } = this.#deps;
    const perDoor = (name: string, help: string, read: (door: DoorCounts) => number | undefined): void => {
      this.#counter(name, help, ['protocol'], (report) => {
        for (const door of source.doors()) report({ protocol: door.protocol }, read(door));
      });
    };
    this.#gauge('connections', 'Connections open.', ['protocol'], (report) => {
      for (const door of source.doors()) report({ protocol: door.protocol }, door.open);
    });
    perDoor('connections_accepted_total', 'Connections taken.', (door) => door.accepted);
    this.#counter(
      'connections_refused_total',
      'Connections refused or cut, by code.',
      ['protocol', 'reason'],
      (report) => {
        for (const { protocol, refused } of source.doors()) {
          for (const [reason, count] of refused) report({ protocol, reason }, count);
        }
      },
    );
    perDoor('received_bytes_total', 'Bytes received from clients.', (door) => door.bytesIn);
    perDoor('sent_bytes_total', 'Bytes sent to clients.', (door) => door.bytesOut);
    perDoor('video_withheld_total', 'Video frames that late viewers did not get.', (door) => door.videoWithheld);
    this.#counter('frames_received_total', 'Frames received from publishers.', ['protocol', 'kind'], (report) => {
      for (const { protocol, videoFramesIn, audioFramesIn } of source.doors()) {
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
    this.#gauge(
      'site_failing',
      '1 when the web site cannot be asked or does not answer as it should.',
      ['app'],
      perSite((view, report) => report({}, view.failure === undefined ? 0 : 1)),
    );
    this.#counter(
      'logins_total',
      'webLogin calls, by result.',
      ['app', 'result'],
      perSite(({ counts }, report) => each('result', counts.logins, report)),
    );
    this.#counter(
      'reports_total',
      'webStatus calls, by kind of answer.',
      ['app', 'answer'],
      perSite(({ counts }, report) => each('answer', counts.answers, report)),
    );
    this.#counter(
      'report_failures_total',
      'webStatus calls that failed, by code.',
      ['app', 'reason'],
      perSite(({ counts }, report) => each('reason', counts.failures, report)),
    );
    this.#counter(
      'orders_total',
      'Orders of the web site carried out.',
      ['app'],
      perSite(({ counts }, report) => report({}, counts.orders)),
    );
    this.#gauge(
      'logouts_waiting',
      'webLogout calls that the web site has not taken yet.',
      ['app'],
      perSite(({ counts }, report) => report({}, counts.logoutsWaiting)),
    );
  }

  #addControl(): void {
    const { source } = this.#deps;
    this.#counter('logouts_total', 'webLogout calls; dropped: pushed out of a full queue.', ['result'], (report) => {
      const { logoutsDelivered, logoutsFailed, logoutsDropped } = source.control();
      report({ result: 'delivered' }, logoutsDelivered);
      report({ result: 'failed' }, logoutsFailed);
      report({ result: 'dropped' }, logoutsDropped);
    });
    const early = 'webStatus calls sent at once because a broadcast began or ended.';
    this.#counter('reports_early_total', early, [], (report) => report({}, source.control().reportsEarly));
    const skipped = 'webStatus calls left out because the last one was still under way.';
    this.#counter('reports_skipped_total', skipped, [], (report) => report({}, source.control().reportsSkipped));
  }

  /** A gauge that `read` reports afresh at each scrape; values under the same labels are added up. */
  #gauge(name: string, help: string, labelNames: string[], read: (report: Report) => void): void {
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        read((labels, value) => value !== undefined && this.inc(labels, value));
      },
    });
  }

  /** A counter in the same way; what is reported never falls. */
  #counter(name: string, help: string, labelNames: string[], read: (report: Report) => void): void {
    new Counter({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        read((labels, value) => value !== undefined && this.inc(labels, value));
      },
    });
  }

  #appLabels(): (app: string) => string {
    const configured = new Set<string>();
    for (const { name } of this.#deps.source.applications()) configured.add(name);
    return (app) => listedName(configured, app) ?? OTHER;
  }
}
