/**
 * What session control counts: plain numbers that only grow, read by whoever scrapes them.
 */
import type { Millis } from '../base/clock.ts';
import type { Hook } from './web-client.ts';

/** Over all sites; what is counted for each stands in the state of its applications. */
export interface ControlCounters {
  logoutsDelivered: number;
  /** Calls that the site did not hear; each is repeated. */
  logoutsFailed: number;
  /** Pushed out of a full queue; the site keeps those sessions until it forgets them by itself. */
  logoutsDropped: number;
  /** Sent at once because somebody began or stopped publishing. */
  reportsEarly: number;
  /** Rounds left out because the last report was still under way. */
  reportsSkipped: number;
}

/** `refused`: the site answered, and the answer was no. `failed`: no answer of use. */
export type HookOutcome = 'ok' | 'refused' | 'failed';

/** Told of each request to a site and how long it took. */
export type HookObserver = (hook: Hook, millis: Millis, outcome: HookOutcome) => void;

export function controlCounters(): ControlCounters {
  return { logoutsDelivered: 0, logoutsFailed: 0, logoutsDropped: 0, reportsEarly: 0, reportsSkipped: 0 };
}

export function countIn(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
