/**
 * What an RTMP client says about where it wants to go: `rtmp://host/APP?SESSION&ROOM&KEY&1&USERID&videowhisper` and a stream name.
 * The query belongs to the application, holds values without names, and is written as PHP's `urlencode` writes it.
 */
import { RefusedError } from '../base/errors.ts';
import { isSafeName, MAX_NAME_BYTES } from './safe-text.ts';

/** An address, parameters included, is no longer (characters). */
export const MAX_ADDRESS_LENGTH = 4_096;
/** What a stream name carries after `?` is no longer (characters). */
export const MAX_STREAM_QUERY_LENGTH = 1_024;
const MAX_PARAMS = 16;
const MAX_PARAM_BYTES = 256;

/** The vendor's scripts end an address with this word; it says nothing. Some clients leave the stream name hanging on it. */
const MARKER = /^videowhisper(?:\/|$)/;
const DEFAULT_INSTANCE = '_definst_';
/** Kinds of stream that Flash clients and ffmpeg put before a name, and that are not part of it. */
const STREAM_KIND = /^(?:flv|mp4|mp3|id3):/i;
const SCHEME_AND_HOST = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i;

export interface RtmpAddress {
  /** The path, without outer slashes and without `_definst_`. An instance stays in it: `live/room1` is an application of its own. */
  readonly app: string;
  /** What followed the first `?`, split at `&`, each decoded; [0] session (the room if the address left it empty), [1] room, [2] key, … */
  readonly params: readonly string[];
}

/**
 * Reads the `tcUrl` of a connect command, or its `app` where there is no usable `tcUrl`. Throws `RefusedError` when the application,
 * the session or the room cannot be a name.
 */
export function parseRtmpAddress(tcUrl: string | undefined, app: string | undefined): RtmpAddress {
  const [path, query] = splitQuery(withoutHost(tcUrl) || withinLength(app) || '');
  // Some clients keep the parameters out of tcUrl.
  const params = readParams(query === '' ? splitQuery(withinLength(app) ?? '')[1] : query);
  return { app: readPath(path, 'application'), params };
}

/** Reads an application's name where it stands alone. Throws `RefusedError`. */
export function parseApplication(path: string): string {
  return readPath(withinLength(path)!, 'application');
}

/** Splits what a client publishes or plays into a name and what follows its first `?`; the query is kept as it came. */
export function parseStreamName(name: string): { readonly name: string; readonly query: string } {
  const [path, query] = splitQuery(withinLength(name) ?? '');
  if (query.length > MAX_STREAM_QUERY_LENGTH)
    throw new RefusedError('access/name', 'the stream name has too long a query');
  return { name: readPath(path.replace(/^\/+/, '').replace(STREAM_KIND, ''), 'stream'), query };
}

/** PHP's `urldecode`: `+` is a blank, a lone `%` stays. Bytes that are no UTF-8 become U+FFFD, which no name may hold. */
export function phpUrlDecode(text: string): string {
  return text.includes('+') ? percentDecode(text.replaceAll('+', ' ')) : percentDecode(text);
}

/** PHP's `urlencode`, byte for byte: all but letters, digits and `-_.` become percent codes, a blank `+`. */
export function phpUrlEncode(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  // Looking costs less than replacing, and most text holds none of these.
  return KEPT_BY_ENCODE_URI_COMPONENT.test(text)
    ? encoded.replace(/%20|[!'()*~]/g, (piece) => AS_PHP_DOES.get(piece)!)
    : encoded;
}

const KEPT_BY_ENCODE_URI_COMPONENT = /[ !'()*~]/;
const AS_PHP_DOES: ReadonlyMap<string, string> = new Map([
  ['%20', '+'],
  ['!', '%21'],
  ["'", '%27'],
  ['(', '%28'],
  [')', '%29'],
  ['*', '%2A'],
  ['~', '%7E'],
]);

/** PHP's `rawurldecode`: as `phpUrlDecode`, but `+` is a plus. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return decodeBytes(text);
  }
}

/** For text in which not each `%` is a code, or the codes are no UTF-8. */
function decodeBytes(text: string): string {
  // Split at the codes, which then stand at the odd places.
  const pieces = text.split(/%([\da-f]{2})/i);
  return Buffer.concat(pieces.map((piece, place) => Buffer.from(piece, place % 2 === 1 ? 'hex' : 'utf8'))).toString();
}

function withoutHost(tcUrl: string | undefined): string | undefined {
  const address = withinLength(tcUrl);
  const start = address === undefined ? undefined : SCHEME_AND_HOST.exec(address);
  return start ? address?.slice(start[0].length).replace(/^\/+/, '') : undefined;
}

function withinLength(text: string | undefined): string | undefined {
  if (text !== undefined && text.length > MAX_ADDRESS_LENGTH)
    throw new RefusedError('access/name', 'the address is too long');
  return text;
}

function splitQuery(text: string): [path: string, query: string] {
  const mark = text.indexOf('?');
  return mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)];
}

function readPath(path: string, what: string): string {
  const segments = percentDecode(path)
    .split('/')
    .filter((segment) => segment !== '');
  if (segments.at(-1) === DEFAULT_INSTANCE) segments.pop();
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new RefusedError('access/name', `the ${what} name may not hold . or .. as a step`);
  }
  return checkName(segments.join('/'), what);
}

function readParams(query: string): readonly string[] {
  const trimmed = query.replace(/\/+$/, '');
  if (trimmed === '') return [];
  const params = trimmed.split('&', MAX_PARAMS + 1);
  if (params.length > MAX_PARAMS)
    throw new RefusedError('access/name', `the address has more than ${MAX_PARAMS} parameters`);
  if (MARKER.test(params.at(-1)!)) params.pop();
  return withSession(params.map(phpUrlDecode));
}

/** Session and room have to be names; the room stands in for a session that was left empty. */
function withSession(params: string[]): readonly string[] {
  if (params.some((value) => Buffer.byteLength(value) > MAX_PARAM_BYTES)) {
    throw new RefusedError('access/name', `a parameter of the address has more than ${MAX_PARAM_BYTES} bytes`);
  }
  const [session = '', room = '', ...rest] = params.map((value) => value.trim());
  if (room !== '') checkName(room, 'room');
  if (session !== '') checkName(session, 'session');
  return params.length < 2 ? params.map(() => session) : [session || room, room, ...rest];
}

function checkName(name: string, what: string): string {
  if (isSafeName(name)) return name;
  if (name === '') throw new RefusedError('access/name', `the ${what} name is empty`);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new RefusedError('access/name', `the ${what} name has more than ${MAX_NAME_BYTES} bytes`);
  }
  throw new RefusedError('access/name', `the ${what} name holds characters that the web site could not read`);
}
