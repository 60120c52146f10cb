/**
 * A cursor over PHP's serialised form as a web site sends it: bounded, and without recursion into anything but arrays.
 */
import { PeerError } from '../base/errors.ts';

/** What may be read. PHP knows no two keys `5` and `"5"`, so all keys are text. */
export type PhpValue = null | boolean | number | bigint | string | PhpArray;
export type PhpArray = ReadonlyMap<string, PhpValue>;

/** Arrays in each other. */
const MAX_DEPTH = 4;
/** Values that one call of `value` may build. */
const MAX_ITEMS = 20_000;
const MAX_NUMBER_LENGTH = 64;
const MAX_COUNT_DIGITS = 9;

const QUOTE = 0x22;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const [TYPE_ARRAY, TYPE_STRING, TYPE_INTEGER, TYPE_DOUBLE, TYPE_BOOLEAN, TYPE_NULL] = [
  0x61, 0x73, 0x69, 0x64, 0x62, 0x4e,
];

const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Takes lengths to the letter. Every method that reads throws `PeerError` where the text is not what it reads. */
export class PhpText {
  /** The next byte to be read. */
  offset: number;
  protected readonly bytes: Buffer;
  /** Of the string last stepped over, without its quotes. */
  protected stringStart = 0;
  protected stringEnd = 0;
  #items = 0;

  constructor(bytes: Buffer, offset: number) {
    this.bytes = bytes;
    this.offset = offset;
  }

  get atArray(): boolean {
    return this.bytes[this.offset] === TYPE_ARRAY;
  }

  get atArrayEnd(): boolean {
    return this.bytes[this.offset] === CLOSE;
  }

  /** Reads any value; `depth` counts the arrays around it. */
  value(depth = 0): PhpValue {
    this.#items = 0;
    return this.#value(depth);
  }

  /** Steps over any value without building it; `depth` counts the arrays around it. Of numbers only the end is looked for. */
  skip(depth: number): void {
    switch (this.bytes[this.offset]) {
      case TYPE_ARRAY:
        if (depth >= MAX_DEPTH) throw this.fault('arrays nested too deeply');
        for (let left = this.arrayHead(); left > 0; left--) {
          this.skipKey();
          this.skip(depth + 1);
        }
        this.arrayEnd();
        return;
      case TYPE_STRING:
        this.findString();
        return;
      case TYPE_INTEGER:
      case TYPE_DOUBLE:
      case TYPE_BOOLEAN:
        this.offset++;
        this.byte(COLON);
        this.#skipDigits();
        return;
      default:
        this.literal('N;');
    }
  }

  /** Reads `a:COUNT:{` and answers the count. */
  arrayHead(): number {
    this.literal('a:');
    const count = this.count();
    this.byte(COLON);
    this.byte(OPEN);
    return count;
  }

  arrayEnd(): void {
    this.byte(CLOSE);
  }

  /** Reads a key of an array, an integer in its text form. */
  key(): string {
    switch (this.bytes[this.offset]) {
      case TYPE_STRING:
        return this.string();
      case TYPE_INTEGER:
        return String(this.#integer());
      default:
        throw this.fault('no key');
    }
  }

  skipKey(): void {
    if (this.bytes[this.offset] === TYPE_STRING) this.findString();
    else this.key();
  }

  /** Steps over a key and answers whether it is `name`, which is of plain letters. */
  keyIs(name: string): boolean {
    if (this.bytes[this.offset] !== TYPE_STRING) {
      this.key();
      return false;
    }
    this.findString();
    if (this.stringEnd - this.stringStart !== name.length) return false;
    for (let at = 0; at < name.length; at++) {
      if (this.bytes[this.stringStart + at] !== name.charCodeAt(at)) return false;
    }
    return true;
  }

  string(): string {
    this.findString();
    return this.bytes.toString('utf8', this.stringStart, this.stringEnd);
  }

  /** Steps over a string and notes where it was. */
  protected findString(): void {
    this.literal('s:');
    const length = this.count();
    this.byte(COLON);
    this.byte(QUOTE);
    this.stringStart = this.offset;
    this.stringEnd = this.offset + length;
    if (this.bytes[this.stringEnd] !== QUOTE || this.bytes[this.stringEnd + 1] !== SEMICOLON) {
      throw this.fault('a string of another length');
    }
    this.offset = this.stringEnd + 2;
  }

  /** Does a value start here, or an array end? */
  protected get atToken(): boolean {
    switch (this.bytes[this.offset]) {
      case CLOSE:
        return true;
      case TYPE_NULL:
        return this.bytes[this.offset + 1] === SEMICOLON;
      case TYPE_ARRAY:
      case TYPE_STRING:
      case TYPE_INTEGER:
      case TYPE_DOUBLE:
      case TYPE_BOOLEAN:
        return this.bytes[this.offset + 1] === COLON;
      default:
        return false;
    }
  }

  protected count(): number {
    let count = 0;
    const start = this.offset;
    for (;;) {
      const digit = (this.bytes[this.offset] ?? 0) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      count = count * 10 + digit;
      this.offset++;
      if (this.offset - start > MAX_COUNT_DIGITS) throw this.fault('a length beyond reason');
    }
    if (this.offset === start) throw this.fault('no length');
    return count;
  }

  protected literal(text: string): void {
    if (!this.startsWith(text)) throw this.fault(`no ${text}`);
    this.offset += text.length;
  }

  protected startsWith(text: string): boolean {
    for (let at = 0; at < text.length; at++) {
      if (this.bytes[this.offset + at] !== text.charCodeAt(at)) return false;
    }
    return true;
  }

  protected byte(expected: number): void {
    if (this.bytes[this.offset] !== expected) throw this.fault(`no ${String.fromCharCode(expected)}`);
    this.offset++;
  }

  protected fault(what: string): PeerError {
    return new PeerError('web/answer', `not PHP's serialised form at byte ${this.offset}: ${what}`);
  }

  #value(depth: number): PhpValue {
    if (++this.#items > MAX_ITEMS) throw this.fault('too many values');
    switch (this.bytes[this.offset]) {
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
        this.literal('N;');
        return null;
    }
  }

  #array(depth: number): PhpArray {
    if (depth >= MAX_DEPTH) throw this.fault('arrays nested too deeply');
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
    if (!INTEGER.test(digits)) throw this.fault('no integer');
    const number = Number(digits);
    if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
    return BigInt(digits.replace('+', ''));
  }

  #double(): number {
    const digits = this.#number('d:');
    const number = Number(digits);
    if (!DECIMAL.test(digits) || !Number.isFinite(number)) throw this.fault('no finite number');
    return number;
  }

  #boolean(): boolean {
    const digit = this.#number('b:');
    if (digit !== '0' && digit !== '1') throw this.fault('no boolean');
    return digit === '1';
  }

  #number(head: string): string {
    this.literal(head);
    const start = this.offset;
    this.#skipDigits();
    return this.bytes.toString('latin1', start, this.offset - 1);
  }

  /** Goes behind the next semicolon. */
  #skipDigits(): void {
    const limit = Math.min(this.offset + MAX_NUMBER_LENGTH, this.bytes.length);
    let end = this.offset;
    while (end < limit && this.bytes[end] !== SEMICOLON) end++;
    if (end === limit) throw this.fault('no number');
    this.offset = end + 1;
  }
}
