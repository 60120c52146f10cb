/**
 * The webStatus report as bytes of a form: `users`, `rtpsessions` and `aS`, each an array in PHP's serialised form, each always there.
 * Built in slices, so that ten thousand sessions never hold the event loop for long. No I/O.
 */
import type { Millis } from '../base/clock.ts';
import { phpUrlEncode } from '../session/address.ts';
import { MAX_NAME_BYTES, safeText } from '../session/safe-text.ts';
import type { Session } from '../session/session.ts';
import { readStreamQuery, STREAM_FIELDS } from '../session/stream-admission.ts';
import { phpArrayHead, phpEntry, phpSerialize } from './php.ts';

/** What a site is told about the server: `appInstanceInfo`, `limit…`, rates in bytes a second; flat. */
export type SiteStatistics = Readonly<Record<string, string | number>>;

/** How many sessions one slice writes, in about a millisecond. */
export const SESSIONS_PER_SLICE = 100;
/** How much of a form a session is thought to take; more is made room for. Bytes. */
const BYTES_PER_SESSION = 640;
const BYTES_BESIDES = 1_024;

/** Longer values than names: what is rebuilt from a query, and texts of the statistics. */
const MAX_TEXT_BYTES = 512;

/**
 * One report. Call `write` until it answers false, letting others have their turn in between, then take `body`.
 *
 * A name is one person to the site: its tables and its answer are keyed by it. So several RTMP sessions of one name become one row,
 * that of a broadcaster before those of viewers, of one who publishes before one who waits, of the oldest before the newer.
 */
export class StatusForm {
  /** Rows of each list. */
  readonly users: number;
  readonly rtpSessions: number;
  /** Rows whose text had to be changed to survive the way. Names are safe from the door on, so it says that something let one pass. */
  cleaned = 0;

  readonly #now: Millis;
  /** Users, then RTP sessions. */
  readonly #rows: readonly Session[];
  readonly #tail: string;
  #bytes: Buffer;
  #length = 0;
  #written = 0;
  #rowChanged = false;

  /** Who is here, and since when, is settled at `now`, on the monotonic clock. */
  constructor(sessions: Iterable<Session>, now: Millis, statistics: SiteStatistics) {
    this.#now = now;
    const users = new Map<string, Session>();
    const anonymous: Session[] = [];
    const identified: Session[] = [];
    for (const session of sessions) {
      if (session.transport === 'webrtc') (hasUserId(session) ? identified : anonymous).push(session);
      else {
        const name = safeText(session.name, MAX_NAME_BYTES);
        if (outranks(session, users.get(name))) users.set(name, session);
      }
    }
    // The vendor's script does not forget the user of one RTP session at the next: the anonymous come first, or are taken for others.
    this.#rows = [...users.values(), ...anonymous, ...identified];
    this.users = users.size;
    this.rtpSessions = this.#rows.length - users.size;
    this.#bytes = Buffer.allocUnsafeSlow(BYTES_BESIDES + this.#rows.length * BYTES_PER_SESSION);
    this.#tail = `${phpUrlEncode('}')}&aS=${phpUrlEncode(phpSerialize(safeStatistics(statistics)))}`;
    this.#put(`users=${phpUrlEncode(phpArrayHead(this.users))}`);
    if (this.users === 0) this.#put(this.#secondHead());
    if (this.#rows.length === 0) this.#put(this.#tail);
  }

  /** Writes the next `count` sessions at most; true while any are left. */
  write(count = SESSIONS_PER_SLICE): boolean {
    const end = Math.min(this.#written + count, this.#rows.length);
    if (this.#written === end) return false;
    let slice = '';
    while (this.#written < end) {
      slice += phpUrlEncode(this.#row(this.#rows[this.#written]!));
      this.#written++;
      if (this.#written === this.users) slice += this.#secondHead();
    }
    const more = end < this.#rows.length;
    this.#put(more ? slice : slice + this.#tail);
    return more;
  }

  /** The whole form, of type application/x-www-form-urlencoded; after the last `write`. */
  get body(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #put(encoded: string): void {
    const needed = this.#length + encoded.length;
    if (needed > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], Math.ceil(needed * 1.5));
    this.#length += this.#bytes.write(encoded, this.#length, 'latin1');
  }

  #secondHead(): string {
    return `${phpUrlEncode('}')}&rtpsessions=${phpUrlEncode(phpArrayHead(this.rtpSessions))}`;
  }

  #row(session: Session): string {
    this.#rowChanged = false;
    const entry = session.transport === 'webrtc' ? this.#rtpEntry(session) : this.#userEntry(session);
    if (this.#rowChanged) this.cleaned++;
    return entry;
  }

  /** `cam`, `mic`, `ip`, `startTime`, `lastPing` are read by none of the known scripts; milliseconds go as text for PHP of 32 bits. */
  #userEntry(session: Session): string {
    const name = this.#safe(session.name, MAX_NAME_BYTES);
    return phpEntry(name, {
      session: name,
      // The vendor's script dies when this is an existing login of the site.
      username: '',
      cam: session.hasVideo ? 1 : 0,
      mic: session.hasAudio ? 1 : 0,
      ip: this.#safe(session.ip, MAX_NAME_BYTES),
      runSeconds: this.#runSeconds(session),
      rooms: this.#safe(session.room, MAX_NAME_BYTES),
      role: session.role === 'broadcaster' ? '1' : '0',
      startTime: String(Math.trunc(session.startedAt)),
      lastPing: String(Math.trunc(session.lastPingAt())),
    });
  }

  /** Truth values are words: the scripts compare with the text `true`. */
  #rtpEntry(session: Session): string {
    const { received, sent } = session.traffic();
    const id = String(session.number);
    return phpEntry(id, {
      sessionId: id,
      isWebRTC: 'true',
      ip: this.#safe(session.ip, MAX_NAME_BYTES),
      runSeconds: this.#runSeconds(session),
      streamName: this.#safe(session.stream?.name ?? '', MAX_NAME_BYTES),
      streamQuery: safeStreamQuery(session.stream?.query ?? ''),
      streamPublish: String(session.stream?.doing === 'publish'),
      streamPlay: String(session.stream?.doing === 'play'),
      TransferIn: String(received),
      TransferOut: String(sent),
      TransferTotal: String(received + sent),
    });
  }

  #runSeconds(session: Session): number {
    return Math.max(0, Math.floor((this.#now - session.startedTick) / 1000));
  }

  #safe(text: string, maxBytes: number): string {
    const safe = safeText(text, maxBytes);
    if (safe !== text) this.#rowChanged = true;
    return safe;
  }
}

/**
 * The fields of a stream's query that the scripts know, for PHP's `parse_str`, without a single percent code: an `ip`, which they do
 * not read, would bring some with its colons. A blank travels as `+`; a `+` or `&` inside a value cannot, and becomes `_`.
 */
export function safeStreamQuery(query: string): string {
  if (query === '') return '';
  const values = readStreamQuery(query);
  const known = STREAM_FIELDS.filter((name) => values.has(name));
  return known.map((name) => `${name}=${queryValue(values.get(name)!)}`).join('&');
}

function queryValue(value: string): string {
  return safeText(value.replace(/[&+]/g, '_'), MAX_TEXT_BYTES).replaceAll(' ', '+');
}

/** Would PHP make a number other than 0 of its user? */
function hasUserId({ stream }: Session): boolean {
  return stream !== undefined && /^\s*[+-]?0*[1-9]/.test(readStreamQuery(stream.query).get('userID') ?? '');
}

function outranks(session: Session, other: Session | undefined): boolean {
  if (other === undefined) return true;
  const lead = rank(session) - rank(other);
  return lead > 0 || (lead === 0 && session.startedTick < other.startedTick);
}

function rank(session: Session): number {
  return (session.role === 'broadcaster' ? 2 : 0) + (session.stream?.doing === 'publish' ? 1 : 0);
}

function safeStatistics(statistics: SiteStatistics): Record<string, string | number> {
  const entries = Object.entries(statistics).map(([name, value]) => [
    safeText(name, MAX_NAME_BYTES),
    typeof value === 'string' ? safeText(value, MAX_TEXT_BYTES) : value,
  ]);
  return Object.fromEntries(entries);
}
