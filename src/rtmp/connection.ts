/**
 * The server's side of one RTMP connection: bytes in, events out, bytes out. A question (may it connect, publish, play?) is an event
 * that stays open; until `accept` or `refuse` the engine yields nothing more, so nothing can enter before the answer.
 */
import { PeerError } from '../base/errors.ts';
import { AMF_LIMITS } from './amf-value.ts';
import { ChunkStream } from './chunk-stream.ts';
import type { Command, ConnectCommand, Level } from './commands.ts';
import * as commands from './commands.ts';
import { ServerHandshake } from './handshake.ts';
import {
  MESSAGE,
  type Message,
  PEER_BANDWIDTH_LIMIT,
  splitAggregate,
  writePeerBandwidth,
  writeWindowAckSize,
} from './messages.ts';
import { type NetStreamEvent, NetStreams, type Question } from './net-stream.ts';
import type { BodyAllocator } from './partial-messages.ts';

export type RtmpEvent =
  | NetStreamEvent
  | { readonly type: 'connect'; readonly question: Question; readonly connect: ConnectCommand }
  /** Audio, video or data on a stream that was accepted for publishing. */
  | { readonly type: 'media'; readonly streamId: number; readonly message: Message };

export interface ConnectionOptions {
  /** Random bytes for the handshake. */
  readonly random: (count: number) => Buffer;
  readonly version: string;
  readonly chunkSize: number;
  readonly maxMessage: number;
  readonly maxMessageBeforeConnect: number;
  /** Where the bodies of published media go; only asked on streams that publish. */
  readonly allocate?: BodyAllocator | undefined;
}

/** What we announce as acknowledgement window and bandwidth: bytes. */
const WINDOW_BYTES = 2_500_000;
/** Longest part of a client's word that is given back to it. */
const MAX_QUOTED = 64;

export class RtmpConnection {
  /** Media messages that came where nobody publishes; they are dropped. */
  strayMedia = 0;
  readonly #options: ConnectionOptions;
  readonly #chunks: ChunkStream;
  readonly #streams: NetStreams;
  readonly #pending: RtmpEvent[] = [];
  #state: 'new' | 'connected' | 'closing' = 'new';
  #question: Question | undefined;
  #connect: ConnectCommand | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const allocate = options.allocate;
    this.#chunks = new ChunkStream({
      handshake: new ServerHandshake(options.random),
      maxMessage: options.maxMessageBeforeConnect,
      // only connect is answered later: all that may wait is what was sent ahead of the login
      maxUnread: options.maxMessageBeforeConnect,
      allocate:
        allocate === undefined
          ? undefined
          : (typeId, streamId, timestamp, length) =>
              this.#streams.publishes(streamId) ? allocate(typeId, streamId, timestamp, length) : undefined,
    });
    this.#streams = new NetStreams(this.#chunks, (event) => this.#pending.push(event));
  }

  get handshakeDone(): boolean {
    return this.#chunks.handshakeDone;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  /** The client has answered a ping before. */
  get answersPings(): boolean {
    return this.#chunks.pongs > 0;
  }

  /** A question is open: `next` answers undefined until it is answered. */
  get asking(): boolean {
    return this.#question !== undefined;
  }

  /** Takes received bytes; they may be reused once `next` has answered undefined. Throws `PeerError`. */
  feed(bytes: Buffer): void {
    if (this.#state !== 'closing') this.#chunks.feed(bytes);
  }

  /** The next event. Throws `PeerError`. */
  next(): RtmpEvent | undefined {
    while (this.#question === undefined && this.#state !== 'closing') {
      const event = this.#pending.shift();
      if (event !== undefined) {
        if ('question' in event) this.#question = event.question;
        return event;
      }
      const message = this.#chunks.next();
      if (message === undefined) return undefined;
      this.#message(message);
    }
    // the bytes behind the question wait for its answer, but not in the socket's buffer
    this.#chunks.hold();
    return undefined;
  }

  /** Bytes to send, in order. */
  drain(): readonly Buffer[] {
    return this.#chunks.drain();
  }

  /** Answers an open question with yes, in the words that clients wait for. `name`: the stream's, for the descriptions. */
  accept(question: Question, name = ''): void {
    this.#close(question);
    if (question.asks === 'connect') this.#welcome(question);
    else if (question.asks === 'publish') this.#streams.beginPublish(question, name);
    else this.#streams.beginPlay(question, name);
  }

  /** Answers with no. `code` is an RTMP status code, `description` is what OBS and ffmpeg show their users. */
  refuse(question: Question, code: string, description: string): void {
    this.#close(question);
    if (question.asks === 'connect') {
      this.#streams.send(0, commands.failure(question.transaction, { level: 'error', code, description }));
      this.#state = 'closing';
    } else {
      this.#streams.status(question.streamId, 'error', code, description);
    }
  }

  /** A publisher came for, or left, the stream that is played on `streamId`. */
  notify(streamId: number, live: boolean, name: string): void {
    if (live) this.#streams.published(streamId, name);
    else this.#streams.unpublished(streamId, name);
  }

  /** Tells the client something about one of its streams; 0: about the connection. */
  status(streamId: number, level: Level, code: string, description: string): void {
    this.#streams.status(streamId, level, code, description);
  }

  /** Ends what a stream does, from this side. */
  stop(streamId: number): void {
    this.#streams.stop(streamId);
  }

  /** Asks for a sign of life. `time`: any 32 bits, given back in the answer. */
  ping(time: number): void {
    this.#chunks.ping(time);
  }

  /** Enhanced RTMP v2: asks the client to connect again, when it said that it can. Answers whether it was asked. */
  requestReconnect(description: string): boolean {
    if (((this.#connect?.capsEx ?? 0) & commands.CAPS_EX.reconnect) === 0) return false;
    this.status(0, 'status', 'NetConnection.Connect.ReconnectRequest', description);
    return true;
  }

  /** Says why, for the last time: nothing is yielded afterwards. */
  farewell(code: string, description: string): void {
    if (this.#state === 'connected') {
      for (const [streamId, doing] of this.#streams.busy()) {
        const last = doing === 'publish' ? 'NetStream.Publish.Denied' : 'NetStream.Play.Failed';
        this.status(streamId, 'error', last, description);
      }
      this.status(0, 'error', code, description);
    }
    this.#state = 'closing';
  }

  #close(question: Question): void {
    if (this.#question !== question) throw new Error(`the question ${question.asks} is not open`);
    this.#question = undefined;
  }

  #message(message: Message): void {
    switch (message.typeId) {
      case MESSAGE.Audio:
      case MESSAGE.Video:
      case MESSAGE.DataAmf0:
      case MESSAGE.DataAmf3:
        this.#media(message);
        break;
      case MESSAGE.Aggregate:
        for (const part of splitAggregate(message)) this.#media(part);
        break;
      case MESSAGE.CommandAmf0:
      case MESSAGE.CommandAmf3:
        this.#command(commands.readCommand(message, AMF_LIMITS));
        break;
      // shared objects, buffer lengths, and types that nobody defined: nothing depends on them
      default:
        break;
    }
  }

  #media(message: Message): void {
    if (this.#streams.publishes(message.streamId)) {
      this.#pending.push({ type: 'media', streamId: message.streamId, message });
    } else {
      this.strayMedia += 1;
    }
  }

  #command(command: Command): void {
    if (command.name === 'connect') {
      this.#onConnect(command);
    } else if (this.#state !== 'connected') {
      throw new PeerError('rtmp/sequence', `${printable(command.name)} before connect`);
    } else if (!this.#streams.run(command) && command.transaction > 0) {
      const description = `Unknown command ${printable(command.name)}.`;
      const status = { level: 'error', code: 'NetConnection.Call.Failed', description } as const;
      this.#streams.send(0, commands.failure(command.transaction, status));
    }
  }

  #onConnect(command: Command): void {
    if (this.#connect !== undefined) throw new PeerError('rtmp/sequence', 'a second connect');
    this.#connect = commands.readConnect(command);
    const question: Question = { asks: 'connect', streamId: 0, transaction: command.transaction };
    this.#pending.push({ type: 'connect', question, connect: this.#connect });
  }

  #welcome(question: Question): void {
    this.#state = 'connected';
    this.#chunks.maxMessage = this.#options.maxMessage;
    const bandwidth = writePeerBandwidth({ size: WINDOW_BYTES, limit: PEER_BANDWIDTH_LIMIT.dynamic });
    this.#chunks.sendControl(MESSAGE.WindowAckSize, writeWindowAckSize(WINDOW_BYTES));
    this.#chunks.sendControl(MESSAGE.SetPeerBandwidth, bandwidth);
    this.#chunks.setChunkSize(this.#options.chunkSize);
    this.#streams.send(0, commands.connectAnswer(question.transaction, this.#connect!, this.#options.version));
    // Flash clients and librtmp take this as leave to go on
    this.#streams.send(0, commands.command('onBWDone', 0, null));
  }
}

/** A word that a peer chose, for a sentence. */
function printable(text: string): string {
  return text.slice(0, MAX_QUOTED).replace(/[^\x20-\x7e]/g, '?');
}
