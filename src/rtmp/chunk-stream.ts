/**
 * The lower half of an RTMP connection, the same for server and client: handshake, chunks into messages, and the protocol control
 * messages that need no decision (acknowledgements, window sizes, pings). Bytes in, messages out, bytes out; no socket, no clock.
 */
import { ChunkReader } from './chunk-reader.ts';
import { CHUNK_STREAM, writeMessage } from './chunk-writer.ts';
import type { ClientHandshake, ServerHandshake } from './handshake.ts';
import {
  MESSAGE,
  type Message,
  readUserControl,
  readWindowAckSize,
  USER_CONTROL,
  writeAcknowledgement,
  writeSetChunkSize,
  writeUserControl,
} from './messages.ts';
import { type BodyAllocator, CHUNK_LIMITS } from './partial-messages.ts';

export interface ChunkStreamOptions {
  readonly handshake: ServerHandshake | ClientHandshake;
  /** Bytes of one message, at most; may be raised later. */
  readonly maxMessage: number;
  /** Bytes that may wait behind a message that needs an answer, at most. Default 1 MiB. */
  readonly maxUnread?: number | undefined;
  /** Asked where the body of a message should be put. */
  readonly allocate?: BodyAllocator | undefined;
}

/** A peer that announces a smaller acknowledgement window is answered at this one: one acknowledgement for each KiB is enough. */
const MIN_ACK_WINDOW = 1_024;
/** Before the peer has announced a window. RTMP leaves it open; this is what most servers announce. */
const DEFAULT_ACK_WINDOW = 2_500_000;

export class ChunkStream {
  /** Answers to our pings. */
  pongs = 0;
  readonly #reader: ChunkReader;
  #handshake: ServerHandshake | ClientHandshake | undefined;
  #out: Buffer[] = [];
  #outChunkSize = 128;
  #ackWindow = DEFAULT_ACK_WINDOW;
  #acknowledged = 0;
  #handshakeBytes = 0;

  constructor(options: ChunkStreamOptions) {
    this.#handshake = options.handshake;
    const { maxMessage, maxUnread = CHUNK_LIMITS.maxUnread, allocate } = options;
    this.#reader = new ChunkReader({ maxMessage, maxUnread }, allocate);
    const opening = 'begin' in options.handshake ? options.handshake.begin() : undefined;
    if (opening !== undefined) this.#out.push(opening);
  }

  get handshakeDone(): boolean {
    return this.#handshake === undefined;
  }

  /** Bytes received, handshake included: what an acknowledgement counts. */
  get bytesReceived(): number {
    return this.#handshakeBytes + this.#reader.bytesRead;
  }

  set maxMessage(bytes: number) {
    this.#reader.maxMessage = bytes;
  }

  /** Takes received bytes; they may be reused once `next` has answered undefined. Throws `PeerError`. */
  feed(bytes: Buffer): void {
    const handshake = this.#handshake;
    if (handshake === undefined) {
      this.#reader.feed(bytes);
      return;
    }
    const step = handshake.feed(bytes);
    if (step.reply !== undefined) this.#out.push(step.reply);
    this.#handshakeBytes += bytes.length - step.rest.length;
    if (!step.done) return;
    this.#handshake = undefined;
    if (step.rest.length > 0) this.#reader.feed(step.rest);
  }

  /** The next message that needs a decision. Throws `PeerError`. */
  next(): Message | undefined {
    if (this.#handshake !== undefined) return undefined;
    for (;;) {
      const message = this.#reader.next();
      this.#acknowledge();
      if (message === undefined || !this.#control(message)) return message;
    }
  }

  /** Queues a message for the peer. */
  send(
    typeId: number,
    streamId: number,
    timestamp: number,
    body: Buffer,
    chunkStreamId: number = CHUNK_STREAM.command,
  ): void {
    this.#out.push(writeMessage({ typeId, streamId, timestamp, body }, this.#outChunkSize, chunkStreamId));
  }

  sendControl(typeId: number, body: Buffer): void {
    this.send(typeId, 0, 0, body, CHUNK_STREAM.control);
  }

  /** User control message: RTMP 7.1.7. */
  sendUserControl(event: number, value: number): void {
    this.sendControl(MESSAGE.UserControl, writeUserControl({ event, value }));
  }

  /** Asks for a sign of life; the answer carries the same 32 bits. */
  ping(time: number): void {
    this.sendUserControl(USER_CONTROL.PingRequest, time >>> 0);
  }

  /** A player's word on how much it buffers, ms: RTMP 7.1.7. */
  setBufferLength(streamId: number, millis: number): void {
    const body = writeUserControl({ event: USER_CONTROL.SetBufferLength, value: streamId, bufferMillis: millis });
    this.sendControl(MESSAGE.UserControl, body);
  }

  /** Copies undecided bytes aside: their buffer will be reused before `next` is called again. */
  hold(): void {
    this.#reader.hold();
  }

  /** Announces the chunk size that everything after it is cut at. */
  setChunkSize(size: number): void {
    this.sendControl(MESSAGE.SetChunkSize, writeSetChunkSize(size));
    this.#outChunkSize = size;
  }

  /** What to send, in order; forgotten here. */
  drain(): readonly Buffer[] {
    if (this.#out.length === 0) return NONE;
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** True when the message was for this layer alone. */
  #control(message: Message): boolean {
    switch (message.typeId) {
      case MESSAGE.Acknowledgement:
      case MESSAGE.SetPeerBandwidth:
        return true;
      case MESSAGE.WindowAckSize:
        this.#ackWindow = Math.max(MIN_ACK_WINDOW, readWindowAckSize(message.body));
        return true;
      case MESSAGE.UserControl:
        return this.#userControl(message.body);
      default:
        return false;
    }
  }

  #userControl(body: Buffer): boolean {
    const { event, value } = readUserControl(body);
    if (event === USER_CONTROL.PingResponse) this.pongs += 1;
    if (event !== USER_CONTROL.PingRequest) return false;
    this.sendUserControl(USER_CONTROL.PingResponse, value);
    return true;
  }

  /** RTMP 5.4.3: the total received so far, once per window. */
  #acknowledge(): void {
    const received = this.bytesReceived;
    if (received - this.#acknowledged < this.#ackWindow) return;
    this.#acknowledged = received;
    this.sendControl(MESSAGE.Acknowledgement, writeAcknowledgement(received % 2 ** 32));
  }
}

const NONE: readonly Buffer[] = [];
