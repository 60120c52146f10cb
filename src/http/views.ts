/**
 * What the HTTP doors show, as plain data and questions. The roof answers them from rooms that a door must not know.
 */
import type { Millis } from '../base/clock.ts';
import type { Stream } from '../relay/stream.ts';

/** One elementary stream, as its decoder configuration describes it. */
export interface TrackView {
  readonly kind: 'video' | 'audio';
  /** 0 unless the publisher sends several. */
  readonly track: number;
  /** In small letters, such as `h264` or `aac`. */
  readonly codec: string;
  /** RFC 6381, such as `avc1.64001f`. */
  readonly rfc6381?: string | undefined;
  readonly profile?: string | undefined;
  readonly level?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Pictures a second. */
  readonly fps?: number | undefined;
  readonly bitDepth?: number | undefined;
  /** Are pictures decoded in another order than shown? */
  readonly bFrames?: boolean | undefined;
  /** Hertz. */
  readonly sampleRate?: number | undefined;
  readonly channels?: number | undefined;
}

/** Tracks of a live stream, as far as known by now. */
export type DescribeStream = (stream: Stream) => readonly TrackView[];

/** What one application's web site has said, counted since the start. */
export interface SiteCounts {
  /** webLogin by result, such as `accepted`, `refused`, `failed`. */
  readonly logins: ReadonlyMap<string, number>;
  /** webStatus by kind of answer; the kinds are castgate's own words, never the site's text. */
  readonly answers: ReadonlyMap<string, number>;
  /** webStatus failures by error code. */
  readonly failures: ReadonlyMap<string, number>;
  /** Disconnects that the site ordered and castgate carried out. */
  readonly orders: number;
  /** webLogout calls not yet taken by the site. */
  readonly logoutsWaiting: number;
}

/** One application and how its web site does. */
export interface ApplicationView {
  /** `*` stands for every name that is not listed. */
  readonly name: string;
  readonly acceptPlayers: boolean;
  /** The addresses; empty when not set. Only host and path of them are ever shown. */
  readonly webLogin: string;
  readonly webLogout: string;
  readonly webStatus: string;
  /** In words for the site's owner: who controls the sessions, or why nobody does. */
  readonly state: string;
  /** The last webStatus answer: castgate's word for its kind, wall time, and age whatever the wall clock has done since. */
  readonly lastAnswer?: { readonly kind: string; readonly at: Millis; readonly age: Millis } | undefined;
  /** What is wrong now: a code of the table, words, and since when (wall time). */
  readonly failure?: { readonly code: string; readonly text: string; readonly since: Millis } | undefined;
  readonly counts: SiteCounts;
}

/** What session control has counted since the start, over all sites. */
export interface ControlCounts {
  readonly logoutsDelivered: number;
  readonly logoutsFailed: number;
  readonly logoutsDropped: number;
  readonly reportsEarly: number;
  readonly reportsSkipped: number;
}

/** What one front door has counted since the start. */
export interface DoorCounts {
  /** As sessions have it: `rtmp`, `rtmps`, … */
  readonly protocol: string;
  /** Connections open now. */
  readonly open: number;
  readonly accepted: number;
  /** Refused or cut, by error code. */
  readonly refused: ReadonlyMap<string, number>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Undefined: not counted here. */
  readonly videoFramesIn?: number | undefined;
  readonly audioFramesIn?: number | undefined;
  /** Video units that late viewers did not get. Undefined: not counted here. */
  readonly videoWithheld?: number | undefined;
}

/** Read when somebody scrapes; nothing here may be costly. */
export interface MetricsSource {
  doors(): Iterable<DoorCounts>;
  applications(): Iterable<ApplicationView>;
  control(): ControlCounts;
  /** Was the configuration, when last read, taken? */
  configTaken(): boolean;
  /** Faults of castgate itself, caught so far. */
  faults(): number;
}

export interface Readiness {
  readonly ok: boolean;
  /** Why not, in words without secrets. */
  readonly reasons: readonly string[];
}

export interface Health {
  /** Should a balancer send clients here? */
  ready(): Readiness;
}

/** What the page for the public says about this server. */
export interface Greeting {
  readonly version: string;
  /** The port of RTMP and of RTMPS as clients reach it; `undefined`: off. */
  readonly rtmpPort?: number | undefined;
  readonly rtmpsPort?: number | undefined;
  /** The port of HTTPS; `undefined`: off. */
  readonly httpsPort?: number | undefined;
  /** Can browsers publish and watch? */
  readonly webrtc?: boolean | undefined;
  /** An application name for the examples. */
  readonly app: string;
  /** Do its addresses come from a web site, with a key in them? */
  readonly webControlled: boolean;
  /** Do those of other applications? */
  readonly partlyControlled?: boolean | undefined;
}
