/**
 * The client's side of one RTMP connection, to publish or to play one stream: for pulling from other servers, and for tests. Bytes
 * in, events out, bytes out; it asks what encoders and players ask, in their order.
 */
import { PeerError } from '../base/errors.ts';
import { AMF_LIMITS, type AmfValue, amfFields } from './amf-value.ts';
import { ChunkStream } from './chunk-stream.ts';
import { CHUNK_STREAM } from './chunk-writer.ts';
import type { Command, Level, Status } from './commands.ts';
import * as commands from './commands.ts';
import { ClientHandshake, type HandshakeForm } from './handshake.ts';
import { MESSAGE, type Message, splitAggregate } from './messages.ts';
import type { BodyAllocator } from './partial-messages.ts';
import { chunkStreamOf } from './slab.ts';

export type ClientEvent =
  /** The server let the connection in. */
  | { readonly type: 'connected' }
  /** Publishing may begin, or playing has begun. */
  | { readonly type: 'ready' }
  /** The server said no, in its own words. The connection is of no more use. */
  | { readonly type: 'refused'; readonly code: string; readonly description: string }
  /** Any other word of the server. */
  | ({ readonly type: 'status' } & Status)
  | { readonly type: 'media'; readonly message: Message };

export interface ClientOptions {
  readonly random: (count: number) => Buffer;
  readonly does: 'publish' | 'play';
  /** `rtmp://host[:port]/app?parameters`: what follows the host is sent as `app` as well. */
  readonly tcUrl: string;
  readonly stream: string;
  readonly chunkSize?: number;
  readonly handshake?: HandshakeForm;
  /** Extra arguments of connect, as Flash clients have. */
  readonly connectArguments?: readonly string[];
  /** Announces enhanced RTMP v2. */
  readonly enhanced?: boolean;
  readonly maxMessage?: number;
  /** Where received media goes. */
  readonly allocate?: BodyAllocator;
}

/** A command that waits for its answer. */
interface Asked {
  readonly name: string;
  readonly then: (answer: Command) => void;
}

/** Without these there is no stream; many servers know nothing of the others and say so. */
const NEEDED: ReadonlySet<string> = new Set(['connect', 'createStream']);

const DEFAULT_CHUNK_SIZE = 65_536;
const DEFAULT_MAX_MESSAGE = 8 << 20;
/** How long a player may buffer, ms: only said, never enforced. */
const BUFFER_MILLIS = 1_000;
/** play's `start`: live, or recorded where no live one is. What ffmpeg sends. */
const START_LIVE_OR_RECORDED = -2_000;

export class RtmpClient {
  readonly #options: ClientOptions;
  readonly #chunks: ChunkStream;
  readonly #events: ClientEvent[] = [];
  readonly #asked = new Map<number, Asked>();
  #lastTransaction = 0;
  #streamId = 0;
  #begun = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#chunks = new ChunkStream({
      handshake: new ClientHandshake(options.random, options.handshake ?? 'simple'),
      maxMessage: options.maxMessage ?? DEFAULT_MAX_MESSAGE,
      allocate: options.allocate,
    });
  }

  /** Takes received bytes; they may be reused once `next` has answered undefined. Throws `PeerError`. */
  feed(bytes: Buffer): void {
    this.#chunks.feed(bytes);
    if (this.#begun || !this.#chunks.handshakeDone) return;
    this.#begun = true;
    this.#connect();
  }

  /** The next event. Throws `PeerError`. */
  next(): ClientEvent | undefined {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      const message = this.#chunks.next();
      if (message === undefined) return undefined;
      this.#message(message);
    }
  }

  drain(): readonly Buffer[] {
    return this.#chunks.drain();
  }

  /** Sends media, once `ready`. `typeId`: 8, 9 or 18. `timestamp`: ms modulo 2^32. */
  write(typeId: number, timestamp: number, body: Buffer): void {
    this.#chunks.send(typeId, this.#streamId, timestamp, body, chunkStreamOf(typeId));
  }

  /** A command on the stream, such as `pause`. */
  send(name: string, ...args: readonly commands.CommandArgument[]): void {
    this.#chunks.send(MESSAGE.CommandAmf0, this.#streamId, 0, commands.command(name, 0, null, ...args));
  }

  /** Ends publishing or playing as encoders and players do. */
  stop(): void {
    if (this.#streamId === 0) return;
    if (this.#options.does === 'publish') this.#ask('FCUnpublish', [this.#options.stream], () => {});
    this.#chunks.send(MESSAGE.CommandAmf0, 0, 0, commands.command('deleteStream', 0, null, this.#streamId));
  }

  #connect(): void {
    const { tcUrl, chunkSize, connectArguments, enhanced } = this.#options;
    this.#chunks.setChunkSize(chunkSize ?? DEFAULT_CHUNK_SIZE);
    const app = tcUrl.replace(/^[a-z]+:\/\/[^/]*\//i, '');
    const object = {
      app,
      flashVer: this.#options.does === 'publish' ? 'FMLE/3.0 (compatible; castgate)' : 'LNX 9,0,124,2',
      tcUrl,
      ...(enhanced === true ? commands.ourCapabilities() : {}),
    };
    this.#ask('connect', connectArguments ?? [], () => this.#connected(), object);
  }

  #connected(): void {
    const { does, stream } = this.#options;
    this.#events.push({ type: 'connected' });
    if (does === 'publish') {
      this.#ask('releaseStream', [stream], () => {});
      this.#ask('FCPublish', [stream], () => {});
    }
    this.#ask('createStream', [], (answer) => this.#created(commands.numberArgument(answer, 0, 1)));
  }

  #created(streamId: number): void {
    const { does, stream } = this.#options;
    this.#streamId = streamId;
    if (does === 'publish') {
      this.send('publish', stream, 'live');
    } else {
      this.#chunks.setBufferLength(streamId, BUFFER_MILLIS);
      this.send('play', stream, START_LIVE_OR_RECORDED);
    }
  }

  #ask(
    name: string,
    args: readonly commands.CommandArgument[],
    then: (answer: Command) => void,
    object: commands.CommandArgument = null,
  ): void {
    this.#lastTransaction += 1;
    this.#asked.set(this.#lastTransaction, { name, then });
    const body = commands.command(name, this.#lastTransaction, object, ...args);
    this.#chunks.send(MESSAGE.CommandAmf0, 0, 0, body, CHUNK_STREAM.command);
  }

  #message(message: Message): void {
    switch (message.typeId) {
      case MESSAGE.Audio:
      case MESSAGE.Video:
      case MESSAGE.DataAmf0:
      case MESSAGE.DataAmf3:
        this.#events.push({ type: 'media', message });
        break;
      case MESSAGE.Aggregate:
        for (const part of splitAggregate(message)) this.#events.push({ type: 'media', message: part });
        break;
      case MESSAGE.CommandAmf0:
      case MESSAGE.CommandAmf3:
        this.#command(commands.readCommand(message, AMF_LIMITS));
        break;
      default:
        break;
    }
  }

  #command(command: Command): void {
    if (command.name === '_result' || command.name === '_error') {
      const asked = this.#asked.get(command.transaction);
      this.#asked.delete(command.transaction);
      if (command.name === '_result') asked?.then(command);
      else if (asked !== undefined && NEEDED.has(asked.name)) this.#refused(readStatus(command.args[0]));
    } else if (command.name === 'onStatus') {
      this.#status(readStatus(command.args[0]));
    } else if (command.name === 'close') {
      this.#refused({ level: 'error', code: 'NetConnection.Connect.Closed', description: 'closed by the server' });
    }
  }

  #status(status: Status): void {
    if (status.level === 'error') this.#refused(status);
    else if (status.code === 'NetStream.Publish.Start' || status.code === 'NetStream.Play.Start')
      this.#events.push({ type: 'ready' });
    else this.#events.push({ type: 'status', ...status });
  }

  #refused({ code, description }: Status): void {
    this.#events.push({ type: 'refused', code, description });
  }
}

const LEVELS: ReadonlySet<string> = new Set<Level>(['status', 'warning', 'error']);

function readStatus(value: AmfValue): Status {
  const fields = amfFields(value);
  if (fields === undefined) throw new PeerError('rtmp/command', 'a status without an object');
  const text = (key: string) => {
    const field = fields.get(key);
    return typeof field === 'string' ? field : '';
  };
  const level = text('level');
  return {
    level: LEVELS.has(level) ? (level as Level) : 'status',
    code: text('code'),
    description: text('description'),
  };
}
