/**
 * Who has to be logged out, on disk, so that a crash or a `kill -9` loses none. One JSON array a line, the latest word counts:
 *
 *   ["+","APPLICATION","SESSION"]   the site said yes; written before the client hears of it
 *   ["-","APPLICATION","SESSION"]   the site was told that the session is gone
 *
 * Lines of one turn go out in one write, one write at a time. They are handed to the system at once, which survives the death of
 * the process; they are forced to the disk once a second, so a power failure may cost the last second. When most of the file is
 * history it is written anew, beside the old one, and takes its place in one step.
 */
import type { Clock, Millis, Timer } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';

/** Where the lines are kept. Each call may reject; none is made before the last one is done. */
export interface JournalFile {
  /** Everything written so far; empty when there is no file. */
  read(): Promise<string>;
  append(text: string): Promise<void>;
  /** Puts `parts` in the place of all that was written, or leaves it as it was; forced to the disk. */
  replace(parts: Iterable<string>): Promise<void>;
  /** Forces to the disk what was appended. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Owed {
  readonly app: string;
  readonly session: string;
}

const SYNC_EVERY: Millis = 1_000;
/** A file that could not be written is tried again after this. */
const RETRY_AFTER: Millis = 1_000;
const LOG_EVERY: Millis = 60_000;
/** Rewritten when it has this many lines, and twice as many as there are sessions. */
const MIN_LINES_TO_COMPACT = 2_000;
const LINES_PER_PART = 500;
/** A disk that hangs delays a login by no more than this. */
const MAX_WAIT: Millis = 1_000;

export class LogoutJournal {
  readonly #file: JournalFile | undefined;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #owed = new Map<string, Owed>();
  #lines: string[] = [];
  #waiters: (() => void)[] = [];
  #linesInFile = 0;
  #writing: Promise<void> | undefined;
  /** The file does not hold what it should; only writing it anew helps. */
  #torn = false;
  /** What an earlier process left could not be read yet; until it is, the file is not written anew. */
  #unread = true;
  /** Settled while it is unread: what it says of these is old. */
  readonly #settledUnread = new Set<string>();
  #retry: Timer | undefined;
  #syncTimer: Timer | undefined;
  #syncDue = false;
  #unsynced = false;
  #loggedAt = Number.NEGATIVE_INFINITY;
  /** The last write is under way: no timer begins any more. */
  #closing = false;
  #closed = false;

  /** Without a file it remembers as long as the process lives. */
  constructor(file: JournalFile | undefined, clock: Clock, log: Logger) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Reads what an earlier process left behind and starts a clean file. Never rejects: what cannot be read now is read when it can,
   * and answered for at the next start.
   */
  async open(): Promise<void> {
    if (this.#file === undefined) return;
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#read(this.#file).then(() => this.#write());
    await this.#writing;
  }

  async #read(file: JournalFile): Promise<void> {
    try {
      this.#replay(await file.read());
      this.#unread = false;
      this.#torn = true;
    } catch (error) {
      this.#complain(error, 'cannot be read');
      // The next start may have more luck with it; its last line may lack its end.
      this.#lines.unshift('\n');
    }
  }

  /** Sessions the site believes to be here. */
  get owed(): readonly Owed[] {
    return [...this.#owed.values()];
  }

  get size(): number {
    return this.#owed.size;
  }

  /** Resolves when the system has the line, or when that takes too long or fails: the disk decides nothing about a login. */
  owe(app: string, session: string): Promise<void> {
    this.#owed.set(keyOf(app, session), { app, session });
    this.#settledUnread.delete(keyOf(app, session));
    if (this.#file === undefined || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const patience = this.#clock.after(MAX_WAIT, resolve);
      this.#waiters.push(() => {
        patience.cancel();
        resolve();
      });
      this.#push(['+', app, session]);
    });
  }

  settle(app: string, session: string): void {
    if (!this.#owed.delete(keyOf(app, session))) return;
    if (this.#unread) this.#settledUnread.add(keyOf(app, session));
    if (this.#file !== undefined && !this.#closed) this.#push(['-', app, session]);
  }

  /** Everything on the disk; nothing is written afterwards. */
  async close(): Promise<void> {
    if (this.#closing || this.#file === undefined) return;
    this.#closing = true;
    this.#stopRetry();
    this.#syncTimer?.cancel();
    await this.#wake();
    this.#closed = true;
    try {
      if (this.#unsynced) await this.#file.sync();
      await this.#file.close();
    } catch (error) {
      this.#complain(error, 'cannot be written');
    }
  }

  #stopRetry(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** Adds what the file says; of those who have come since, it knows nothing. */
  #replay(text: string): void {
    const left = new Map<string, Owed>();
    let broken = 0;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const entry = readLine(line);
      if (entry === undefined) broken++;
      else if (entry.sign === '+') left.set(keyOf(entry.app, entry.session), entry);
      else left.delete(keyOf(entry.app, entry.session));
    }
    for (const key of this.#settledUnread) left.delete(key);
    this.#settledUnread.clear();
    for (const [key, owed] of left) if (!this.#owed.has(key)) this.#owed.set(key, owed);
    if (broken > 0)
      this.#log.warn({ code: 'web/journal', lines: broken }, 'the logout journal has lines that cannot be read');
  }

  #push(line: readonly [sign: string, app: string, session: string]): void {
    this.#lines.push(`${JSON.stringify(line)}\n`);
    void this.#wake();
  }

  /** Starts the one writer, unless it is at work, once everybody had a chance to add a line. */
  #wake(): Promise<void> {
    this.#writing ??= Promise.resolve().then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#lines.length > 0 || this.#syncDue || (this.#torn && this.#retry === undefined)) {
      const lines = this.#lines;
      const waiters = this.#waiters;
      this.#lines = [];
      this.#waiters = [];
      if (this.#retry === undefined) await this.#put(lines);
      for (const resolve of waiters) resolve();
      if (this.#syncDue) await this.#force();
    }
    this.#writing = undefined;
  }

  async #put(lines: readonly string[]): Promise<void> {
    const file = this.#file!;
    try {
      if (this.#torn || this.#linesInFile + lines.length > Math.max(MIN_LINES_TO_COMPACT, 2 * this.#owed.size)) {
        this.#torn = true;
        if (this.#unread) this.#replay(await file.read());
        this.#unread = false;
        const written = this.#owed.size;
        await file.replace(this.#parts());
        this.#linesInFile = written;
        this.#torn = false;
      } else if (lines.length > 0) {
        await file.append(lines.join(''));
        this.#linesInFile += lines.length;
        this.#syncSoon();
      }
    } catch (error) {
      // at the end there is no later to mend it in
      this.#torn = !this.#closing;
      this.#complain(error, 'cannot be written');
      if (this.#closing) return;
      this.#retry = this.#clock.after(RETRY_AFTER, () => {
        this.#retry = undefined;
        void this.#wake();
      });
    }
  }

  /**
   * The present state, in pieces between which others have their turn. Who comes meanwhile may stand in it or not: the line that
   * was written for him follows in either case.
   */
  *#parts(): Iterable<string> {
    let part: string[] = [];
    for (const { app, session } of this.#owed.values()) {
      part.push(`${JSON.stringify(['+', app, session])}\n`);
      if (part.length < LINES_PER_PART) continue;
      yield part.join('');
      part = [];
    }
    yield part.join('');
  }

  #syncSoon(): void {
    this.#unsynced = true;
    if (this.#closing) return;
    this.#syncTimer ??= this.#clock.after(SYNC_EVERY, () => {
      this.#syncTimer = undefined;
      this.#syncDue = true;
      void this.#wake();
    });
  }

  async #force(): Promise<void> {
    this.#syncDue = false;
    this.#unsynced = false;
    try {
      await this.#file!.sync();
    } catch (error) {
      this.#complain(error, 'cannot be forced to the disk');
    }
  }

  #complain(error: unknown, what: string): void {
    const now = this.#clock.now();
    if (now - this.#loggedAt < LOG_EVERY) return;
    this.#loggedAt = now;
    const cause = String((error as NodeJS.ErrnoException | undefined)?.code ?? error);
    this.#log.error({ code: 'web/journal', cause }, `the logout journal ${what}: a crash may now lose logouts`);
  }
}

function readLine(line: string): (Owed & { readonly sign: '+' | '-' }) | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length !== 3 || parts.some((part) => typeof part !== 'string')) return undefined;
  const [sign, app, session] = parts as string[];
  return sign === '+' || sign === '-' ? { sign, app: app!, session: session! } : undefined;
}

function keyOf(app: string, session: string): string {
  return `${app}\n${session}`;
}
