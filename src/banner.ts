/**
 * What a person wants to know when castgate has started: where to publish, where to watch, who decides.
 */
import { networkInterfaces } from 'node:os';
import { isLoopback, type ListenAddress } from './base/listen-address.ts';
import type { ApplicationOptions, Config } from './config/schema.ts';

/** Where the doors listen now; a door that is off is undefined. */
export interface Addresses {
  readonly rtmp?: ListenAddress | undefined;
  readonly rtmps?: ListenAddress | undefined;
  readonly webrtc?: ListenAddress | undefined;
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
}

const RTMP_PORT = 1935;
const RTMPS_PORT = 443;
/** Applications named one by one; of more, the number is told. */
const APPLICATIONS_SHOWN = 10;

/** Some lines for a terminal, ending in a line feed. */
export function banner(start: Start): string {
  const { version, addresses, config, configFile } = start;
  const rows: (readonly [string, string])[] = [];
  if (addresses.rtmp !== undefined) rows.push(...rtmpRows('rtmp', addresses.rtmp, RTMP_PORT, config));
  if (addresses.rtmps !== undefined) rows.push(...rtmpRows('rtmps', addresses.rtmps, RTMPS_PORT, config));
  if (addresses.http !== undefined) rows.push(['page', `${address('http', addresses.http, 80)}/`]);
  if (addresses.https !== undefined) rows.push(['page', `${address('https', addresses.https, 443)}/`]);
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
    ['publish', `ffmpeg -re -f lavfi -i testsrc2 -f lavfi -i sine -c:v libx264 -g 60 -c:a aac -f flv ${near}`],
    ['watch', `ffplay ${near}`],
  ];
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
