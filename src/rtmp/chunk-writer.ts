/**
 * Messages as chunks that need no memory of what went before: a full header with an absolute timestamp, then as many headers of
 * type 3 as the chunk size asks for. Bytes written for one player are therefore good for all (RTMP 1.0, section 5.3.1).
 *
 *   basic header   1 to 3 bytes   type (2 bits), chunk stream id (6 bits; 0: one more byte, 1: two more bytes)
 *   type 0 header  11 bytes       timestamp 3, length 3, message type 1, message stream 4 (little endian)
 *   extended       0 or 4 bytes   the timestamp, when its 3 bytes above say FF FF FF; repeated behind each type 3 header
 */

/** What we send on which chunk stream. 2 is reserved for control messages (5.4); the others are habit. */
export const CHUNK_STREAM = { control: 2, command: 3, audio: 4, data: 5, video: 6 } as const;

/** Before anybody says otherwise (5.4.1). */
export const DEFAULT_CHUNK_SIZE = 128;
/** Larger sizes mean the same, as no message is longer (5.4.1). */
export const MAX_CHUNK_SIZE = 0xff_ffff;
/** In the 3 bytes of a timestamp: the real one follows the header (5.3.1.3). */
export const EXTENDED_TIMESTAMP = 0xff_ffff;

const TYPE_3 = 0xc0;

/** What a message needs to be written. `timestamp`: milliseconds modulo 2^32. `body`: at most 0xFFFFFF bytes. */
export interface OutgoingMessage {
  readonly typeId: number;
  readonly streamId: number;
  readonly timestamp: number;
  readonly body: Buffer;
}

/** The whole message in a buffer of exact size. `chunkStreamId`: 2 to 65599. */
export function writeMessage(message: OutgoingMessage, chunkSize: number, chunkStreamId: number): Buffer {
  const target = Buffer.allocUnsafe(messageSize(message.body.length, message.timestamp, chunkSize, chunkStreamId));
  writeMessageInto(target, 0, message, chunkSize, chunkStreamId);
  return target;
}

/** Bytes of a message with all its headers. */
export function messageSize(bodyLength: number, timestamp: number, chunkSize: number, chunkStreamId: number): number {
  const continued = Math.max(0, Math.ceil(bodyLength / chunkSize) - 1);
  return headerBytes(timestamp, chunkStreamId) + bodyLength + continued * continuationBytes(timestamp, chunkStreamId);
}

/** Bytes of the header in front of a message: 12 to 18. */
export function headerBytes(timestamp: number, chunkStreamId: number): number {
  return 11 + continuationBytes(timestamp, chunkStreamId);
}

/** Writes the whole message at `offset`, `messageSize` bytes; answers where it ends. */
export function writeMessageInto(
  target: Buffer,
  offset: number,
  message: OutgoingMessage,
  chunkSize: number,
  chunkStreamId: number,
): number {
  const { typeId, streamId, timestamp, body } = message;
  let at = writeHeaderInto(target, offset, chunkStreamId, typeId, streamId, timestamp, body.length);
  let taken = Math.min(chunkSize, body.length);
  at += body.copy(target, at, 0, taken);
  while (taken < body.length) {
    at = writeContinuationInto(target, at, timestamp, chunkStreamId);
    const end = Math.min(taken + chunkSize, body.length);
    at += body.copy(target, at, taken, end);
    taken = end;
  }
  return at;
}

/** Writes the header of a message of `length` bytes at `offset`, `headerBytes` of them; answers where the body begins. */
export function writeHeaderInto(
  target: Buffer,
  offset: number,
  chunkStreamId: number,
  typeId: number,
  streamId: number,
  timestamp: number,
  length: number,
): number {
  const extended = timestamp >= EXTENDED_TIMESTAMP;
  let at = writeBasicHeader(target, offset, 0, chunkStreamId);
  at = target.writeUIntBE(extended ? EXTENDED_TIMESTAMP : timestamp, at, 3);
  at = target.writeUIntBE(length, at, 3);
  target[at] = typeId;
  at = target.writeUInt32LE(streamId, at + 1);
  return extended ? target.writeUInt32BE(timestamp, at) : at;
}

/** Bytes of the header in front of each further chunk: 1 to 7. */
export function continuationBytes(timestamp: number, chunkStreamId: number): number {
  const basic = chunkStreamId < 64 ? 1 : chunkStreamId < 320 ? 2 : 3;
  return timestamp >= EXTENDED_TIMESTAMP ? basic + 4 : basic;
}

/** Writes the header of a further chunk at `offset`, `continuationBytes` of them; answers where the payload goes on. */
export function writeContinuationInto(
  target: Buffer,
  offset: number,
  timestamp: number,
  chunkStreamId: number,
): number {
  const at = writeBasicHeader(target, offset, TYPE_3, chunkStreamId);
  return timestamp >= EXTENDED_TIMESTAMP ? target.writeUInt32BE(timestamp, at) : at;
}

function writeBasicHeader(target: Buffer, offset: number, type: number, chunkStreamId: number): number {
  if (chunkStreamId < 64) {
    target[offset] = type | chunkStreamId;
    return offset + 1;
  }
  const beyond = chunkStreamId - 64;
  if (beyond < 256) {
    target[offset] = type;
    target[offset + 1] = beyond;
    return offset + 2;
  }
  target[offset] = type | 1;
  target[offset + 1] = beyond & 0xff; // The third byte counts 256s (5.3.1.1).
  target[offset + 2] = beyond >> 8;
  return offset + 3;
}
