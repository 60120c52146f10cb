/**
 * What a site answers to a webStatus report: whom to disconnect. Bounded, and tolerant of what WordPress does to the answer.
 *
 *   VideoWhisper=1&usersCount=2&controlUsers=a:2:{…}&controlSessions=a:0:{}
 *
 * Nothing is url-encoded, `&` may have become `&amp;`, the lengths may be wrong because of it, PHP's warnings may stand in front.
 * Only an answer that is there to its end counts, and only what it says in words: nobody is disconnected by being left out.
 */
import { PeerError } from '../base/errors.ts';
import { phpUrlDecode } from '../session/address.ts';
import { DamagedPhpText } from './damaged-php-text.ts';
import { decodeEntities } from './html-text.ts';
import { type PhpArray, PhpText, type PhpValue } from './php-text.ts';

/** The site wants a session gone. */
export interface Order {
  /** The key of the entry: a session's name, or its number among `controlSessions`. Empty for what the vendor's script says of viewers. */
  readonly key: string;
  /** The name inside the entry. */
  readonly session: string | undefined;
  /** For the client to read; never empty. */
  readonly disconnect: string;
}

export type StatusReply =
  /** `count`: entries in the answer, those that ask for nothing included. */
  | {
      readonly kind: 'orders';
      readonly users: readonly Order[];
      readonly sessions: readonly Order[];
      readonly count: number;
    }
  /** The site's own word on why. */
  | { readonly kind: 'denied'; readonly text: string }
  | { readonly kind: 'empty' }
  /** `reason` is ours and quotes nothing. */
  | { readonly kind: 'nonsense'; readonly reason: string };

/** An answer is no longer, in bytes: about 25,000 sessions with the vendor's six fields. */
export const MAX_STATUS_ANSWER = 4_194_304;
/** Entries in one list. */
const MAX_ENTRIES = 20_000;
/** Fields in one entry. */
const MAX_FIELDS = 64;
/** Characters of a text that is shown to a client or an operator. */
const MAX_TEXT = 256;

/** Never throws. */
export function readStatusReply(body: Buffer | string): StatusReply {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes.length > MAX_STATUS_ANSWER) return nonsense('the answer is larger than the limit');
  try {
    return readLists(bytes) ?? withoutLists(bytes);
  } catch (error) {
    if (error instanceof PeerError) return nonsense(error.message);
    throw error;
  }
}

function readLists(bytes: Buffer): StatusReply | undefined {
  const usersAt = locate(bytes, 'controlUsers=', 0, bytes.length);
  const users = readList(bytes, usersAt, 'controlUsers');
  // What a list says is no place to look for the other one.
  const behind = locate(bytes, 'controlSessions=', users.end, bytes.length);
  const sessionsAt = behind ?? locate(bytes, 'controlSessions=', 0, usersAt ?? 0);
  const sessions = readList(bytes, sessionsAt, 'controlSessions');
  if (usersAt === undefined && sessionsAt === undefined) return undefined;
  return { kind: 'orders', users: users.orders, sessions: sessions.orders, count: users.count + sessions.count };
}

/** Where the value of a field starts: the first one at the start of the answer, of a line, or behind `&`, `&amp;`, or a tag. */
function locate(bytes: Buffer, field: string, from: number, to: number): number | undefined {
  for (let at = bytes.indexOf(field, from); at >= 0 && at < to; at = bytes.indexOf(field, at + 1)) {
    const before = bytes.toString('latin1', Math.max(0, at - 6), at);
    if (/(?:^|[\s&>]|&amp;|&#0?38;|\u00EF\u00BB\u00BF)$/.test(before)) return at + field.length;
  }
  return undefined;
}

interface List {
  readonly orders: readonly Order[];
  readonly count: number;
  readonly end: number;
}

function readList(bytes: Buffer, at: number | undefined, name: string): List {
  if (at === undefined) return { orders: [], count: 0, end: 0 };
  const head = bytes.toString('latin1', at, at + 8);
  // What PHP scripts write when they have no array to write.
  if (/^(?:$|[\s&]|N;|b:0;|s:0:"";)/.test(head)) return { orders: [], count: 0, end: at };
  if (/^a%3a/i.test(head)) {
    const encoded = /^[^&\s]*/.exec(bytes.toString('latin1', at))![0];
    return { ...readEntries(Buffer.from(phpUrlDecode(encoded)), 0, name), end: at + encoded.length };
  }
  return readEntries(bytes, at, name);
}

/** To the letter first; where the lengths are wrong, without them. */
function readEntries(bytes: Buffer, at: number, name: string): List {
  try {
    return exactEntries(new PhpText(bytes, at));
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
  }
  try {
    return tolerantEntries(new DamagedPhpText(bytes, at));
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    throw new PeerError('web/answer', `${name} is cut off or no serialised array`);
  }
}

function exactEntries(reader: PhpText): List {
  const count = reader.arrayHead();
  if (count > MAX_ENTRIES) throw new PeerError('web/answer', 'too many entries');
  const orders: Order[] = [];
  for (let left = count; left > 0; left--) readEntry(reader, orders);
  reader.arrayEnd();
  return { orders, count, end: reader.offset };
}

/** The count is not believed either: the list goes to its closing brace, and an entry that makes no sense costs only itself. */
function tolerantEntries(reader: DamagedPhpText): List {
  const orders: Order[] = [];
  let count = 0;
  reader.arrayHead();
  for (; !reader.atArrayEnd; count++) {
    if (count === MAX_ENTRIES) throw new PeerError('web/answer', 'too many entries');
    const start = reader.offset;
    try {
      readEntry(reader, orders);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      reader.toNextEntry(start);
    }
  }
  reader.arrayEnd();
  return { orders, count, end: reader.offset };
}

/** Almost every entry asks for nothing, so an entry is stepped over, and built only if it does not. */
function readEntry(reader: PhpText, orders: Order[]): void {
  const keyAt = reader.offset;
  reader.skipKey();
  if (!reader.atArray) {
    reader.skip(1);
    return;
  }
  if (!stepOverFields(reader)) return;
  const end = reader.offset;
  reader.offset = keyAt;
  const key = reader.key();
  const fields = reader.value(1);
  const order = fields instanceof Map ? toOrder(key, fields) : undefined;
  if (order !== undefined) orders.push(order);
  reader.offset = end;
}

/** Answers whether a `disconnect` field of the entry holds anything. */
function stepOverFields(reader: PhpText): boolean {
  const count = reader.arrayHead();
  if (count > MAX_FIELDS) throw new PeerError('web/answer', 'too many fields in an entry');
  let asks = false;
  for (let left = count; left > 0; left--) {
    if (!reader.keyIs('disconnect')) reader.skip(2);
    else if (orderText(reader.value(2)) !== '') asks = true;
  }
  reader.arrayEnd();
  return asks;
}

function toOrder(key: string, fields: PhpArray): Order | undefined {
  const disconnect = orderText(fields.get('disconnect'));
  if (disconnect === '') return undefined;
  const session = plainText(fields.get('session'));
  return { key, session: session === '' ? undefined : session, disconnect };
}

/** Empty when nothing is asked: PHP's false values, and blanks. Some scripts url-encode their texts. */
function orderText(value: PhpValue | undefined): string {
  const text = plainText(value);
  if (text === '0') return '';
  return readable(/[+%]/.test(text) && !text.includes(' ') ? phpUrlDecode(text) : text);
}

function plainText(value: PhpValue | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return value === true ? '1' : '';
}

/** One line for a person. */
function readable(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT)
    .toWellFormed();
}

/** What an answer without lists is. */
function withoutLists(bytes: Buffer): StatusReply {
  const text = bytes
    .toString('utf8', 0, LOOKED_AT)
    .replace(/^\uFEFF/, '')
    .trim();
  if (text === '') return bytes.length > LOOKED_AT ? nonsense('the answer is blank') : { kind: 'empty' };
  const denied = /(?:^|[\s&>;])denied=((?:[^&<]|&[lg]t;)*)/.exec(text);
  if (denied !== null) return { kind: 'denied', text: readable(decodeEntities(denied[1]!)) };
  if (/fatal error|uncaught /i.test(text)) return nonsense('PHP stopped with a fatal error');
  if (/<(?:!doctype|html|head|body)/i.test(text)) return nonsense('the answer is a web page');
  if (text === '0' || text === '-1') return nonsense('WordPress does not know the action in the address');
  return nonsense('the answer holds neither controlUsers nor controlSessions');
}

/** As much of an answer without lists is looked at, in bytes. */
const LOOKED_AT = 16_384;

function nonsense(reason: string): StatusReply {
  return { kind: 'nonsense', reason };
}
