/**
 * PHP's serialised form: the one door of `php-serialize` for writing, and the reader of what a site sends.
 * Format: `a:COUNT:{KEY VALUE …}`, `s:BYTES:"…";`, `i:N;`, `d:N;`, `b:0;`, `N;`.
 */
import { serialize } from 'php-serialize';
import { PhpText, type PhpValue } from './php-text.ts';

/** What may be written. Keys that are `undefined` are left out. */
export type PhpWritable =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PhpWritable[]
  | ReadonlyMap<string | number, PhpWritable>
  | { readonly [key: string]: PhpWritable | undefined };

const MAX_WRITE_DEPTH = 16;

/** Exactly what PHP's own `serialize` would write for `value`. */
export function phpSerialize(value: PhpWritable): string {
  return serialize(normalise(value, 0));
}

/** One entry of an array, for arrays that are written piece by piece; see `phpArrayHead`. */
export function phpEntry(key: string, value: PhpWritable): string {
  return serialize(arrayKey(key)) + phpSerialize(value);
}

/** What stands before `count` entries; a `}` closes them. */
export function phpArrayHead(count: number): string {
  return `a:${count}:{`;
}

/**
 * Reads the value that starts at byte `offset`; `end` is the first byte behind it. Text is taken as UTF-8. Throws `PeerError` for
 * anything but a, s, i, d, b and N, wrong lengths, more than 4 arrays in each other, or more than 20,000 values.
 */
export function readPhpValue(text: string | Buffer, offset = 0): { readonly value: PhpValue; readonly end: number } {
  const reader = new PhpText(typeof text === 'string' ? Buffer.from(text) : text, offset);
  const value = reader.value();
  return { value, end: reader.offset };
}

/**
 * `php-serialize` throws at `undefined` and at objects without a prototype, and writes some numbers as PHP would not.
 * Only what it writes as PHP does gets past here.
 */
function normalise(value: PhpWritable, depth: number): unknown {
  if (depth > MAX_WRITE_DEPTH) throw new RangeError('nested too deeply to be serialised');
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return plainNumber(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : String(value);
  const entries = new Map<unknown, unknown>();
  for (const [key, element] of elementsOf(value)) {
    if (element !== undefined) entries.set(arrayKey(key), normalise(element, depth + 1));
  }
  return entries;
}

function elementsOf(
  value:
    | readonly PhpWritable[]
    | ReadonlyMap<string | number, PhpWritable>
    | { readonly [key: string]: PhpWritable | undefined },
): Iterable<[string | number, PhpWritable | undefined]> {
  if (Array.isArray(value)) return value.entries();
  if (value instanceof Map) return value.entries();
  return Object.entries(value);
}

/** PHP keeps keys that are decimal integers as integers. */
function arrayKey(key: string | number): string | bigint {
  const text = String(key).toWellFormed();
  // Nearly all keys start with a letter.
  if (text.charCodeAt(0) > NINE || !/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return text;
  const integer = BigInt(text);
  return BigInt.asIntN(64, integer) === integer ? integer : text;
}

const NINE = 0x39;

/** Integers that are exact, and fractions that both languages write alike; others as text, which PHP reads as a number too. */
function plainNumber(value: number): number | string {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e15 ? value : String(value);
}
