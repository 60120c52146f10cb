/**
 * Text that a web site can be told. The vendor's receiver cleans each posted field as WordPress cleans a text area before it
 * unserialises it: a tag, a percent code or a broken character inside one value changes a length, and the whole list is lost.
 * So nothing that such a cleaner would touch may stand in a report, and names that hold it are refused at the door.
 *
 * Two more shapes are kept out, because a reply repeats names and may come back with its lengths damaged: what would end a string
 * of PHP's serialised form or open an array in it, and the names of the reply's own fields. Then no visitor can word an order.
 */

/** A session, room, stream or application name is no longer: the sites' columns are 64 wide. In bytes of UTF-8. */
export const MAX_NAME_BYTES = 64;

/** Control characters, `<`, `\`, a percent code, lone surrogates, the mark of broken UTF-8, and the pieces of a reply named above. */
const UNSAFE =
  /[\p{Cc}\p{Cs}<\\\uFFFD]|%[\da-f]{2}|(?:"|&(?:quot|#0*34|#x0*22););|a:\d+:\{|control(?:Users|Sessions)=/iu;

/** The same, to be replaced one by one. */
const UNSAFE_PIECES = new RegExp(UNSAFE.source, 'giu');

const PERCENT_CODES = /(?:%[\da-f]{2})+/gi;
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How often text that was percent-encoded repeatedly is decoded before its percent signs are replaced. */
const MAX_DECODINGS = 3;

/** Would the text arrive at the site as it left here? Empty text does. */
export function isSafeText(text: string): boolean {
  return !UNSAFE.test(text);
}

/** May it be the name of a session, a room, a stream: safe, 1 to 64 bytes of UTF-8, no blank at either end. */
export function isSafeName(text: string): boolean {
  return text !== '' && text.trim() === text && isSafeText(text) && Buffer.byteLength(text) <= MAX_NAME_BYTES;
}

/**
 * Makes any text safe: percent codes are decoded where that gives harmless text, what stays unsafe becomes `_`, outer blanks go,
 * and no more than `maxBytes` of UTF-8 are kept, whole characters only. Safe text comes back as it is.
 */
export function safeText(text: string, maxBytes = Number.POSITIVE_INFINITY): string {
  const safe = isSafeText(text) ? text : clean(text);
  return withinBytes(safe.trim(), maxBytes);
}

function clean(text: string): string {
  let decoded = text;
  for (let round = 0; round < MAX_DECODINGS; round++) decoded = decoded.replace(PERCENT_CODES, decodeCodes);
  // One pass is enough: each shape is broken by losing its first character, and `_` is part of none.
  return decoded.replace(UNSAFE_PIECES, (piece) => `_${piece.slice(1)}`);
}

function decodeCodes(codes: string): string {
  try {
    return STRICT_UTF8.decode(Buffer.from(codes.replaceAll('%', ''), 'hex'));
  } catch {
    return '_';
  }
}

function withinBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end).trimEnd();
}
