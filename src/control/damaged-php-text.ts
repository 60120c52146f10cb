/**
 * PHP's serialised form after an HTML filter went over it: `&` has become `&amp;`, perhaps the quotes `&quot;`, and the lengths,
 * counted before, are wrong.
 */
import { PeerError } from '../base/errors.ts';
import { decodeEntities } from './html-text.ts';
import { PhpText } from './php-text.ts';

/** The quote of a string, as it is and as filters write it. */
const QUOTES = ['"', '&quot;', '&#034;', '&#34;'];
/** Bytes of a string whose length is not believed. */
const MAX_STRING = 4_096;
/** Places that are tried in search of the next entry, over a whole list. */
const MAX_SEARCHES = 2_000;

const COLON = 0x3a;
const CLOSE = '}';
/** The end of the answer, its next field, white space, a tag. Anything else follows the end of an array inside an entry. */
const BEHIND_A_LIST: ReadonlySet<number | undefined> = new Set([undefined, ...Buffer.from('& \t\r\n<')]);

/**
 * Does not believe lengths: a string ends at the first `";` that a value, or the end of an array, follows. That is sound as long as
 * nobody but the site itself can put `";`, or the head of an array, into a string; session/safe-text.ts keeps both out of names.
 */
export class DamagedPhpText extends PhpText {
  #exact = true;
  #searches = 0;

  override string(): string {
    const text = super.string();
    return this.#exact ? text : decodeEntities(text);
  }

  /** After a fault in an entry of a list that began at `start`: goes to where the next entry starts or the list ends. */
  toNextEntry(start: number): void {
    for (let brace = this.bytes.indexOf(CLOSE, start); brace >= 0; brace = this.bytes.indexOf(CLOSE, brace + 1)) {
      if (++this.#searches > MAX_SEARCHES) throw this.fault('too much damage');
      if (!this.#entryStartsAt(brace + 1)) continue;
      this.offset = brace + 1;
      return;
    }
    throw this.fault('no end');
  }

  protected override findString(): void {
    this.literal('s:');
    const length = this.count();
    this.byte(COLON);
    const quote = QUOTES.find((form) => this.startsWith(form));
    if (quote === undefined) throw this.fault('no string');
    this.offset += quote.length;
    this.stringStart = this.offset;
    this.stringEnd = this.#endOfString(`${quote};`);
    this.#exact = quote === '"' && this.stringEnd - this.stringStart === length;
  }

  /** Goes behind the first `close` that a value or the end of an array follows, and answers where it begins. */
  #endOfString(close: string): number {
    const first = close.charCodeAt(0);
    const limit = Math.min(this.offset + MAX_STRING, this.bytes.length);
    for (let at = this.offset; at < limit; at++) {
      if (this.bytes[at] !== first) continue;
      this.offset = at;
      if (!this.startsWith(close)) continue;
      this.offset = at + close.length;
      if (this.atToken) return at;
    }
    throw this.fault('a string without end');
  }

  #entryStartsAt(at: number): boolean {
    this.offset = at;
    if (this.atArrayEnd) return BEHIND_A_LIST.has(this.bytes[at + 1]);
    try {
      this.skipKey();
      this.arrayHead();
      return true;
    } catch (error) {
      if (error instanceof PeerError) return false;
      throw error;
    }
  }
}
