/**
 * The server as its users have it: a process of its own, on free ports, with a state directory of its own.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, Program, type Scope, until } from './program.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const ADMIN_TOKEN = 'e2e-admin-token-81c2';

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string; readonly code?: string };

/** As `GET /v1/sessions` lists it. */
export interface SessionView {
  readonly id: string;
  readonly name: string;
  readonly protocol: string;
  readonly app: string;
  readonly stream: string | null;
  readonly room: string;
  readonly role: string;
  readonly ip: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly state: string;
}

export interface CastgateOptions {
  /** Settings by their path, such as `rtmp.writeWindow`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly configFile?: string;
  /** Must never be seen in the log. */
  readonly secrets?: readonly string[];
  /** That of an earlier process; a new one otherwise. */
  readonly stateDir?: string;
  /** Lets `liveMemory` look inside. */
  readonly inspect?: boolean;
  /** Environment variables, over those of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts castgate and waits until its doors are open. */
export async function startCastgate(t: Scope, options: CastgateOptions = {}): Promise<Castgate> {
  const server = new Castgate(t, options);
  await server.ready();
  return server;
}

export class Castgate {
  readonly stateDir: string;
  readonly program: Program;
  readonly #secrets: Set<string>;
  #ready: LogLine | undefined;

  constructor(t: Scope, { settings = {}, configFile, secrets = [], stateDir, inspect, env = {} }: CastgateOptions) {
    this.stateDir = stateDir ?? mkdtempSync(join(tmpdir(), 'castgate-e2e-'));
    this.#secrets = new Set([ADMIN_TOKEN, ...secrets]);
    const all = {
      'rtmp.listen': '127.0.0.1:0',
      'http.listen': '',
      'webrtc.listen': '127.0.0.1:0',
      'webrtc.tcpListen': '127.0.0.1:0',
      'admin.listen': '127.0.0.1:0',
      'admin.token': ADMIN_TOKEN,
      'log.format': 'json',
      'log.level': 'debug',
      'state.dir': this.stateDir,
      ...settings,
    };
    const sets = Object.entries(all).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
    const config = configFile === undefined ? [] : ['--config', configFile];
    const node = inspect ? ['--inspect=127.0.0.1:0'] : [];
    this.program = new Program(t, process.execPath, [...node, MAIN, ...config, ...sets], { env });
    t.after(() => rmSync(this.stateDir, { recursive: true, force: true }));
  }

  async ready(): Promise<void> {
    this.#ready = await until('castgate opens its doors', () => {
      if (!this.program.running) throw new Error(`castgate ended:\n${this.program.stdout}${this.program.stderr}`);
      return this.lines().find(({ msg }) => msg === 'castgate is ready');
    });
  }

  get pid(): number {
    return this.program.pid;
  }

  /** `HOST:PORT` of a door. */
  address(door: 'rtmp' | 'rtmps' | 'http' | 'https' | 'admin' | 'webrtc'): string {
    const address = this.#ready?.[door];
    assert.equal(typeof address, 'string', `${door} is not open`);
    return address as string;
  }

  get port(): number {
    return Number(this.address('rtmp').split(':').at(-1));
  }

  /** An RTMP address; `path`: application, parameters and stream. */
  url(path: string): string {
    return `rtmp://${this.address('rtmp')}/${path}`;
  }

  /** What it has logged so far. */
  lines(): LogLine[] {
    const whole = this.program.stdout.split('\n').slice(0, -1);
    return whole.filter(Boolean).map((line) => JSON.parse(line) as LogLine);
  }

  /** From now on a secret too. */
  keepSecret(...secrets: readonly string[]): void {
    for (const secret of secrets) this.#secrets.add(secret);
  }

  async api<T>(path: string, method = 'GET'): Promise<T> {
    const text = await this.#ask(path, method);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Of one metric by the value of its label, `''` where it has none; `name`: without `castgate_`. */
  async metric(name: string): Promise<ReadonlyMap<string, number>> {
    const text = await this.#ask('/metrics', 'GET');
    const lines = text.matchAll(new RegExp(`^castgate_${name}(?:\\{[^}]*?="([^"]*)"\\})? (\\S+)$`, 'gm'));
    return new Map([...lines].map(([, label = '', value]) => [label, Number(value)]));
  }

  sessions(): Promise<SessionView[]> {
    return this.api('/v1/sessions');
  }

  /** The session that does `state` on `stream`, as soon as there is one. */
  session(state: 'publishing' | 'playing', stream: string): Promise<SessionView> {
    return until(`${stream} is ${state}`, async () =>
      (await this.sessions()).find((session) => session.state === state && session.stream === stream),
    );
  }

  /** A log line for which `holds`, as soon as there is one. */
  logged(what: string, holds: (line: LogLine) => boolean): Promise<LogLine> {
    return until(`the log says ${what}`, () => this.lines().find(holds));
  }

  /** Resident memory, bytes. */
  async resident(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
  }

  /** Memory that is in use, bytes, once all that is not was collected: the heap, and buffers outside of it. */
  async liveMemory(): Promise<number> {
    const address = /ws:\S+/.exec(this.program.stderr)?.[0];
    assert.ok(address !== undefined, 'castgate was not started with `inspect`');
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error('the inspector is not there'));
    });
    const ask = (id: number, method: string, params = {}) =>
      new Promise<{ result: { result: { value: number } } }>((resolve) => {
        socket.onmessage = ({ data }) => {
          const answer = JSON.parse(String(data));
          if (answer.id === id) resolve(answer);
        };
        socket.send(JSON.stringify({ id, method, params }));
      });
    await ask(1, 'HeapProfiler.collectGarbage');
    await ask(2, 'HeapProfiler.collectGarbage');
    const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';
    const { result } = await ask(3, 'Runtime.evaluate', { expression });
    socket.close();
    return result.result.value;
  }

  /** Asks it to leave, which it must do well: exit code 0, no fault of its own, no secret in its log. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.program.kill(signal);
    const ended = await this.program.end();
    this.check();
    assert.equal(ended.code, 0, `castgate ended with ${ended.signal ?? ended.code}:\n${ended.stderr}`);
    assert.equal(this.lines().at(-1)?.msg, 'goodbye', 'the log is whole, and in order');
    return ended;
  }

  /** Ends it as a power cut does. */
  async crash(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.end();
    this.check();
  }

  /** What its log may never hold. */
  check(): void {
    this.#holdsNoSecret('the log', this.program.stdout + this.program.stderr);
    const faults = this.lines().filter(({ code }) => code === 'server/bug');
    assert.deepEqual(faults, [], 'faults of castgate');
    const past = this.program.stderr.replace(
      /^(Debugger (listening|attached|ending)|For help, see|Waiting for the deb).*\n/gm,
      '',
    );
    assert.equal(past, '', 'nothing is said past the log');
  }

  async #ask(path: string, method: string): Promise<string> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`http://${this.address('admin')}${path}`, { method, headers });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    this.#holdsNoSecret(`${method} ${path}`, text);
    return text;
  }

  #holdsNoSecret(where: string, text: string): void {
    for (const secret of this.#secrets) assert.ok(!text.includes(secret), `${where} holds the secret ${secret}`);
  }
}
