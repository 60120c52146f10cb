/**
 * The vendor's web site as a test needs it: `php -S` in front of `vendor-receiver.php`, its settings, and what it was told.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPhpServer } from './php.ts';

const RECEIVER = fileURLToPath(new URL('vendor-receiver.php', import.meta.url));

/** The defaults, and what each means, stand at the top of `vendor-receiver.php`. */
export interface VendorSettings {
  webKey?: string;
  channels?: Readonly<Record<string, { readonly post: number; readonly owner: number }>>;
  disconnect?: Readonly<Record<string, string>>;
  webStatus?: 'enabled' | 'empty' | 'denied';
  filter?: boolean;
  warning?: 'none' | 'front' | 'behind';
  lengths?: number;
  viewerKeyLost?: boolean;
  encodeOrders?: 'no' | 'url' | 'list';
  cut?: number;
  delay?: number;
  status?: number;
}

/** A list of a report as PHP understood it; false when it could not. PHP's own JSON: an empty array is `[]`. */
export type ReportedList = false | Readonly<Record<string, Readonly<Record<string, string | number>>>>;

export interface VendorCall {
  readonly task: 'rtmp_login' | 'rtmp_logout' | 'rtmp_status';
  readonly query: string;
  readonly address: string;
  /** Seconds. */
  readonly began: number;
  readonly ended: number;
  readonly p?: readonly string[];
  readonly users?: ReportedList;
  readonly rtpsessions?: ReportedList;
  readonly aS?: false | Readonly<Record<string, string | number>>;
}

export interface VendorSite {
  /** As an operator pastes them. */
  readonly webLogin: string;
  readonly webLogout: string;
  readonly webStatus: string;
  /** Changes what is named, from the next call on. */
  set(changes: VendorSettings): Promise<void>;
  /** All calls so far, in the order of their end. */
  calls(): Promise<readonly VendorCall[]>;
  /** Names of the sessions that the site believes logged in. */
  sessions(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function startVendorSite(settings: VendorSettings = {}): Promise<VendorSite> {
  const state = await mkdtemp(join(tmpdir(), 'castgate-vendor-'));
  await mkdir(join(state, 'sessions'));
  let current = settings;
  const save = () => writeFile(join(state, 'settings.json'), JSON.stringify(current));
  await save();
  const server = await startPhpServer(RECEIVER, { VENDOR_STATE: state });
  const action = `${server.origin}/wp-admin/admin-ajax.php?action=vwls`;
  return {
    webLogin: `${action}&task=rtmp_login&s=`,
    webLogout: `${action}&task=rtmp_logout&s=`,
    webStatus: `${action}&task=rtmp_status`,
    async set(changes) {
      current = { ...current, ...changes };
      await save();
    },
    async calls() {
      const log = await readFile(join(state, 'calls.log'), 'utf8').catch(() => '');
      return log
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as VendorCall);
    },
    sessions: () => readdir(join(state, 'sessions')),
    async stop() {
      await server.stop();
      await rm(state, { recursive: true, force: true });
    },
  };
}

/** The key in a broadcaster's address, as the vendor's scripts make it. */
export function broadcasterKey(webKey: string, owner: number, post: number): string {
  return md5(`vw${webKey}${owner}${post}`);
}

/** The key in a viewer's address. */
export function viewerKey(webKey: string, post: number): string {
  return md5(`vw${webKey}${post}`);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
