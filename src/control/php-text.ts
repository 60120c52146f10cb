/**
 * A cursor over PHP's serialised form as a web site sends it: bounded, and without recursion into anything but arrays.
 */
import { PeerError } from '../base/errors.ts';
import { decodeEntities } from './html-text.ts';

/** What may be read. PHP knows no two keys `5` and `"5"`, so all keys are text. */
export type PhpValue = null | boolean | number | bigint | string | PhpArray;
export type PhpArray = ReadonlyMap<string, PhpValue>;

/** Arrays in each other. */
const MAX_DEPTH = 4;
/** Values that one call of `value` may build. */
const MAX_ITEMS = 20_000;

const QUOTE = 0x22;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const [TYPE_ARRAY, TYPE_STRING, TYPE_INTEGER, TYPE_DOUBLE, TYPE_BOOLEAN, TYPE_NULL] = [
  0x61, 0x73, 0x69, 0x64, 0x62, 0x4e,
];

const FINITE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MAX_NUMBER_LENGTH = 64;
const MAX_COUNT_DIGITS = 9;
/** Bytes of a string whose length is not believed. */
const MAX_DAMAGED_STRING = 4_096;
/** Places that are tried in search of the next entry, over a whole list. */
const MAX_SEARCHES = 2_000;

const ENTITY_QUOTES = ['&quot;', '&#034;', '&#34;'];

export class PhpText {
  readonly #bytes: Buffer;
  /** The next byte to be read. */
  offset: number;
  /** Lengths are not believed: a string ends at the first `";` that another value or the end of an array follows. */
  readonly #tolerant: boolean;
  #items = 0;
  #searches = 0;

  /**
   * With `tolerant`, for text that went through an HTML filter after its lengths were counted. Sound as long as nobody can put `";`
   * into a string there, which session/safe-text.ts sees to.
   */
  constructor(bytes: Buffer, offset: number, tolerant = false) {
    this.#bytes = bytes;
    this.offset = offset;
    this.#tolerant = tolerant;
  }

  /** Reads any value; `depth` counts the arrays around it. */
  value(depth = 0): PhpValue {
    this.#items = 0;
    return this.#value(depth);
  }

  #value(depth: number): PhpValue {
    if (++this.#items > MAX_ITEMS) throw this.#fault('too many values');
    switch (this.#bytes[this.offset]) {
      case TYPE_ARRAY:
        return this.#array(depth);
      case TYPE_STRING:
        return this.string();
      case TYPE_INTEGER:
        return this.#integer();
      case TYPE_DOUBLE:
        return this.#double();
      case TYPE_BOOLEAN:
        return this.#boolean();
      default:
        this.#literal('N;');
        return null;
    }
  }

  /** Steps over any value without building it; `depth` counts the arrays around it. */
  skip(depth: number): void {
    switch (this.#bytes[this.offset]) {
      case TYPE_ARRAY: {
        if (depth >= MAX_DEPTH) throw this.#fault('arrays nested too deeply');
        for (let left = this.arrayHead(); left > 0; left--) {
          this.skipKey();
          this.skip(depth + 1);
        }
        this.arrayEnd();
        return;
      }
      case TYPE_STRING:
        this.#stringRange();
        return;
      default:
        this.value();
    }
  }

  get atArray(): boolean {
    return this.#bytes[this.offset] === TYPE_ARRAY;
  }

  get atArrayEnd(): boolean {
    return this.#bytes[this.offset] === CLOSE;
  }

  /**
   * Goes on at the next place where an entry of a list starts, or the list ends: behind a closing brace. For the tolerant, after a
   * fault inside an entry.
   */
  toNextEntry(): void {
    for (
      let brace = this.#bytes.indexOf(CLOSE, this.offset);
      brace >= 0;
      brace = this.#bytes.indexOf(CLOSE, brace + 1)
    ) {
      if (++this.#searches > MAX_SEARCHES) throw this.#fault('too much damage');
      if (this.#entryStartsAt(brace + 1)) {
        this.offset = brace + 1;
        return;
      }
    }
    throw this.#fault('no end');
  }

  #entryStartsAt(at: number): boolean {
    this.offset = at;
    if (this.atArrayEnd) return true;
    try {
      this.skipKey();
      this.arrayHead();
      return true;
    } catch (error) {
      if (error instanceof PeerError) return false;
      throw error;
    }
  }

  /** Reads `a:COUNT:{` and answers the count. */
  arrayHead(): number {
    this.#literal('a:');
    const count = this.#count();
    this.#byte(COLON);
    this.#byte(OPEN);
    return count;
  }

  arrayEnd(): void {
    this.#byte(CLOSE);
  }

  /** Reads a key of an array, an integer in its text form. */
  key(): string {
    switch (this.#bytes[this.offset]) {
      case TYPE_STRING:
        return this.string();
      case TYPE_INTEGER:
        return String(this.#integer());
      default:
        throw this.#fault('no key');
    }
  }

  skipKey(): void {
    if (this.#bytes[this.offset] === TYPE_STRING) this.#stringRange();
    else this.key();
  }

  string(): string {
    const { start, end, exact } = this.#stringRange();
    const text = this.#bytes.toString('utf8', start, end);
    return exact ? text : decodeEntities(text);
  }

  #array(depth: number): PhpValue {
    if (depth >= MAX_DEPTH) throw this.#fault('arrays nested too deeply');
    const entries = new Map<string, PhpValue>();
    for (let left = this.arrayHead(); left > 0; left--) {
      const key = this.key();
      entries.set(key, this.#value(depth + 1));
    }
    this.arrayEnd();
    return entries;
  }

  #integer(): number | bigint {
    const digits = this.#number('i:');
    if (!/^[+-]?\d+$/.test(digits)) throw this.#fault('no integer');
    const number = Number(digits);
    if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
    return BigInt(digits.replace('+', ''));
  }

  #double(): number {
    const digits = this.#number('d:');
    const number = Number(digits);
    if (!FINITE.test(digits) || !Number.isFinite(number)) throw this.#fault('no finite number');
    return number;
  }

  #boolean(): boolean {
    const digit = this.#number('b:');
    if (digit !== '0' && digit !== '1') throw this.#fault('no boolean');
    return digit === '1';
  }

  #number(head: string): string {
    this.#literal(head);
    const start = this.offset;
    const limit = Math.min(start + MAX_NUMBER_LENGTH, this.#bytes.length);
    let end = start;
    while (end < limit && this.#bytes[end] !== SEMICOLON) end++;
    if (end === limit) throw this.#fault('no number');
    this.offset = end + 1;
    return this.#bytes.toString('latin1', start, end);
  }

  /** Where the bytes of a string are; `exact` when its length was right. Leaves the cursor behind it. */
  #stringRange(): { start: number; end: number; exact: boolean } {
    this.#literal('s:');
    const length = this.#count();
    this.#byte(COLON);
    if (this.#tolerant) return this.#tolerantRange(length);
    this.#byte(QUOTE);
    const start = this.offset;
    const end = start + length;
    if (this.#bytes[end] !== QUOTE || this.#bytes[end + 1] !== SEMICOLON)
      throw this.#fault('a string of another length');
    this.offset = end + 2;
    return { start, end, exact: true };
  }

  #tolerantRange(length: number): { start: number; end: number; exact: boolean } {
    const quote = this.#quote();
    const start = this.offset;
    const close = `${quote};`;
    const within = this.#bytes.subarray(start, start + MAX_DAMAGED_STRING);
    for (let size = within.indexOf(close); size >= 0; size = within.indexOf(close, size + 1)) {
      this.offset = start + size + close.length;
      if (this.#valueFollows()) return { start, end: start + size, exact: quote === '"' && size === length };
    }
    throw this.#fault('a string without end');
  }

  #quote(): string {
    for (const quote of ['"', ...ENTITY_QUOTES]) {
      if (this.#startsWith(quote)) {
        this.offset += quote.length;
        return quote;
      }
    }
    throw this.#fault('no string');
  }

  #valueFollows(): boolean {
    switch (this.#bytes[this.offset]) {
      case CLOSE:
        return true;
      case TYPE_NULL:
        return this.#bytes[this.offset + 1] === SEMICOLON;
      case TYPE_ARRAY:
      case TYPE_STRING:
      case TYPE_INTEGER:
      case TYPE_DOUBLE:
      case TYPE_BOOLEAN:
        return this.#bytes[this.offset + 1] === COLON;
      default:
        return false;
    }
  }

  #count(): number {
    let count = 0;
    const start = this.offset;
    for (;;) {
      const digit = (this.#bytes[this.offset] ?? 0) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      count = count * 10 + digit;
      this.offset++;
      if (this.offset - start > MAX_COUNT_DIGITS) throw this.#fault('a length beyond reason');
    }
    if (this.offset === start) throw this.#fault('no length');
    return count;
  }

  #byte(expected: number): void {
    if (this.#bytes[this.offset] !== expected) throw this.#fault(`no ${String.fromCharCode(expected)}`);
    this.offset++;
  }

  #literal(text: string): void {
    if (!this.#startsWith(text)) throw this.#fault(`no ${text}`);
    this.offset += text.length;
  }

  #startsWith(text: string): boolean {
    for (let at = 0; at < text.length; at++) {
      if (this.#bytes[this.offset + at] !== text.charCodeAt(at)) return false;
    }
    return true;
  }

  #fault(what: string): PeerError {
    return new PeerError('web/answer', `not PHP's serialised form at byte ${this.offset}: ${what}`);
  }
}
