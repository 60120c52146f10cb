/**
 * A client that is played by hand: each command and message as a test wants it, and what the server says as short words.
 */
import { AMF_LIMITS, type AmfValue, type AmfWritable, amfFields } from '../../src/rtmp/amf-value.ts';
import { readAmf0, writeAmf0 } from '../../src/rtmp/amf0.ts';
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts';
import { writeMessage } from '../../src/rtmp/chunk-writer.ts';
import { type ConnectionOptions, RtmpConnection, type RtmpEvent } from '../../src/rtmp/connection.ts';
import { MESSAGE, type Message, USER_CONTROL } from '../../src/rtmp/messages.ts';
import type { Question } from '../../src/rtmp/net-stream.ts';
import { metadataBody } from './frames.ts';

export const HANDSHAKE = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1536)]);
/** Bytes that a server sends before its first chunk. */
export const HANDSHAKE_ANSWER_BYTES = 1 + 2 * 1536;

export const CONNECT = { app: 'live', tcUrl: 'rtmp://localhost/live', flashVer: 'test' };

/** Chunk size of everything that a hand-played client sends; RTMP's own, so that nothing has to be announced. */
const CHUNK_SIZE = 128;

/** Named values of any kind as one command message. */
export function commandBytes(
  streamId: number,
  values: readonly AmfWritable[],
  typeId: number = MESSAGE.CommandAmf0,
): Buffer {
  const amf = writeAmf0(values);
  const body = typeId === MESSAGE.CommandAmf3 ? Buffer.concat([Buffer.of(0), amf]) : amf;
  return messageBytes(typeId, streamId, body, 0, 3);
}

export function messageBytes(typeId: number, streamId: number, body: Buffer, timestamp = 0, chunkStreamId = 6): Buffer {
  return writeMessage({ typeId, streamId, timestamp, body }, CHUNK_SIZE, chunkStreamId);
}

const EVENT_NAMES = new Map<number, string>(Object.entries(USER_CONTROL).map(([name, event]) => [event, name]));

/** What a message says: `Video 1`, `StreamBegin 1`, `1 onStatus NetStream.Play.Start`, `0 _result 4 1`. */
export function inWords(message: Message): string {
  const { typeId, streamId, body } = message;
  switch (typeId) {
    case MESSAGE.WindowAckSize:
      return `WindowAckSize ${body.readUInt32BE(0)}`;
    case MESSAGE.SetPeerBandwidth:
      return `SetPeerBandwidth ${body.readUInt32BE(0)} ${body[4]}`;
    case MESSAGE.Acknowledgement:
      return `Acknowledgement ${body.readUInt32BE(0)}`;
    case MESSAGE.UserControl:
      return `${EVENT_NAMES.get(body.readUInt16BE(0))} ${body.readUInt32BE(2)}`;
    case MESSAGE.CommandAmf0:
      return `${streamId} ${commandInWords(readAmf0(body, 0, AMF_LIMITS))}`;
    case MESSAGE.DataAmf0:
      return `${streamId} data ${String(readAmf0(body, 0, AMF_LIMITS)[0])}`;
    default:
      return `${streamId} type ${typeId}`;
  }
}

function commandInWords([name, transaction, , ...args]: readonly AmfValue[]): string {
  const words = args.map((value) => {
    const fields = amfFields(value);
    return fields === undefined ? String(value) : String(fields.get('code'));
  });
  return [name, ...(transaction === 0 ? [] : [transaction]), ...words].join(' ');
}

/** Reads what a server sent, its handshake first. */
export class Listener {
  readonly #reader = new ChunkReader({ maxMessage: 16 << 20 });
  #handshakeLeft = HANDSHAKE_ANSWER_BYTES;

  read(bytes: Buffer): Message[] {
    const skip = Math.min(this.#handshakeLeft, bytes.length);
    this.#handshakeLeft -= skip;
    this.#reader.feed(Buffer.from(bytes.subarray(skip)));
    const messages: Message[] = [];
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next()) messages.push(next);
    return messages;
  }

  /** Bytes of a message that is not complete. */
  get unfinished(): number {
    return this.#reader.partialBytes;
  }
}

export const CONNECTION_OPTIONS: ConnectionOptions = {
  random: (count) => Buffer.alloc(count, 7),
  version: '1.2.3',
  chunkSize: 4_096,
  maxMessage: 1 << 20,
  maxMessageBeforeConnect: 4_096,
};

/** One engine and its hand-played client. */
export class Dialogue {
  readonly engine: RtmpConnection;
  readonly #listener = new Listener();
  /** Everything the engine yielded. */
  readonly events: RtmpEvent[] = [];
  /** The messages of the last `answers`. */
  heard: readonly Message[] = [];

  constructor(options: Partial<ConnectionOptions> = {}) {
    this.engine = new RtmpConnection({ ...CONNECTION_OPTIONS, ...options });
    this.engine.feed(HANDSHAKE);
  }

  /** Connected, with nothing unread. */
  static connected(options: Partial<ConnectionOptions> = {}): Dialogue {
    const dialogue = new Dialogue(options);
    dialogue.command(0, 'connect', 1, CONNECT);
    dialogue.engine.accept(dialogue.question());
    dialogue.answers();
    return dialogue;
  }

  /** Connected, with message stream 1 made, and publishing or playing `name` on it when asked for. */
  static on1(does?: 'publish' | 'play', name = 'a', options: Partial<ConnectionOptions> = {}): Dialogue {
    const dialogue = Dialogue.connected(options);
    dialogue.command(0, 'createStream', 2);
    if (does !== undefined) {
      dialogue.command(1, does, 0, null, name);
      dialogue.engine.accept(dialogue.question(), name);
    }
    dialogue.answers();
    dialogue.events.length = 0;
    return dialogue;
  }

  /** Sends a command and pulls what comes of it; answers the engine's words. */
  command(streamId: number, name: AmfWritable, transaction: AmfWritable, ...rest: readonly AmfWritable[]): string[] {
    return this.bytes(commandBytes(streamId, [name, transaction, ...(rest.length === 0 ? [null] : rest)]));
  }

  media(typeId: number, streamId: number, body: Buffer = metadataBody(), timestamp = 0): string[] {
    return this.bytes(messageBytes(typeId, streamId, body, timestamp));
  }

  bytes(bytes: Buffer): string[] {
    this.engine.feed(bytes);
    this.pull();
    return this.answers();
  }

  /** The events of now, which are kept as well. */
  pull(): RtmpEvent[] {
    const events: RtmpEvent[] = [];
    for (let next = this.engine.next(); next !== undefined; next = this.engine.next()) events.push(next);
    this.events.push(...events);
    return events;
  }

  /** What the engine has said since the last time. */
  answers(): string[] {
    this.heard = this.engine.drain().flatMap((bytes) => this.#listener.read(bytes));
    return this.heard.map(inWords);
  }

  /** The question asked last. */
  question(): Question {
    const event = this.events.at(-1);
    if (event === undefined || !('question' in event)) throw new Error('nothing was asked');
    return event.question;
  }

  /** Fields of the object at `index` of the arguments of the last command heard. */
  object(index = 0): ReadonlyMap<string, AmfValue> {
    const values = readAmf0(this.heard.at(-1)!.body, 0, AMF_LIMITS);
    return amfFields(values[3 + index]) ?? new Map();
  }
}
