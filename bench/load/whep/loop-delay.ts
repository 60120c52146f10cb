/**
 * Loaded into a server of Node.js before its own code: how long its event loop was held up since the last signal. Each SIGUSR2 writes
 * what there is to the file that LOOP_DELAY_FILE names, and begins anew.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface LoopDelay {
  /** Milliseconds. */
  readonly p99: number;
  readonly max: number;
}

/** Often enough to see a delay of some milliseconds, seldom enough to cost next to nothing. */
const RESOLUTION_MS = 2;

const file = process.env['LOOP_DELAY_FILE'];
if (file !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  process.on('SIGUSR2', () => {
    // what is counted are the steps of a timer
    const millis = (nanos: number): number => Math.max(0, nanos / 1e6 - RESOLUTION_MS);
    const delays: LoopDelay = { p99: millis(histogram.percentile(99)), max: millis(histogram.max) };
    writeFileSync(`${file}.new`, JSON.stringify(delays));
    renameSync(`${file}.new`, file);
    histogram.reset();
  });
}
