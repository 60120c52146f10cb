/**
 * Chunks into messages (RTMP 1.0, section 5.3). Bytes are fed, messages are pulled; chunk size and abort are obeyed here.
 * What a header looks like is drawn in chunk-writer.ts.
 */
import { PeerError } from '../base/errors.ts';
import { DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP, MAX_CHUNK_SIZE } from './chunk-writer.ts';
import { MESSAGE, type Message, readAbort, readSetChunkSize } from './messages.ts';
import {
  type BodyAllocator,
  CHUNK_LIMITS,
  type ChunkLimits,
  type PartialMessage,
  PartialMessages,
} from './partial-messages.ts';

/** Basic header 3, message header 11, extended timestamp 4. */
const LONGEST_HEADER = 18;
/** Bytes of the message header by type: 0 has everything, 1 no message stream, 2 only a time, 3 nothing. */
const HEADER_BYTES = [11, 7, 3, 0] as const;

const NOTHING = Buffer.alloc(0);

export class ChunkReader {
  readonly #limits: ChunkLimits;
  readonly #partials: PartialMessages;
  #bytesRead = 0;
  #chunkSize = DEFAULT_CHUNK_SIZE;
  /** The message whose chunk is being read, and how much of that chunk is to come. */
  #current: PartialMessage | undefined;
  #chunkLeft = 0;

  /** What is being read: `#input` from `#at` to `#end`. */
  #input: Buffer = NOTHING;
  #at = 0;
  #end = 0;
  /** Unread bytes lie in a buffer that is not ours. */
  #lent = false;
  /** A header cut by the end of what was fed; then its first part, and as much of the next bytes as it can need. */
  readonly #seam = Buffer.alloc(2 * LONGEST_HEADER);
  /** While the seam is read: what was fed last, and where in the seam that begins. */
  #behindSeam: Buffer | undefined;
  #seamEnd = 0;

  /** `allocate` provides bodies, see `BodyAllocator`. */
  constructor(limits: Partial<ChunkLimits> = {}, allocate?: BodyAllocator) {
    this.#limits = { ...CHUNK_LIMITS, ...limits };
    this.#partials = new PartialMessages(this.#limits, allocate);
  }

  /** Bytes of one message, at most; may be changed at any time. */
  get maxMessage(): number {
    return this.#partials.maxMessage;
  }

  set maxMessage(bytes: number) {
    this.#partials.maxMessage = bytes;
  }

  /** Bytes fed so far. Acknowledgements send it modulo 2^32. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** The peer's chunk size. */
  get chunkSize(): number {
    return this.#chunkSize;
  }

  /** Bytes of memory held for messages that are not complete. */
  get partialBytes(): number {
    return this.#partials.bytesHeld;
  }

  /**
   * Takes bytes. They are used in place until `next` has answered undefined; whoever stops before that and reuses the buffer
   * calls `hold` first. Throws `PeerError` (rtmp/too-many-questions) when more than `maxUnread` bytes wait.
   */
  feed(bytes: Buffer): void {
    this.#bytesRead += bytes.length;
    const left = this.#end - this.#at;
    if (left === 0 && !this.#lent) {
      this.#input = bytes;
      this.#at = 0;
      this.#end = bytes.length;
      this.#lent = true;
    } else if (this.#input === this.#seam && !this.#lent) {
      this.#end = left + bytes.copy(this.#seam, left, 0, LONGEST_HEADER);
      this.#seamEnd = left;
      this.#behindSeam = bytes;
      this.#lent = true;
    } else {
      this.#store(bytes);
    }
  }

  /** Copies aside what was fed and not read, so that the buffer fed may be reused. */
  hold(): void {
    if (this.#lent) this.#store(NOTHING);
  }

  /**
   * The next complete message, or undefined when more bytes are needed. Throws `PeerError` (rtmp/chunk, rtmp/chunk-size,
   * rtmp/chunk-streams, rtmp/message-size, rtmp/partial-messages, rtmp/message) when the peer broke the protocol; the reader is of no use then.
   */
  next(): Message | undefined {
    for (;;) {
      if (this.#behindSeam !== undefined) this.#crossSeam();
      const partial = this.#current ?? this.#readHeader();
      if (partial === undefined) return this.#putAside();
      if (!this.#readPayload(partial)) {
        if (this.#behindSeam === undefined) return this.#putAside();
        continue;
      }
      this.#current = undefined;
      if (partial.missing > 0) continue;
      const message = this.#partials.finish(partial);
      if (message.typeId === MESSAGE.SetChunkSize) this.#setChunkSize(message);
      else if (message.typeId === MESSAGE.Abort) this.#abort(message);
      else return message;
    }
  }

  /** Takes what there is of the current chunk; answers whether that was all of it. */
  #readPayload(partial: PartialMessage): boolean {
    const count = Math.min(this.#chunkLeft, this.#end - this.#at);
    if (count > 0) this.#partials.append(partial, this.#input, this.#at, count);
    this.#at += count;
    this.#chunkLeft -= count;
    return this.#chunkLeft === 0;
  }

  /** Reads a header and makes its chunk the current one; undefined when it is cut. */
  #readHeader(): PartialMessage | undefined {
    const bytes = this.#input;
    const end = this.#end;
    let at = this.#at;
    if (at === end) return undefined;
    const first = bytes[at++]!;
    let id = first & 0x3f;
    if (id < 2) {
      // 5.3.1.1: one more byte, or two of which the second counts 256s.
      if (end - at <= id) return undefined;
      id = id === 0 ? bytes[at++]! + 64 : bytes[at++]! + bytes[at++]! * 256 + 64;
    }
    const type = first >> 6;
    const partial = type === 3 ? this.#readShortHeader(id, at) : this.#readLongHeader(type, id, at);
    if (partial !== undefined) {
      this.#current = partial;
      this.#chunkLeft = Math.min(this.#chunkSize, partial.missing);
    }
    return partial;
  }

  /** Type 3, behind its basic header: goes on with a message, or begins one like the last. */
  #readShortHeader(id: number, at: number): PartialMessage | undefined {
    const partial = this.#partials.on(id);
    if (partial === undefined) throw new PeerError('rtmp/chunk', `chunk stream ${id} begins with a header of type 3`);
    if (partial.extended) {
      const repeated = this.#timeIsRepeated(partial, at);
      if (repeated === undefined) return undefined;
      if (repeated) at += 4;
    }
    this.#at = at;
    if (partial.body === undefined) {
      // 5.3.1.2.4, behind type 0 too: that is how ffmpeg writes, and how ffmpeg, librtmp and SRS read.
      partial.timestamp = (partial.timestamp + partial.time) >>> 0;
      this.#begin(partial);
    }
    return partial;
  }

  /**
   * Whether the extended timestamp stands behind a header of type 3 as well. The specification says yes, some encoders leave it
   * out, and only the bytes tell: the time of the last header, or (from some servers) the message's own. Undefined when there
   * are too few; who leaves it out waits no longer than while the bytes look alike.
   */
  #timeIsRepeated({ time, timestamp }: PartialMessage, at: number): boolean | undefined {
    const count = Math.min(4, this.#end - at);
    let asTime = true;
    let asTimestamp = true;
    for (let i = 0; i < count; i++) {
      const byte = this.#input[at + i];
      const shift = 24 - 8 * i;
      asTime &&= byte === ((time >>> shift) & 0xff);
      asTimestamp &&= byte === ((timestamp >>> shift) & 0xff);
    }
    const alike = asTime || asTimestamp;
    return alike && count < 4 ? undefined : alike;
  }

  /** Types 0, 1 and 2, behind the basic header: always the beginning of a message. */
  #readLongHeader(type: number, id: number, at: number): PartialMessage | undefined {
    const bytes = this.#input;
    let end = at + HEADER_BYTES[type]!;
    if (end > this.#end) return undefined;
    let time = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const extended = time === EXTENDED_TIMESTAMP;
    if (extended) {
      if (end + 4 > this.#end) return undefined;
      time = bytes.readUInt32BE(end);
      end += 4;
    }
    const partial = this.#partials.on(id) ?? this.#open(id, type);
    // In the middle of a message: its sender gave it up (5.3.1 lets only type 3 go on with it).
    this.#partials.abandon(partial);
    partial.timestamp = type === 0 ? time : (partial.timestamp + time) >>> 0;
    partial.time = time;
    partial.extended = extended;
    if (type < 2) {
      partial.length = (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!;
      partial.typeId = bytes[at + 6]!;
    }
    if (type === 0) partial.streamId = bytes.readUInt32LE(at + 7);
    this.#at = end;
    this.#begin(partial);
    return partial;
  }

  #open(id: number, type: number): PartialMessage {
    // Type 1 lacks only the message stream: librtmp opens chunk stream 2 with it, for pings on message stream 0.
    if (type > 1) throw new PeerError('rtmp/chunk', `chunk stream ${id} begins with a header of type ${type}`);
    return this.#partials.open(id);
  }

  #begin(partial: PartialMessage): void {
    this.#partials.begin(partial, this.#behindSeam?.length ?? this.#end - this.#at);
  }

  /** When the seam is read, goes on behind it, in the bytes that were fed last. */
  #crossSeam(): void {
    if (this.#behindSeam === undefined || this.#at < this.#seamEnd) return;
    this.#input = this.#behindSeam;
    this.#at -= this.#seamEnd;
    this.#end = this.#input.length;
    this.#behindSeam = undefined;
  }

  /** Keeps the beginning of a header, less than `LONGEST_HEADER` bytes, and lets go of what was fed. */
  #putAside(): undefined {
    const rest = this.#input.copy(this.#seam, 0, this.#at, this.#end);
    this.#input = rest > 0 ? this.#seam : NOTHING;
    this.#at = 0;
    this.#end = rest;
    this.#behindSeam = undefined;
    this.#lent = false;
  }

  /** The slow way of `feed`: what is unread, and `bytes` behind it, in a buffer of ours; with room for as many again when more is fed. */
  #store(bytes: Buffer): void {
    this.#crossSeam();
    const behind = this.#behindSeam;
    const unread = behind === undefined ? this.#end - this.#at : this.#seamEnd - this.#at + behind.length;
    const length = unread + bytes.length;
    if (length > this.#limits.maxUnread) {
      throw new PeerError('rtmp/too-many-questions', `${length} bytes wait to be read`);
    }
    if (this.#lent || this.#end + bytes.length > this.#input.length) {
      // who holds what was fed usually adds nothing to it
      const store = Buffer.allocUnsafeSlow(bytes.length === 0 ? length : 2 * length);
      const copied = this.#input.copy(store, 0, this.#at, behind === undefined ? this.#end : this.#seamEnd);
      behind?.copy(store, copied);
      this.#input = store;
      this.#at = 0;
      this.#end = unread;
      this.#behindSeam = undefined;
      this.#lent = false;
    }
    this.#end += bytes.copy(this.#input, this.#end);
  }

  /** 5.4.1, from the next chunk on. Sizes beyond the longest message mean the same as that. */
  #setChunkSize(message: Message): void {
    const size = readSetChunkSize(message.body);
    if (size < this.#limits.minChunkSize || size > 0x7fff_ffff) {
      throw new PeerError('rtmp/chunk-size', `a chunk size of ${size}`);
    }
    this.#chunkSize = Math.min(size, MAX_CHUNK_SIZE);
  }

  /** 5.4.2. */
  #abort(message: Message): void {
    const partial = this.#partials.on(readAbort(message.body));
    if (partial !== undefined) this.#partials.abandon(partial);
  }
}
