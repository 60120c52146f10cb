/**
 * The metrics of Prometheus, read when somebody scrapes: whoever counts keeps plain numbers. Only histograms are fed as things happen.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Labels = Record<string, string>;
/** Nothing is reported where the value is not known. */
export type Report = (labels: Labels, value: number | undefined) => void;

/** Takes one value, in seconds. */
export type Observe = (labels: Labels, seconds: number) => void;

const PREFIX = 'castgate_';
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

export class MetricSet {
  readonly contentType: string;
  readonly #registry = new Registry();

  constructor() {
    this.contentType = this.#registry.contentType;
  }

  /** A gauge that `read` reports afresh at each scrape; values under the same labels are added up. */
  gauge(name: string, help: string, labelNames: string[], read: (report: Report) => void): void {
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
  counter(name: string, help: string, labelNames: string[], read: (report: Report) => void): void {
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

  histogram(name: string, help: string, labelNames: string[], buckets: number[]): Observe {
    const made = new Histogram({ name: PREFIX + name, help, labelNames, buckets, registers: [this.#registry] });
    return (labels, seconds) => made.observe(labels, seconds);
  }

  /** Of the process itself: memory, event loop, garbage. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.#registry, prefix: PREFIX });
    for (const name of DEAR) this.#registry.removeSingleMetric(PREFIX + name);
  }

  /** Everything, in the text format 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
