/**
 * A refusal in the words of each signalling protocol: a status of HTTP, or one of Wowza's.
 */
import { PeerError, RefusedError } from '../base/errors.ts';

/** A refusal whose HTTP status is settled. The site's error page reads `statusCode`. */
export class SignalRefusal extends RefusedError {
  readonly statusCode: number;
  /** Seconds after which it makes sense to ask again. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, statusCode: number, retryAfter?: number) {
    super(code, message);
    this.statusCode = statusCode;
    this.retryAfter = retryAfter;
  }
}

/** HTTP, Wowza, and seconds to the next try. */
type Row = readonly [http: number, wowza: number, retryAfter?: number];

const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['access/application', [404, 404]],
  ['access/name', [400, 400]],
  ['access/duplicate', [409, 503]],
  ['access/busy', [503, 503, 5]],
  ['access/shutdown', [503, 503, 5]],
  // the site is asked, and cannot tell
  ['access/web', [503, 503, 10]],
  ['web/answer', [503, 503, 10]],
  ['stream/not-found', [409, 502, 2]],
  ['webrtc/sdp', [400, 400]],
  ['webrtc/message', [400, 400]],
  ['webrtc/session', [404, 404]],
  ['webrtc/if-match', [428, 428]],
  ['webrtc/etag', [412, 412]],
]);
const ACCESS: Row = [403, 403];
/** It was understood and cannot be done: codecs, directions, reordered pictures. */
const MEDIA: Row = [422, 422];
/** Codes that mean: nobody showed that he may. */
const CREDENTIALS = new Set(['access/key', 'access/login']);

/** Undefined: no refusal but a fault of ours. `anonymous`: the client brought neither a key nor a token. */
export function httpRefusal(error: unknown, anonymous: boolean): SignalRefusal | undefined {
  if (error instanceof SignalRefusal) return error;
  const row = rowOf(error);
  if (row === undefined) return undefined;
  const { code, message } = error as RefusedError;
  const [status, , retryAfter] = row;
  return new SignalRefusal(code, message, anonymous && CREDENTIALS.has(code) ? 401 : status, retryAfter);
}

/** What a Wowza client is told; a fault of ours without its words. */
export function wowzaRefusal(error: unknown): { readonly status: number; readonly words: string } {
  const row = rowOf(error);
  return row === undefined
    ? { status: 500, words: 'The server met a fault of its own.' }
    : { status: row[1], words: (error as RefusedError).message };
}

function rowOf(error: unknown): Row | undefined {
  if (!(error instanceof RefusedError || error instanceof PeerError)) return undefined;
  const { code } = error;
  return (
    ROWS.get(code) ?? (code.startsWith('access/') ? ACCESS : /^(?:webrtc|stream)\//.test(code) ? MEDIA : undefined)
  );
}
