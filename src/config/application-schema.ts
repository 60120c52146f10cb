/**
 * The settings of one application; see schema.ts.
 */
import Type from 'typebox';
import { SITE_DEFAULTS, type SiteOptions } from '../control/options.ts';
import { RTMP_DEFAULTS, type WriteWindow } from '../rtmp/options.ts';
import {
  choice,
  connectAddress,
  count,
  defaultsTo,
  duration,
  type Fields,
  flag,
  ipAddress,
  secret,
  size,
  text,
  webAddress,
  writeWindow,
} from './setting.ts';

/** What can be set for one application. */
export interface ApplicationOptions extends SiteOptions {
  readonly writeWindow: WriteWindow;
  readonly gopCache: boolean;
  readonly webRtcReencode: 'off' | 'auto';
}

/** One entry of `applications`, which is listed by name. */
export const APPLICATION = Type.Object({
  acceptPlayers: defaultsTo(
    '`false`; `true` without `webLogin`',
    flag(
      SITE_DEFAULTS.acceptPlayers,
      'Take clients that bring no session parameters, under a made-up session name; `webLogin` is asked about that like any other.',
    ),
  ),
  webLogin: webAddress(
    SITE_DEFAULTS.webLogin,
    'Asked for each client: a prefix that ends in `=`, or an address without. Empty: everybody is let in.',
  ),
  webKey: secret(text(SITE_DEFAULTS.webKey, 256, 'The secret shared with the web site. Empty: not checked.')),
  webLogout: webAddress(SITE_DEFAULTS.webLogout, 'Told once for each accepted login that has ended. Empty: off.'),
  webStatus: webAddress(SITE_DEFAULTS.webStatus, 'Gets the list of sessions and answers with orders. Empty: off.'),
  webStatusInterval: duration(SITE_DEFAULTS.webStatusInterval, 5_000, 30_000, 'Time between two reports.'),
  webKeyCheck: choice(
    SITE_DEFAULTS.webKeyCheck,
    ['match', 'require', 'off'],
    'The webKey in a login answer: `match` if it is there, `require` it, or `off`.',
  ),
  freshLogin: flag(
    SITE_DEFAULTS.freshLogin,
    'Call webLogout before the webLogin of a session that is not connected, so that the site cannot answer from its cache.',
  ),
  onWebFailure: choice(
    SITE_DEFAULTS.onWebFailure,
    ['refuse', 'accept'],
    'When nobody answers webLogin: `refuse`, or `accept` as a viewer only.',
  ),
  acceptVerified: flag(
    SITE_DEFAULTS.acceptVerified,
    'Accept `login=0&verified=1`: known to the site, session not registered.',
  ),
  takeover: choice(
    SITE_DEFAULTS.takeover,
    ['refuse', 'same-key', 'always'],
    'A second publisher of a live name: refused, let in with the same key and user, or always let in.',
  ),
  webRtcLogin: choice(
    SITE_DEFAULTS.webRtcLogin,
    ['auto', 'key', 'login', 'both'],
    'How WebRTC clients are let in: by the `key` in the stream query, checked here with `webKey`; by `webLogin`; by `both`. `auto`: `key` where `webKey` is set, else `login` where `webLogin` is, else everybody.',
  ),
  connectTo: connectAddress(
    SITE_DEFAULTS.connectTo,
    "Connect to this address instead of the site's (`ip` or `ip:port`); URL, Host header and TLS name stay.",
  ),
  localAddress: ipAddress(
    SITE_DEFAULTS.localAddress,
    "Call the site from this local address. Empty: the system's choice.",
  ),
  loginTimeout: duration(SITE_DEFAULTS.loginTimeout, 500, 60_000, 'One webLogin or webLogout request.'),
  statusTimeout: duration(
    SITE_DEFAULTS.statusTimeout,
    1_000,
    120_000,
    'One webStatus request at most; it has nearly two intervals, or 10 s and 5 ms for each session where that is longer.',
  ),
  maxLogins: count(SITE_DEFAULTS.maxLogins, 1, 10_000, 'webLogin requests open at once.'),
  maxLoginQueue: count(
    SITE_DEFAULTS.maxLoginQueue,
    0,
    1_000_000,
    'Clients that wait for their webLogin to be sent; more are refused.',
  ),
  limitClientRateIn: size(
    SITE_DEFAULTS.limitClientRateIn,
    0,
    0x7fffffff,
    'Bytes a second that the report advises the site to give its broadcasters. 0: none.',
  ),
  writeWindow: defaultsTo(
    '`rtmp.writeWindow`',
    writeWindow(RTMP_DEFAULTS.writeWindow, '`rtmp.writeWindow` for this application.'),
  ),
  gopCache: defaultsTo('`rtmp.gopCache`', flag(RTMP_DEFAULTS.gopCache, '`rtmp.gopCache` for this application.')),
  webRtcReencode: choice(
    'off',
    ['off', 'auto'],
    'Streams that a browser cannot show, as they have B-frames or a codec that it lacks: refuse with the cure, or (`auto`) re-encode the picture while somebody watches, by an `ffmpeg` with libx264 in the PATH. Costs up to a core for each such stream.',
  ),
} satisfies Fields<ApplicationOptions>);
