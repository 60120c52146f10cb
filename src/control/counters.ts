/**
 * What session control counts: plain numbers that only grow, read by whoever scrapes them.
 */
import type { Millis } from '../base/clock.ts';
import type { Hook } from './web-client.ts';

export interface ControlCounters {
  /** Let in, by the site's yes or because none is asked. */
  admitted: number;
  /** Turned away, by code of base/errors.ts. */
  readonly refused: Map<string, number>;
  loginsAccepted: number;
  logoutsDelivered: number;
  logoutsFailed: number;
  /** Pushed out of a full queue; the site keeps those sessions until it forgets them by itself. */
  logoutsDropped: number;
  reports: number;
  /** Of those, sent at once because somebody began or stopped publishing. */
  reportsEarly: number;
  reportsFailed: number;
  /** Rounds left out because the last report was still under way. */
  reportsSkipped: number;
  /** Sessions disconnected by order of a site. */
  orders: number;
}

/** `refused`: the site answered, and the answer was no. `failed`: no answer of use. */
export type HookOutcome = 'ok' | 'refused' | 'failed';

/** Told of each request to a site and how long it took. */
export type HookObserver = (hook: Hook, millis: Millis, outcome: HookOutcome) => void;

export function controlCounters(): ControlCounters {
  return {
    admitted: 0,
    refused: new Map(),
    loginsAccepted: 0,
    logoutsDelivered: 0,
    logoutsFailed: 0,
    logoutsDropped: 0,
    reports: 0,
    reportsEarly: 0,
    reportsFailed: 0,
    reportsSkipped: 0,
    orders: 0,
  };
}

export function countIn(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
