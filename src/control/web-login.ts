/**
 * webLogin and webLogout as texts: the addresses to call, and what the answer of a login means. No I/O.
 *
 *   GET webLogin + S + &p[]=session &p[]=room &p[]=key &p[]=broadcaster &p[]=broadcasterId &p[]=ip
 *   → VideoWhisper=1&login=1&webKey=…&start=…&ip=…&canKick=0|1&debug=…[&role=1]
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { phpUrlDecode, phpUrlEncode } from '../session/address.ts';
import type { Role } from '../session/session.ts';
import { decodeEntities, withoutTags } from './html-text.ts';
import type { SiteOptions } from './options.ts';

/** The six values that a login script reads, in its order. */
export interface LoginParams {
  readonly session: string;
  readonly room: string;
  readonly key: string;
  /** As the address has it: `1` or `true` for a broadcaster. */
  readonly broadcaster: string;
  readonly broadcasterId: string;
  /** As castgate sees the client. */
  readonly ip: string;
}

/** What of an application's settings decides how an answer is read. */
export type LoginRules = Pick<SiteOptions, 'webKey' | 'webKeyCheck' | 'acceptVerified'>;

export type LoginReply =
  | { readonly accepted: true; readonly role: Role; readonly canKick: boolean }
  | {
      readonly accepted: false;
      readonly code: 'access/login' | 'access/webkey' | 'web/answer';
      /** For the client to read: names no value of the answer. */
      readonly reason: string;
    };

/** An answer that is longer is a page, not an answer (characters). */
export const MAX_LOGIN_ANSWER = 65_536;

const MARKER = 'videowhisper';

/** The parameters of an address as the script is to see them; what the address lacks is empty, the marker is no value. */
export function loginParams(params: readonly string[], ip: string): LoginParams {
  const values = params.at(-1) === MARKER ? params.slice(0, -1) : params;
  const [session = '', room = '', key = '', broadcaster = '', broadcasterId = ''] = values;
  return { session: session || room, room, key, broadcaster, broadcasterId, ip };
}

/** The address that asks whether somebody may come in. */
export function loginUrl(webLogin: string, login: LoginParams): string {
  const values = [login.session, login.room, login.key, login.broadcaster, login.broadcasterId, login.ip];
  return withSession(webLogin, login.session) + values.map((value) => `&p[]=${phpUrlEncode(value)}`).join('');
}

/** The address that ends what `loginUrl` began for this session. */
export function logoutUrl(webLogout: string, session: string): string {
  return withSession(webLogout, session);
}

/** The vendor's settings end in `s=`; other addresses get a query of their own. */
function withSession(url: string, session: string): string {
  const value = phpUrlEncode(sanitiseFileName(session));
  if (url.endsWith('=')) return url + value;
  if (url.endsWith('?') || url.endsWith('&')) return `${url}s=${value}`;
  return `${url}${url.includes('?') ? '&' : '?'}s=${value}`;
}

/**
 * A session's name as WordPress would name a file after it, which is where the vendor's plugin keeps a login. It writes under the
 * cleaned name and looks up the one it was given, so only a name that cleaning leaves alone finds its login again; and only such
 * names come out here, in whatever version of WordPress.
 */
export function sanitiseFileName(session: string): string {
  const plain = session
    .replace(/[^\0-\x7f]/gu, withoutAccent)
    .replace(/%20|[\s\p{Zs}+-]+/gu, '-')
    .replace(/[?[\]/\\=<>:;,'"&$#*()|~`!{}%’«»”“\p{Cc}]/gu, '')
    .replace(/-{2,}/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[.\-_]+|[.\-_]+$/g, '');
  const parts = plain.split('.');
  if (parts.length <= 2) return plain;
  // An inner part that could be taken for the extension of a program is marked.
  const inner = parts.slice(1, -1).map((part) => (/^[a-z]{2,5}\d?$/i.test(part) ? `${part}_` : part));
  return [parts[0], ...inner, parts.at(-1)].join('.');
}

function withoutAccent(letter: string): string {
  if (!/\p{Script=Latin}/u.test(letter)) return letter;
  return LETTERS_WITHOUT_PARTS.get(letter) ?? letter.normalize('NFD').replace(/\p{M}/gu, '');
}

const LETTERS_WITHOUT_PARTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ ª: 'a', º: 'o', Æ: 'AE', æ: 'ae', Ð: 'D', ð: 'd', Ø: 'O', ø: 'o', Þ: 'TH', þ: 'th', ß: 's', Đ: 'D', đ: 'd' },
    ...{ Ħ: 'H', ħ: 'h', ı: 'i', Ĳ: 'IJ', ĳ: 'ij', ĸ: 'k', Ŀ: 'L', ŀ: 'l', Ł: 'L', ł: 'l', ŉ: 'n', Ŋ: 'N', ŋ: 'n' },
    ...{ Œ: 'OE', œ: 'oe', Ŧ: 'T', ŧ: 't', ſ: 's', Ə: 'E', ǝ: 'e', ɑ: 'a' },
  }),
);

/** What the answer to a login means. Whatever is not a clear yes is a no. */
export function readLoginReply(body: string, rules: LoginRules): LoginReply {
  if (body.length > MAX_LOGIN_ANSWER || PAGE.test(body))
    return refused('web/answer', 'the web site answered with a page');
  const fields = readFields(body);
  const login = fields.get('login');
  if (login === undefined) return refused('web/answer', 'the web site gave no answer to the login');
  const verified = rules.acceptVerified && (fields.get('verified') === '1' || fields.get('v') === '1');
  if (login !== '1' && !(login === '0' && verified)) return refused('access/login', refusal(fields));
  if (!webKeyAgrees(fields.get('webKey'), rules))
    return refused('access/webkey', 'the web site does not share our webKey');
  return {
    accepted: true,
    role: fields.get('role') === '1' ? 'broadcaster' : 'watcher',
    canKick: fields.get('canKick') === '1',
  };
}

/** What stands in a web page, and in no answer with a PHP warning before or behind it. */
const PAGE = /<(?:!doctype|html|head|body|title|script|style|form|iframe|!--)/i;

/** The fields of an answer: between `&`, tags and line breaks; of equal names the first counts. */
function readFields(body: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const text = withoutTags(body).replace(/^[\s\uFEFF]+/, '');
  for (const piece of decodeEntities(text).split(/[&\r\n]/)) {
    const equals = piece.indexOf('=');
    if (equals < 0) continue;
    const name = piece.slice(0, equals).trimStart();
    if (!fields.has(name)) fields.set(name, piece.slice(equals + 1).trim());
  }
  return fields;
}

function refusal(fields: ReadonlyMap<string, string>): string {
  if (fields.get('wrongKey') === '1') return 'the web site refused the login: wrong key';
  if (fields.has('missingSession')) return 'the web site refused the login: it does not know the session';
  return 'the web site refused the login';
}

function refused(code: 'access/login' | 'access/webkey' | 'web/answer', reason: string): LoginReply {
  return { accepted: false, code, reason };
}

/**
 * Is the webKey in the answer ours: as it is, url-encoded, or url-encoded and then robbed of its percent codes, as WordPress's
 * cleaner does. A key of special characters only is robbed of everything; its echo is as good as none.
 */
function webKeyAgrees(echo: string | undefined, rules: LoginRules): boolean {
  if (rules.webKey === '' || rules.webKeyCheck === 'off') return true;
  const robbed = withoutPercentCodes(phpUrlEncode(rules.webKey));
  if (echo === undefined || (echo === '' && robbed === '')) return rules.webKeyCheck !== 'require';
  const matches = [rules.webKey, robbed].map((form) => equalInConstantTime(echo, form));
  return [...matches, equalInConstantTime(phpUrlDecode(echo), rules.webKey)].includes(true);
}

function withoutPercentCodes(text: string): string {
  let rest = text;
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(/%[\da-f]{2}/gi, '');
  }
  return rest;
}

function equalInConstantTime(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
