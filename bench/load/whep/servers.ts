/** The WebRTC servers that can be put under load, each with its settings written out here and nothing else changed. */
import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Command, freePort, listening, start, stop } from '../processes.ts';
import { CACHE_FOLDER } from '../test-stream.ts';
import type { LoopDelay } from './loop-delay.ts';

const run = promisify(execFile);
const CHECKOUT = new URL('../../../', import.meta.url);
const PRELOAD = new URL('loop-delay.ts', import.meta.url).href;
const BUILD_TIMEOUT_MS = 300_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** How the stream comes in. */
export type Source = 'whip' | 'rtmp';

/** On 127.0.0.1; free ones. */
interface Ports {
  readonly http: number;
  readonly rtmp: number;
  /** UDP of all sessions. */
  readonly media: number;
}

export interface WhepServer {
  readonly name: string;
  readonly sources: readonly Source[];
  /** More viewers are asked too much of it: its core is full, and what it costs then is something else. */
  readonly mostViewers: number;
  /** Runs on Node.js, so that its event loop can be watched. */
  readonly node: boolean;
  /** Make it ready to start; answers its version, or why it cannot be measured here. */
  prepare(): Promise<{ readonly version: string } | { readonly missing: string }>;
  /** The command that serves `/live/s0/whip`, `/live/s0/whep` and `rtmp://…/live/s0`. */
  command(ports: Ports, folder: string): Promise<Command>;
}

function path(inCheckout: string): string {
  return fileURLToPath(new URL(inCheckout, CHECKOUT));
}

function version(of: string): string {
  return JSON.parse(readFileSync(path(`${of}package.json`), 'utf8')).version;
}

const castgate: WhepServer = {
  name: 'castgate',
  sources: ['whip', 'rtmp'],
  mostViewers: Number.POSITIVE_INFINITY,
  node: true,
  async prepare() {
    if (!existsSync(path('src/main.ts'))) return { missing: 'src/main.ts is not there' };
    return { version: version('') };
  },
  async command({ http, rtmp, media }, folder) {
    const settings = {
      'http.listen': `127.0.0.1:${http}`,
      'rtmp.listen': `127.0.0.1:${rtmp}`,
      'admin.listen': `127.0.0.1:${await freePort()}`,
      'webrtc.listen': `127.0.0.1:${media}`,
      'webrtc.tcpListen': '',
      // all load comes from one address
      'webrtc.maxSessions': '100000',
      'webrtc.maxSessionsPerIp': '100000',
      'state.dir': folder,
    };
    const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    return { program: process.execPath, args: ['--import', PRELOAD, path('src/main.ts'), ...args], cwd: folder };
  },
};

const werift: WhepServer = {
  name: 'werift',
  sources: ['whip'],
  mostViewers: 100,
  node: true,
  async prepare() {
    if (!existsSync(path('node_modules/werift/package.json'))) return { missing: 'npm install first' };
    return { version: version('node_modules/werift/') };
  },
  async command({ http }) {
    const args = ['--import', PRELOAD, path('bench/peers/werift.ts'), '--port', String(http)];
    return { program: process.execPath, args };
  },
};

/** One processor, as castgate has one thread for all it sends. */
const ONE_PROCESSOR = { ...process.env, GOMAXPROCS: '1' };

function pion(name: string, ...flags: string[]): WhepServer {
  const program = join(CACHE_FOLDER, 'pion');
  return {
    name,
    sources: ['whip'],
    mostViewers: Number.POSITIVE_INFINITY,
    node: false,
    async prepare() {
      const cwd = path('bench/peers/pion');
      try {
        await run('go', ['build', '-trimpath', '-o', program, '.'], { cwd, timeout: BUILD_TIMEOUT_MS });
      } catch (error) {
        const { code, stderr } = error as { code?: unknown; stderr?: string };
        if (code === 'ENOENT') return { missing: 'no go on PATH' };
        return { missing: `go could not build bench/peers/pion: ${stderr?.trim().split('\n')[0] ?? error}` };
      }
      const module = /pion\/webrtc\/v4 v(\S+)/.exec(readFileSync(join(cwd, 'go.mod'), 'utf8'));
      return { version: module?.[1] ?? '?' };
    },
    async command({ http }) {
      return { program, args: ['-listen', `127.0.0.1:${http}`, ...flags], env: ONE_PROCESSOR };
    },
  };
}

const mediamtx: WhepServer = {
  name: 'mediamtx',
  sources: ['whip', 'rtmp'],
  mostViewers: Number.POSITIVE_INFINITY,
  node: false,
  async prepare() {
    try {
      const { stdout } = await run('mediamtx', ['--version']);
      return { version: stdout.trim().replace(/^v/, '') };
    } catch {
      return { missing: 'no mediamtx on PATH (go install, or a release from its site)' };
    }
  },
  async command({ http, rtmp, media }, folder) {
    const config = join(folder, 'mediamtx.yml');
    const settings = [
      'logLevel: error',
      ...['rtsp: no', 'hls: no', 'srt: no', 'rtmp: yes', `rtmpAddress: 127.0.0.1:${rtmp}`],
      ...['webrtc: yes', `webrtcAddress: 127.0.0.1:${http}`, `webrtcLocalUDPAddress: 127.0.0.1:${media}`],
      ...['webrtcIPsFromInterfaces: no', 'webrtcAdditionalHosts: [127.0.0.1]', 'paths: { all_others: {} }'],
    ];
    writeFileSync(config, `${settings.join('\n')}\n`);
    return { program: 'mediamtx', args: [config], cwd: folder, env: ONE_PROCESSOR };
  },
};

export const WHEP_SERVERS: ReadonlyMap<string, WhepServer> = new Map(
  [castgate, werift, pion('pion'), pion('pion-sha1', '-sha1'), mediamtx].map((server) => [server.name, server]),
);

/** A server that runs and listens. */
export class RunningWhep {
  readonly ports: Ports;
  readonly pid: number;
  readonly #child: ChildProcess;
  /** Undefined: nobody watches its event loop. */
  readonly #delays: string | undefined;

  static async start(server: WhepServer, folder: string): Promise<RunningWhep> {
    mkdirSync(folder, { recursive: true });
    const ports = { http: await freePort(), rtmp: await freePort(), media: await freePort() };
    const log = join(folder, 'output.log');
    const delays = server.node ? join(folder, 'loop-delay.json') : undefined;
    const command = await server.command(ports, folder);
    const env = { ...(command.env ?? process.env), ...(delays === undefined ? {} : { LOOP_DELAY_FILE: delays }) };
    const child = start({ ...command, env }, 0, log);
    try {
      await listening(child, ports.http, log);
    } catch (error) {
      await stop(child);
      throw error;
    }
    return new RunningWhep(child, ports, delays);
  }

  private constructor(child: ChildProcess, ports: Ports, delays: string | undefined) {
    this.#child = child;
    this.pid = child.pid!;
    this.ports = ports;
    this.#delays = delays;
  }

  url(door: 'whip' | 'whep'): string {
    return `http://127.0.0.1:${this.ports.http}/live/s0/${door}`;
  }

  /** How its event loop fared since it was asked last; undefined: nobody knows. */
  async loopDelay(): Promise<LoopDelay | undefined> {
    const file = this.#delays;
    if (file === undefined) return undefined;
    await rm(file, { force: true });
    this.#child.kill('SIGUSR2');
    const until = Date.now() + ANSWER_TIMEOUT_MS;
    while (!existsSync(file)) {
      if (Date.now() > until) throw new Error('the server does not tell how its event loop fares');
      await delay(10);
    }
    return JSON.parse(readFileSync(file, 'utf8'));
  }

  stop(): Promise<void> {
    return stop(this.#child);
  }
}
