/**
 * Where a publisher's messages live: each body is read from the socket straight to its final place, behind the chunk header that
 * all players will receive. So one copy serves the cache and every player, and messages that follow each other in time lie next to
 * each other in memory: a window of them is one view and one write.
 */
import { CHUNK_STREAM, headerBytes, messageSize, writeHeaderInto, writeMessageInto } from './chunk-writer.ts';
import { MESSAGE, type Message } from './messages.ts';

/** A message in its shared wire form: bytes `start` to `end` of `block`. */
export interface Wire {
  readonly block: Buffer;
  readonly start: number;
  readonly end: number;
}

/** The message stream that all players share; `createStream` answers it first. */
export const SHARED_MESSAGE_STREAM = 1;

/** One block. Large enough that most windows lie in one, small enough that a slow viewer pins little. */
const BLOCK_BYTES = 256 << 10;

/** The chunk stream on which messages of a type go out: one for each kind, so that nothing interleaves. */
export function chunkStreamOf(typeId: number): number {
  if (typeId === MESSAGE.Video) return CHUNK_STREAM.video;
  if (typeId === MESSAGE.Audio) return CHUNK_STREAM.audio;
  return CHUNK_STREAM.data;
}

export class Slab {
  readonly chunkSize: number;
  readonly #messageStream: number;
  /** The blocks made here, by their memory. */
  readonly #blocks = new WeakMap<ArrayBufferLike, Buffer>();
  #block: Buffer | undefined;
  #used = 0;

  /** Messages are cut at `chunkSize`. All are written for `SHARED_MESSAGE_STREAM`; a `copy` is for `messageStream`. */
  constructor(chunkSize: number, messageStream = SHARED_MESSAGE_STREAM) {
    this.chunkSize = chunkSize;
    this.#messageStream = messageStream;
  }

  /**
   * Room for the body of a message, with its header already in front. Undefined when the body needs more than one chunk: such a
   * one cannot stay in one piece.
   */
  room(typeId: number, timestamp: number, length: number): Buffer | undefined {
    if (length === 0 || length > this.chunkSize) return undefined;
    const csid = chunkStreamOf(typeId);
    const header = headerBytes(timestamp, csid);
    const start = this.#take(header + length);
    if (start < 0) return undefined;
    const block = this.#block!;
    writeHeaderInto(block, start, csid, typeId, SHARED_MESSAGE_STREAM, timestamp, length);
    return block.subarray(start + header, start + header + length);
  }

  /** The wire form of a message whose body `room` gave; undefined for any other. */
  wireOf({ typeId, timestamp, body }: Message): Wire | undefined {
    const block = this.#blocks.get(body.buffer);
    if (block === undefined) return undefined;
    const start = body.byteOffset - headerBytes(timestamp, chunkStreamOf(typeId));
    return { block, start, end: body.byteOffset + body.length };
  }

  /** Writes a whole message and answers its wire form: into the block when it fits, else into memory of its own. */
  write(typeId: number, timestamp: number, body: Buffer): Wire {
    const csid = chunkStreamOf(typeId);
    const size = messageSize(body.length, timestamp, this.chunkSize, csid);
    let start = this.#take(size);
    let block = this.#block!;
    if (start < 0) {
      block = Buffer.allocUnsafeSlow(size);
      start = 0;
    }
    const message = { typeId, streamId: SHARED_MESSAGE_STREAM, timestamp, body };
    writeMessageInto(block, start, message, this.chunkSize, csid);
    return { block, start, end: start + size };
  }

  /** The same message once more, in this slab and on this slab's message stream. */
  copy(wire: Wire): Wire {
    const size = wire.end - wire.start;
    let start = this.#take(size);
    let block = this.#block!;
    if (start < 0) {
      block = Buffer.allocUnsafeSlow(size);
      start = 0;
    }
    wire.block.copy(block, start, wire.start, wire.end);
    // RTMP 5.3.1.2.1: the last four bytes of a type 0 header, little endian; the shared form has a one-byte basic header
    if (size > 0) block.writeUInt32LE(this.#messageStream, start + 8);
    return { block, start, end: start + size };
  }

  /** Takes `size` bytes of the block and answers where they start; negative when it is too much for any block. */
  #take(size: number): number {
    if (size > BLOCK_BYTES) return -1;
    if (this.#block === undefined || this.#used + size > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#blocks.set(this.#block.buffer, this.#block);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += size;
    return start;
  }
}
