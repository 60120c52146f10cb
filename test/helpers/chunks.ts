/**
 * What our own writer never does: chunks with the short header forms, several messages at once, and the manners of other writers.
 */
import fc from 'fast-check';
import type { Message } from '../../src/rtmp/messages.ts';

export interface ChunkManners {
  readonly chunkSize: number;
  /** Whether an extended timestamp stands behind headers of type 3 too; ffmpeg: yes, some: no. */
  readonly repeatsTime: boolean;
}

/** What a type 1, 2 or 3 header leaves out is taken from here. */
interface Last {
  readonly message: Message;
  /** The time field of the last header of type 0, 1 or 2. */
  readonly time: number;
}

/** Writes messages as chunks, with the memory of a real encoder. */
export class ChunkCompressor {
  readonly #manners: ChunkManners;
  readonly #last = new Map<number, Last>();

  constructor(manners: ChunkManners) {
    this.#manners = manners;
  }

  /** The chunks of one message, the first with the shortest header that says it all, but of no higher type than `longest`. */
  chunks(message: Message, longest = 3): Buffer[] {
    const { chunkSize, repeatsTime } = this.#manners;
    const { chunkStreamId, body } = message;
    const { type, time } = this.#form(message, longest);
    const last = this.#last.get(chunkStreamId);
    const field = type === 3 ? last!.time : time;
    this.#last.set(chunkStreamId, { message, time: field });

    const chunks: Buffer[] = [];
    for (let at = 0; at === 0 || at < body.length; at += chunkSize) {
      const header = at === 0 ? type : 3;
      const parts = [basicHeader(header, chunkStreamId), messageHeader(header, message, field)];
      if (field >= 0xffffff && (header < 3 || repeatsTime)) parts.push(u32(field));
      parts.push(body.subarray(at, at + chunkSize));
      chunks.push(Buffer.concat(parts));
    }
    return chunks;
  }

  #form(message: Message, longest: number): { type: number; time: number } {
    const last = this.#last.get(message.chunkStreamId);
    if (last === undefined || last.message.streamId !== message.streamId) return { type: 0, time: message.timestamp };
    const delta = (message.timestamp - last.message.timestamp) >>> 0;
    const alike = last.message.typeId === message.typeId && last.message.body.length === message.body.length;
    const shortest = !alike ? 1 : delta === last.time ? 3 : 2;
    const type = Math.min(shortest, longest);
    return { type, time: type === 0 ? message.timestamp : delta };
  }
}

export function basicHeader(type: number, chunkStreamId: number): Buffer {
  if (chunkStreamId < 64) return Buffer.of((type << 6) | chunkStreamId);
  const beyond = chunkStreamId - 64;
  if (beyond < 256) return Buffer.of(type << 6, beyond);
  return Buffer.of((type << 6) | 1, beyond & 0xff, beyond >> 8);
}

function messageHeader(type: number, message: Message, time: number): Buffer {
  const header = Buffer.alloc(11);
  header.writeUIntBE(Math.min(time, 0xffffff), 0, 3);
  header.writeUIntBE(message.body.length, 3, 3);
  header[6] = message.typeId;
  header.writeUInt32LE(message.streamId, 7);
  return header.subarray(0, [11, 7, 3, 0][type]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/**
 * All of `messages`, those of one chunk stream in order, chunks of different ones mixed by `picks`. Answers the bytes, and the
 * messages in the order in which they become complete.
 */
export function interleave(
  messages: readonly Message[],
  manners: ChunkManners,
  picks: readonly number[],
): { bytes: Buffer; complete: Message[] } {
  const compressor = new ChunkCompressor(manners);
  const queues = new Map<number, Message[]>();
  for (const message of messages) {
    const queue = queues.get(message.chunkStreamId) ?? [];
    queue.push(message);
    queues.set(message.chunkStreamId, queue);
  }
  const sending = new Map<number, Buffer[]>();
  const pieces: Buffer[] = [];
  const complete: Message[] = [];
  for (let turn = 0; queues.size > 0; turn++) {
    const pick = picks.length === 0 ? 0 : picks[turn % picks.length]!;
    const chunkStreamId = [...queues.keys()][pick % queues.size]!;
    const queue = queues.get(chunkStreamId)!;
    const chunks = sending.get(chunkStreamId) ?? compressor.chunks(queue[0]!, pick % 4);
    pieces.push(chunks.shift()!);
    sending.set(chunkStreamId, chunks);
    if (chunks.length > 0) continue;
    sending.delete(chunkStreamId);
    complete.push(queue.shift()!);
    if (queue.length === 0) queues.delete(chunkStreamId);
  }
  return { bytes: Buffer.concat(pieces), complete };
}

/** Bytes cut where `cuts` says; each piece is a copy of its own. */
export function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = cuts.length === 0 ? bytes.length : Math.max(1, cuts[i % cuts.length]!);
    cut.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return cut;
}

const timestamp = fc.oneof(
  fc.nat(100_000),
  fc.integer({ min: 0xfffff0, max: 0x1000010 }),
  fc.integer({ min: 0, max: 0xffffffff }),
);

/** Messages of types that a reader yields, on chunk streams of every form. */
export const anyMessage: fc.Arbitrary<Message> = fc.record(
  {
    typeId: fc.constantFrom(3, 8, 9, 18, 20, 22, 255),
    streamId: fc.constantFrom(0, 1, 0x01020304, 0xffffffff),
    timestamp,
    chunkStreamId: fc.constantFrom(2, 3, 63, 64, 65, 319, 320, 575, 576, 65_599),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(3000).map((length) => Buffer.alloc(length, length)),
    ),
  },
  { noNullPrototype: true },
);

export const anyManners: fc.Arbitrary<ChunkManners> = fc.record({
  chunkSize: fc.constantFrom(1, 2, 3, 31, 128, 4096),
  repeatsTime: fc.constant(true),
});
