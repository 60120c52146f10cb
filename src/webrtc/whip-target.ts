/**
 * What a WHIP or WHEP client calls, from the raw target of its request. All of these mean the stream `bob` of `live`:
 *
 *   /live/bob/whip          //live/bob/whip          /live/_definst_/bob/whip          /whip/live/bob
 *   /live/bob?channel_id=4&userID=2&key=…/whip       a page that hangs the suffix behind a name with a query
 *   /live/bob%3Fchannel_id%3D4%26key%3D…/whip        one that encodes the name with its query as one step
 *   /live/bob/whip/SESSION                           once it is answered
 */
import { parseApplication, parseStreamName, percentDecode } from '../session/address.ts';

export interface WhipTarget {
  readonly door: 'whip' | 'whep';
  /** As it came: percent codes, `_definst_`. */
  readonly app: string;
  /** As it came, without the query that a name may have. */
  readonly stream: string;
  /** Of the name, and of the target. */
  readonly query: string;
  /** Of a session; undefined: this is where sessions are asked for. */
  readonly id: string | undefined;
}

const ORIGIN = /^https?:\/\/[^/?#]*/i;
const SESSION_ID = /^[\da-f]{32}$/;
const ENCODED_MARK = /%3f/i;
const SUFFIX = /^(.*)\/(whip|whep)\/*$/s;

/** Undefined: the target is none of these. Never throws. */
export function findTarget(raw: string): WhipTarget | undefined {
  const target = splitTarget(raw);
  const mark = target?.stream.search(ENCODED_MARK) ?? -1;
  if (target === undefined || mark < 0) return target;
  // encoded once more than a query is; the key in it may not become part of a name
  const query = percentDecode(target.stream.slice(mark + '%3f'.length));
  const queries = [query, target.query].filter((part) => part !== '');
  return { ...target, stream: target.stream.slice(0, mark), query: queries.join('&') };
}

function splitTarget(raw: string): WhipTarget | undefined {
  const target = raw.replace(ORIGIN, '');
  const mark = target.indexOf('?');
  const query = mark < 0 ? '' : target.slice(mark + 1);
  const steps = (mark < 0 ? target : target.slice(0, mark)).split('/').filter((step) => step !== '');
  const [first, third, second, last] = [steps[0], steps.at(-3), steps.at(-2), steps.at(-1)];
  if (steps.length >= 4 && isDoor(second) && SESSION_ID.test(last!)) {
    return { door: second, app: steps.slice(0, -3).join('/'), stream: third!, query, id: last };
  }
  if (steps.length >= 3 && isDoor(last)) {
    return { door: last, app: steps.slice(0, -2).join('/'), stream: second!, query, id: undefined };
  }
  if (steps.length >= 3 && isDoor(first)) {
    return { door: first, app: steps.slice(1, -1).join('/'), stream: last!, query, id: undefined };
  }
  const [, rest, door] = SUFFIX.exec(query) ?? [];
  if (steps.length < 2 || rest === undefined || !isDoor(door)) return undefined;
  return { door, app: steps.slice(0, -1).join('/'), stream: last!, query: rest, id: undefined };
}

/** Application and stream as every other door knows them. Throws `RefusedError`. */
export function targetNames({ app, stream }: WhipTarget): { readonly app: string; readonly stream: string } {
  return { app: parseApplication(app), stream: parseStreamName(stream).name };
}

/**
 * The path of a session. It has no query, which would hold a key: OBS takes what it finds in `Location` for a path as a whole. The
 * identifier is secret enough.
 */
export function sessionPath(door: WhipTarget['door'], app: string, stream: string, id: string): string {
  const steps = [...app.split('/'), stream, door, id];
  return `/${steps.map(encodeURIComponent).join('/')}`;
}

function isDoor(step: string | undefined): step is WhipTarget['door'] {
  return step === 'whip' || step === 'whep';
}
