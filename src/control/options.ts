/**
 * What an operator can set about one application's web site. The five vendor names are kept to the letter.
 */
import type { Millis } from '../base/clock.ts';
import type { Takeover } from '../session/gate.ts';

export interface SiteOptions {
  /**
   * Take clients that bring no session parameters; they get a made-up session name, about which webLogin is asked like any other.
   * Default false; true without webLogin.
   */
  readonly acceptPlayers: boolean;
  /** Asked for each client. A prefix that ends in `=`, or an address without; empty: everybody is let in. */
  readonly webLogin: string;
  /** The secret shared with the site; never logged. Empty: not checked. */
  readonly webKey: string;
  readonly webLogout: string;
  readonly webStatus: string;
  /** 5 s to 30 s. Default 10 s. */
  readonly webStatusInterval: Millis;
  /**
   * What the webKey in a login answer must be. `match`: right when present, may be missing (default).
   * `require`: present and right. `off`: not looked at.
   */
  readonly webKeyCheck: 'match' | 'require' | 'off';
  /** Call webLogout before webLogin for a session that is not connected, so that the site cannot answer from its cache. Default true. */
  readonly freshLogin: boolean;
  /** Nobody answers webLogin: `refuse` (default) or `accept` (as a viewer only). */
  readonly onWebFailure: 'refuse' | 'accept';
  /** Accept `login=0&verified=1` (or `v=1`): known to the site, session not registered. Default false. */
  readonly acceptVerified: boolean;
  /** Default `same-key`. */
  readonly takeover: Takeover;
  /**
   * How WebRTC clients are let in. `key`: by the vendor's key in the stream's query, checked here; `login`: by webLogin; `both`: the
   * key first, then webLogin. `auto` (default): `key` where webKey is set, else `login` where webLogin is, else everybody.
   */
  readonly webRtcLogin: 'auto' | 'key' | 'login' | 'both';
  /** Connect to this address (`ip` or `ip:port`), while URL, Host header and TLS name stay. Empty: look the name up. */
  readonly connectTo: string;
  /** Leave from this local address; empty: the system's choice, the same family for all calls. */
  readonly localAddress: string;
  /** One webLogin or webLogout request. Default 5 s. */
  readonly loginTimeout: Millis;
  /** One webStatus request. Default 30 s. */
  readonly statusTimeout: Millis;
  /** webLogin requests open at once. Default 64. */
  readonly maxLogins: number;
  /** Clients waiting for a webLogin to be sent. Default 1000. */
  readonly maxLoginQueue: number;
  /** `limitClientRateIn` of the report, bytes a second: advice that the site gives to broadcasters. Default 0: none. */
  readonly limitClientRateIn: number;
}

export const SITE_DEFAULTS: SiteOptions = {
  acceptPlayers: false,
  webLogin: '',
  webKey: '',
  webLogout: '',
  webStatus: '',
  webStatusInterval: 10_000,
  webKeyCheck: 'match',
  freshLogin: true,
  onWebFailure: 'refuse',
  acceptVerified: false,
  takeover: 'same-key',
  webRtcLogin: 'auto',
  connectTo: '',
  localAddress: '',
  loginTimeout: 5_000,
  statusTimeout: 30_000,
  maxLogins: 64,
  maxLoginQueue: 1_000,
  limitClientRateIn: 0,
};
