/**
 * A session description as lines, and lines as words (RFC 8866 section 5). What an attribute means is not known here.
 */
import { RefusedError } from '../base/errors.ts';

/** Characters of a description; the longest browser's offer has 7,000. */
export const MAX_TEXT = 64 << 10;
export const MAX_LINES = 2_000;
/** Characters of a line; the longest are parameter sets of a codec. */
export const MAX_LINE = 4_096;

/** `a=NAME` or `a=NAME:VALUE`. */
export interface Attribute {
  readonly name: string;
  /** Empty when there is none. */
  readonly value: string;
}

/** The attributes from one m-line to the next. */
export interface Block {
  /** What stands behind `m=`; undefined in front of the first. */
  readonly media: string | undefined;
  readonly attributes: readonly Attribute[];
}

/** We cannot use what the client described. `words` go on after "The session description". */
export function refuseSdp(words: string): RefusedError {
  return new RefusedError('webrtc/sdp', `The session description ${words}`);
}

/** The block of the session, which comes first, and those of its media. Other lines are skipped wherever they stand. */
export function readBlocks(lines: readonly string[]): readonly [Block, ...Block[]] {
  const session: { media: undefined; attributes: Attribute[] } = { media: undefined, attributes: [] };
  const blocks: [Block, ...Block[]] = [session];
  let { attributes } = session;
  for (const line of lines) {
    if (line.startsWith('a=')) attributes.push(readAttribute(line.slice(2)));
    if (!line.startsWith('m=')) continue;
    attributes = [];
    blocks.push({ media: line.slice(2), attributes });
  }
  return blocks;
}

/** All that is not empty, in order. Lines end with CR LF or LF. Throws `RefusedError` past the limits. */
export function readLines(text: string): readonly string[] {
  if (text.length > MAX_TEXT) throw refuseSdp(`is longer than ${MAX_TEXT} characters; shorten it.`);
  const lines: string[] = [];
  for (let start = 0, number = 1; start < text.length; number++) {
    if (number > MAX_LINES) throw refuseSdp(`has more than ${MAX_LINES} lines; offer fewer tracks and codecs.`);
    const feed = text.indexOf('\n', start);
    const next = feed < 0 ? text.length : feed;
    let end = next;
    // some that edit descriptions double the CR
    while (end > start && text[end - 1] === '\r') end -= 1;
    if (end - start > MAX_LINE) throw refuseSdp(`is too long in line ${number}: at most ${MAX_LINE} characters.`);
    const line = text.slice(start, end);
    if (!isPlain(line)) throw refuseSdp(`has a control character in line ${number}; end lines with CR LF.`);
    if (line !== '') lines.push(line);
    start = next + 1;
  }
  return lines;
}

export function readAttribute(text: string): Attribute {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text, value: '' } : { name: text.slice(0, colon), value: text.slice(colon + 1).trim() };
}

/** The value of the first attribute called `name`. */
export function firstValue(attributes: readonly Attribute[], name: string): string | undefined {
  return attributes.find((attribute) => attribute.name === name)?.value;
}

/** What stands between blanks. */
export function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}

/** The first word, and the rest. */
export function firstWord(text: string): readonly [word: string, rest: string] {
  const blank = text.indexOf(' ');
  return blank < 0 ? [text, ''] : [text.slice(0, blank), text.slice(blank + 1).trim()];
}

/** Digits only, up to `max`; undefined for anything else. */
export function wholeNumber(text: string | undefined, max: number): number | undefined {
  const MAX_DIGITS = 10;
  if (text === undefined || text === '' || text.length > MAX_DIGITS) return undefined;
  for (const digit of text) if (digit < '0' || digit > '9') return undefined;
  const number = Number(text);
  return number <= max ? number : undefined;
}

const NO_TOKEN = '"(),/:;<=>?@[\\]';

/** May `text` be a name (RFC 8866 section 9, token), of 1 to `maxLength` characters? */
export function isToken(text: string, maxLength: number): boolean {
  if (text === '' || text.length > maxLength) return false;
  for (const character of text) if (!isVisible(character) || NO_TOKEN.includes(character)) return false;
  return true;
}

/** Nothing but visible ASCII, 1 to `maxLength` characters of it? */
export function isVisibleText(text: string, maxLength: number): boolean {
  if (text === '' || text.length > maxLength) return false;
  for (const character of text) if (!isVisible(character)) return false;
  return true;
}

function isVisible(character: string): boolean {
  return character > ' ' && character <= '~';
}

function isPlain(line: string): boolean {
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}
