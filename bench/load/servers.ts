/** The servers that can be put under load, each with its settings written out here and nothing else changed. */
import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Command, freePort, listening, start, stop } from './processes.ts';
import { CACHE_FOLDER } from './test-stream.ts';

const run = promisify(execFile);
const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const NMS_VERSION = '4.4.3';
const INSTALL_TIMEOUT_MS = 120_000;

/** When bytes leave for the players: `video` (audio rides with video), `0` (each message), or `50ms`. */
export type Mode = string;

export interface ServerKind {
  readonly name: string;
  /** Speaks no RTMP: bare bytes in, bare bytes out. */
  readonly raw: boolean;
  /** What this server does when asked for `mode`, in its own words; null when it cannot. Equal words: the same run. */
  does(mode: Mode): string | null;
  /** Make it ready to start; answers its version, or why it cannot be measured here. */
  prepare(): Promise<{ readonly version: string } | { readonly missing: string }>;
  /** The command that serves RTMP on 127.0.0.1:`port`, its files in `folder`. */
  command(mode: Mode, port: number, folder: string): Promise<Command>;
}

const EACH_MESSAGE = 'each message';

const castgate: ServerKind = {
  name: 'castgate',
  raw: false,
  does: (mode) => (mode === '0' ? EACH_MESSAGE : mode),
  async prepare() {
    if (!existsSync(join(CHECKOUT, 'src/main.ts'))) return { missing: 'src/main.ts is not there' };
    return { version: JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')).version };
  },
  async command(mode, port, folder) {
    const settings = {
      'rtmp.listen': `127.0.0.1:${port}`,
      'rtmp.writeWindow': mode,
      // All load comes from one address, and in the churn from more connections than a real site's visitors share.
      'rtmp.maxConnectionsPerIp': '100000',
      'rtmp.maxConnections': '100000',
      'http.listen': `127.0.0.1:${await freePort()}`,
      'admin.listen': `127.0.0.1:${await freePort()}`,
      'webrtc.listen': '',
      'webrtc.tcpListen': '',
    };
    const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    return { program: process.execPath, args: [join(CHECKOUT, 'src/main.ts'), ...args], cwd: folder };
  },
};

function nginxKind(name: string, does: string, settings: string): ServerKind {
  return {
    name,
    raw: false,
    does: () => does,
    async prepare() {
      try {
        const { stderr } = await run('nginx', ['-v']);
        if (!existsSync('/usr/lib/nginx/modules/ngx_rtmp_module.so')) throw new Error('no module');
        return { version: stderr.trim().split('/')[1] ?? '?' };
      } catch {
        return { missing: 'apt-get install -y nginx-light libnginx-mod-rtmp' };
      }
    },
    async command(_mode, port, folder) {
      const config = join(folder, 'nginx.conf');
      writeFileSync(
        config,
        `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; worker_processes 1; worker_rlimit_nofile 65536; pid ${folder}/nginx.pid; error_log ${folder}/error.log error;
events { worker_connections 16384; }
rtmp { access_log off; server { listen 127.0.0.1:${port}; ${settings} application live { live on; } } }
`,
      );
      return { program: 'nginx', args: ['-p', folder, '-e', `${folder}/error.log`, '-c', config] };
    },
  };
}

const nodeMediaServer: ServerKind = {
  name: 'nms',
  raw: false,
  does: () => EACH_MESSAGE,
  async prepare() {
    const folder = join(CACHE_FOLDER, 'nms');
    const installed = join(folder, 'node_modules/node-media-server/package.json');
    if (!existsSync(installed)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
      const args = ['install', '--no-audit', '--no-fund', '--prefix', folder, `node-media-server@${NMS_VERSION}`];
      try {
        await run('npm', args, { timeout: INSTALL_TIMEOUT_MS });
      } catch {
        return { missing: `npm could not install node-media-server@${NMS_VERSION} into ${folder}` };
      }
    }
    return { version: JSON.parse(readFileSync(installed, 'utf8')).version };
  },
  async command(_mode, port, folder) {
    const config = join(folder, 'nms.json');
    writeFileSync(config, JSON.stringify({ bind: '127.0.0.1', rtmp: { port }, store: { path: join(folder, 'data') } }));
    const app = join(CACHE_FOLDER, 'nms/node_modules/node-media-server/bin/app.js');
    return { program: process.execPath, args: [app, '-c', config], cwd: folder };
  },
};

const srs: ServerKind = {
  name: 'srs',
  raw: false,
  // SRS takes no window that waits for video; its nearest are each message (min_latency) and a time (mw_latency).
  does: (mode) => (mode === 'video' || mode === '0' ? EACH_MESSAGE : mode),
  async prepare() {
    try {
      const { stdout, stderr } = await run('srs', ['-v']);
      return { version: (stdout + stderr).trim() };
    } catch {
      return { missing: 'no srs on PATH (Debian has no package of it; build it from source)' };
    }
  },
  async command(mode, port, folder) {
    const config = join(folder, 'srs.conf');
    const window = Number.parseInt(mode, 10) || 0;
    const latency = window === 0 ? 'min_latency on;' : `min_latency off; play { mw_latency ${window}; }`;
    writeFileSync(
      config,
      `listen 127.0.0.1:${port}; daemon off; max_connections 8192; pid ${folder}/srs.pid; srs_log_tank console; srs_log_level error;
vhost __defaultVhost__ { tcp_nodelay on; ${latency} }
`,
    );
    return { program: 'srs', args: ['-c', config], cwd: folder };
  },
};

const floor: ServerKind = {
  name: 'floor',
  raw: true,
  does: castgate.does,
  async prepare() {
    const source = fileURLToPath(new URL('floor.c', import.meta.url));
    try {
      await run('cc', ['-O2', '-o', join(CACHE_FOLDER, 'floor'), source]);
      return { version: 'C' };
    } catch (error) {
      return {
        missing: `cc could not compile floor.c: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
      };
    }
  },
  async command(mode, port, folder) {
    const window = mode === 'video' ? mode : String(Number.parseInt(mode, 10));
    return { program: join(CACHE_FOLDER, 'floor'), args: [String(port), window], cwd: folder };
  },
};

export const SERVER_KINDS: ReadonlyMap<string, ServerKind> = new Map(
  [
    castgate,
    nginxKind('nginx', EACH_MESSAGE, ''),
    // `buffer` holds video until the next audio message, and one large chunk size saves headers: as few writes as nginx can do.
    nginxKind('nginx-tuned', 'video waits for audio', 'chunk_size 65536; out_queue 1024; buffer 1s;'),
    nodeMediaServer,
    srs,
    floor,
  ].map((kind) => [kind.name, kind]),
);

/** A server that runs and listens. */
export class Running {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.pid = child.pid!;
  }

  static async start(kind: ServerKind, mode: Mode, folder: string): Promise<Running> {
    mkdirSync(folder, { recursive: true });
    const port = await freePort();
    const log = join(folder, 'output.log');
    const child = start(await kind.command(mode, port, folder), 0, log);
    try {
      await listening(child, port, log);
    } catch (error) {
      await stop(child);
      throw error;
    }
    return new Running(child, port);
  }

  stop(): Promise<void> {
    return stop(this.#child);
  }
}
