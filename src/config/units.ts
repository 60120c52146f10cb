/**
 * The forms that a setting may take in a file, a variable or on the command line, read from text and written back to text.
 * A reader answers `undefined` for what it does not understand; ranges are the schema's business.
 */
import { isIP } from 'node:net';
import { readListen } from '../base/listen-address.ts';

const MILLIS = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
]);
const BYTES = new Map([
  ['', 1],
  ['k', 1 << 10],
  ['m', 1 << 20],
  ['g', 1 << 30],
]);
const FLAGS = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

export function readFlag(text: string): boolean | undefined {
  return FLAGS.get(text.toLowerCase());
}

export function readCount(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `250ms`, `10s`, `1.5m`, `1h` or a bare 0, as whole milliseconds. */
export function readDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const [, amount, unit] = /^(\d{1,12}(?:\.\d{1,3})?) ?(ms|s|m|h)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * MILLIS.get(unit!)!);
}

export function writeDuration(millis: number): string {
  if (millis === 0) return '0';
  for (const [unit, size] of [...MILLIS].reverse()) {
    if (millis % size === 0) return `${millis / size}${unit}`;
  }
  return `${millis}ms`;
}

/** `65536`, `64K`, `64KiB`, `8M`, `1G`: bytes; the letters count in 1024s. */
export function readSize(text: string): number | undefined {
  const [, amount, letter] = /^(\d{1,12}) ?([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  // A decimal kilobyte would be a guess about what was meant: KB is not accepted, KiB is.
  if (amount === undefined || /[kmg]b$/i.test(text)) return undefined;
  return Number(amount) * BYTES.get(letter!.toLowerCase())!;
}

export function writeSize(bytes: number): string {
  for (const [letter, size] of [...BYTES].reverse()) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${letter.toUpperCase()}`;
  }
  return String(bytes);
}

/** `192.0.2.7`, `192.0.2.7:8443`, `2001:db8::1` or `[2001:db8::1]:8443`. */
export function isConnectAddress(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const address = readListen(text);
  return address !== undefined && address.port > 0 && isIP(address.host) !== 0;
}

export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** An absolute http or https address to which a query can be added; kept to the letter. */
export function isWebAddress(text: string): boolean {
  if (!/^https?:\/\/[^/?]/i.test(text) || /[\s\p{Cc}#\\]/u.test(text)) return false;
  return URL.canParse(text);
}

/** Web addresses copied from XML or from an HTML page carry `&amp;`, at times twice; none of ours ever means it. */
export function withoutEntities(text: string): string {
  return text.replace(/&(?:amp;)+/g, '&');
}
