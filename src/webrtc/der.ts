/**
 * Writing DER, as far as a certificate needs it (X.690).
 */
import { isoTime, type Millis } from '../base/clock.ts';

const TAGS = {
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context: 0xa0,
} as const;

const SHORT_LENGTH = 0x80;
const OID_DIGIT_BITS = 7;
/** UTCTime has two digits for the year, and ends here (RFC 5280 section 4.1.2.5). */
const GENERALIZED_YEAR = 2050;

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < SHORT_LENGTH) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = bigEndian(length);
  return Buffer.concat([Buffer.from([tag, SHORT_LENGTH | digits.length]), digits, content]);
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(TAGS.sequence, Buffer.concat(parts));
}

export function set(...parts: readonly Buffer[]): Buffer {
  return element(TAGS.set, Buffer.concat(parts));
}

/** `[number]`, explicit. */
export function tagged(number: number, content: Buffer): Buffer {
  return element(TAGS.context + number, content);
}

/** Two's complement, in the fewest bytes. */
export function integer(bytes: Buffer): Buffer {
  return element(TAGS.integer, bytes);
}

export function bitString(bytes: Buffer): Buffer {
  return element(TAGS.bitString, Buffer.concat([Buffer.of(0), bytes]));
}

export function utf8String(text: string): Buffer {
  return element(TAGS.utf8String, Buffer.from(text));
}

/** Dotted decimal. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAGS.oid, Buffer.concat([40 * first + second, ...rest].map(baseDigits)));
}

/** Milliseconds since 1970, cut to seconds. */
export function time(wallTime: Millis): Buffer {
  const iso = isoTime(wallTime);
  const digits = `${iso.slice(0, 19).replaceAll(/\D/g, '')}Z`;
  const generalized = Number(iso.slice(0, 4)) >= GENERALIZED_YEAR;
  return generalized
    ? element(TAGS.generalizedTime, Buffer.from(digits))
    : element(TAGS.utcTime, Buffer.from(digits.slice(2)));
}

/** Seven bits a byte, the top bit set in all but the last. */
function baseDigits(value: number): Buffer {
  const digits = [value & 0x7f];
  for (let rest = value >>> OID_DIGIT_BITS; rest > 0; rest >>>= OID_DIGIT_BITS) digits.unshift(0x80 | (rest & 0x7f));
  return Buffer.from(digits);
}

function bigEndian(value: number): Buffer {
  const digits: number[] = [];
  for (let rest = value; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return Buffer.from(digits);
}
