/**
 * The disk that the logout journal lies on: it outlives servers, may be slow or full, and keeps half of what was being written when
 * the power goes.
 */
import type { Millis } from '../../src/base/clock.ts';
import type { JournalFile } from '../../src/control/logout-journal.ts';
import type { Dice } from './dice.ts';
import type { MortalClock } from './mortal-clock.ts';

export type DiskMood = 'quick' | 'slow' | 'full';

/** Longer, and a login no longer waits for its line. */
const PATIENCE: Millis = 1_000;

export class Disk {
  text = '';
  mood: DiskMood = 'quick';
  /** When a line was last not written as soon as it should. */
  troubledAt: Millis = Number.NEGATIVE_INFINITY;
  /** When it last was anything but quick. */
  slowAt: Millis = Number.NEGATIVE_INFINITY;
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Whom the file says the sites believe to be here: application, line feed, session. */
  owed(): Set<string> {
    const owed = new Set<string>();
    for (const line of this.text.split('\n')) {
      const entry = /^\["([+-])",("(?:[^"\\]|\\.)*"),("(?:[^"\\]|\\.)*")\]$/.exec(line);
      if (entry === null) continue;
      const key = `${JSON.parse(entry[2]!)}\n${JSON.parse(entry[3]!)}`;
      if (entry[1] === '+') owed.add(key);
      else owed.delete(key);
    }
    return owed;
  }

  /** The file as one server has it open, what becomes of its last write when that server ends, and whether one is under way. */
  file(clock: MortalClock): { file: JournalFile; gone(): void; busy(): boolean } {
    let isGone = false;
    let underWay: string | undefined;
    let busy = false;
    const work = <T>(done: () => T, torn?: string): Promise<T> => {
      if (busy) throw new Error('two writes at once');
      busy = true;
      underWay = torn;
      const full = this.mood === 'full' && torn !== undefined;
      const delay = this.mood === 'slow' ? this.#dice.between(20, 2_500) : this.#dice.between(0, 3);
      if (this.mood !== 'quick') this.slowAt = clock.now() + delay;
      if (full || delay > PATIENCE) this.troubledAt = clock.now() + delay;
      return new Promise((resolve, reject) => {
        clock.after(delay, () => {
          busy = false;
          if (isGone) return;
          underWay = undefined;
          if (!full) return resolve(done());
          this.#tear(torn);
          reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
        });
      });
    };
    return {
      file: {
        read: () => work(() => this.text),
        append: (text) => work(() => this.#write(this.text + text), text),
        replace: (parts) => {
          const fresh = [...parts].join('');
          return work(() => this.#write(fresh), '');
        },
        sync: () => work(() => {}),
        close: async () => {},
      },
      gone: () => {
        if (!isGone) this.#tear(underWay);
        isGone = true;
      },
      busy: () => busy,
    };
  }

  #write(text: string): void {
    this.text = text;
  }

  #tear(text = ''): void {
    this.text += text.slice(0, this.#dice.between(0, text.length));
  }
}
