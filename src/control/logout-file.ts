/**
 * The logout journal as a file that only its owner may read: `logouts.journal` in the state directory.
 */
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalFile } from './logout-journal.ts';

const OWNER_ONLY = 0o600;
const FILE_NAME = 'logouts.journal';

export class LogoutFile implements JournalFile {
  readonly #directory: string;
  readonly #path: string;
  #handle: FileHandle | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, FILE_NAME);
  }

  async read(): Promise<string> {
    try {
      return await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }

  async append(text: string): Promise<void> {
    this.#handle ??= await open(this.#path, 'a', OWNER_ONLY);
    await this.#handle.appendFile(text);
  }

  async replace(parts: Iterable<string>): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const beside = `${this.#path}.new`;
    const fresh = await open(beside, 'w', OWNER_ONLY);
    try {
      await fresh.chmod(OWNER_ONLY);
      for (const part of parts) await fresh.appendFile(part);
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await rename(beside, this.#path);
    await this.#forget();
    await this.#syncDirectory();
  }

  async sync(): Promise<void> {
    await this.#handle?.datasync();
  }

  close(): Promise<void> {
    return this.#forget();
  }

  async #forget(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** Makes the rename last. */
  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
