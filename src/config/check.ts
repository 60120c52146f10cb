/**
 * What no setting can tell alone: faults and doubts between settings. Each is reported where one of them was set.
 */
import { isLoopback, type ListenAddress, readListen } from '../base/listen-address.ts';
import type { ApplicationOptions } from './application-schema.ts';
import type { Draft } from './draft.ts';
import type { Config } from './schema.ts';
import { isIpAddress } from './units.ts';

/** The webKey that the vendor's plugins come with: no secret. */
const VENDOR_WEB_KEY = 'VideoWhisper';
/** What comes of a setting that nobody's login stands behind. */
const WITHOUT_LOGIN = {
  webStatus: 'everybody is let in unasked and then reported',
  webLogout: 'it is never used',
  webKey: 'it guards WebRTC, and everybody is let in over RTMP',
} as const;
/** What each way of letting WebRTC clients in cannot do without. */
const WEBRTC_NEEDS = [
  ['webKey', 'key'],
  ['webLogin', 'login'],
] as const;
/** What applications have in common that name the same addresses: one conversation with the site, led by one group of settings. */
const SHARED: readonly {
  readonly addresses: readonly (keyof ApplicationOptions)[];
  readonly settings: readonly (keyof ApplicationOptions)[];
}[] = [
  {
    addresses: ['webStatus'],
    settings: ['webStatusInterval', 'statusTimeout', 'limitClientRateIn', 'connectTo', 'localAddress'],
  },
  { addresses: ['webLogin', 'webLogout'], settings: ['maxLogins', 'maxLoginQueue', 'connectTo', 'localAddress'] },
];
/** Where a value stands that nobody set. */
const DEFAULTS = 'defaults';

export function checkTogether(config: Config, draft: Draft): void {
  checkListeners(config, draft);
  checkTls(config, draft);
  checkLimits(config, draft);
  checkWebRtc(config, draft);
  for (const name of config.applications.keys()) checkApplication(config, name, draft);
  checkShared(config, draft);
}

function checkListeners(config: Config, draft: Draft): void {
  const { admin, rtmp, webrtc, http } = config;
  const adminAddress = readListen(admin.listen);
  if (adminAddress !== undefined && admin.token === '' && !isLoopback(adminAddress.host)) {
    const words = 'can be reached from other machines and so needs admin.token; or listen on 127.0.0.1';
    fault(draft, ['admin.listen', 'admin.token'], words);
  }
  const doors = [
    ['rtmp.listen', rtmp.listen],
    ['rtmp.tlsListen', rtmp.tlsListen],
    ['webrtc.tcpListen', webrtc.tcpListen],
    ['http.listen', http.listen],
    ['http.tlsListen', http.tlsListen],
    ['admin.listen', admin.listen],
  ] as const;
  const taken: { readonly path: string; readonly address: ListenAddress }[] = [];
  for (const [path, text] of doors) {
    const address = readListen(text);
    if (address === undefined) continue;
    const other = taken.find((door) => clash(door.address, address));
    if (other !== undefined) fault(draft, [path, other.path], `is the same port as ${other.path}`);
    taken.push({ path, address });
  }
}

function checkTls({ tls, rtmp, http }: Config, draft: Draft): void {
  if (tls.cert !== '' && tls.key === '')
    fault(draft, ['tls.cert', 'tls.key'], 'needs tls.key, the file with its private key');
  if (tls.key !== '' && tls.cert === '')
    fault(draft, ['tls.key', 'tls.cert'], 'needs tls.cert, the file with its certificate');
  if (rtmp.tlsListen !== '' && tls.cert === '')
    fault(draft, ['rtmp.tlsListen', 'tls.cert'], 'needs tls.cert and tls.key');
  if (http.tlsListen !== '' && tls.cert === '')
    fault(draft, ['http.tlsListen', 'tls.cert'], 'needs tls.cert and tls.key');
}

function checkLimits({ rtmp }: Config, draft: Draft): void {
  if (rtmp.maxMessageBeforeConnect > rtmp.maxMessage) {
    fault(draft, ['rtmp.maxMessageBeforeConnect', 'rtmp.maxMessage'], 'must not be larger than rtmp.maxMessage');
  }
  if (rtmp.handshakeTimeout > rtmp.connectTimeout) {
    fault(
      draft,
      ['rtmp.handshakeTimeout', 'rtmp.connectTimeout'],
      'must not be longer than rtmp.connectTimeout, which it is part of',
    );
  }
  if (rtmp.maxConnectionsPerIp > rtmp.maxConnections && sourceOf(draft, 'rtmp.maxConnectionsPerIp') !== DEFAULTS) {
    warn(draft, 'rtmp.maxConnectionsPerIp', 'is more than rtmp.maxConnections and so has no effect');
  }
}

function checkWebRtc({ webrtc }: Config, draft: Draft): void {
  for (const address of webrtc.publicAddresses) {
    if (isIpAddress(address)) continue;
    fault(draft, ['webrtc.publicAddresses'], `must be IP addresses; "${address}" is none`);
  }
  for (const server of webrtc.iceServers) {
    if (/^(?:stun|stuns|turn|turns):/.test(server)) continue;
    fault(draft, ['webrtc.iceServers'], 'must be addresses that begin with stun:, stuns:, turn: or turns:');
  }
}

function checkApplication(config: Config, name: string, draft: Draft): void {
  const options = config.applications.get(name)!;
  const path = (key: string) => `applications.${name}.${key}`;
  if (options.webLogin === '') {
    for (const key of ['webStatus', 'webLogout', 'webKey'] as const) {
      if (options[key] === '') continue;
      warn(draft, path(key), `is set without webLogin: ${WITHOUT_LOGIN[key]}`);
    }
  } else if (options.webKey === '' && options.webKeyCheck === 'require') {
    fault(draft, [path('webKeyCheck'), path('webKey')], 'is "require" and needs webKey');
  }
  for (const [key, how] of WEBRTC_NEEDS) {
    if (options[key] !== '' || (options.webRtcLogin !== how && options.webRtcLogin !== 'both')) continue;
    fault(draft, [path('webRtcLogin'), path(key)], `is "${options.webRtcLogin}" and needs ${key}`);
  }
  if (options.webLogin !== '' && options.webLogout === '' && options.freshLogin) {
    const cause = 'is set without webLogout, so freshLogin can do nothing';
    const cure = 'a site that remembers logins takes any key for them; set webLogout, or freshLogin: false';
    warn(draft, path('webLogin'), `${cause}: ${cure}`);
  }
  if (options.webKey === VENDOR_WEB_KEY) {
    warn(draft, path('webKey'), "is the vendor's default, which everybody knows", 'config/default-key');
  }
}

function checkShared({ applications }: Config, draft: Draft): void {
  const told = new Set<string>();
  for (const { addresses, settings } of SHARED) {
    const first = new Map<string, string>();
    for (const [name, options] of applications) {
      if (options[addresses[0]!] === '') continue;
      const site = JSON.stringify(addresses.map((address) => options[address]));
      const other = first.get(site);
      if (other === undefined) {
        first.set(site, name);
        continue;
      }
      for (const setting of settings) {
        const path = `applications.${name}.${setting}`;
        if (options[setting] === applications.get(other)![setting] || told.has(path)) continue;
        told.add(path);
        const words = `is not as in applications.${other}, which asks the same web site; the last one counts for both`;
        warn(draft, path, words);
      }
    }
  }
}

/** Two doors cannot share a port, unless they listen on different addresses of the machine. Port 0 is a new one each time. */
function clash(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isEveryAddress(a.host) || isEveryAddress(b.host);
}

function isEveryAddress(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

/** A fault of the settings at `paths` together, told at the first; what cannot be read is unknown and no reason to complain. */
function fault(draft: Draft, paths: readonly [string, ...string[]], message: string): void {
  if (!paths.some((path) => draft.unread.has(path))) draft.fault(sourceOf(draft, paths[0]), paths[0], message);
}

function warn(draft: Draft, path: string, message: string, code?: string): void {
  draft.warn(sourceOf(draft, path), path, message, code);
}

/** Who set the value of a path, as `section.key` or `applications.name.key`. */
function sourceOf(draft: Draft, path: string): string {
  const dot = path.lastIndexOf('.');
  const [group, key] = [path.slice(0, dot), path.slice(dot + 1)];
  const name = group.startsWith('applications.') ? group.slice('applications.'.length) : undefined;
  const values = name === undefined ? draft.sections.get(group) : draft.applications.get(name);
  return values?.get(key)?.source ?? (name === undefined ? undefined : draft.named.get(name)) ?? DEFAULTS;
}
