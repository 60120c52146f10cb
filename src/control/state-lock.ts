/**
 * Who has the state directory: two servers that read one logout journal would log out each other's people.
 *
 * Each process that wants it makes an empty file of its own, named after its number and the moment it started, and then looks at
 * those of the others. One that lives refuses it; those of the dead are deleted. No two processes ever have the same name for it, so
 * nobody deletes the file of somebody who lives, and of two who come at the same moment at least one sees the other.
 *
 * It knows the processes of one machine, or of one container: not those who share the directory from elsewhere.
 */
import { mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';

const OWNER_ONLY = 0o600;
const LOCK = /^castgate-([1-9]\d{0,9})-([\w-]+)\.lock$/;
/** Where a system does not say when its processes began; then a living process of that number is taken for the same. */
const UNKNOWN = 'unknown';

export class StateLock {
  readonly #directory: string;
  readonly #log: Logger;
  /** The path of the file that was made. */
  #held: string | undefined;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  /**
   * Throws `RefusedError` `server/state` when somebody else has it. A directory that cannot be written is complained about and no
   * reason not to start: there will be no journal in it either.
   */
  async take(): Promise<void> {
    try {
      await this.#take();
    } catch (error) {
      await this.release();
      if (error instanceof RefusedError) throw error;
      const cause = String((error as NodeJS.ErrnoException).code ?? error);
      this.#log.error({ code: 'web/journal', cause }, 'the state directory cannot be locked against a second castgate');
    }
  }

  /** Idempotent; never rejects. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    // one that stays is of a process that has ended
    if (held !== undefined) await unlink(held).catch(() => {});
  }

  async #take(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const began = (await beginning(process.pid)) ?? UNKNOWN;
    const own = `castgate-${process.pid}-${began}.lock`;
    await this.#make(own, began);
    for (const name of await readdir(this.#directory)) {
      const [, number, start] = LOCK.exec(name) ?? [];
      if (number === undefined || name === own) continue;
      if (await lives(Number(number), start!)) throw this.#refusal(number);
      await unlink(join(this.#directory, name)).catch(() => {});
    }
  }

  async #make(name: string, began: string): Promise<void> {
    const path = join(this.#directory, name);
    try {
      await (await open(path, 'wx', OWNER_ONLY)).close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // Another server of this process; or, where beginnings are unknown, an earlier process of the same number.
      if (began !== UNKNOWN) throw this.#refusal(process.pid);
    }
    this.#held = path;
  }

  #refusal(pid: number | string): RefusedError {
    const cause = `state.dir: another castgate (process ${pid}) uses ${this.#directory}, and two would log out each other's people`;
    return new RefusedError('server/state', `${cause}: stop that one, or give this one a state.dir of its own`);
  }
}

/** Is there a process `pid` that began at `start`? */
async function lives(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // it lives and is somebody else's
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const began = await beginning(pid);
  return began === undefined || began === start;
}

/**
 * When `pid` began, in words that no other process of that number shares; `ended` for one whose end nobody has asked about. Undefined
 * where the system does not say: there is no such file but on Linux, and some hide it from other users. See proc_pid_stat(5).
 */
async function beginning(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return 'ended';
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.slice(0, 8)}-${Number(fields[19])}`;
  } catch {
    return undefined;
  }
}
