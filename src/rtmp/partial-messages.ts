/**
 * Messages being put together, one on each chunk stream. A payload byte is copied once, from the bytes that came into its place
 * in the body; where that is, the owner may say. What a peer merely declares costs next to nothing: bodies grow with what comes.
 */
import { PeerError } from '../base/errors.ts';
import type { Message } from './messages.ts';

/**
 * Asked once for each message whose header is complete and whose length is 1 to `MAX_ASKED` bytes: a buffer of exactly `length`
 * bytes for its body, or undefined to let the reader make one. A message that the peer does not finish never comes; after the
 * first of that kind the allocator is not asked again, so that a peer cannot use up a slab with bare headers.
 */
export type BodyAllocator = (typeId: number, streamId: number, timestamp: number, length: number) => Buffer | undefined;

export interface ChunkLimits {
  /** Bytes of one message. Default 64 KiB; `ChunkReader.maxMessage` raises it once the peer is known. */
  readonly maxMessage: number;
  /** Messages begun and not finished. Default 64. */
  readonly maxPartialMessages: number;
  /** Bytes that these declare together, and never more than two messages of full length. Default 16 MiB. */
  readonly maxPartialBytes: number;
  /** Chunk streams ever used. Default 1024. */
  readonly maxChunkStreams: number;
  /** The smallest chunk size that a peer may set. Default 1. */
  readonly minChunkSize: number;
  /** Bytes fed and not asked for yet. Default 1 MiB. */
  readonly maxUnread: number;
}

export const CHUNK_LIMITS: ChunkLimits = {
  maxMessage: 64 << 10,
  maxPartialMessages: 64,
  maxPartialBytes: 16 << 20,
  maxChunkStreams: 1024,
  minChunkSize: 1,
  maxUnread: 1 << 20,
};

/** The longest body for which the allocator is asked. */
export const MAX_ASKED = 64 << 10;

/** A body of ours starts with this many bytes, or with a few times what is at hand for it. */
const FIRST_CAPACITY = 4096;
const FIRST_FACTOR = 4;

const EMPTY = Buffer.alloc(0);

/** The last header of one chunk stream, and the message that is being put together on it. */
export class PartialMessage {
  readonly chunkStreamId: number;
  typeId = 0;
  streamId = 0;
  /** Milliseconds, absolute, modulo 2^32. */
  timestamp = 0;
  length = 0;
  /** The time of the last header of type 0, 1 or 2 as it was sent, absolute or not: what type 3 repeats. */
  time = 0;
  /** That time stood in an extended timestamp. */
  extended = false;
  /** Undefined between messages. May be shorter than `length` while bytes come. */
  body: Buffer | undefined;
  /** Bytes of `body` that have come. */
  filled = 0;

  constructor(chunkStreamId: number) {
    this.chunkStreamId = chunkStreamId;
  }

  get missing(): number {
    return this.length - this.filled;
  }
}

export class PartialMessages {
  maxMessage: number;
  allocate: BodyAllocator | undefined;
  readonly #limits: ChunkLimits;
  /** By chunk stream: the usual ids, and the rest. */
  readonly #low: (PartialMessage | undefined)[] = new Array(64).fill(undefined);
  readonly #high = new Map<number, PartialMessage>();
  #chunkStreams = 0;
  #begun = 0;
  /** Bytes that the messages begun declare together. What is held is at most that, and depends on how bytes came in. */
  #declared = 0;
  /** The peer left a message unfinished at least once. */
  #abandons = false;

  constructor(limits: ChunkLimits, allocate: BodyAllocator | undefined) {
    this.#limits = limits;
    this.maxMessage = limits.maxMessage;
    this.allocate = allocate;
  }

  /** Bytes of memory held for bodies. */
  get bytesHeld(): number {
    let held = 0;
    for (const partial of [...this.#low, ...this.#high.values()]) held += partial?.body?.length ?? 0;
    return held;
  }

  /** What is known of a chunk stream; undefined when nothing came on it yet. */
  on(chunkStreamId: number): PartialMessage | undefined {
    return chunkStreamId < 64 ? this.#low[chunkStreamId] : this.#high.get(chunkStreamId);
  }

  /** Makes room for a chunk stream on which nothing came yet. */
  open(chunkStreamId: number): PartialMessage {
    if (++this.#chunkStreams > this.#limits.maxChunkStreams) {
      throw new PeerError('rtmp/chunk-streams', `more than ${this.#limits.maxChunkStreams} chunk streams`);
    }
    const partial = new PartialMessage(chunkStreamId);
    if (chunkStreamId < 64) this.#low[chunkStreamId] = partial;
    else this.#high.set(chunkStreamId, partial);
    return partial;
  }

  /** Begins the message that the fields of `partial` describe; `atHand` bytes have come behind its header. */
  begin(partial: PartialMessage, atHand: number): void {
    const { length } = partial;
    if (length > this.maxMessage) {
      throw new PeerError('rtmp/message-size', `a message of ${length} bytes; ${this.maxMessage} is the limit`);
    }
    if (++this.#begun > this.#limits.maxPartialMessages) {
      throw new PeerError('rtmp/partial-messages', `more than ${this.#limits.maxPartialMessages} messages begun`);
    }
    this.#declared += length;
    if (this.#declared > Math.min(this.#limits.maxPartialBytes, 2 * this.maxMessage)) {
      throw new PeerError('rtmp/partial-messages', `messages begun declare ${this.#declared} bytes`);
    }
    partial.body = length === 0 ? EMPTY : (this.#ownersBody(partial) ?? this.#firstBody(length, atHand));
  }

  /** Adds `count` bytes from `at` of `bytes`; not more than are missing. */
  append(partial: PartialMessage, bytes: Buffer, at: number, count: number): void {
    const { filled } = partial;
    let body = partial.body!;
    if (filled + count > body.length) body = this.#grow(partial, body, filled + count);
    bytes.copy(body, filled, at, at + count);
    partial.filled = filled + count;
  }

  /** The message, which is complete: every byte of its body came from the peer. */
  finish(partial: PartialMessage): Message {
    const { typeId, streamId, timestamp, chunkStreamId } = partial;
    const body = partial.body!;
    this.#forget(partial);
    return { typeId, streamId, timestamp, chunkStreamId, body };
  }

  /** Drops a message that will not be finished, if one was begun. */
  abandon(partial: PartialMessage): void {
    if (partial.body === undefined) return;
    this.#abandons = true;
    this.#forget(partial);
  }

  #ownersBody({ typeId, streamId, timestamp, length }: PartialMessage): Buffer | undefined {
    if (this.allocate === undefined || this.#abandons || length > MAX_ASKED) return undefined;
    const body = this.allocate(typeId, streamId, timestamp, length);
    if (body === undefined || body.length === length) return body;
    throw new RangeError(`asked for ${length} bytes, got ${body.length}`);
  }

  /** Of full length when a good part of it is at hand; else small, and `#grow` follows. */
  #firstBody(length: number, atHand: number): Buffer {
    const trusted = this.#abandons ? FIRST_CAPACITY : Math.max(FIRST_CAPACITY, FIRST_FACTOR * atHand);
    return Buffer.allocUnsafeSlow(Math.min(length, trusted));
  }

  #grow(partial: PartialMessage, small: Buffer, needed: number): Buffer {
    const body = Buffer.allocUnsafeSlow(Math.min(partial.length, Math.max(needed, 2 * small.length)));
    small.copy(body, 0, 0, partial.filled);
    partial.body = body;
    return body;
  }

  #forget(partial: PartialMessage): void {
    this.#begun--;
    this.#declared -= partial.length;
    partial.body = undefined;
    partial.filled = 0;
  }
}
