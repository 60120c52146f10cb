/**
 * A journal's file in memory, on a disk that can fail, hang or be pulled.
 */
import type { JournalFile } from '../../src/control/logout-journal.ts';

export class MemoryJournal implements JournalFile {
  text = '';
  mood: 'good' | 'full' | 'hanging' | 'unreadable' = 'good';
  reads = 0;
  appends = 0;
  replaces = 0;
  syncs = 0;
  /** Calls under way; more than one is a fault of the journal. */
  #busy = 0;
  overlaps = 0;
  closed = false;

  async read(): Promise<string> {
    this.reads++;
    if (this.mood === 'unreadable') throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    return this.#use(() => this.text);
  }

  async append(text: string): Promise<void> {
    await this.#use(() => {
      this.appends++;
      this.text += text;
    });
  }

  async replace(parts: Iterable<string>): Promise<void> {
    await this.#use(async () => {
      let fresh = '';
      for (const part of parts) {
        fresh += part;
        await Promise.resolve();
      }
      this.replaces++;
      this.text = fresh;
    });
  }

  async sync(): Promise<void> {
    await this.#use(() => {
      this.syncs++;
    });
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async #use<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#busy > 0) this.overlaps++;
    this.#busy++;
    try {
      if (this.mood === 'hanging') await new Promise(() => {});
      if (this.mood === 'full') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      await Promise.resolve();
      return await work();
    } finally {
      this.#busy--;
    }
  }
}
