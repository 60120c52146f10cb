/**
 * Which packets have been seen, source by source (RFC 3711 section 3.3.2).
 */

/**
 * Why packets were thrown away. `malformed`: cut off, or of another protocol; `late`: too old to tell whether it is a replay;
 * `replayed`: seen before; `forged`: the tag is wrong; `sources`: genuine, from one source too many.
 */
export type SrtpRefusals = Record<'malformed' | 'late' | 'replayed' | 'forged' | 'sources', number>;

/** Packets; at 1,000 a second, a second of reordering. */
export const REPLAY_WINDOW = 1024;
/** Sources of one client: simulcast layers, each with retransmissions, sound and screen, many times over. */
export const MAX_SOURCES = 64;

const WORD_BITS = 32;

/** The latest packets of one source. An index never comes again. */
export class ReplayWindow {
  #highest: number;
  /** One bit an index, by its remainder. */
  readonly #seen = new Uint32Array(REPLAY_WINDOW / WORD_BITS);

  constructor(first: number) {
    this.#highest = first;
    this.#set(first);
  }

  get highest(): number {
    return this.#highest;
  }

  verdict(index: number): 'new' | 'late' | 'replayed' {
    if (index > this.#highest) return 'new';
    if (index < 0 || index <= this.#highest - REPLAY_WINDOW) return 'late';
    const bit = index % REPLAY_WINDOW;
    return (this.#seen[bit >> 5]! & (1 << (bit & 31))) === 0 ? 'new' : 'replayed';
  }

  /** Only for an index that is new, and only when its packet has proved genuine. */
  take(index: number): void {
    if (index > this.#highest) {
      const oldest = Math.max(this.#highest + 1, index - REPLAY_WINDOW);
      for (let passed = oldest; passed < index; passed++) this.#clear(passed);
      this.#highest = index;
    }
    this.#set(index);
  }

  #set(index: number): void {
    const bit = index % REPLAY_WINDOW;
    this.#seen[bit >> 5]! |= 1 << (bit & 31);
  }

  #clear(index: number): void {
    const bit = index % REPLAY_WINDOW;
    this.#seen[bit >> 5]! &= ~(1 << (bit & 31));
  }
}

/** The windows of one client. */
export class ReplayGuard {
  readonly refused: SrtpRefusals = { malformed: 0, late: 0, replayed: 0, forged: 0, sources: 0 };
  readonly #windows = new Map<number, ReplayWindow>();

  /** The highest index taken of this source; undefined before its first packet. */
  highest(ssrc: number): number | undefined {
    return this.#windows.get(ssrc)?.highest;
  }

  /** May a packet with this index be new? Refusals are counted. */
  admits(ssrc: number, index: number): boolean {
    const verdict = this.#windows.get(ssrc)?.verdict(index) ?? 'new';
    return verdict === 'new' || this.refuse(verdict);
  }

  /** Marks a packet that has proved genuine; so only who holds the keys can fill the table. False when it is full. */
  take(ssrc: number, index: number): boolean {
    const window = this.#windows.get(ssrc);
    if (window !== undefined) window.take(index);
    else if (this.#windows.size < MAX_SOURCES) this.#windows.set(ssrc, new ReplayWindow(index));
    else return this.refuse('sources');
    return true;
  }

  refuse(reason: keyof SrtpRefusals): false {
    this.refused[reason]++;
    return false;
  }
}
