/**
 * Time that a test drives: nothing happens until `advance` or `run` says so.
 */
import type { Clock, Millis, Timer } from '../../src/base/clock.ts';

interface Entry {
  due: Millis;
  order: number;
  call: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  #now: Millis = 0;
  #wallOffset: Millis;
  #order = 0;
  /** A binary heap, the earliest first; equal times in the order they were asked for. */
  readonly #heap: Entry[] = [];

  constructor(wallStart: Millis = 1_700_000_000_000) {
    this.#wallOffset = wallStart;
  }

  now(): Millis {
    return this.#now;
  }

  wallTime(): Millis {
    return Math.floor(this.#now + this.#wallOffset);
  }

  after(delay: Millis, then: () => void): Timer {
    return this.#at(this.#now + Math.max(0, delay), then);
  }

  every(period: Millis, then: () => void): Timer {
    let timer: Timer;
    const round = () => {
      timer = this.after(period, round);
      then();
    };
    timer = this.after(period, round);
    return { cancel: () => timer.cancel() };
  }

  soon(then: () => void): Timer {
    return this.#at(this.#now, then);
  }

  /** The wall clock jumps, as when somebody sets it; the monotonic one does not. */
  jumpWall(by: Millis): void {
    this.#wallOffset += by;
  }

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#heap.reduce((count, entry) => (entry.call === undefined ? count : count + 1), 0);
  }

  /** Lets `millis` pass at once, without giving promises a turn. For engines that know none. */
  advance(millis: Millis): void {
    const end = this.#now + millis;
    while (this.#fireNext(end));
    this.#now = end;
  }

  /** Lets `millis` pass; whatever promises a timer resolves has its say before the next timer fires. */
  async run(millis: Millis): Promise<void> {
    const end = this.#now + millis;
    await settled();
    while (this.#fireNext(end)) await settled();
    this.#now = end;
  }

  /** Runs until `promise` is settled, at most `limit`. */
  async until<T>(promise: Promise<T>, limit: Millis = 3_600_000): Promise<T> {
    const end = this.#now + limit;
    let done = false;
    const mark = () => {
      done = true;
    };
    promise.then(mark, mark);
    await settled();
    while (!done && this.#fireNext(end)) await settled();
    if (!done) throw new Error(`not settled within ${limit} virtual ms`);
    return promise;
  }

  #at(due: Millis, then: () => void): Timer {
    const entry: Entry = { due, order: this.#order++, call: then };
    push(this.#heap, entry);
    return {
      cancel: () => {
        entry.call = undefined;
      },
    };
  }

  #fireNext(end: Millis): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.due > end) return false;
      pop(this.#heap);
      const { call } = first;
      if (call === undefined) continue;
      first.call = undefined;
      this.#now = Math.max(this.#now, first.due);
      call();
      return true;
    }
  }
}

/** Every promise reaction that can run without time passing has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(entry, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
