/**
 * Sessions without a door behind them.
 */
import type { Session } from '../../src/session/session.ts';

export const SESSION_STARTED_AT = 1_700_000_000_000;

let opened = 0;

/** A viewer over RTMP who has been here since tick 0, unless told otherwise. */
export function aSession(differences: Partial<Session> = {}): Session {
  const number = ++opened;
  return {
    id: number.toString(16).padStart(16, '0'),
    name: `viewer-${number}`,
    number,
    transport: 'rtmp',
    app: 'live',
    ip: '192.0.2.7',
    params: [],
    startedAt: SESSION_STARTED_AT,
    startedTick: 0,
    role: 'watcher',
    canKick: false,
    room: 'lobby',
    state: 'connected',
    hasVideo: false,
    hasAudio: false,
    traffic: () => ({ received: 0, sent: 0 }),
    lastPingAt: () => SESSION_STARTED_AT,
    disconnect() {},
    ...differences,
  };
}
