/**
 * What a person wants to know when castgate has started: where to publish, where to watch, who decides.
 */
import { networkInterfaces } from 'node:os';
import { isLoopback, type ListenAddress } from './base/listen-address.ts';
import type { ApplicationOptions } from './config/application-schema.ts';
import type { Config } from './config/schema.ts';
import { makeCandidates } from './webrtc/ice-candidates.ts';
import { interfaceAddresses } from './webrtc/udp-port.ts';

/** Where the doors listen now; a door that is off is undefined. */
export interface Addresses {
  readonly rtmp?: ListenAddress | undefined;
  readonly rtmps?: ListenAddress | undefined;
  /** Media of WebRTC, by UDP and by TCP. */
  readonly webrtc?: ListenAddress | undefined;
  readonly webrtcTcp?: ListenAddress | undefined;
  readonly http?: ListenAddress | undefined;
  readonly https?: ListenAddress | undefined;
  readonly admin?: ListenAddress | undefined;
}

export interface Start {
  readonly version: string;
  readonly addresses: Addresses;
  readonly config: Config;
  /** The file that was read. */
  readonly configFile: string | undefined;
  /** Addresses of this machine, by default as they are. */
  readonly interfaces?: readonly string[];
}

const RTMP_PORT = 1935;
const RTMPS_PORT = 443;
/** Applications named one by one; of more, the number is told. */
const APPLICATIONS_SHOWN = 10;

/** RFC 1918, RFC 6598, RFC 4193 and what does not leave a link or a machine. */
const PRIVATE =
  /^(?:10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.|::1$|f[cd]|fe[89ab])/i;

/** Some lines for a terminal, ending in a line feed. */
export function banner(start: Start): string {
  const { version, addresses, config, configFile } = start;
  const rows: (readonly [string, string])[] = [];
  if (addresses.rtmp !== undefined) rows.push(...rtmpRows('rtmp', addresses.rtmp, RTMP_PORT, config));
  if (addresses.rtmps !== undefined) rows.push(...rtmpRows('rtmps', addresses.rtmps, RTMPS_PORT, config));
  if (addresses.http !== undefined) rows.push(['page', `${address('http', addresses.http, 80)}/`]);
  if (addresses.https !== undefined) rows.push(['page', `${address('https', addresses.https, 443)}/`]);
  rows.push(...webrtcRows(start));
  if (addresses.admin !== undefined) {
    const admin = address('http', addresses.admin, 80);
    rows.push([
      'admin',
      `${admin}/v1/sessions, /metrics, /healthz${config.admin.token === '' ? '' : ' (bearer token)'}`,
    ]);
  }
  for (const line of sessionControl(config)) rows.push(['control', line]);
  rows.push(['settings', configFile ?? 'built-in (no castgate.yml here); see castgate --help']);
  const shown = rows.map(([name, text], index) => {
    const label = rows[index - 1]?.[0] === name ? '' : name;
    return `  ${label.padEnd(10)}${text}`;
  });
  return `\n  castgate ${version} is ready\n\n${shown.join('\n')}\n\n`;
}

/** The same for programs: fields of one log line. */
export function startFields({ version, addresses, config, configFile }: Start): Readonly<Record<string, unknown>> {
  const listening = Object.entries(addresses).flatMap(([door, bound]) =>
    bound === undefined ? [] : [[door, hostAndPort(bound)] as const],
  );
  return {
    version,
    ...Object.fromEntries(listening),
    control: sessionControl(config),
    settings: configFile ?? 'built-in',
  };
}

/** Who decides, for each application, without the keys that its addresses hold. */
export function sessionControl({ applications }: Config): readonly string[] {
  if (applications.size === 0) {
    return ['none: everybody may publish and watch; set applications.NAME.webLogin to let your site decide'];
  }
  const lines = [...applications].slice(0, APPLICATIONS_SHOWN).map(([name, options]) => `${name}: ${decides(options)}`);
  const more = applications.size - lines.length;
  return more > 0 ? [...lines, `and ${more} more applications`] : lines;
}

function decides(options: ApplicationOptions): string {
  if (options.webLogin === '' && options.webKey !== '') {
    return 'everybody may publish and watch over RTMP; browsers need a key that is made with webKey';
  }
  if (options.webLogin === '') return 'everybody may publish and watch';
  const players = options.acceptPlayers ? ', also about players without a session' : '';
  const told = options.webStatus === '' ? '' : `, is told every ${options.webStatusInterval / 1000} s`;
  return `${new URL(options.webLogin).host} decides${told}${players}`;
}

function rtmpRows(
  scheme: 'rtmp' | 'rtmps',
  bound: ListenAddress,
  usualPort: number,
  { applications }: Config,
): readonly (readonly [string, string])[] {
  const open = [...applications].find(([, options]) => options.webLogin === '')?.[0];
  const application = applications.size === 0 ? 'live' : open;
  const servers = hosts(bound).map((host) => `${scheme}://${host}${port(bound, usualPort)}`);
  if (application === undefined) {
    const [first] = applications.keys();
    return [
      ['publish', `${servers.at(-1)}/${first}?… as your site shows it, in OBS as Server (Settings, Stream, Custom)`],
    ];
  }
  const near = `${servers[0]}/${application}/test`;
  return [
    ...servers.map((server) => ['publish', `OBS: Server ${server}/${application}  Stream Key test`] as const),
    [
      'publish',
      `ffmpeg -re -f lavfi -i testsrc2 -f lavfi -i sine -c:v libx264 -pix_fmt yuv420p -bf 0 -g 60 -c:a aac -f flv ${near}`,
    ],
    ['watch', `ffplay ${near}`],
  ];
}

/** Where WHIP and WHEP are found, and what has to be open besides. */
function webrtcRows({ addresses, config, interfaces }: Start): readonly (readonly [string, string])[] {
  const { webrtc, webrtcTcp, http, https } = addresses;
  const ports = [webrtc && `UDP ${webrtc.port}`, webrtcTcp && `TCP ${webrtcTcp.port}`].filter(Boolean).join(' and ');
  const door = http === undefined ? https && address('https', https, 443) : address('http', http, 80);
  if (ports === '' || door === undefined) return [];
  const { applications } = config;
  const open = [...applications].find(([, { webLogin, webKey }]) => webLogin === '' && webKey === '')?.[0];
  const app = applications.size === 0 ? 'live' : open;
  const lines =
    app === undefined
      ? [`publish ${door}/${[...applications.keys()][0]}/…/whip, watch …/whep, with the key that your site makes`]
      : [
          `browser: ${door}/?publish=${app}/test, ${door}/?watch=${app}/test`,
          `publish ${door}/${app}/test/whip (in OBS as Server of the service WHIP)`,
          `watch ${door}/${app}/test/whep`,
        ];
  lines.push(`open ${ports} in the firewall: the media of all sessions`);
  if (!reachedFromOutside({ webrtc, webrtcTcp }, config, interfaces ?? interfaceAddresses())) {
    lines.push('for clients of other networks set webrtc.publicAddresses: they are told private addresses alone');
  }
  return lines.map((line) => ['webrtc', line] as const);
}

/** Is there any address among those that clients are told which another network can know? */
function reachedFromOutside(
  { webrtc: udp, webrtcTcp: tcp }: Addresses,
  { webrtc: { publicAddresses, interfaceAddresses: told } }: Config,
  interfaces: readonly string[],
): boolean {
  if (publicAddresses.length > 0) return true;
  const candidates = makeCandidates({ udp, tcp, publicAddresses, interfaces: told ? interfaces : undefined });
  return candidates.some(({ ip }) => !PRIVATE.test(ip));
}

/** The names under which it can be reached: from this machine first, then from the network. */
function hosts({ host }: ListenAddress): readonly string[] {
  const everywhere = host === '' || host === '::' || host === '0.0.0.0';
  if (!everywhere) return [isLoopback(host) || !host.includes(':') ? bracketed(host) : `[${host}]`];
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outside === undefined ? ['localhost'] : ['localhost', outside.address];
}

function address(scheme: string, bound: ListenAddress, usualPort: number): string {
  return `${scheme}://${hosts(bound)[0]}${port(bound, usualPort)}`;
}

function port(bound: ListenAddress, usualPort: number): string {
  return bound.port === usualPort ? '' : `:${bound.port}`;
}

function hostAndPort({ host, port }: ListenAddress): string {
  return `${bracketed(host)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
