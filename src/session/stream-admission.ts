/**
 * What a WebRTC client brings, which has no connect address: everything stands behind its stream's name,
 * `STREAM?channel_id=4&userID=2&key=…&room=…`, or, the key alone, in a bearer token.
 */
import { RefusedError } from '../base/errors.ts';
import { MAX_STREAM_QUERY_LENGTH, phpUrlDecode, phpUrlEncode } from './address.ts';
import type { Admission } from './gate.ts';
import type { SessionStream } from './session.ts';

/** What web sites read out of a stream's query, in this order. `ip` is left out: a client's word about its address is worth nothing. */
export const STREAM_FIELDS = ['channel_id', 'userID', 'key', 'transcoding', 'room', 'privateUID'] as const;

export type StreamField = (typeof STREAM_FIELDS)[number];

/** A key, or the bearer token in its place, is no longer (characters). */
export const MAX_KEY_LENGTH = 1_024;
const MAX_VALUE_BYTES = 256;

export interface StreamRequest {
  readonly app: string;
  /** Without its query. */
  readonly stream: string;
  readonly query: string;
  readonly ip: string;
  readonly token?: string | undefined;
}

export interface StreamAdmission extends Admission {
  readonly transport: 'webrtc';
  readonly stream: SessionStream;
}

/**
 * Puts a client's request the way the gate knows: `params` are session (named as the stream), room (else the stream), key, `1` to
 * publish or `0`, and user, as an RTMP client would bring them. Session and stream are to be made with what comes out here: its
 * query holds the key wherever that came from, so that the web site can check it again. Throws `RefusedError`.
 */
export function streamAdmission(request: StreamRequest, doing: SessionStream['doing']): StreamAdmission {
  const { app, stream: name, ip, token = '' } = request;
  if (request.query.length > MAX_STREAM_QUERY_LENGTH || token.length > MAX_KEY_LENGTH) {
    throw new RefusedError('access/name', 'the query of the stream name, or the token, is too long');
  }
  const values = readStreamQuery(request.query);
  const text = (field: StreamField): string => {
    const value = values.get(field)?.trim() ?? '';
    if (field !== 'key' && Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      throw new RefusedError('access/name', `${field} has more than ${MAX_VALUE_BYTES} bytes`);
    }
    return value;
  };
  const given = text('key');
  const query = given === '' && token !== '' ? withKey(request.query, token) : request.query;
  const params = [name, text('room') || name, given || token, doing === 'publish' ? '1' : '0', text('userID')];
  return { transport: 'webrtc', app, ip, params, stream: { name, query, doing } };
}

/** The fields that web sites know, decoded as PHP's `parse_str` does; of a repeated one the last counts. Names are taken to the letter. */
export function readStreamQuery(query: string): ReadonlyMap<StreamField, string> {
  const values = new Map<StreamField, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = STREAM_FIELDS.find((field) => field === pair.slice(0, Math.max(0, equals)));
    if (name !== undefined) values.set(name, phpUrlDecode(pair.slice(equals + 1)));
  }
  return values;
}

/** Behind the others, where it counts. */
function withKey(query: string, key: string): string {
  return `${query}${query === '' ? '' : '&'}key=${phpUrlEncode(key)}`;
}
