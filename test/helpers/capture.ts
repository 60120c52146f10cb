/**
 * Recorded conversations of real clients: what they sent, and what the engine must make of it.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { RtmpConnection, type RtmpEvent } from '../../src/rtmp/connection.ts';
import type { Message } from '../../src/rtmp/messages.ts';
import { CONNECTION_OPTIONS } from './dialogue.ts';

const FOLDER = new URL('../golden/rtmp/', import.meta.url);

/** An event in JSON: the words of the client, or one message of media by type, time, length and MD5. */
export type EventRecord = Readonly<Record<string, string | number | boolean | readonly string[] | null>>;

export interface CaptureFacts {
  /** The client with its version, and how it was started. */
  readonly client: string;
  readonly command: string;
  readonly events: readonly EventRecord[];
}

export interface Capture extends CaptureFacts {
  readonly name: string;
  /** From client to server. */
  readonly bytes: Buffer;
}

export function captureFile(name: string, suffix: 'bin' | 'json'): URL {
  return new URL(`${name}.${suffix}`, FOLDER);
}

export function readCaptures(): Capture[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => {
    const name = file.slice(0, -'.json'.length);
    const facts = JSON.parse(readFileSync(captureFile(name, 'json'), 'utf8')) as CaptureFacts;
    return { ...facts, name, bytes: readFileSync(captureFile(name, 'bin')) };
  });
}

/** What an engine that says yes to everything makes of `pieces`, each spoilt once it was read. `onMedia` sees the whole messages. */
export function eventsOf(pieces: Iterable<Buffer>, onMedia: (message: Message) => void = () => {}): EventRecord[] {
  const engine = new RtmpConnection({ ...CONNECTION_OPTIONS, maxMessage: 8 << 20 });
  const events: EventRecord[] = [];
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    engine.feed(bytes);
    for (let event = engine.next(); event !== undefined; event = engine.next()) {
      events.push(recordOf(event));
      if (event.type === 'media') onMedia(event.message);
      if ('question' in event) engine.accept(event.question, 'name' in event ? event.name : '');
    }
    engine.drain();
    bytes.fill(0xee);
  }
  return events;
}

function recordOf(event: RtmpEvent): EventRecord {
  if (event.type === 'media') {
    const { typeId, timestamp, body } = event.message;
    const md5 = createHash('md5').update(body).digest('hex');
    return { media: typeId, stream: event.streamId, timestamp, length: body.length, md5 };
  }
  if (!('question' in event)) {
    const { type, ...rest } = event;
    return { event: type, ...rest };
  }
  const { streamId, transaction } = event.question;
  if (event.type !== 'connect') return { event: event.type, stream: streamId, transaction, name: event.name };
  const { app = null, tcUrl = null, flashVer, objectEncoding, argument = null, capsEx = null } = event.connect;
  return { event: 'connect', transaction, app, tcUrl, flashVer, objectEncoding, argument, capsEx };
}
