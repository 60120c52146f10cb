/**
 * Every setting once: its type, range, default and meaning. Reading, fault messages and docs/configuration.md all come from here;
 * the defaults themselves stand in the rooms that use them.
 */
import Type from 'typebox';
import { ADMIN_DEFAULTS, type AdminOptions, HTTP_DEFAULTS, type HttpOptions } from '../http/options.ts';
import { RTMP_DEFAULTS, type RtmpOptions } from '../rtmp/options.ts';
import type { WebRtcOptions } from '../webrtc/options.ts';
import type { ApplicationOptions } from './application-schema.ts';
import {
  choice,
  count,
  defaultsTo,
  duration,
  type Fields,
  flag,
  list,
  listen,
  secret,
  size,
  text,
  writeWindow,
} from './setting.ts';
import { webrtc } from './webrtc-schema.ts';

/** The certificate of RTMPS and HTTPS. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
}

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'json' | 'pretty';
}

export interface StateOptions {
  readonly dir: string;
}

/** Everything that can be set, checked and complete. */
export interface Config {
  readonly rtmp: RtmpOptions;
  readonly webrtc: WebRtcOptions;
  readonly http: HttpOptions;
  readonly admin: AdminOptions;
  /** Both empty: no TLS. */
  readonly tls: TlsOptions;
  /** By name. Some are listed: all other names are refused. */
  readonly applications: ReadonlyMap<string, ApplicationOptions>;
  /** For every name, when none is listed; undefined when some are. */
  readonly anyApplication: ApplicationOptions | undefined;
  readonly log: LogOptions;
  readonly state: StateOptions;
}

const rtmp = Type.Object({
  listen: listen(
    RTMP_DEFAULTS.listen,
    'Where RTMP clients connect. RTMPS is recognised on the same port when `tls` is set. Empty: off.',
  ),
  tlsListen: listen(RTMP_DEFAULTS.tlsListen, 'A listener for RTMPS alone, such as `:1936`; needs `tls`. Empty: off.'),
  chunkSize: size(RTMP_DEFAULTS.chunkSize, 128, 16_777_215, 'Chunk size towards clients.'),
  gopCache: flag(
    RTMP_DEFAULTS.gopCache,
    'Keep the frames since the last key frame, so that a viewer sees a picture at once.',
  ),
  gopCacheSize: size(
    RTMP_DEFAULTS.gopCacheSize,
    64 << 10,
    1 << 30,
    'Bytes that the cache of one stream may hold; over it, the group is forgotten.',
  ),
  gopCacheTime: duration(RTMP_DEFAULTS.gopCacheTime, 1_000, 60_000, 'Time that the cache of one stream may span.'),
  writeWindow: writeWindow(
    RTMP_DEFAULTS.writeWindow,
    'When bytes leave for the players. `video`: with each video message, audio rides along and no video is delayed. `0`: each message at once. A duration: all of that time in one write, which costs less and delays by as much.',
  ),
  readPace: duration(
    RTMP_DEFAULTS.readPace,
    0,
    50,
    'With many publishers, rest this long between two looks at the sockets, so that one look finds many messages. 0: never.',
  ),
  readPaceFrom: count(RTMP_DEFAULTS.readPaceFrom, 0, 1_000_000, 'Publishers connected before `readPace` takes effect.'),
  handshakeTimeout: duration(
    RTMP_DEFAULTS.handshakeTimeout,
    1_000,
    60_000,
    'From the TCP connection to the end of the handshake.',
  ),
  connectTimeout: duration(
    RTMP_DEFAULTS.connectTimeout,
    1_000,
    120_000,
    'From the TCP connection to the connect command.',
  ),
  idleTimeout: duration(RTMP_DEFAULTS.idleTimeout, 1_000, 3_600_000, 'Connected, neither publishing nor playing.'),
  publishTimeout: duration(
    RTMP_DEFAULTS.publishTimeout,
    1_000,
    600_000,
    'A publisher that sends no byte for this long is gone, and its name is free.',
  ),
  playWait: duration(
    RTMP_DEFAULTS.playWait,
    0,
    3_600_000,
    'A player waits this long for a stream that is not live. 0: forever.',
  ),
  viewerTimeout: duration(
    RTMP_DEFAULTS.viewerTimeout,
    1_000,
    600_000,
    'A player that takes no data for this long is gone.',
  ),
  pingInterval: duration(
    RTMP_DEFAULTS.pingInterval,
    1_000,
    600_000,
    'Players without traffic are pinged this often, to notice the dead.',
  ),
  maxMessage: size(
    RTMP_DEFAULTS.maxMessage,
    64 << 10,
    64 << 20,
    'The largest message, which is the largest key frame.',
  ),
  maxMessageBeforeConnect: size(
    RTMP_DEFAULTS.maxMessageBeforeConnect,
    4 << 10,
    1 << 20,
    'The same until the login was accepted.',
  ),
  viewerQueue: size(
    RTMP_DEFAULTS.viewerQueue,
    64 << 10,
    64 << 20,
    'Bytes that may wait for one player. Above it video is withheld until a key frame finds the queue drained; audio goes on.',
  ),
  maxConnections: count(RTMP_DEFAULTS.maxConnections, 1, 1_000_000, 'TCP connections in all.'),
  maxConnectionsPerIp: count(
    RTMP_DEFAULTS.maxConnectionsPerIp,
    1,
    1_000_000,
    'TCP connections of one address; of IPv6, of one network (/64).',
  ),
} satisfies Fields<RtmpOptions>);

const http = Type.Object({
  listen: listen(
    HTTP_DEFAULTS.listen,
    'Where the public reaches castgate over HTTP: its page, WHIP, WHEP and Wowza signalling. Empty: off.',
  ),
  tlsListen: listen(
    HTTP_DEFAULTS.tlsListen,
    'The same over HTTPS, such as `:8443`; needs `tls`. Browsers give camera and microphone only to pages from HTTPS or localhost. Empty: off.',
  ),
} satisfies Fields<HttpOptions>);

const admin = Type.Object({
  listen: listen(
    ADMIN_DEFAULTS.listen,
    'Metrics, health and the control API. Any address but loopback needs `token`. Empty: off.',
  ),
  token: secret(text(ADMIN_DEFAULTS.token, 256, 'Bearer token of the admin interface, checked wherever it is set.')),
  hosts: list(
    ADMIN_DEFAULTS.hosts,
    64,
    'Host names, besides the listen address and localhost, under which the admin interface may be called.',
  ),
} satisfies Fields<AdminOptions>);

const tls = Type.Object({
  cert: text('', 4096, 'File with the certificate chain in PEM, for RTMPS and HTTPS. Read again when it changes.'),
  key: text('', 4096, 'File with the private key in PEM.'),
} satisfies Fields<TlsOptions>);

const log = Type.Object({
  level: choice('info', ['debug', 'info', 'warn', 'error'], 'The least important lines that are written.'),
  format: choice(
    'auto',
    ['auto', 'json', 'pretty'],
    'JSON lines, or lines for people. `auto`: for people on a terminal.',
  ),
} satisfies Fields<LogOptions>);

const state = Type.Object({
  dir: defaultsTo(
    '`$STATE_DIRECTORY` (set by systemd), else `.castgate`',
    text('.castgate', 4096, 'Where castgate keeps what must survive a crash: the journal of logouts. Empty: nowhere.'),
  ),
} satisfies Fields<StateOptions>);

/** The sections of the file that have a fixed name. */
export const SECTIONS = { rtmp, webrtc, http, admin, tls, log, state } as const;

/** What a section is for, in the order of the reference. */
export const SECTION_NOTES: ReadonlyMap<string, string> = new Map([
  ['rtmp', 'RTMP and RTMPS, in and out.'],
  [
    'webrtc',
    'WebRTC media, in and out. Its signalling (WHIP, WHEP, Wowza) comes in at the HTTP door and on the RTMP port.',
  ],
  ['http', 'The HTTP door for the public.'],
  ['admin', 'The HTTP door for operators.'],
  [
    'tls',
    'One certificate for RTMPS and HTTPS, which are recognised on the ports of `rtmp` and spoken on `http.tlsListen`.',
  ],
  ['log', 'The log on standard output.'],
  ['state', 'Files that castgate writes.'],
]);
